"""Files with something wrong: refused with reasons, or run, however badly, without an error of ours."""

from random import Random, randrange
from typing import Final

import pytest

from bpmnd.bpmn.commands import (
    ActivateJobs,
    BroadcastSignal,
    Command,
    CompleteJob,
    Continue,
    CreateProcessInstance,
    Deploy,
    EvaluateConditionals,
    EvaluateDecision,
    FailJob,
    FireDue,
    PublishMessage,
    Resource,
    ThrowJobError,
)
from bpmnd.bpmn.events import JobCreated
from bpmnd.bpmn.outcomes import DeploymentCreated, JobsActivated, Outcome, Rejected, RejectionType
from tests.bpmn.dmn.decisions import decision, dmn, table
from tests.bpmn.playground import Playground, rows_of
from tests.bpmn.spoiling import spoilt
from tests.end_to_end.everything import CALLED, CASES, DECIDED
from tests.judged import JUDGE

SEEDS: Final = [randrange(10**6) for _ in range(20)] if JUDGE else [1]
FILES_EACH: Final = 300 if JUDGE else 60
_TURNS_MAX: Final = 300
"""What goes round for ever is held up in the end, but that takes long."""
_FILES: Final = (
    *((f"{number}.bpmn", case.content(f"process_{number}")) for number, case in enumerate(CASES.values())),
    *[("decided.dmn", DECIDED)] * 10,
    *[("table.dmn", dmn(decision("base", "1") + decision("t", table("UNIQUE", "a", ("1",)))))] * 10,
    *[("form.form", b'{"id":"form","components":[{"type":"textfield","key":"a"}],"schemaVersion":16}')] * 5,
)


class _Life:
    """One partition, on which nothing may raise and nothing be answered with an error of ours."""

    def __init__(self) -> None:
        self.playground = Playground()

    def do(self, command: Command) -> Outcome | None:
        outcome = self._decide(command)
        continuations = self.playground.state.continuations.items
        for _ in range(_TURNS_MAX):
            if not continuations:
                break
            self._decide(Continue(next(iter(continuations))))
        return outcome

    def _decide(self, command: Command) -> Outcome | None:
        outcome = self.playground.decide(command).outcome
        is_ours = isinstance(outcome, Rejected) and outcome.type is RejectionType.PROCESSING_ERROR
        assert not is_ours, (command, outcome)
        return outcome

    def live(self, deployed: DeploymentCreated, random: Random) -> None:
        """Start what there is, and let something of everything happen to it."""
        for one in deployed.decisions:
            self.do(EvaluateDecision(decision_id=one.decision_id, variables={"a": b"1"}))
        for process in deployed.processes:
            self.do(CreateProcessInstance(process.process_id, variables={"a": b"1", "b": b"[1,2]"}))
            self.do(PublishMessage(f"{process.process_id}.message", "key", 60_000))
            self.do(BroadcastSignal(f"{process.process_id}.signal"))
        self.do(EvaluateConditionals({"chosen": b'"process_1"'}))
        for _ in range(3):
            for job_type in sorted({event.type for event in self.playground.happened(JobCreated)}):
                self._work(job_type, random)
            self.playground.now += random.choice((1000, 3_600_000, 10**9))
            for key in self.playground.state.due(self.playground.now, 10):
                self.do(FireDue(key))

    def _work(self, job_type: str, random: Random) -> None:
        activated = self.do(ActivateJobs(job_type, "worker", 60_000, 10))
        assert isinstance(activated, JobsActivated), activated
        for job in activated.jobs:
            complete = CompleteJob(job.key, {"v": b"1"})
            self.do(random.choice((complete, complete, FailJob(job.key), ThrowJobError(job.key, "E"))))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_spoilt_file_is_refused_with_reasons_or_harms_nothing(seed: int) -> None:
    random = Random(seed)
    refused = 0
    for number in range(FILES_EACH):
        name, content = random.choice(_FILES)
        life = _Life()
        outcome = life.do(Deploy((Resource(name, changed := spoilt(content, random)),)))
        at = f"seed {seed}, file {number}: {changed!r}"
        if isinstance(outcome, Rejected):
            assert (outcome.type, name in outcome.reason) == (RejectionType.INVALID_ARGUMENT, True), at
            assert not life.playground.events, at
            refused += 1
            continue
        assert isinstance(outcome, DeploymentCreated), at
        life.do(Deploy((Resource("called.bpmn", CALLED), Resource("decided.dmn", DECIDED))))
        life.live(outcome, random)
        assert rows_of(life.playground.state) == rows_of(life.playground.replayed()), at
    assert 0 < refused < FILES_EACH
