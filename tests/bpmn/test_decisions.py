"""Decisions on the pure engine: deployed, versioned, handed on, evaluated."""

from bpmnd.bpmn.channel import decode_message
from bpmnd.bpmn.commands import (
    Deploy,
    EvaluateDecision,
    EvaluateExpression,
    ReadDecision,
    ReadDecisionRequirements,
    ReceiveChannelMessage,
    Resource,
    Supply,
)
from bpmnd.bpmn.events import (
    DecisionCreated,
    DecisionEvaluated,
    DecisionEvaluationFailed,
    DecisionRequirementsCreated,
)
from bpmnd.bpmn.outcomes import (
    Accepted,
    DecisionRead,
    DeploymentCreated,
    ExpressionEvaluated,
    RejectionType,
    RequirementsRead,
)
from bpmnd.bpmn.outcomes import DecisionEvaluated as Evaluation
from bpmnd.bpmn.state import State
from tests.bpmn.dmn.decisions import decision, dmn, needs, table
from tests.bpmn.playground import ONE_TASK, Playground, rows_of

GRADE = dmn(
    decision("base", "x + 1")
    + decision(
        "grade", table("FIRST", ["base"], ["o"], ["< 5", '"low"'], ["-", '"high"']), requires=needs("base")
    ),
)


def deploy(playground: Playground, *files: tuple[str, bytes]) -> DeploymentCreated:
    outcome = playground.do(Deploy(tuple(Resource(name, content) for name, content in files)))
    assert isinstance(outcome, DeploymentCreated), outcome
    return outcome


def evaluate(playground: Playground, decision_id: str, **variables: bytes) -> Evaluation:
    outcome = playground.do(EvaluateDecision(decision_id, variables=variables))
    assert isinstance(outcome, Evaluation), outcome
    return outcome


def test_a_file_is_a_graph_and_its_decisions() -> None:
    playground = Playground()

    outcome = deploy(playground, ("grade.dmn", GRADE))

    (requirements,) = outcome.requirements
    assert (requirements.requirements_id, requirements.version) == ("drg", 1)
    assert [(one.decision_id, one.version, one.requirements_key) for one in outcome.decisions] == [
        ("base", 1, requirements.key),
        ("grade", 1, requirements.key),
    ]
    assert rows_of(playground.replayed()) == rows_of(playground.state)


def test_the_same_bytes_are_the_same_version() -> None:
    playground = Playground()
    first = deploy(playground, ("grade.dmn", GRADE))

    again = deploy(playground, ("grade.dmn", GRADE))

    assert [one.key for one in again.decisions] == [one.key for one in first.decisions]
    assert all(one.is_duplicate for one in again.decisions)
    assert all(one.is_duplicate for one in again.requirements)
    assert len(playground.happened(DecisionCreated)) == 2


def test_other_bytes_are_the_next_version() -> None:
    playground = Playground()
    deploy(playground, ("a.dmn", dmn(decision("d", "1"))))

    outcome = deploy(playground, ("a.dmn", dmn(decision("d", "2"))))

    assert [(one.decision_id, one.version) for one in outcome.decisions] == [("d", 2)]
    assert evaluate(playground, "d").output == b"2"


def test_a_decision_that_comes_back_from_another_graph_is_a_new_version() -> None:
    playground = Playground()
    deploy(playground, ("a.dmn", dmn(decision("d", "1"), id="one")))
    deploy(playground, ("b.dmn", dmn(decision("d", "2"), id="two")))

    outcome = deploy(playground, ("a.dmn", dmn(decision("d", "1"), id="one")))

    assert [one.version for one in outcome.decisions] == [3]
    assert evaluate(playground, "d").output == b"1"


def test_an_evaluation_is_kept_with_its_whole_tree() -> None:
    playground = Playground()
    deployment = deploy(playground, ("grade.dmn", GRADE))

    outcome = evaluate(playground, "grade", x=b"1")

    assert outcome.output == b'"low"'
    (event,) = playground.happened(DecisionEvaluated)
    assert (event.key, event.output, event.decisions) == (outcome.key, b'"low"', outcome.decisions)
    base, grade = event.decisions
    assert (base.key, base.output, base.version) == (deployment.decisions[0].key, b"2", 1)
    assert (grade.key, grade.type) == (deployment.decisions[1].key, "DECISION_TABLE")
    assert [(one.name, one.value) for one in grade.inputs] == [("base", b"2")]
    assert [(rule.index, rule.outputs[0].value) for rule in grade.rules] == [(1, b'"low"')]
    assert rows_of(playground.replayed()) == rows_of(playground.state)


def test_a_failure_is_an_answer_and_an_event() -> None:
    playground = Playground()
    deploy(playground, ("a.dmn", dmn(decision("d", "assert(x, false)"))))

    outcome = evaluate(playground, "d")

    assert outcome.failure is not None
    (event,) = playground.happened(DecisionEvaluationFailed)
    assert (event.failed_decision_id, event.message) == ("d", outcome.failure.message)
    assert outcome.failure.message.startswith("Expected to evaluate decision 'd', but ")


def test_an_older_version_is_evaluated_by_its_key() -> None:
    playground = Playground()
    first = deploy(playground, ("a.dmn", dmn(decision("d", "1"))))
    deploy(playground, ("a.dmn", dmn(decision("d", "2"))))

    outcome = playground.do(EvaluateDecision(decision_key=first.decisions[0].key))

    assert isinstance(outcome, Evaluation)
    assert (outcome.output, outcome.decision.version) == (b"1", 1)


def test_an_unknown_decision_is_not_found() -> None:
    rejected = Playground().rejected(EvaluateDecision("nope"))
    assert rejected.type is RejectionType.NOT_FOUND
    assert rejected.reason == "Expected to evaluate decision 'nope', but no decision found for id 'nope'"


def test_processes_and_decisions_are_deployed_together_or_not_at_all() -> None:
    playground = Playground()
    files = (Resource("p.bpmn", ONE_TASK), Resource("bad.dmn", dmn(decision("d", "1 +"), camunda=True)))

    rejected = playground.rejected(Deploy(files))

    assert "'bad.dmn': " in rejected.reason
    assert "failed to parse expression '1 +'" in rejected.reason
    assert playground.events == []
    both = deploy(playground, ("p.bpmn", ONE_TASK), ("grade.dmn", GRADE))
    assert (len(both.processes), len(both.decisions)) == (1, 2)


def test_ids_are_unique_within_a_deployment() -> None:
    same = dmn(decision("d", "1"))
    rejected = Playground().rejected(Deploy((Resource("a.dmn", same), Resource("b.dmn", same))))
    assert "duplicated decision requirements id 'drg', which is in 'a.dmn' already" in rejected.reason
    assert "duplicated decision id 'd', which is in 'a.dmn' already" in rejected.reason


def test_what_is_imported_stays_what_it_was_when_the_importing_file_was_deployed() -> None:
    playground = Playground()
    importing = dmn(
        '<import name="lib" namespace="urn:lib"/>' + decision("d", "lib.a", requires=needs("urn:lib#a")),
        id="main",
    )
    deploy(playground, ("main.dmn", importing), ("lib.dmn", dmn(decision("a", "1"), id="lib")))

    deploy(playground, ("lib.dmn", dmn(decision("a", "2"), id="lib")))

    assert evaluate(playground, "d").output == b"1"


def test_an_import_that_is_nowhere_is_refused() -> None:
    importing = dmn(
        '<import name="lib" namespace="urn:lib"/>' + decision("d", "lib.a", requires=needs("urn:lib#a"))
    )
    rejected = Playground().rejected(Deploy((Resource("a.dmn", importing),)))
    assert "requires 'a' of 'urn:lib', which is not there" in rejected.reason


def hand_on(sender: Playground, receiver: Playground) -> None:
    for number, payload in list(sender.state.outbox.items[receiver.state.partition_id].messages):
        assert receiver.do(ReceiveChannelMessage(1, number, payload)) == Accepted()


def test_other_partitions_get_decisions_with_their_keys() -> None:
    first, second = Playground(1, (1, 2)), Playground(2, (1, 2))
    assert first.do(Deploy((Resource("grade.dmn", GRADE),))) is None

    hand_on(first, second)

    assert second.happened(DecisionCreated) == first.happened(DecisionCreated)
    assert second.happened(DecisionRequirementsCreated) == first.happened(DecisionRequirementsCreated)
    assert evaluate(second, "grade", x=b"9").output == b'"high"'


def test_a_new_partition_is_supplied_with_decisions_once() -> None:
    first, late = Playground(1), Playground(2)
    deploy(first, ("grade.dmn", GRADE))

    assert first.do(Supply(2)) == Accepted()
    assert first.do(Supply(2)) == Accepted()
    hand_on(first, late)

    assert len(late.happened(DecisionCreated)) == 2
    assert len(list(first.state.outbox.items[2].messages)) == 2
    assert decode_message(next(iter(first.state.outbox.items[2].messages))[1])


def test_decisions_come_back_from_a_checkpoint() -> None:
    playground = Playground()
    deploy(playground, ("a.dmn", dmn(decision("d", "1"))))
    deploy(playground, ("a.dmn", dmn(decision("d", "2"))))

    restored = State(1, Rows(rows_of(playground.state)))

    latest = restored.decisions.latest_of("<default>", "d")
    assert latest is not None
    assert latest.version == 2
    assert restored.decisions.members == playground.state.decisions.members


class Rows:
    """A store of rows, as a checkpoint leaves them."""

    def __init__(self, rows: dict[bytes, bytes]) -> None:
        self._rows = rows

    def get(self, key: bytes) -> bytes | None:
        return self._rows.get(key)

    def range(self, start: bytes, stop: bytes, limit: int) -> list[tuple[bytes, bytes]]:
        return sorted((key, row) for key, row in self._rows.items() if start <= key < stop)[:limit]


def test_decisions_are_read_as_they_were_deployed() -> None:
    playground = Playground()
    deployment = deploy(playground, ("grade.dmn", GRADE))
    (requirements,) = deployment.requirements
    events = len(playground.events)

    read = playground.do(ReadDecision(deployment.decisions[1].key))

    assert isinstance(read, DecisionRead)
    assert read.decision == deployment.decisions[1]
    assert read.requirements == RequirementsRead(requirements, "<default>", GRADE)
    assert playground.do(ReadDecisionRequirements(requirements.key)) == read.requirements
    assert playground.rejected(ReadDecision(requirements.key)).type is RejectionType.NOT_FOUND
    assert playground.rejected(ReadDecisionRequirements(1)).type is RejectionType.NOT_FOUND
    assert len(playground.events) == events


def test_an_expression_is_evaluated_without_a_trace() -> None:
    playground = Playground()

    outcome = playground.do(EvaluateExpression("=x + y", {"x": b"1"}))

    assert outcome == ExpressionEvaluated(
        b"null", ("No variable found with name 'y'", "Can't add 'number' and 'null'")
    )
    assert playground.events == []


def test_an_expression_begins_with_a_sign_and_must_be_one() -> None:
    playground = Playground()
    assert "leading '='" in playground.rejected(EvaluateExpression("x")).reason
    assert "failed to parse it" in playground.rejected(EvaluateExpression("=1 +")).reason
    assert playground.rejected(EvaluateExpression("=assert(1, false)")).type is RejectionType.INVALID_ARGUMENT
