"""Elements activated, moved and terminated by hand."""

import pytest

from bpmnd.bpmn import turn as turn_module
from bpmnd.bpmn.commands import (
    ActivateInstruction,
    AncestorOf,
    CancelProcessInstance,
    CompleteJob,
    CreateProcessInstance,
    ModifyProcessInstance,
    MoveInstruction,
    PublishMessage,
    ResolveIncident,
    SetVariables,
    TerminateInstruction,
    VariableInstruction,
)
from bpmnd.bpmn.events import (
    ElementActivated,
    ElementCompleted,
    ElementTerminated,
    IncidentCreated,
    JobCanceled,
    ProcessInstanceModified,
    ProcessMessageSubscriptionCreated,
    TimerCanceled,
    TimerCreated,
)
from bpmnd.bpmn.outcomes import Accepted, Outcome, ProcessInstanceCreated, Rejected, RejectionType
from bpmnd.bpmn.state.records import ProcessInstance, encode_instance
from tests.bpmn.events import boundary, catch, message, on_message
from tests.bpmn.playground import END, START, Playground, flow, io_mapping, path, process, task

HOUR = "<timerEventDefinition><timeDuration>PT1H</timeDuration></timerEventDefinition>"
INNER = (
    f'<subProcess id="inner"><extensionElements>{io_mapping({"own": "=x"})}</extensionElements>'
    f'<startEvent id="inner_start"/>{task("e")}{path("inner_start", "e")}</subProcess>'
)
NESTED = process(
    START
    + task("a")
    + task("b", inputs={"in": "=x"})
    + f'<subProcess id="outer"><startEvent id="outer_start"/>{task("c")}{INNER}'
    + f"{path('outer_start', 'c', 'inner')}</subProcess>"
    + boundary("late", "outer", HOUR)
    + boundary("told", "outer", on_message("go"))
    + task("f")
    + END
    + path("start", "a", "b", "outer", "f", "end")
    + path("late", "f")
    + path("told", "f"),
    definitions=message("go", "go", "=k"),
)
JOIN = process(
    START
    + '<parallelGateway id="fork"/><parallelGateway id="join"/>'
    + task("a")
    + task("b")
    + END
    + path("start", "fork", "a", "join", "end")
    + path("fork", "b", "join")
)
EITHER = process(
    START
    + '<eventBasedGateway id="either"/>'
    + catch("soon", HOUR)
    + catch("told", on_message("go"))
    + path("start", "either", "soon")
    + path("either", "told"),
    definitions=message("go", "go", "=k"),
)


def running(model: bytes = NESTED, *starts: str) -> tuple[Playground, int]:
    playground = Playground()
    playground.deploy(model)
    outcome = playground.do(
        CreateProcessInstance("process", variables={"x": b"1", "k": b'"1"'}, start_elements=starts)
    )
    assert isinstance(outcome, ProcessInstanceCreated), outcome
    return playground, outcome.key


def at(element_id: str, **variables: dict[str, bytes]) -> ActivateInstruction:
    """Variables by scope; `everywhere` stands for the process instance."""
    return ActivateInstruction(
        element_id,
        tuple(
            VariableInstruction("" if scope == "everywhere" else scope, values)
            for scope, values in variables.items()
        ),
    )


def instance_of(playground: Playground, key: int) -> ProcessInstance:
    instance = playground.state.instances.get(key)
    assert instance is not None, f"{key} is over"
    return instance


def ids_in(playground: Playground, key: int) -> list[str]:
    """What is active, by element ids."""
    instance = instance_of(playground, key)
    ids = playground.state.definitions.items[instance.definition_key].element_ids
    return sorted(ids[record.element] for record in instance.elements.values())


def key_of(playground: Playground, instance_key: int, element_id: str, number: int = 0) -> int:
    instance = instance_of(playground, instance_key)
    ids = playground.state.definitions.items[instance.definition_key].element_ids
    keys = sorted(record.key for record in instance.elements.values() if ids[record.element] == element_id)
    return keys[number]


def scope_of(playground: Playground, instance_key: int, element_id: str, number: int = 0) -> int:
    key = key_of(playground, instance_key, element_id, number)
    return instance_of(playground, instance_key).elements[key].scope_key


def modify(
    playground: Playground,
    key: int,
    *activations: ActivateInstruction,
    moves: tuple[MoveInstruction, ...] = (),
    end: tuple[int | str, ...] = (),
) -> Outcome | None:
    """`end` are keys of element instances, or ids of elements."""
    terminations = tuple(
        TerminateInstruction(each) if isinstance(each, int) else TerminateInstruction(element_id=each)
        for each in end
    )
    outcome = playground.do(ModifyProcessInstance(key, activations, moves, terminations))
    here, there = (state.instances.get(key) for state in (playground.state, playground.replayed()))
    assert (here and encode_instance(here)) == (there and encode_instance(there))
    return outcome


def refused(
    playground: Playground,
    key: int,
    *activations: ActivateInstruction,
    moves: tuple[MoveInstruction, ...] = (),
    end: tuple[int | str, ...] = (),
) -> str:
    """The reason, without its common beginning."""
    before, last_key = len(playground.events), playground.state.last_key
    rejected = modify(playground, key, *activations, moves=moves, end=end)
    assert isinstance(rejected, Rejected), rejected
    assert rejected.type is RejectionType.INVALID_ARGUMENT
    assert (len(playground.events), playground.state.last_key) == (before, last_key)
    beginning = "Expected to modify instance of process 'process' but "
    return rejected.reason.removeprefix(beginning).removeprefix("it contains one or more ")


# Activation


def test_an_element_is_activated_beside_what_is_active() -> None:
    playground, key = running()
    assert modify(playground, key, at("b")) == Accepted()
    assert ids_in(playground, key) == ["a", "b", "process"]
    assert playground.jobs("b")[0].variables["in"] == b"1"


def test_a_modification_is_noted() -> None:
    playground, key = running()
    a = key_of(playground, key, "a")
    modify(playground, key, at("b"), end=(a,))
    (noted,) = playground.happened(ProcessInstanceModified)
    assert noted.terminated == (a,)
    assert [activated for activated, _ in noted.activated] == [key_of(playground, key, "b")]


def test_scopes_are_opened_on_the_way_without_starting_in_them() -> None:
    playground, key = running()
    modify(playground, key, at("e"))
    assert ids_in(playground, key) == ["a", "e", "inner", "outer", "process"]
    assert scope_of(playground, key, "e") == key_of(playground, key, "inner")
    assert scope_of(playground, key, "inner") == key_of(playground, key, "outer")


def test_an_opened_scope_has_no_input_mappings() -> None:
    playground, key = running()
    modify(playground, key, at("e"))
    assert key_of(playground, key, "inner") not in instance_of(playground, key).variables


def test_an_opened_scope_waits_for_its_boundary_events() -> None:
    playground, key = running()
    modify(playground, key, at("e"))
    outer = key_of(playground, key, "outer")
    assert [timer.element_instance_key for timer in playground.happened(TimerCreated)] == [outer]
    playground.do(PublishMessage("go", "1"))
    assert ids_in(playground, key) == ["a", "f", "process"]


def test_an_opened_scope_completes_with_what_is_in_it() -> None:
    playground, key = running()
    modify(playground, key, at("e"), end=("a",))
    playground.work("e")
    assert ids_in(playground, key) == ["f", "process"]


def test_an_activated_sub_process_starts_by_itself() -> None:
    playground, key = running()
    modify(playground, key, at("outer"), end=("a",))
    assert ids_in(playground, key) == ["c", "outer", "process"]


def test_a_second_element_comes_into_the_scope_that_is_open() -> None:
    playground, key = running()
    modify(playground, key, at("e"))
    modify(playground, key, at("e"), at("c"))
    assert ids_in(playground, key) == ["a", "c", "e", "e", "inner", "outer", "process"]


def test_elements_of_one_command_share_the_scopes_that_it_opens() -> None:
    playground, key = running()
    modify(playground, key, at("e"), at("c"), at("e"))
    assert ids_in(playground, key) == ["a", "c", "e", "e", "inner", "outer", "process"]


def test_an_ancestor_gets_new_scopes_in_it() -> None:
    playground, key = running()
    modify(playground, key, at("e"))
    outer = key_of(playground, key, "outer")
    modify(playground, key, ActivateInstruction("e", ancestor_key=outer))
    assert ids_in(playground, key) == ["a", "e", "e", "inner", "inner", "outer", "process"]


def test_each_element_with_an_ancestor_gets_scopes_of_its_own() -> None:
    playground, key = running()
    within = ActivateInstruction("e", ancestor_key=key)
    modify(playground, key, within, within)
    assert ids_in(playground, key).count("outer") == 2


def test_the_direct_scope_as_ancestor_is_the_scope() -> None:
    playground, key = running()
    modify(playground, key, at("e"))
    inner = key_of(playground, key, "inner")
    modify(playground, key, ActivateInstruction("e", ancestor_key=inner))
    assert scope_of(playground, key, "e", 1) == inner


def test_an_ancestor_tells_apart_scopes_of_which_there_are_several() -> None:
    playground, key = running()
    modify(playground, key, at("outer"), at("outer"))
    second = key_of(playground, key, "outer", 1)
    modify(playground, key, ActivateInstruction("e", ancestor_key=second))
    assert scope_of(playground, key, "inner") == second


def test_a_gateway_activated_by_hand_leaves_tokens_where_they_are() -> None:
    playground, key = running(JOIN)
    playground.work("a")
    modify(playground, key, at("join"))
    assert len(playground.happened(ElementCompleted)) > 0
    assert ids_in(playground, key) == ["b", "process"]
    playground.work("b")
    assert playground.is_over(key)


def test_an_end_event_activated_by_hand_ends_the_instance_if_nothing_else_is_active() -> None:
    playground, key = running()
    modify(playground, key, at("end"), end=("a",))
    assert playground.events[-1] == ElementCompleted(key, key, 0)


def test_an_element_that_fails_stands_in_an_incident_that_can_be_resolved() -> None:
    playground, key = running(process(START + task("a") + task("b", retries="=no") + path("start", "a", "b")))
    modify(playground, key, at("b"), end=("a",))
    (incident,) = playground.happened(IncidentCreated)
    playground.do(SetVariables(key, {"no": b"3"}))
    assert playground.do(ResolveIncident(incident.key)) == Accepted()
    playground.work("b")
    assert playground.is_over(key)


# Variables


def test_variables_are_set_in_the_scopes_that_are_named() -> None:
    playground, key = running()
    modify(
        playground,
        key,
        at("e", everywhere={"g": b"1"}, outer={"s": b"2"}, inner={"t": b"3"}, e={"u": b"4"}),
    )
    variables = instance_of(playground, key).variables
    assert variables[key]["g"] == b"1"
    assert variables[key_of(playground, key, "outer")] == {"s": b"2"}
    assert variables[key_of(playground, key, "inner")] == {"t": b"3"}
    assert variables[key_of(playground, key, "e")] == {"u": b"4"}


def test_variables_are_there_before_the_input_mappings() -> None:
    playground, key = running()
    modify(playground, key, at("b", everywhere={"x": b"7"}, b={"in": b"8"}))
    (job,) = playground.jobs("b")
    assert (job.variables["x"], job.variables["in"]) == (b"7", b"7")


def test_variables_of_a_scope_that_is_open_are_overwritten() -> None:
    playground, key = running()
    modify(playground, key, at("e", outer={"s": b"1"}))
    modify(playground, key, at("c", outer={"s": b"2"}))
    assert instance_of(playground, key).variables[key_of(playground, key, "outer")] == {"s": b"2"}


def test_what_an_opened_scope_waits_for_sees_the_new_variables() -> None:
    playground, key = running()
    modify(playground, key, at("e", everywhere={"k": b'"new"'}))
    (opened,) = playground.happened(ProcessMessageSubscriptionCreated)
    assert opened.correlation_key == "new"


# Termination


def test_an_element_instance_is_terminated_with_its_job() -> None:
    playground, key = running()
    modify(playground, key, at("b"), end=(key_of(playground, key, "a"),))
    assert ids_in(playground, key) == ["b", "process"]
    assert len(playground.happened(JobCanceled)) == 1


def test_with_its_last_element_the_instance_is_terminated() -> None:
    playground, key = running()
    modify(playground, key, end=(key_of(playground, key, "a"),))
    assert playground.is_over(key)
    assert playground.events[-1] == ElementTerminated(key, key, 0)


def test_scopes_that_are_left_empty_are_terminated_from_the_inside_out() -> None:
    playground, key = running(NESTED, "e", "a")
    inner, outer = key_of(playground, key, "inner"), key_of(playground, key, "outer")
    e = key_of(playground, key, "e")
    modify(playground, key, end=(e,))
    assert [event.key for event in playground.happened(ElementTerminated)] == [e, inner, outer]
    assert len(playground.happened(TimerCanceled)) == 1
    assert ids_in(playground, key) == ["a", "process"]


def test_a_scope_stays_that_something_is_activated_in() -> None:
    playground, key = running(NESTED, "e")
    outer = key_of(playground, key, "outer")
    modify(playground, key, at("c"), end=("e",))
    assert ids_in(playground, key) == ["c", "outer", "process"]
    assert key_of(playground, key, "outer") == outer


def test_a_scope_stays_in_which_a_token_waits() -> None:
    playground, key = running(JOIN)
    playground.work("a")
    modify(playground, key, end=("b",))
    assert ids_in(playground, key) == ["process"]
    modify(playground, key, at("b"))
    playground.work("b")
    assert playground.is_over(key)


def test_a_scope_is_terminated_with_all_that_is_in_it() -> None:
    playground, key = running(NESTED, "e", "c", "a")
    modify(playground, key, end=("outer",))
    assert ids_in(playground, key) == ["a", "process"]


def test_what_stands_in_another_that_is_terminated_may_be_named_too() -> None:
    playground, key = running(NESTED, "e", "a")
    keys = tuple(key_of(playground, key, each) for each in ("e", "outer", "e", "inner"))
    modify(playground, key, end=keys)
    assert ids_in(playground, key) == ["a", "process"]


def test_nothing_is_activated_in_a_scope_that_is_terminated() -> None:
    playground, key = running(NESTED, "e")
    outer = key_of(playground, key, "outer")
    modify(playground, key, at("c"), end=(outer,))
    assert ids_in(playground, key) == ["c", "outer", "process"]
    assert key_of(playground, key, "outer") != outer


def test_the_instance_itself_can_be_terminated() -> None:
    playground, key = running()
    modify(playground, key, at("b"), end=(key,))
    assert playground.is_over(key)


def test_all_instances_of_an_element_are_terminated_by_its_id() -> None:
    playground, key = running()
    modify(playground, key, at("a"), at("a"))
    modify(playground, key, at("b"), end=("a",))
    assert ids_in(playground, key) == ["b", "process"]


def test_an_element_without_instances_is_terminated_in_vain() -> None:
    playground, key = running()
    assert modify(playground, key, end=("b",)) == Accepted()
    assert ids_in(playground, key) == ["a", "process"]


# Moves


def test_a_move_activates_the_target_once_for_each_that_it_ends() -> None:
    playground, key = running()
    modify(playground, key, at("a"))
    modify(playground, key, moves=(MoveInstruction("f", source_id="a"),))
    assert ids_in(playground, key) == ["f", "f", "process"]


def test_one_element_instance_is_moved_by_its_key() -> None:
    playground, key = running()
    modify(playground, key, at("a"))
    first = key_of(playground, key, "a")
    modify(playground, key, moves=(MoveInstruction("f", source_key=first),))
    assert ids_in(playground, key) == ["a", "f", "process"]


def test_a_move_brings_its_variables() -> None:
    playground, key = running()
    move = MoveInstruction("f", source_id="a", variables=(VariableInstruction("f", {"v": b"1"}),))
    modify(playground, key, moves=(move,))
    assert instance_of(playground, key).variables[key_of(playground, key, "f")] == {"v": b"1"}


def test_each_moved_one_stays_in_the_scope_that_is_found_around_it() -> None:
    playground, key = running()
    within = ActivateInstruction("c", ancestor_key=key)
    modify(playground, key, within, within, end=("a",))
    outers = {key_of(playground, key, "outer", number) for number in (0, 1)}
    modify(playground, key, moves=(MoveInstruction("e", source_id="c", ancestor=AncestorOf.FOUND),))
    assert ids_in(playground, key) == ["e", "e", "inner", "inner", "outer", "outer", "process"]
    assert {scope_of(playground, key, "inner", number) for number in (0, 1)} == outers


def test_a_move_out_of_a_scope_finds_the_one_around_both() -> None:
    playground, key = running(NESTED, "e")
    modify(playground, key, moves=(MoveInstruction("f", source_id="e", ancestor=AncestorOf.FOUND),))
    assert ids_in(playground, key) == ["f", "process"]


def test_a_move_can_stay_in_the_scope_of_its_source() -> None:
    playground, key = running()
    within = ActivateInstruction("c", ancestor_key=key)
    modify(playground, key, within, within, end=("a",))
    outers = {key_of(playground, key, "outer", number) for number in (0, 1)}
    modify(playground, key, moves=(MoveInstruction("c", source_id="c", ancestor=AncestorOf.SOURCE),))
    assert {scope_of(playground, key, "c", number) for number in (0, 1)} == outers


def test_the_scope_of_the_source_must_be_one_of_the_target() -> None:
    playground, key = running(NESTED, "e")
    reason = refused(
        playground, key, moves=(MoveInstruction("f", source_id="e", ancestor=AncestorOf.SOURCE),)
    )
    assert reason.startswith("activate instructions with an ancestor scope key that is not an ancestor")


# Rejections


@pytest.mark.parametrize(
    ("activations", "end", "reason"),
    [
        (
            (at("none"), at("nun")),
            (),
            "activate instructions with an element that could not be found: 'none', 'nun'",
        ),
        ((), (7, 8), "terminate instructions with an element instance that could not be found: '7', '8'"),
        ((), ("none",), "terminate instructions with an element that could not be found: 'none'"),
        ((), ("a_b",), "terminate instructions with an element that could not be found: 'a_b'"),
        (
            (at("b", none={"v": b"1"}),),
            (),
            "variable instructions with a scope element id that could not be found: 'none'",
        ),
        (
            (at("b", outer={"v": b"1"}),),
            (),
            "variable instructions with a scope element that doesn't belong to the activating element's flow"
            " scope. These variables should be set before or after the modification.",
        ),
        (
            (ActivateInstruction("b", ancestor_key=7),),
            (),
            "activate instructions with an ancestor scope key that does not exist, or is not in an active"
            " state: '7'",
        ),
    ],
)
def test_what_cannot_be_found_is_refused(
    activations: tuple[ActivateInstruction, ...], end: tuple[int | str, ...], reason: str
) -> None:
    playground, key = running()
    assert refused(playground, key, *activations, end=end) == reason


@pytest.mark.parametrize(
    ("element_id", "element_type"),
    [
        ("start", "START_EVENT"),
        ("start_a", "SEQUENCE_FLOW"),
        ("late", "BOUNDARY_EVENT"),
        ("process", "PROCESS"),
    ],
)
def test_what_only_comes_about_by_itself_is_refused(element_id: str, element_type: str) -> None:
    playground, key = running()
    reason = refused(playground, key, at(element_id))
    assert reason.startswith(
        f"activate instructions for elements that are unsupported: '{element_id}'."
        f" The activation of elements with type '{element_type}' is not supported."
    )


def test_an_event_behind_an_event_based_gateway_is_refused() -> None:
    playground, key = running(EITHER)
    assert refused(playground, key, at("soon")) == (
        "activate instructions for elements that are unsupported: 'soon'."
        " The activation of events belonging to an event-based gateway is not supported."
    )


def test_a_scope_of_which_there_are_several_is_refused() -> None:
    playground, key = running()
    modify(playground, key, at("outer"), at("outer"))
    assert refused(playground, key, at("e")).startswith(
        "activate instructions for an element that has a flow scope with more than one active instance:"
        " 'outer'."
    )


def test_an_ancestor_of_another_instance_is_refused() -> None:
    playground, key = running()
    other = playground.create({"k": b"1"})
    assert refused(playground, key, ActivateInstruction("b", ancestor_key=other)) == (
        "activate instructions with an ancestor scope key that does not belong to the modified process"
        f" instance: '{other}'"
    )


def test_an_ancestor_that_is_none_is_refused() -> None:
    playground, key = running()
    a = key_of(playground, key, "a")
    assert refused(playground, key, ActivateInstruction("b", ancestor_key=a)) == (
        "activate instructions with an ancestor scope key that is not an ancestor of the element to"
        f" activate:\n- instance '{a}' of element 'a' is not an ancestor of element 'b'"
    )


def test_an_element_of_another_instance_is_not_terminated() -> None:
    playground, key = running()
    other = playground.create({"k": b"1"})
    reason = refused(playground, key, end=(key_of(playground, other, "a"),))
    assert reason.startswith("terminate instructions with an element instance that could not be found")


@pytest.mark.parametrize(
    ("move", "reason"),
    [
        (MoveInstruction("b", source_id="none"), "source element that could not be found: 'none'"),
        (MoveInstruction("b", source_id="a_b"), "source element that could not be found: 'a_b'"),
        (MoveInstruction("b", source_key=7), "source element instance that could not be found: '7'"),
    ],
)
def test_a_move_of_nothing_is_refused(move: MoveInstruction, reason: str) -> None:
    playground, key = running()
    assert refused(playground, key, moves=(move,)) == f"move instructions with a {reason}"


def test_a_scope_that_cannot_wait_for_its_events_is_refused() -> None:
    playground, key = running()
    playground.do(SetVariables(key, {"k": b"null"}))
    assert refused(playground, key, at("e")).startswith(
        "Expected to subscribe to catch event(s) of 'outer' but Failed to extract the correlation key"
    )


def test_an_unknown_instance_is_not_found() -> None:
    playground, key = running()
    for unknown in (7, key_of(playground, key, "a")):
        rejected = playground.rejected(ModifyProcessInstance(unknown))
        assert rejected == Rejected(
            RejectionType.NOT_FOUND,
            f"Expected to modify process instance but no process instance found with key '{unknown}'",
        )


def test_a_called_instance_is_not_terminated() -> None:
    playground = Playground()
    call = (
        '<callActivity id="call"><extensionElements><zeebe:calledElement processId="process"/>'
        "</extensionElements></callActivity>"
    )
    playground.deploy(process(START + task("a") + task("b") + path("start", "a", "b")))
    playground.deploy(process(START + call + path("start", "call"), process_id="caller"))
    caller = playground.create(process_id="caller")
    key = playground.jobs("a")[0].process_instance_key
    assert refused(playground, key, end=("a",)).startswith(
        "the given instructions would terminate the instance. The instance was created by a call activity"
    )
    assert modify(playground, key, at("b"), end=("a",)) == Accepted()
    playground.work("b")
    assert playground.is_over(caller)


# Scopes of their own kind


MANY = process(
    START + task("a") + '<subProcess id="many"><multiInstanceLoopCharacteristics><extensionElements>'
    '<zeebe:loopCharacteristics inputCollection="=[1,2]" inputElement="i"/></extensionElements>'
    '</multiInstanceLoopCharacteristics><startEvent id="s"/>'
    + task("c")
    + path("s", "c")
    + "</subProcess>"
    + path("start", "a", "many")
)


def test_an_activity_with_many_instances_is_activated_as_a_whole() -> None:
    playground, key = running(MANY)
    modify(playground, key, at("many"), end=("a",))
    assert ids_in(playground, key) == ["c", "c", "many", "many", "many", "process"]


def test_an_element_is_activated_in_one_of_many_instances_if_that_is_named() -> None:
    playground, key = running(MANY, "many")
    inner = key_of(playground, key, "many", 1)
    assert modify(playground, key, ActivateInstruction("c", ancestor_key=inner)) == Accepted()
    assert scope_of(playground, key, "c", 2) == inner


def test_one_of_many_instances_is_not_chosen() -> None:
    playground, key = running(MANY)
    modify(playground, key, at("many"))
    assert "more than one active instance: 'many'" in refused(playground, key, at("c"))
    body = key_of(playground, key, "many")
    for instruction in (ActivateInstruction("c", ancestor_key=each) for each in (key, body)):
        assert refused(playground, key, instruction) == (
            "activate instructions that would result in the activation of multi-instance element 'many',"
            " which is currently unsupported."
        )


def test_the_last_of_many_instances_is_chosen() -> None:
    playground, key = running(MANY, "many")
    playground.work("c")
    modify(playground, key, at("c"))
    assert scope_of(playground, key, "c", 1) == key_of(playground, key, "many", 1)


def test_a_start_in_one_of_many_instances_is_refused() -> None:
    playground = Playground()
    playground.deploy(MANY)
    rejected = playground.rejected(CreateProcessInstance("process", start_elements=("c",)))
    assert rejected.reason == (
        "Expected to create instance of process with start instructions but the element with id 'c' is inside"
        " a multi-instance subprocess. The creation of elements inside a multi-instance subprocess is not"
        " supported."
    )


def test_the_others_of_many_go_on_when_one_is_terminated() -> None:
    playground, key = running(MANY, "many")
    modify(playground, key, end=(key_of(playground, key, "many", 1),))
    assert ids_in(playground, key) == ["c", "many", "many", "process"]
    playground.work("c")
    assert playground.is_over(key)


AD_HOC = process(
    START
    + task("a")
    + f'<adHocSubProcess id="any">{task("b")}{task("c")}{path("b", "c")}</adHocSubProcess>'
    + task("last")
    + path("start", "a", "any", "last")
)


@pytest.mark.parametrize("element", ["b", "c"])
def test_what_is_activated_in_an_ad_hoc_sub_process_has_a_scope_of_its_own_there(element: str) -> None:
    playground, key = running(AD_HOC)
    modify(playground, key, at(element), at("c"), end=("a",))
    assert ids_in(playground, key) == sorted(
        [element, "c", "any", "any#innerInstance", "any#innerInstance", "process"]
    )
    for _ in range(len(playground.jobs("b", timeout_ms=1))):
        playground.pass_time(2)
        playground.work("b")
    for job in playground.jobs("c"):
        playground.do(CompleteJob(job.key))
    playground.work("last")
    assert playground.is_over(key)


HANDLED = process(
    START
    + task("a")
    + task("b")
    + '<subProcess id="es" triggeredByEvent="true">'
    + f'<startEvent id="es_start">{on_message("go")}</startEvent>'
    + task("in_es")
    + path("es_start", "in_es")
    + "</subProcess>"
    + path("start", "a", "b"),
    definitions=message("go", "go", "=k"),
)


def test_an_event_sub_process_is_activated_by_hand_beside_the_rest() -> None:
    playground, key = running(HANDLED)
    modify(playground, key, at("es"))
    assert ids_in(playground, key) == ["a", "es", "in_es", "process"]


def test_from_an_event_sub_process_the_way_leads_back_into_the_scope_it_interrupted() -> None:
    playground, key = running(HANDLED)
    playground.do(PublishMessage("go", "1"))
    assert ids_in(playground, key) == ["es", "in_es", "process"]
    modify(playground, key, moves=(MoveInstruction("a", source_id="in_es"),))
    assert ids_in(playground, key) == ["a", "process"]
    playground.work("a")
    playground.work("b")
    assert playground.is_over(key)


# In the middle of other work


def test_a_scope_does_not_complete_before_what_is_to_be_activated_in_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    playground, key = running(NESTED, "c")
    (job,) = playground.jobs("c")
    monkeypatch.setattr(turn_module, "STEPS_MAX", 1)
    playground.decide(ModifyProcessInstance(key, (at("a"), at("c"))))
    playground.decide(CompleteJob(job.key))

    playground.do(SetVariables(key, {}))

    assert ids_in(playground, key) == ["a", "c", "e", "inner", "outer", "process"]


def test_an_instance_that_is_being_cancelled_is_not_modified(monkeypatch: pytest.MonkeyPatch) -> None:
    playground, key = running(NESTED, "e")
    monkeypatch.setattr(turn_module, "STEPS_MAX", 1)
    playground.decide(CancelProcessInstance(key))
    assert playground.rejected(ModifyProcessInstance(key)).type is RejectionType.NOT_FOUND


# Start instructions


def test_a_start_in_the_middle_opens_scopes_that_wait_for_their_boundary_events() -> None:
    playground, key = running(NESTED, "e", "c")
    assert ids_in(playground, key) == ["c", "e", "inner", "outer", "process"]
    assert len(playground.happened(TimerCreated)) == 1
    playground.pass_time(3_600_000)
    assert ids_in(playground, key) == ["f", "process"]


def test_a_start_in_a_scope_that_cannot_wait_for_its_events_is_refused() -> None:
    playground = Playground()
    playground.deploy(NESTED)
    rejected = playground.rejected(CreateProcessInstance("process", start_elements=("e",)))
    assert rejected.type is RejectionType.INVALID_ARGUMENT
    assert rejected.reason.startswith("Expected to subscribe to catch event(s) of 'outer' but ")


def test_a_start_behind_an_event_based_gateway_is_refused() -> None:
    playground = Playground()
    playground.deploy(EITHER)
    rejected = playground.rejected(CreateProcessInstance("process", start_elements=("soon",)))
    assert rejected.type is RejectionType.INVALID_ARGUMENT


@pytest.mark.parametrize(
    ("element", "element_type"), [("start", "START_EVENT"), ("start_a", "SEQUENCE_FLOW")]
)
def test_a_start_where_nothing_begins_is_refused(element: str, element_type: str) -> None:
    playground = Playground()
    playground.deploy(NESTED)
    rejected = playground.rejected(CreateProcessInstance("process", start_elements=(element,)))
    assert rejected.reason.startswith(
        "Expected to create instance of process with start instructions but the element with id"
        f" '{element}' targets unsupported element type '{element_type}'. Supported element types are: ["
    )


def test_several_starts_in_a_row_are_all_active() -> None:
    model = process(START + '<task id="pass"/>' + task("a") + path("start", "pass") + flow("pass", "a"))
    playground, key = running(model, "pass", "a")
    assert ids_in(playground, key) == ["a", "a", "process"]
    assert len([each for each in playground.happened(ElementActivated) if each.key == key]) == 1
