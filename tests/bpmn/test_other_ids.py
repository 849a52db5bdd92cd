"""Commands that are in order by their form, about ids and keys of things that are something else, or over."""

import re
from random import Random, randrange
from typing import Final

import pytest

from bpmnd.bpmn.commands import (
    ActivateAdHocActivities,
    ActivateInstruction,
    ActivateJobs,
    AncestorOf,
    AssignUserTask,
    CancelProcessInstance,
    Command,
    CompleteJob,
    CompleteUserTask,
    Continue,
    CreateProcessInstance,
    Deploy,
    FailJob,
    MigrateProcessInstance,
    ModifyProcessInstance,
    MoveInstruction,
    ResolveIncident,
    Resource,
    SetVariables,
    TerminateInstruction,
    ThrowJobError,
    UpdateJob,
    VariableInstruction,
)
from bpmnd.bpmn.outcomes import ProcessInstanceCreated, Rejected, RejectionType
from tests.bpmn.playground import Playground, rows_of
from tests.end_to_end.everything import CALLED, CASES, DECIDED
from tests.judged import JUDGE

SEEDS: Final = [randrange(10**6) for _ in range(40)] if JUDGE else [1]
LIVES: Final = 30
COMMANDS_EACH: Final = 25
_TURNS_MAX: Final = 40
_JOBS: Final = ("reached", "hold", "inner", "a", "b")
_CASES: Final = [CASES[name] for name in sorted(CASES)]


class _Life:
    """A partition with instances of two models, one of them deployed twice."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self.playground = Playground()
        first, second = random.choice(_CASES), random.choice(_CASES)
        models = [first.content("model_1"), second.content("model_2"), first.content("model_3")]
        deployed = self.playground.deploy(*models, CALLED)
        self.playground.do(Deploy((Resource("decided.dmn", DECIDED),)))
        self._definitions = [process.key for process in deployed.processes]
        self._ids: list[str] = sorted(set(re.findall(r'\bid="([^"]+)"', b"".join(models).decode())))
        self._inner_ids: list[str] = sorted(set(re.findall(r'\bid="([^"@]+)"', first.body)))
        self._created: list[int] = []
        for process_id in ("model_1", "model_2", "model_1"):
            self.do(CreateProcessInstance(process_id, variables={"a": b"1"}))

    def do(self, command: Command) -> None:
        """What does not come to rest goes on later, so that commands come in between."""
        self._decide(command)
        continuations = self.playground.state.continuations.items
        for _ in range(_TURNS_MAX):
            if not continuations:
                break
            self._decide(Continue(next(iter(continuations))))

    def _decide(self, command: Command) -> None:
        outcome = self.playground.decide(command).outcome
        is_ours = isinstance(outcome, Rejected) and outcome.type is RejectionType.PROCESSING_ERROR
        assert not is_ours, (command, outcome)
        if isinstance(outcome, ProcessInstanceCreated):
            self._created.append(outcome.key)

    def id(self) -> str:
        return self._random.choice((*self._ids, "nope"))

    def key(self) -> int:
        state = self.playground.state
        live = [one for one in map(state.instances.get, self._created) if one is not None]
        keys = [key for one in live for key in (one.key, *one.elements)]
        return self._random.choice((*keys, state.last_key - self._random.randrange(60), 0, -1, 2**63 - 1))

    def command(self) -> Command:
        random, key, id = self._random, self.key, self.id
        match random.randrange(10):
            case 0 | 1 | 2:
                return self._modification()
            case 3:
                return MigrateProcessInstance(key(), random.choice(self._definitions), ((id(), id()),))
            case 4:
                same = tuple((each, each) for each in self._inner_ids)
                return MigrateProcessInstance(key(), self._definitions[2], same)
            case 5:
                starts = tuple(id() for _ in range(random.randrange(3)))
                return CreateProcessInstance("model_1", start_elements=starts, terminate_after=starts[:1])
            case 6:
                return ActivateAdHocActivities(key(), ((id(), {}),), random.random() < 0.5)
            case 7:
                job_type = f"{random.choice(('first', 'second'))}.{random.choice(_JOBS)}"
                return ActivateJobs(job_type, "worker", 60_000, 2)
            case 8:
                of_jobs = (CompleteJob(key()), FailJob(key()), ThrowJobError(key(), "E"), UpdateJob(key(), 3))
                return random.choice(of_jobs)
            case _:
                set_variables = SetVariables(key(), {"a": b"2"}, random.random() < 0.5)
                of_tasks = (AssignUserTask(key(), "a"), CompleteUserTask(key()))
                cancel = CancelProcessInstance(key())
                return random.choice((*of_tasks, cancel, ResolveIncident(key()), set_variables))

    def _modification(self) -> ModifyProcessInstance:
        random, key, id = self._random, self.key, self.id
        variables = (VariableInstruction(random.choice((id(), "")), {"x": b"1"}),)[: random.randrange(2)]
        activations = [
            ActivateInstruction(id(), variables, random.choice((0, 0, key())))
            for _ in range(random.randrange(3))
        ]
        ancestor = random.choice(list(AncestorOf))
        source_key, source_id = random.choice(((key(), ""), (0, id())))
        moves = (MoveInstruction(id(), source_key, source_id, ancestor, key(), variables),)
        ended = [
            TerminateInstruction(*random.choice(((key(), ""), (0, id())))) for _ in range(random.randrange(3))
        ]
        return ModifyProcessInstance(key(), tuple(activations), moves[: random.randrange(2)], tuple(ended))


@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_about_something_else_is_refused_or_done_without_an_error_of_ours(seed: int) -> None:
    random = Random(seed)
    for _ in range(LIVES):
        life = _Life(random)
        for _ in range(COMMANDS_EACH):
            life.do(life.command())
        assert rows_of(life.playground.state) == rows_of(life.playground.replayed()), f"seed {seed}"
