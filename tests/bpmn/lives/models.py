"""The models that random lives are made of: what waits in many ways, and what meets what."""

from bpmnd.bpmn.state.messages import CORRELATING, FREE
from tests.bpmn.dmn.decisions import decision, dmn, needs, table
from tests.bpmn.events import (
    boundary,
    compensable,
    event,
    event_sub_process,
    message,
    on_compensation,
    on_message,
    on_signal,
    signal,
    together,
)
from tests.bpmn.events import catch as message_catch
from tests.bpmn.people import assigned, execution, formed, heard, user_task
from tests.bpmn.playground import (
    END,
    START,
    again,
    flow,
    io_mapping,
    many,
    path,
    process,
    task,
)
from tests.bpmn.test_flow import ERRORS
from tests.bpmn.test_state import MODELS


def due(kind: str, value: str) -> str:
    return f"<timerEventDefinition><{kind}>{value}</{kind}></timerEventDefinition>"


def on_time(event_id: str, activity: str, kind: str, value: str, *, interrupting: bool = True) -> str:
    attributes = f'attachedToRef="{activity}" cancelActivity="{str(interrupting).lower()}"'
    return f'<boundaryEvent id="{event_id}" {attributes}>{due(kind, value)}</boundaryEvent>'


def on_error(event_id: str, activity: str, error: str = "") -> str:
    reference = f' errorRef="{error}"' if error else ""
    definition = f"<errorEventDefinition{reference}/>"
    return f'<boundaryEvent id="{event_id}" attachedToRef="{activity}">{definition}</boundaryEvent>'


def sub(element_id: str, *inner: str) -> str:
    start = f'<startEvent id="{element_id}_start"/>'
    return f'<subProcess id="{element_id}">{start}{"".join(inner)}</subProcess>'


def catch(element_id: str, kind: str, value: str) -> str:
    return f'<intermediateCatchEvent id="{element_id}">{due(kind, value)}</intermediateCatchEvent>'


def choice(element_id: str, default: str = "") -> str:
    attribute = f' default="{default}"' if default else ""
    return f'<exclusiveGateway id="{element_id}"{attribute}/>'


INNER = sub(
    "inner",
    task("a") + choice("x", "x_b") + task("b"),
    '<endEvent id="thrown"><errorEventDefinition errorRef="e1"/></endEvent>',
    path("inner_start", "a", "x", "b") + flow("x", "thrown", "=amount &gt; 100"),
)
NESTED = process(
    START
    + sub(
        "outer",
        INNER + on_error("caught", "inner", "e1") + task("c") + task("remind"),
        on_time("reminder", "inner", "timeDuration", "PT0.7S", interrupting=False),
        flow("outer_start", "inner") + flow("caught", "c") + flow("reminder", "remind"),
    )
    + on_time("late", "outer", "timeDuration", "PT2S")
    + on_error("any", "outer")
    + task("after")
    + task("handle")
    + path("start", "outer", "after")
    + flow("late", "handle")
    + flow("any", "handle"),
    definitions=ERRORS,
)
JOIN_IN_A_LOOP = process(
    START
    + choice("merge")
    + '<parallelGateway id="fork"/><parallelGateway id="join"/>'
    + task("a")
    + task("b")
    + choice("again", "again_end")
    + END
    + path("start", "merge", "fork", "a", "join", "again", "end")
    + path("fork", "b", "join")
    + flow("again", "merge", '=r = "done" and amount &gt; 100')
)
WIDE = process(
    START
    + '<parallelGateway id="fork"/>'
    + sub(
        "wide",
        *(task(f"t{number}", "work") + flow("wide_start", f"t{number}") for number in range(7)),
        catch("caught", "timeDuration", "PT1S") + flow("wide_start", "caught"),
    )
    + task("side", "b")
    + on_time("late", "wide", "timeDuration", "PT1S")
    + on_time("often", "wide", "timeCycle", "R3/PT0.3S", interrupting=False)
    + on_error("wrong", "wide", "e1")
    + task("handle")
    + task("remind")
    + path("start", "fork", "wide")
    + flow("fork", "side")
    + flow("late", "handle")
    + flow("wrong", "handle")
    + flow("often", "remind"),
    definitions=ERRORS,
)
MAPPED = process(
    START
    + task(
        "first",
        "=if amount &gt; 100 then 5 else &quot;work&quot;",
        inputs={"x": "=amount + 1"},
        outputs={"r2": "=if r = &quot;done&quot; then assert(no, no != null) else 1", "r3": "=x"},
    )
    + task("second", "a", inputs={"in": "=assert(v, v != null)"})
    + on_time("late", "second", "timeDuration", "=duration")
    + task("after")
    + path("start", "first", "second")
    + flow("late", "after")
)
AT_ONCE = process(
    START
    + sub(
        "scope",
        catch("first", "timeDuration", "PT1S") + catch("old", "timeDate", "1960-01-01T00:00:00Z"),
        task("work") + task("remind"),
        on_time("one", "work", "timeDuration", "PT1S") + on_time("two", "work", "timeDuration", "PT1S"),
        on_time("often", "work", "timeCycle", "R/PT0.4S", interrupting=False),
        flow("scope_start", "first") + flow("scope_start", "old") + flow("scope_start", "work"),
        flow("one", "remind") + flow("two", "remind") + flow("often", "remind"),
    )
    + on_time("late", "scope", "timeDuration", "PT1S")
    + END
    + path("start", "scope", "end")
    + flow("late", "end")
)
WITHOUT_A_REST = process(
    START
    + '<task id="pass"/>'
    + choice("x", "x_pass")
    + task("out", "a")
    + path("start", "pass", "x", "pass")
    + flow("x", "out", "=r = &quot;done&quot;")
)
TOLD = process(
    START
    + sub(
        "scope",
        '<receiveTask id="got" messageRef="go"/>'
        + boundary("stopped", "got", on_message("stop"))
        + boundary("noted", "got", on_message("note"), interrupting=False)
        + boundary("belled", "got", on_signal("bell"), interrupting=False)
        + on_time("late", "got", "timeDuration", "PT1S"),
        message_catch("heard", on_message("go")),
        message_catch("rung", on_signal("bell")),
        task("remind") + task("a"),
        '<eventBasedGateway id="either"/>' + catch("soon", "timeDuration", "PT0.5S"),
        message_catch("told", on_message("note"), io_mapping(outputs={"r": "=assert(v, v != null)"})),
        flow("scope_start", "got") + flow("scope_start", "heard") + flow("scope_start", "rung"),
        flow("scope_start", "either") + flow("either", "soon") + flow("either", "told"),
        flow("stopped", "remind") + flow("noted", "remind") + flow("belled", "remind"),
        flow("late", "a"),
    )
    + boundary("ended", "scope", on_message("over"))
    + event("endEvent", "rings", on_signal("bell"))
    + task("handle")
    + flow("start", "scope")
    + flow("scope", "rings")
    + flow("ended", "handle"),
    definitions=message("go", "go", "=k")
    + message("stop", "=if amount &gt; 100 then &quot;stop&quot; else &quot;go&quot;", "=k")
    + message("note", "note", "=k")
    + message("over", "over", "=k")
    + signal("bell", "bell"),
)
STARTED = process(
    START
    + event("startEvent", "asked", on_message("go"))
    + event("startEvent", "belled", on_signal("ring"))
    + together(
        event("startEvent", "both", on_message("over") + on_signal("bell") + due("timeCycle", "R3/PT5S")),
        "both",
    )
    + task("b")
    + flow("both", "b")
    + event("startEvent", "timed", due("timeCycle", "R5/PT20S"))
    + message_catch("wait", on_message("more"))
    + task("a")
    + path("start", "wait", "a")
    + flow("asked", "wait")
    + flow("belled", "a")
    + flow("timed", "a"),
    process_id="started",
    definitions=message("go", "go")
    + message("more", "more", "=k")
    + message("over", "over")
    + signal("ring", "ring")
    + signal("bell", "bell"),
)


def when(condition: str) -> str:
    return f"<conditionalEventDefinition><condition>{condition}</condition></conditionalEventDefinition>"


def halting(element_id: str, definition: str, job_type: str) -> str:
    """An interrupting event sub-process of one task."""
    inside = task(f"in_{element_id}", job_type) + path(f"{element_id}_start", f"in_{element_id}")
    return event_sub_process(element_id, definition, inside)


WATCHED = process(
    START
    + sub(
        "scope",
        task("a") + task("b") + '<parallelGateway id="join"/>' + task("c"),
        flow("scope_start", "a") + flow("scope_start", "b") + path("a", "join", "c") + flow("b", "join"),
        on_time("late", "a", "timeDuration", "PT1S") + task("remind") + flow("late", "remind"),
        event_sub_process(
            "halt", on_message("go"), task("in_halt", "handle") + path("halt_start", "in_halt")
        ),
        event_sub_process(
            "hint",
            on_message("note"),
            task("in_hint", "remind")
            + path("hint_start", "in_hint")
            + halting("rung", on_signal("bell"), "a"),
            interrupting=False,
            extensions=io_mapping(outputs={"r": "=assert(v, v != null)"}),
        ),
        halting("wrong", '<errorEventDefinition errorRef="e1"/>', "handle"),
    )
    + on_error("any", "scope")
    + boundary("told", "scope", on_message("over"))
    + task("after")
    + path("start", "scope", "after")
    + flow("any", "after")
    + flow("told", "after")
    + event_sub_process(
        "often",
        due("timeCycle", "R/PT0.4S"),
        task("in_often", "remind") + path("often_start", "in_often"),
        interrupting=False,
    )
    + halting("ends", on_signal("ring"), "handle"),
    definitions=ERRORS
    + message("go", "go", "=k")
    + message("note", "note", "=k")
    + message("over", "over", "=k")
    + signal("bell", "bell")
    + signal("ring", "ring"),
)
RAISED = process(
    START
    + sub(
        "outer",
        sub(
            "inner",
            '<parallelGateway id="fork"/><parallelGateway id="join"/>' + task("a") + task("b"),
            event("intermediateThrowEvent", "throws", '<escalationEventDefinition escalationRef="c1"/>'),
            choice("x", "x_halts") + event("endEvent", "halts", "<terminateEventDefinition/>"),
            event("endEvent", "gives_up", '<escalationEventDefinition escalationRef="cx"/>'),
            event("intermediateThrowEvent", "there", '<linkEventDefinition name="L"/>'),
            event("intermediateCatchEvent", "here", '<linkEventDefinition name="L"/>'),
            flow("inner_start", "fork") + path("fork", "a", "throws", "x", "halts"),
            flow("x", "gives_up", "=amount &gt; 100") + path("fork", "b", "there") + flow("here", "join"),
            flow("fork", "join", flow_id="fork_join") + task("c") + flow("fork", "c") + flow("c", "join"),
            event_sub_process(
                "minor",
                '<escalationEventDefinition escalationRef="c1"/>',
                task("in_minor", "remind") + path("minor_start", "in_minor"),
                interrupting=False,
            ),
        ),
        flow("outer_start", "inner"),
        boundary("noted", "inner", "<escalationEventDefinition/>", interrupting=False),
        task("remind") + flow("noted", "remind"),
        halting("wrong", "<errorEventDefinition/>", "handle"),
    )
    + boundary("major", "outer", '<escalationEventDefinition escalationRef="c2"/>')
    + event("endEvent", "over", "<terminateEventDefinition/>")
    + task("after")
    + path("start", "outer", "over")
    + flow("major", "after"),
    definitions='<escalation id="c1" escalationCode="C1"/><escalation id="c2" escalationCode="C2"/>'
    '<escalation id="cx" escalationCode="=if r = &quot;done&quot; then &quot;C2&quot; else v"/>',
)


def decides(element_id: str, decision_id: str, more: str = "") -> str:
    called = f'<zeebe:calledDecision decisionId="{decision_id}" resultVariable="grade" {more}/>'
    return (
        f'<businessRuleTask id="{element_id}"><extensionElements>{called}</extensionElements>'
        "</businessRuleTask>"
    )


NEW = (
    '<extensionElements><z:versionTag xmlns:z="http://camunda.org/schema/zeebe/1.0" value="new"/>'
    "</extensionElements>"
)


def calls(element_id: str, process_id: str, more: str = "") -> str:
    called = f'<zeebe:calledElement processId="{process_id}"/>{more}'
    return f'<callActivity id="{element_id}"><extensionElements>{called}</extensionElements></callActivity>'


CALLED = process(
    START
    + task("a")
    + choice("x", "x_end")
    + calls("deeper", "called", io_mapping({"amount": "=amount - 3"}))
    + END
    + '<endEvent id="thrown"><errorEventDefinition errorRef="e1"/></endEvent>'
    + path("start", "a", "x", "end")
    + flow("x", "thrown", "=amount &gt; 1000")
    + flow("x", "deeper", "=amount &gt; 0")
    + on_time("late", "deeper", "timeDuration", "PT3S")
    + task("remind")
    + flow("late", "remind"),
    process_id="called",
    definitions=ERRORS,
)
CALLING = process(
    START
    + '<inclusiveGateway id="fork" default="fork_b"/><inclusiveGateway id="join"/>'
    + calls("one", "called")
    + many(calls("each", "called"), "=[1, amount]", item="amount", outputs=("all", "=r"))
    + task("b")
    + path("start", "fork", "b", "join")
    + flow("fork", "one", "=amount &gt; 10")
    + flow("fork", "each", "=amount &gt; 100")
    + path("one", "join")
    + path("each", "join")
    + on_error("caught", "each", "e1")
    + on_time("late", "one", "timeDuration", "PT2S")
    + on_time("often", "each", "timeCycle", "R3/PT0.5S", interrupting=False)
    + task("after")
    + task("handle")
    + task("remind")
    + flow("join", "after")
    + flow("caught", "join")
    + flow("late", "handle")
    + flow("often", "remind"),
    definitions=ERRORS,
)
MANY = process(
    START
    + many(
        sub(
            "each",
            many(task("a"), "=[n, n + 1, n + 2]", item="i", sequential=True, outputs=("inner", "=r")),
            '<inclusiveGateway id="f" default="f_c"/><inclusiveGateway id="j"/>',
            task("b")
            + task("c")
            + path("each_start", "a", "f")
            + flow("f", "b", "=n &gt; 2")
            + flow("f", "c"),
            path("b", "j") + path("c", "j"),
        ),
        "=if amount &gt; 1000 then 7 else [1, 2, 3, amount]",
        item="n",
        outputs=("all", "=inner"),
        until='=count(all[item != null]) &gt; 2 or r = "done"',
    )
    + on_time("late", "each", "timeDuration", "PT2S")
    + on_error("caught", "each")
    + many('<task id="pass"/>', "=all", sequential=True, until="=loopCounter = amount")
    + task("after")
    + task("handle")
    + path("start", "each", "pass", "after")
    + flow("late", "handle")
    + flow("caught", "pass"),
    definitions=ERRORS,
)
AGAIN = process(
    START
    + again(
        sub(
            "round",
            again(task("a"), condition="=r != &quot;done&quot;", maximum=3)
            + on_error("caught", "a", "e1")
            + again('<task id="pass"/>', condition="=loopCounter &lt; amount", maximum=20, before=True)
            + task("b")
            + path("round_start", "a", "pass", "b")
            + flow("caught", "b"),
        ),
        condition="=loopCounter &lt;= count(string(v))",
        maximum=4,
        before=True,
    )
    + on_time("late", "round", "timeDuration", "PT2S")
    + task("after")
    + path("start", "round", "after")
    + flow("late", "after"),
    definitions=ERRORS,
)
PARTLY = process(
    START
    + '<exclusiveGateway id="in"/><parallelGateway id="fork"/>'
    + '<complexGateway id="join" default="join_after"><activationCondition>'
    "=activationCount &gt;= (if amount &gt; 100 then 2 else v)</activationCondition></complexGateway>"
    + "".join(task(each) + flow("fork", each) + flow(each, "join") for each in "abc")
    + on_error("caught", "b")
    + task("after")
    + task("handle")
    + choice("again", "again_end")
    + END
    + path("start", "in", "fork")
    + flow("join", "after")
    + flow("join", "handle", '=waitingForStart and r = "no" or not(waitingForStart) and x = 1')
    + path("after", "again", "end")
    + flow("caught", "handle")
    + flow("again", "in", '=r = "done"'),
)
UNDONE = process(
    START
    + task("a")
    + compensable("a", task("undo", "handle"), "undo")
    + sub(
        "scope",
        task("b") + task("c") + compensable("b", task("undo_b", "remind"), "undo_b"),
        sub(
            "deep",
            task("e", "a", inputs={"r": "=r", "own": "=v"}, outputs={"own": "=own"})
            + compensable("e", task("undo_e", "b"), "undo_e")
            + flow("deep_start", "e"),
            event_sub_process(
                "undoes_deep",
                on_compensation("undoes_deep_start"),
                event("intermediateThrowEvent", "deeper", on_compensation("deeper"))
                + task("undo_deep", "a")
                + path("undoes_deep_start", "deeper", "undo_deep"),
            ),
        ).replace(
            "<startEvent",
            f"<extensionElements>{io_mapping({'own': '=amount'})}</extensionElements><startEvent",
            1,
        ),
        choice("x", "x_ends") + event("endEvent", "gives_up", on_compensation("gives_up", "b")),
        event("endEvent", "ends", "") + path("scope_start", "b", "deep", "c", "x", "ends"),
        flow("x", "gives_up", "=amount &gt; 100"),
        event_sub_process(
            "es",
            on_message("go"),
            event(
                "endEvent",
                "es_undoes",
                on_compensation("es_undoes").replace("/>", ' waitForCompletion="false"/>'),
            )
            + path("es_start", "es_undoes"),
            interrupting=False,
        ),
    )
    + compensable("scope", task("undo_scope", "handle"), "undo_scope")
    + on_error("any", "scope")
    + event("intermediateThrowEvent", "undoes", on_compensation("undoes"))
    + choice("again", "again_after")
    + task("after")
    + path("start", "a", "scope", "undoes", "again", "after")
    + flow("any", "undoes")
    + flow("again", "a", '=r = "done"'),
    definitions=ERRORS + message("go", "go", "=k"),
)
DEAL = process(
    START
    + sub(
        "deal",
        task("a") + task("b") + compensable("a", task("undo", "handle"), "undo") + choice("x", "x_done"),
        event("endEvent", "cancels", "<cancelEventDefinition/>") + event("endEvent", "done", ""),
        '<parallelGateway id="fork"/>' + task("c") + path("deal_start", "a", "fork", "b", "x", "done"),
        flow("x", "cancels", "=amount &gt; 100") + flow("fork", "c") + flow("c", "cancels"),
        halting("halt", on_message("go"), "remind"),
    ).replace("subProcess id", "transaction id", 1)[: -len("subProcess>")]
    + "transaction>"
    + boundary("off", "deal", "<cancelEventDefinition/>")
    + on_error("any", "deal")
    + task("after")
    + task("remind")
    + path("start", "deal", "after")
    + flow("off", "remind")
    + flow("any", "after"),
    definitions=message("go", "go", "=k"),
)
WHENEVER = process(
    START
    + sub(
        "scope",
        task("a") + boundary("x", "a", when("=amount &gt; 100")) + task("b") + flow("x", "b"),
        boundary("y", "a", when('=r = "done"'), interrupting=False) + task("c") + flow("y", "c"),
        message_catch("wait", when("=v = 1 or x = 2")) + flow("scope_start", "a"),
        flow("scope_start", "wait"),
        halting("halt", when("=v = 2"), "handle"),
    )
    + boundary("z", "scope", when("=x = 1"))
    + task("after")
    + path("start", "scope", "after")
    + flow("z", "after")
    + event_sub_process(
        "often",
        when("=r != null"),
        task("in_often", "remind") + path("often_start", "in_often"),
        interrupting=False,
    )
)
SEVERAL = process(
    START
    + sub(
        "scope",
        together(
            task("a")
            + boundary(
                "x",
                "a",
                on_message("go") + on_signal("bell") + due("timeCycle", "R/PT0.4S"),
                interrupting=False,
            )
            + boundary("y", "a", on_message("note") + when("=r != null") + due("timeDuration", "PT1S"))
            + message_catch("wait", on_signal("ring") + on_message("over") + when("=v = 1"))
            + message_catch("all", on_signal("bell") + on_message("note")),
            "x",
            "y",
            "all",
        ),
        '<eventBasedGateway id="either"/>' + task("b") + task("remind") + task("undo", "handle"),
        compensable("b", "", "undo") + flow("scope_start", "a") + flow("scope_start", "wait"),
        flow("scope_start", "either")
        + path("either", "all", "b")
        + message_catch("stops", on_message("stop")),
        flow("either", "stops") + flow("x", "remind") + flow("y", "throws") + flow("b", "throws"),
        event(
            "intermediateThrowEvent",
            "throws",
            on_compensation("throws")
            + on_signal("named")
            + '<escalationEventDefinition escalationRef="c1"/>',
        ),
        task("c") + flow("throws", "c"),
        together(
            event_sub_process(
                "minor",
                '<escalationEventDefinition escalationRef="c1"/>' + on_message("more"),
                task("in_minor", "remind") + path("minor_start", "in_minor"),
                interrupting=False,
            ),
            "minor_start",
        ),
    )
    + boundary("any", "scope", on_message("go_on") + '<errorEventDefinition errorRef="e1"/>')
    + event(
        "endEvent",
        "halts",
        "<terminateEventDefinition/>" + on_message("go") + on_signal("bell"),
        '<zeebe:taskDefinition type="handle"/>',
    )
    + task("after")
    + path("start", "scope", "halts")
    + flow("any", "after"),
    definitions=ERRORS
    + message("go", "go", "=k")
    + message("note", "note", "=k")
    + message("over", "over", "=k")
    + message("stop", "stop", "=k")
    + message("more", "more", "=k")
    + message("go_on", "go", "=k")
    + signal("bell", "bell")
    + signal("ring", "ring")
    + signal("named", "=if r = &quot;done&quot; then &quot;ring&quot; else v")
    + '<escalation id="c1" escalationCode="C1"/>',
)
DECIDED = process(
    START
    + decides("decide", "grade")
    + choice("x", "x_work")
    + decides("again", "grade", 'bindingType="versionTag" versionTag="new"')
    + task("work")
    + path("start", "decide", "x", "work")
    + flow("x", "again", '=grade = "high"')
    + flow("again", "work")
    + on_time("late", "work", "timeDuration", "PT1S")
    + flow("late", "decide")
)
GRADES = tuple(
    dmn(
        decision("base", "amount + 1")
        + decision("grade", table(policy, ["base"], ["o"], *rules), requires=tag + needs("base"))
    )
    for policy, rules, tag in (
        ("FIRST", (["< 100", '"low"'], ["-", '"high"']), ""),
        ("UNIQUE", (["< 100", '"low"'], ["> 5", '"high"']), ""),
        ("UNIQUE", (["< 100", "assert(1, false)"], ["-", '"high"']), NEW),
        ("COLLECT", (["< 600", '"high"'],), NEW),
    )
)
AD_HOC = process(
    START + '<adHocSubProcess id="tools"><extensionElements><zeebe:adHoc'
    ' activeElementsCollection="=[&quot;a&quot;, if amount &gt; 1000 then &quot;no&quot; else &quot;b&quot;]"'
    ' outputCollection="results" outputElement="=r"/></extensionElements>'
    + task("a")
    + task("b")
    + task("c")
    + path("b", "c")
    + "<completionCondition>=count(results) &gt; 2</completionCondition></adHocSubProcess>"
    + on_time("late", "tools", "timeDuration", "PT2S")
    + task("after")
    + task("handle")
    + path("start", "tools", "after")
    + flow("late", "handle")
)
PEOPLE = process(
    f"<extensionElements>{execution(('start', 'a'), ('end', 'b'))}</extensionElements>"
    + START
    + sub(
        "scope",
        user_task(
            "do",
            assigned(assignee='=if amount &gt; 100 then "ann" else assert(v, v != null)'),
            heard(("updating", "work"), ("completing", "work"), ("completing", "b")),
            execution(("start", "c"), ("end", "work")),
        ),
        user_task("plain", formed(formId="f"), heard(("creating", "b"), ("canceling", "handle"))),
        flow("scope_start", "do") + flow("scope_start", "plain"),
        on_time("late", "do", "timeDuration", "PT2S"),
        on_time("often", "plain", "timeCycle", "R3/PT0.5S", interrupting=False),
        task("remind") + flow("often", "remind") + flow("late", "remind"),
        halting("halt", on_signal("bell"), "handle"),
    )
    + boundary("told", "scope", on_message("over"), extensions=execution(("end", "remind")))
    + many(
        user_task("each", heard(("completing", '=if r = "done" then "a" else n'), ("canceling", "work"))),
        "=[1, amount]",
        item="n",
    )
    + on_time("ends", "each", "timeDuration", "PT4S")
    + END
    + path("start", "scope", "each", "end")
    + flow("told", "end")
    + flow("ends", "end"),
    definitions=message("over", "over", "=k") + signal("bell", "bell"),
)
FORMS = (b'{"id":"f"}', b'{"id":"f","x":1}')
AGENT = process(
    START + '<adHocSubProcess id="tools"><extensionElements><zeebe:taskDefinition type="b"/>'
    '<zeebe:adHoc outputCollection="results" outputElement="=r"/></extensionElements>'
    + task("a")
    + task("c")
    + task("late_one", "c")
    + path("c", "late_one")
    + "</adHocSubProcess>"
    + on_time("late", "tools", "timeDuration", "PT3S")
    + on_error("caught", "tools", "e1")
    + task("after")
    + path("start", "tools", "after")
    + flow("late", "after")
    + flow("caught", "after"),
    definitions=ERRORS,
)
ALL_MODELS = (
    *MODELS,
    NESTED,
    JOIN_IN_A_LOOP,
    WIDE,
    MAPPED,
    AT_ONCE,
    WITHOUT_A_REST,
    TOLD,
    WATCHED,
    RAISED,
    CALLING,
    MANY,
    AGAIN,
    PARTLY,
    AD_HOC,
    AGENT,
    UNDONE,
    WHENEVER,
    DECIDED,
    SEVERAL,
    PEOPLE,
    PEOPLE.replace(b'eventType="start"', b'eventType="end"').replace(b'"=k"', b'"=&quot;1&quot;"'),
    DEAL,
)
CHANGED = tuple(
    content.replace(before, after)
    for content, before, after in (
        (NESTED, b"PT0.7S", b"PT0.2S"),
        (NESTED, b'cancelActivity="false"', b'cancelActivity="true"'),
        (NESTED, b'"any"', b'"all"'),
        (AGAIN, b'loopMaximum="3"', b'loopMaximum="2"'),
        (PARTLY, b'"c_join"', b'"d_join"'),
        (WIDE, b"R3/PT0.3S", b"R/PT1S"),
        (JOIN_IN_A_LOOP, b'"b_join"', b'"joined"'),
        (AT_ONCE, b'"often"', b'"seldom"'),
        (TOLD, b'"noted"', b'"seen"'),
        (TOLD, b'"told"', b'"heard_too"'),
        (TOLD, b'process id="process"', b'process id="other"'),
        (WATCHED, b'"often_start"', b'"seldom_start"'),
        (RAISED, b'process id="process"', b'process id="other"'),
        (SEVERAL, b'"minor_start"', b'"major_start"'),
    )
)
"""What instances may migrate to: models in which one thing is otherwise."""
STARTS = {6: ("a", "b", "c", "outer"), 7: ("a", "b", "fork", "join"), 8: ("wide", "t0", "side", "caught")}
TYPES = ("a", "b", "c", "after", "big", "huge", "small", "work", "remind", "handle", "handle-one")


FLAGS = (FREE, CORRELATING)
KEYS = (b'"1"', b"2", b'"3"', b"null")
MESSAGES = ("go", "stop", "note", "over", "more")


KEEP_MS = 20_000
