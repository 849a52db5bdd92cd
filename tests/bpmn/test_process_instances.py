from bpmnd.bpmn.commands import (
    CancelProcessInstance,
    CreateProcessInstance,
    ResolveIncident,
    SetVariables,
)
from bpmnd.bpmn.events import (
    ElementActivated,
    ElementCompleted,
    ElementTerminated,
    IncidentCreated,
    JobCanceled,
    JobCreated,
    ProcessInstanceCreated,
    SequenceFlowTaken,
    VariablesCreated,
    VariablesUpdated,
)
from bpmnd.bpmn.outcomes import Accepted, Rejected, RejectionType
from bpmnd.bpmn.outcomes import ProcessInstanceCreated as InstanceAnswer
from bpmnd.bpmn.variables import INSTANCE_SIZE_MAX
from tests.bpmn.playground import END, ONE_TASK, START, Playground, flow, path, process, task


def test_a_created_instance_stands_at_its_first_task() -> None:
    playground = Playground()
    playground.deploy(ONE_TASK)
    before = len(playground.events)

    playground.create({"amount": b"5"})

    assert [type(event) for event in playground.events[before:]] == [
        ProcessInstanceCreated,
        ElementActivated,
        VariablesCreated,
        ElementActivated,
        ElementCompleted,
        SequenceFlowTaken,
        ElementActivated,
        JobCreated,
    ]


def test_an_instance_is_gone_when_its_end_event_is_reached() -> None:
    playground = Playground()
    playground.deploy(ONE_TASK)
    key = playground.create()

    playground.work("work")

    assert playground.is_over(key)
    assert playground.events[-1] == ElementCompleted(key, key, 0)


def test_the_latest_version_is_created_unless_another_is_asked_for() -> None:
    playground = Playground()
    first = playground.deploy(ONE_TASK).processes[0]
    second = playground.deploy(process(START + END + path("start", "end"))).processes[0]

    latest = playground.do(CreateProcessInstance("process"))
    older = playground.do(CreateProcessInstance("process", version=1))

    assert isinstance(latest, InstanceAnswer)
    assert isinstance(older, InstanceAnswer)
    assert (latest.definition_key, latest.version) == (second.key, 2)
    assert (older.definition_key, older.version) == (first.key, 1)


def test_an_unknown_process_is_not_found() -> None:
    assert Playground().rejected(CreateProcessInstance("nothing")).type is RejectionType.NOT_FOUND


def test_an_unknown_version_is_not_found() -> None:
    playground = Playground()
    playground.deploy(ONE_TASK)
    assert playground.rejected(CreateProcessInstance("process", version=7)).type is RejectionType.NOT_FOUND


def test_an_unknown_definition_key_is_not_found() -> None:
    assert Playground().rejected(CreateProcessInstance(definition_key=7)).type is RejectionType.NOT_FOUND


def test_a_rejected_creation_uses_up_no_key() -> None:
    playground = Playground()
    playground.deploy(ONE_TASK)
    before = playground.state.last_key

    playground.rejected(CreateProcessInstance("nothing"))

    assert playground.state.last_key == before


def test_an_awaited_instance_is_answered_with_its_variables_when_it_completes() -> None:
    playground = Playground()
    playground.deploy(ONE_TASK)

    outcome = playground.do(CreateProcessInstance("process", variables={"a": b"1"}, await_result=True))
    playground.work("work", {"b": b"2"})

    assert outcome is None
    (answer,) = playground.answers.values()
    assert isinstance(answer, InstanceAnswer)
    assert answer.variables == {"a": b"1", "b": b"2"}


def test_an_awaited_instance_answers_only_the_variables_asked_for() -> None:
    playground = Playground()
    playground.deploy(ONE_TASK)

    playground.do(
        CreateProcessInstance(
            "process", variables={"a": b"1", "b": b"2"}, await_result=True, fetch_variables=("b", "c")
        )
    )
    playground.work("work")

    (answer,) = playground.answers.values()
    assert isinstance(answer, InstanceAnswer)
    assert answer.variables == {"b": b"2"}


def test_whoever_awaits_a_terminated_instance_is_told_so() -> None:
    playground = Playground()
    playground.deploy(ONE_TASK)
    playground.do(CreateProcessInstance("process", await_result=True))
    (created,) = playground.happened(ProcessInstanceCreated)

    playground.do(CancelProcessInstance(created.key))

    (answer,) = playground.answers.values()
    assert isinstance(answer, Rejected)
    assert answer.type is RejectionType.INVALID_STATE


def test_cancelling_terminates_what_is_active_and_its_job() -> None:
    playground = Playground()
    playground.deploy(ONE_TASK)
    key = playground.create()

    assert playground.do(CancelProcessInstance(key)) == Accepted()

    assert playground.is_over(key)
    assert [event.element for event in playground.happened(ElementTerminated)] == [2, 0]
    assert len(playground.happened(JobCanceled)) == 1
    assert playground.jobs("work") == ()


def test_cancelling_reaches_into_sub_processes() -> None:
    inner = '<startEvent id="inner"/>' + task("work") + path("inner", "work")
    body = START + f'<subProcess id="sub">{inner}</subProcess>' + path("start", "sub")
    playground = Playground()
    playground.deploy(process(body))
    key = playground.create()

    playground.do(CancelProcessInstance(key))

    assert playground.is_over(key)
    assert len(playground.happened(ElementTerminated)) == 3


def test_an_unknown_instance_cannot_be_cancelled() -> None:
    assert Playground().rejected(CancelProcessInstance(9)).type is RejectionType.NOT_FOUND


def test_a_task_that_is_active_is_no_instance_to_cancel() -> None:
    playground = Playground()
    playground.deploy(ONE_TASK)
    playground.create()
    (job,) = playground.jobs("work")

    assert (
        playground.rejected(CancelProcessInstance(job.element_instance_key)).type is RejectionType.NOT_FOUND
    )


def test_start_instructions_begin_inside_of_sub_processes() -> None:
    inner = '<startEvent id="inner"/>' + task("a") + task("b") + path("inner", "a", "b")
    body = START + f'<subProcess id="sub">{inner}</subProcess>' + END + path("start", "sub", "end")
    playground = Playground()
    playground.deploy(process(body))

    outcome = playground.do(CreateProcessInstance("process", start_elements=("b",)))

    assert isinstance(outcome, InstanceAnswer)
    assert playground.jobs("a") == ()
    playground.work("b")
    assert playground.is_over(outcome.key)


def test_start_instructions_name_an_element_that_is_there() -> None:
    playground = Playground()
    playground.deploy(ONE_TASK)
    rejected = playground.rejected(CreateProcessInstance("process", start_elements=("nowhere",)))
    assert rejected.type is RejectionType.INVALID_ARGUMENT
    assert "nowhere" in rejected.reason


def test_start_instructions_cannot_name_a_start_event() -> None:
    playground = Playground()
    playground.deploy(ONE_TASK)
    rejected = playground.rejected(CreateProcessInstance("process", start_elements=("start",)))
    assert rejected.type is RejectionType.INVALID_ARGUMENT


def test_an_instance_may_be_terminated_after_an_element() -> None:
    playground = Playground()
    playground.deploy(process(START + task("a") + task("b") + path("start", "a", "b")))
    outcome = playground.do(CreateProcessInstance("process", terminate_after=("a",)))
    assert isinstance(outcome, InstanceAnswer)

    playground.work("a")

    assert playground.is_over(outcome.key)
    assert playground.jobs("b") == ()


def test_variables_are_set_where_they_are_already() -> None:
    playground = Playground()
    playground.deploy(ONE_TASK)
    key = playground.create({"a": b"1"})
    (job,) = playground.jobs("work")

    playground.do(SetVariables(job.element_instance_key, {"a": b"2", "b": b"3"}))

    assert playground.happened(VariablesUpdated) == [VariablesUpdated(key, key, {"a": b"2"})]
    assert playground.happened(VariablesCreated)[-1].variables == {"b": b"3"}
    assert playground.happened(VariablesCreated)[-1].scope_key == key


def test_local_variables_stay_in_their_scope() -> None:
    playground = Playground()
    playground.deploy(ONE_TASK)
    playground.create({"a": b"1"})
    (job,) = playground.jobs("work")

    playground.do(SetVariables(job.element_instance_key, {"a": b"2"}, local=True))

    created = playground.happened(VariablesCreated)[-1]
    assert (created.scope_key, created.variables) == (job.element_instance_key, {"a": b"2"})


def test_a_variable_that_keeps_its_value_makes_no_event() -> None:
    playground = Playground()
    playground.deploy(ONE_TASK)
    key = playground.create({"a": b"1"})
    playground.do(SetVariables(key, {"a": b"1"}))
    assert playground.happened(VariablesUpdated) == []


def test_variables_of_an_unknown_scope_are_not_found() -> None:
    assert Playground().rejected(SetVariables(9, {"a": b"1"})).type is RejectionType.NOT_FOUND


def test_every_outgoing_flow_of_an_element_is_taken() -> None:
    body = START + task("a") + task("b") + flow("start", "a") + flow("start", "b")
    playground = Playground()
    playground.deploy(process(body))
    key = playground.create()

    playground.work("a")
    assert not playground.is_over(key)
    playground.work("b")
    assert playground.is_over(key)


def test_mappings_make_no_more_of_an_instance_than_it_may_hold() -> None:
    branches = "".join(
        task(f"t{number}", "work", inputs={"x": "=big"}) + flow("start", f"t{number}") for number in range(3)
    )
    playground = Playground()
    playground.deploy(process(START + branches))

    key = playground.create({"big": b'"' + b"x" * (INSTANCE_SIZE_MAX * 2 // 5) + b'"'})

    (first, second) = playground.happened(IncidentCreated)
    assert first.type == second.type == "IO_MAPPING_ERROR"
    playground.do(SetVariables(key, {"big": b"1"}))
    playground.do(ResolveIncident(first.key))
    assert len(playground.jobs("work")) == 2


def test_a_name_in_another_scope_makes_no_room_for_a_variable() -> None:
    branches = "".join(task(f"t{number}", "work") + flow("start", f"t{number}") for number in range(2))
    large = {"x": b'"' + b"x" * (INSTANCE_SIZE_MAX * 2 // 3) + b'"'}
    playground = Playground()
    playground.deploy(process(START + branches))
    playground.create()
    first, second = playground.jobs("work")

    assert playground.do(SetVariables(first.element_instance_key, large, local=True)) == Accepted()
    playground.rejected(SetVariables(second.element_instance_key, large, local=True))
    assert playground.do(SetVariables(first.element_instance_key, large)) == Accepted()
