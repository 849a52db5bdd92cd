"""Random lives of a partition: work left undone for a while, turns undone, checkpoints, evictions, restarts.

After every command what stands in the state must hold together, wait for something, and be the fold of the
log; in the end everything can be cancelled, and nothing is left of it.
"""

import random
from collections.abc import Iterator, Sequence

import pytest

from bpmnd.bpmn import engine as engine_module
from bpmnd.bpmn import turn as turn_module
from bpmnd.bpmn.appliers import replay
from bpmnd.bpmn.codec import decode_frame
from bpmnd.bpmn.commands import (
    DEFAULT_TENANT,
    ActivateAdHocActivities,
    ActivateInstruction,
    ActivateJobs,
    AdHocResult,
    AncestorOf,
    AssignUserTask,
    BroadcastSignal,
    CancelProcessInstance,
    Command,
    CommandId,
    CompleteJob,
    CompleteUserTask,
    Continue,
    CorrelateMessage,
    CreateGlobalListener,
    CreateProcessInstance,
    DeleteGlobalListener,
    DeleteResource,
    Deploy,
    DoOnce,
    EvaluateDecision,
    FailJob,
    FireDue,
    MigrateProcessInstance,
    ModifyProcessInstance,
    MoveInstruction,
    PublishMessage,
    RepeatableCommand,
    ResolveIncident,
    Resource,
    SetVariables,
    TaskResult,
    TerminateInstruction,
    ThrowJobError,
    UpdateGlobalListener,
    UpdateJob,
    UpdateUserTask,
    VariableInstruction,
    YieldJobs,
)
from bpmnd.bpmn.elements.complex_gateway import ComplexGateway
from bpmnd.bpmn.elements.inclusive_gateway import InclusiveGateway
from bpmnd.bpmn.elements.joins import others_can_come
from bpmnd.bpmn.elements.parallel_gateway import ParallelGateway
from bpmnd.bpmn.engine import Decision, Engine
from bpmnd.bpmn.events import BoundaryEventTriggered, Event, ProcessInstanceCreated
from bpmnd.bpmn.model.graph import AdHocSubProcess, SequenceFlow
from bpmnd.bpmn.outcomes import JobsActivated, Outcome, Rejected, RejectionType
from bpmnd.bpmn.state import EmptyStore, State, ordered
from bpmnd.bpmn.state.messages import CORRELATING, FREE, entry_of, group_of, lock_of, signal_group
from bpmnd.bpmn.state.records import (
    JobState,
    Lifecycle,
    ProcessInstance,
    encode_instance,
    loop_size,
    occurred_size,
    size_of,
)
from bpmnd.bpmn.steps import decode_steps
from bpmnd.bpmn.turn import Turn
from bpmnd.bpmn.user_tasks import GlobalListener, TaskChanges
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
    replay_in_windows,
    rows_of,
    task,
)
from tests.bpmn.test_flow import ERRORS
from tests.bpmn.test_state import MODELS, Checkpointed, whole


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


class PlantedError(Exception):
    """Raised by a test where a behaviour could raise by mistake."""


def live(state: State) -> Iterator[ProcessInstance]:
    for block in state.instances._live.values():  # pyright: ignore[reportPrivateUsage]  # all, at a look
        yield from block.values()


class World(Checkpointed):
    """A partition whose turns may raise, beside a state that is made of its frames alone."""

    def __init__(self, chance: random.Random) -> None:
        super().__init__()
        self.chance = chance
        self.mirror = State(1, EmptyStore())
        self.raises = 0.0
        """How many of the turns are undone."""
        self.repeats = 0.0
        """How many of the commands have an id, and may come again."""
        self.sent: list[tuple[DoOnce, Decision, int]] = []
        """Those that had one, what came of them, and when."""
        self.engine = Engine(self.state, (1,), keep_ms=KEEP_MS)
        self.settles = 1.0
        """After how many of the commands everything is done that they left over."""
        self.versions: Sequence[int] = range(1, len(ALL_MODELS) + 1)
        """Of which instances are created."""
        self.types: Sequence[str] = TYPES
        """What is worked on."""
        self.waiting: set[int] = set()
        """Requests that wait for listeners."""
        self._mirrored = 0

    def decide(self, command: Command) -> Decision:
        with pytest.MonkeyPatch.context() as patch:
            if self.chance.random() < self.raises:
                _raise_once(patch, self.chance.randrange(8))
            decision = super().decide(command)
        for frame in self.frames[self._mirrored :]:
            replay(self.mirror, decode_frame(frame))
        self._mirrored = len(self.frames)
        return decision

    def do(self, command: Command) -> Outcome | None:
        outcome = self.decide_with_id(command).outcome
        if self.chance.random() < self.settles:
            self.go_on()
        return outcome

    def decide_with_id(self, command: Command) -> Decision:
        if not isinstance(command, RepeatableCommand) or self.chance.random() >= self.repeats:
            return self.decide(command)
        identified = DoOnce(CommandId("scope", str(len(self.sent)), b"hash"), command)
        decision = self.decide(identified)
        self.sent.append((identified, decision, self.now))
        return decision

    def repeat(self) -> None:
        """A command that came before comes again: it has no effect, and the same answer."""
        command, first, since = self.chance.choice(self.sent)
        is_kept = not (
            isinstance(command.asked, ActivateJobs)
            or (isinstance(first.outcome, Rejected) and first.outcome.type is RejectionType.PROCESSING_ERROR)
        )
        if not is_kept or since + KEEP_MS <= self.now:
            return
        other = self.decide(DoOnce(CommandId("scope", command.id.key, b"other"), command.asked)).outcome
        assert isinstance(other, Rejected)
        assert other.type is RejectionType.IDEMPOTENCY_KEY_REUSED
        again = self.decide(command)
        assert not again.events
        if first.outcome is not None:
            assert again.outcome == first.outcome
        elif first.request in self.answers:
            assert again.outcome == self.answers[first.request]
        else:
            assert (again.outcome, again.request) == (None, first.request)

    def go_on(self) -> None:
        while self.state.continuations.items:
            self.decide(Continue(next(iter(self.state.continuations.items))))

    def restart(self) -> None:
        self.store = self.store.reopened()
        self.state = State(1, self.store)
        replay_in_windows(self.state, self.frames[self.checkpoint_at :], self.chance)
        self.engine = Engine(self.state, (1,), keep_ms=KEEP_MS)


def _raise_once(patch: pytest.MonkeyPatch, position: int) -> None:
    emit, raised = Turn.emit, list[int]()

    def emit_and_raise(turn: Turn, event: Event) -> None:
        emit(turn, event)
        if not raised and len(turn.events) == position + 1:
            raised.append(position)
            raise PlantedError(f"at event {position}")

    patch.setattr(Turn, "emit", emit_and_raise)


def check(world: World, *, whole_state: bool) -> None:
    """What holds after every command."""
    mirror, state = world.mirror, world.state
    dues = [
        (message.deadline, int.from_bytes(key, "big"))
        for key, message in mirror.messages.messages._changed.items()  # pyright: ignore[reportPrivateUsage]
        if message is not None
    ]
    dues += [
        (noted.deadline, int.from_bytes(key, "big"))
        for key, noted in mirror.noted.records._changed.items()  # pyright: ignore[reportPrivateUsage]
        if noted is not None
    ]
    dues += [(timer.due, timer.key) for timer in mirror.start_timers.items.values()]
    activatable: dict[str, list[int]] = {}
    owners: dict[int, int] = {}
    incidents = 0
    for instance in live(mirror):
        _check_instance(world, instance)
        _check_subscriptions(world, instance)
        incidents += len(instance.incidents)
        owners.update(dict.fromkeys(instance.owned_keys(), instance.key))
        dues += [(timer.due, timer.key) for timer in instance.timers.values() if timer.due]
        for job in instance.jobs.values():
            if job.state is JobState.ACTIVATABLE:
                activatable.setdefault(job.type, []).append(job.key)
            elif job.due:
                dues.append((job.due, job.key))
    assert state.incidents == mirror.incidents == incidents
    assert (state.started, state.completed) == (mirror.started, mirror.completed)
    assert state.last_key == mirror.last_key
    assert state.due(1 << 63, len(dues) + 1) == [key for _, key in sorted(dues)]
    for job_type in TYPES:
        keys = state.first_activatable(DEFAULT_TENANT, job_type, 10_000)
        assert keys == sorted(activatable.get(job_type, []))
    if whole_state:
        for key in range(max(1, mirror.last_key - 1000), mirror.last_key + 3):
            assert state.owners.get(key) == owners.get(key)
            here, there = state.instances.get(key), mirror.instances.get(key)
            assert (here and encode_instance(here)) == (there and encode_instance(there))


def _check_instance(world: World, instance: ProcessInstance) -> None:
    """Its parts hold together, and each of them waits for something that can come."""
    tree = {each.key for each in live(world.mirror) if each.root_key == instance.root_key}
    left_over = [
        *(entry.steps for entry in world.mirror.continuations.items.values() if entry.instance_key in tree),
        *(incident.steps for key in tree for incident in _there(world, key).incidents.values()),
    ]
    steps = [step for encoded in left_over for step in decode_steps(encoded)]
    about = {key for step in steps for key in (getattr(step, "key", 0), getattr(step, "scope_key", 0))}
    listens = any(
        task.transition is not None and task.transition.event == "CANCELING"
        for key in tree
        for task in _there(world, key).user_tasks.values()
    )
    children: dict[int, int] = {}
    executable = world.engine._definitions.executable(instance.definition_key)  # pyright: ignore[reportPrivateUsage]
    for element in instance.elements.values():
        if element.key != instance.key:
            children[element.scope_key] = children.get(element.scope_key, 0) + 1
        waits = (
            element.key in instance.children
            or element.key in instance.tokens
            or element.key in about
            or element.job_key in instance.jobs
            or instance.timers_of(element.key)
            or any(each.element_instance_key == element.key for each in instance.subscriptions.values())
            or any(each.element_instance_key == element.key for each in instance.signals.values())
            or any(each.element_instance_key == element.key for each in instance.conditions.values())
            or (element.scope_key in instance.interruptions and bool(steps))
            or any(each.throw_key == element.key for each in instance.compensations.values())
            or instance.incident_of(element.key) is not None
            or element.key in instance.called
            or element.key in instance.started_gateways
            or isinstance(executable.elements[element.element], AdHocSubProcess)
            or ((user_task := instance.user_task_of(element.key)) and user_task.transition is None)
        )
        around = element
        while not waits and around.key != instance.key:
            around = instance.elements[around.scope_key]
            ends = around.state is Lifecycle.TERMINATING or around.key in instance.triggers
            waits = ends and bool(steps)
        assert waits, f"{element} of {instance} waits for nothing"
        if element.state is Lifecycle.TERMINATING or element.key in instance.triggers:
            assert steps or listens, f"{element} of {instance} never ends"
    assert children == instance.children
    size = sum(map(size_of, instance.variables.values()))
    held = sum(map(occurred_size, instance.occurred.values()))
    held += sum(size_of(each.variables) for each in instance.compensations.values())
    assert instance.size == size + held + sum(loop_size(instance, key) for key in instance.loops)
    assert instance.elements.keys() >= instance.occurred.keys()
    waiting = (instance.timers, instance.subscriptions, instance.signals, instance.conditions)
    assert {key for each in waiting for key in each} >= instance.awaited_parts.keys()
    for key, called in instance.called.items():
        parent = _there(world, called).parent
        assert parent is not None
        assert (parent.instance_key, parent.element_instance_key) == (instance.key, key)
    assert instance.elements.keys() >= {*instance.variables, *instance.tokens, *instance.triggers}
    assert instance.elements.keys() >= instance.started_gateways.keys()
    if not steps:
        elements = executable.elements
        for key, flows in instance.started_gateways.items():
            record = instance.elements[key]
            gateway, tokens = executable.element(record.element), instance.tokens.get(record.scope_key, {})
            if record.state is Lifecycle.ACTIVATED and not instance.interruptions:
                came = (*flows, *tokens)
                assert others_can_come(executable, instance, record.scope_key, gateway, came), "no reset"
        for scope_key, tokens in instance.tokens.items():
            if instance.elements[scope_key].state is Lifecycle.TERMINATING:
                continue  # It only waits for listeners.
            for flow_index in tokens:
                taken = elements[flow_index]
                assert isinstance(taken, SequenceFlow)
                target = elements[taken.target]
                if isinstance(target, ComplexGateway):
                    continue  # Its condition need not hold.
                assert isinstance(target, ParallelGateway | InclusiveGateway), f"a token lies before {target}"
                assert not all(other in tokens for other in target.incoming)


def _there(world: World, key: int) -> ProcessInstance:
    instance = world.mirror.instances.get(key)
    assert instance is not None, f"there is no instance {key}"
    return instance


def _check_subscriptions(world: World, instance: ProcessInstance) -> None:
    """What an instance waits for is known where messages and signals come, and no lock is left over."""
    here, there = world.state.messages, world.mirror.messages
    process_id = world.mirror.definitions.items[instance.definition_key].process_id
    for subscription in instance.subscriptions.values():
        group = group_of(DEFAULT_TENANT, subscription.name, subscription.correlation_key)
        entry = there.place_of(process_id, subscription.element_instance_key, subscription.key)
        waiting = [
            tables.subscriptions.get(group + flag + entry) for tables in (here, there) for flag in FLAGS
        ]
        assert waiting[: len(FLAGS)] == waiting[len(FLAGS) :]
        assert sum(each is not None for each in waiting) == 2, f"{subscription} is known as {waiting}"
        assert subscription.element_instance_key in instance.elements
    for signal_subscription in instance.signals.values():
        group = signal_group(DEFAULT_TENANT, signal_subscription.name)
        assert here.signals.get(group + entry_of(signal_subscription.key)) == instance.key
        assert signal_subscription.element_instance_key in instance.elements
    if instance.correlation_key is not None:
        lock = lock_of(DEFAULT_TENANT, process_id, instance.correlation_key)
        assert here.locks.get(lock) == instance.key


def live_on(world: World, chance: random.Random, known: list[int]) -> None:
    """One more thing that happens."""
    if world.types is not TYPES and chance.random() < 0.3:
        decide_on_task(world, chance)
        return
    match chance.randrange(28):
        case 25:
            begin_ad_hoc(world, chance)
        case 0 | 1 | 2:
            version = chance.choice(world.versions)
            variables = {"amount": str(chance.choice((5, 500, 5000))).encode(), "k": chance.choice(KEYS)}
            if chance.random() < 0.5:
                variables |= {"duration": chance.choice((b'"PT1S"', b"5", b'"P-1D"')), "r": b'"done"'}
            elements = STARTS.get(version, ()) if chance.random() < 0.3 else ()
            world.do(
                CreateProcessInstance(
                    "process",
                    version,
                    variables=variables,
                    start_elements=tuple(chance.sample(elements, chance.randint(1, 2))) if elements else (),
                    terminate_after=(chance.choice(elements),) if elements and chance.random() < 0.5 else (),
                    await_result=chance.random() < 0.3,
                )
            )
        case 3 | 4 | 5 | 6:
            lent = world.do(ActivateJobs(chance.choice(world.types), "worker", 3000, chance.randint(1, 5)))
            for job in lent.jobs if isinstance(lent, JobsActivated) else ():
                known.append(job.key)
                work_on(world, chance, job.key, job.deadline)
        case 7 if known:
            work_on(world, chance, chance.choice(known), 0)
        case 8:
            world.now += chance.choice((0, 1, 10, 300, 1000, 4000))
            keys = world.state.due(world.now, chance.randint(1, 20))
            for key in keys:
                world.do(FireDue(key))
            assert not keys or world.raises or world.state.due(world.now, 1) != keys[:1]
        case 9:
            instances = list(live(world.mirror))
            if instances and chance.randrange(3):
                scope = chance.choice(list(chance.choice(instances).elements))
                value = chance.choice((b"1", b"2", b'"done"'))
                world.do(SetVariables(scope, {chance.choice("vrx"): value}, local=chance.random() < 0.5))
            elif instances:
                world.do(CancelProcessInstance(chance.choice(instances).key))
        case 10:
            for instance in list(live(world.mirror))[-5:]:
                for incident in list(instance.incidents.values())[:1]:
                    if incident.job_key and chance.random() < 0.8:
                        world.do(UpdateJob(incident.job_key, retries=chance.randint(1, 2)))
                    world.do(ResolveIncident(incident.key))
        case 11 | 12:
            for key in list(world.state.continuations.items)[:1]:
                world.decide(Continue(key))
        case 15 | 16:
            send(world, chance)
        case 17:
            world.do(BroadcastSignal(chance.choice(("bell", "ring")), {"v": b"1"}))
        case 20:
            amount = str(chance.choice((5, 500, 5000))).encode()
            world.do(EvaluateDecision(chance.choice(("grade", "base", "nope")), variables={"amount": amount}))
        case 21:
            world.do(Deploy((Resource("grades.dmn", chance.choice(GRADES)),)))
        case 22:
            world.do(Deploy((Resource("f.form", chance.choice(FORMS)),)))
        case 23 | 24:
            decide_on_task(world, chance)
        case 18 | 19:
            if world.sent:
                world.repeat()
        case 26:
            modify(world, chance)
        case 27:
            migrate(world, chance)
        case 13 if not world.in_the_making and chance.random() < 0.2:
            world.restart()
        case _ if world.in_the_making:
            world.advance(chance.randint(1, 20))
        case _:
            world.begin()


def begin_ad_hoc(world: World, chance: random.Random) -> None:
    """Elements of one of the ad-hoc sub-processes that are there, or of something else."""
    keys = [key for instance in live(world.mirror) for key in instance.loops]
    if keys:
        elements = tuple((each, {"r": b"5"}) for each in chance.sample("abc", chance.randint(1, 2)))
        world.do(ActivateAdHocActivities(chance.choice(keys), elements, chance.random() < 0.3))


def modify(world: World, chance: random.Random) -> None:
    """Change what is active by hand; a good part of it is refused."""
    instances = list(live(world.mirror))
    if not instances:
        return
    instance = chance.choice(instances)
    elements = world.engine._definitions.executable(instance.definition_key).elements  # pyright: ignore[reportPrivateUsage]
    ids = [element.id for element in elements]
    names = [element.id for element in elements if not isinstance(element, SequenceFlow)]
    keys = list(instance.elements)

    def key() -> int:
        return chance.choice(keys)

    def variables() -> tuple[VariableInstruction, ...]:
        scope = chance.choice(("", chance.choice(names)))
        return (VariableInstruction(scope, {chance.choice("vrkx"): chance.choice(KEYS)}),)

    activations = [
        ActivateInstruction(
            chance.choice(names),
            variables() if chance.random() < 0.1 else (),
            key() if chance.random() < 0.1 else 0,
        )
        for _ in range(chance.choice((0, 1, 1, 2)))
    ]
    moves = [
        MoveInstruction(
            chance.choice(names),
            *chance.choice(((key(), ""), (0, ids[instance.elements[key()].element]))),
            chance.choice(list(AncestorOf)),
        )
        for _ in range(chance.choice((0, 0, 1)))
    ]
    terminations = [
        chance.choice((TerminateInstruction(key()), TerminateInstruction(element_id=chance.choice(names))))
        for _ in range(chance.choice((0, 0, 1, 2)))
    ]
    command = ModifyProcessInstance(instance.key, tuple(activations), tuple(moves), tuple(terminations))
    world.do(command)


def migrate(world: World, chance: random.Random) -> None:
    """Let an instance go on by its own definition or one like it, with all or some of its elements mapped."""
    instances = list(live(world.mirror))
    if not instances:
        return
    instance = chance.choice(instances)
    definitions = world.mirror.definitions.items
    source = definitions[instance.definition_key]
    twins = [
        key
        for key, definition in definitions.items()
        if len(set(source.element_ids) & set(definition.element_ids)) > len(source.element_ids) / 2
    ]
    target = definitions[chance.choice(twins)]
    kept = chance.choice((1.0, 1.0, 0.8))
    ids = [each for each in dict.fromkeys(source.element_ids[1:]) if each in target.element_ids]
    mappings = tuple((each, each) for each in ids if chance.random() < kept)
    world.do(MigrateProcessInstance(instance.key, target.key, mappings))


def send(world: World, chance: random.Random) -> None:
    name, key = chance.choice(MESSAGES), chance.choice(("1", "2", "3"))
    variables = chance.choice(({}, {"v": b"1", "k": b'"2"'}, {"k": b"1"}))
    if chance.random() < 0.3:
        world.do(CorrelateMessage(name, key, variables))
    else:
        live_ms, message_id = chance.choice((0, 10, 1000, 100_000)), chance.choice(("", "", "a", "b"))
        world.do(PublishMessage(name, key, live_ms, message_id, variables))


def decide_on_task(world: World, chance: random.Random) -> None:
    """Somebody does something with a user task, or sets up who is to hear of it."""
    keys = [key for instance in live(world.mirror) for key in instance.user_tasks]
    if not keys or chance.random() < 0.1:
        files = [*world.state.forms.table.items, *world.state.decisions.requirements.items, 7]
        listener = GlobalListener("g", chance.choice(("a", "work")), (chance.choice(("all", "updating")),))
        world.do(
            chance.choice(
                (
                    CreateGlobalListener(listener),
                    UpdateGlobalListener(listener),
                    DeleteGlobalListener("g"),
                    DeleteResource(chance.choice(files)),
                )
            )
        )
        return
    key = chance.choice(keys)
    command = chance.choice(
        (
            AssignUserTask(key, chance.choice(("", "ann", "bob")), chance.random() < 0.5),
            UpdateUserTask(key, TaskChanges(priority=chance.randrange(100))),
            CompleteUserTask(key, chance.choice(({}, {"r": b'"done"'}))),
        )
    )
    decision = world.decide_with_id(command)
    if decision.outcome is None:
        world.waiting.add(decision.request)


def work_on(world: World, chance: random.Random, key: int, deadline: int) -> None:
    match chance.randrange(9):
        case 0:
            world.do(FailJob(key, chance.randrange(3), chance.choice((0, 500)), variables={"f": b"1"}))
        case 1:
            world.do(ThrowJobError(key, chance.choice(("E1", "E2", "E9")), variables={"e": b"1"}))
        case 2:
            world.do(YieldJobs(((key, deadline),)))
        case 3:
            world.do(UpdateJob(key, timeout_ms=chance.choice((-(10**13), 0, 100, 2**63 - 1))))
        case 4:
            world.do(UpdateJob(key, retries=chance.randrange(3)))
        case 5:
            pass
        case _:
            variables = chance.choice(({}, {"r": b'"done"', "amount": b"1"}, {"r": b'"no"', "v": b"1"}))
            corrections = TaskChanges(priority=chance.choice((None, 1)))
            denied = corrections.priority is None and chance.random() < 0.3
            result = TaskResult(denied=denied, corrections=corrections)
            owner = world.mirror.owner_of(key)
            job = owner.jobs.get(key) if owner is not None else None
            if job is not None and job.listener is not None and chance.random() < 0.9:
                variables = {}  # Those of user tasks may set none.
            world.do(CompleteJob(key, variables, result))
            begins = tuple((each, {"v": b"1"}) for each in chance.sample("acx", chance.randint(0, 2)))
            decided = AdHocResult(begins, chance.random() < 0.3, chance.random() < 0.3)
            world.do(CompleteJob(key, variables, ad_hoc_result=decided))


def let_listeners_work(world: World) -> None:
    """What is cancelled ends when all who are to hear of it have worked."""
    world.do(DeleteGlobalListener("g"))
    while jobs := [job for instance in live(world.mirror) for job in instance.jobs.values()]:
        for job in jobs:
            assert job.listener is not None
            assert job.listener.event == "CANCELING"
            world.do(UpdateJob(job.key, retries=1))
        for instance in list(live(world.mirror)):
            for key in list(instance.incidents):
                world.do(ResolveIncident(key))
        world.now += 1000
        for due_key in world.state.due(world.now, 1000):
            world.do(FireDue(due_key))
        for job in jobs:
            world.do(CompleteJob(job.key))


@pytest.mark.parametrize("seed", range(52))
def test_whatever_happens_the_state_holds_together_and_everything_can_end(
    monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    chance = random.Random(seed)
    monkeypatch.setattr(ordered, "_LOAD_MAX", 3)
    monkeypatch.setattr(ordered, "_SLACK", 0)
    monkeypatch.setattr(turn_module, "STEPS_MAX", chance.choice((2, 3, 4, 7, 12, 200)))
    monkeypatch.setattr(turn_module, "PASSES_MAX", passes := chance.choice((5, 20, 60)))
    monkeypatch.setattr(engine_module, "PASSES_MAX", passes)
    world = World(chance)
    assert not set(CHANGED) & set(ALL_MODELS), "what was to be changed is not there"
    for content in (*ALL_MODELS, STARTED, CALLED, *CHANGED):
        world.deploy(content)
    world.do(Deploy((Resource("grades.dmn", chance.choice(GRADES)),)))
    if seed >= 40:
        world.versions = [ALL_MODELS.index(PEOPLE) + 1, len(ALL_MODELS)]  # Theirs take more than others.
        world.types = ("a", "b", "c", "work", "handle")
        world.do(Deploy((Resource("f.form", FORMS[0]),)))
    world.settles, world.raises = chance.choice((0, 0.1, 0.5, 1)), chance.choice((0, 0, 0.05, 0.2))
    world.repeats = chance.choice((0, 0.3, 1))
    all_the_time, known = chance.random() < 0.4, list[int]()

    for _ in range(70 if seed < 40 else 300):
        if all_the_time:
            if world.in_the_making:
                world.advance(chance.choice((1, 3, 1000)))
            if not world.in_the_making:
                world.begin()
        live_on(world, chance, known)
        check(world, whole_state=False)
    check(world, whole_state=True)
    assert whole(world.restarted(), world.store.reopened()) == rows_of(world.replayed())

    world.settles, world.raises, world.repeats = 1, 0, 0
    world.finish()
    world.go_on()
    world.now += 1_000_000  # No message starts another instance any more.
    while world.state.start_timers.items:
        world.pass_time(20_000)
    for instance in list(live(world.mirror)):
        world.do(CancelProcessInstance(instance.key))
    world.pass_time(0)
    let_listeners_work(world)
    check(world, whole_state=True)
    assert not list(live(world.mirror)), "not everything could be cancelled"
    awaited = {event.request for event in world.happened(ProcessInstanceCreated)} - {0}
    assert awaited <= world.answers.keys()
    assert world.waiting <= world.answers.keys()
    triggered = [event.element_instance_key for event in world.happened(BoundaryEventTriggered)]
    assert len(triggered) == len(set(triggered)), "interrupted twice"

    world.begin()
    world.finish()
    assert whole(world.state, world.store) == rows_of(world.replayed())
    left = [key for key, _ in world.store.range(b"\1", b"\xff", 1 << 30) if key[:1] not in b"mdpxystTDEfgzj"]
    assert not left, f"{left} are left in the store"
