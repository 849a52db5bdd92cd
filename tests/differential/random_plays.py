"""Somebody who works, sends and meddles at random, but the same way on both sides.

After every act they wait until nothing goes on any more, look at what there is in an order that does not hang
on keys, and choose the next act by a seeded chance.
"""

import asyncio
from random import Random
from typing import Any, Final, NamedTuple, final

from tests.differential.play import Job, Play
from tests.differential.random_models import JOBS, Models

_QUIET_SECONDS: Final = 0.04
_MARKS_MAX: Final = 100
_JOBS_MAX: Final = 60
"""More than that, and the play is given up."""
_ROUNDS_MAX: Final = 14
_OVER: Final = frozenset({"ELEMENT_COMPLETED", "ELEMENT_TERMINATED"})
_GOOD: Final = {"yes": True, "again": False, "count": 1, "items": [1, 2], "k": "1", "more": [4]}


class _Incident(NamedTuple):
    element: str
    error: str
    key: int
    job: int
    instance: int
    scope: int


@final
class Meddler:
    def __init__(self, play: Play, chance: Random, models: Models, *, modifies: bool) -> None:
        self._play = play
        self._chance = chance
        self._models = models
        self._modifies = modifies
        self._read = 0
        self._own = 0
        self._roots: set[int] = set()
        self._names: dict[int, str] = {}
        self._elements: dict[int, tuple[str, int]] = {}
        self._incidents: dict[int, _Incident] = {}
        self._over_jobs: set[int] = set()
        self._held: list[Job] = []

    async def play(self, acts: int) -> None:
        """An instance from its beginning to its end, or to where nothing is to be done."""
        variables = {"k": "1", "count": 0, "yes": False, "items": [1, 2, 3], "again": False}
        instance = await self._play.create(variables)
        await self._play.started()
        for _ in range(acts):
            await self._look()
            if not self._elements or len(self._held) > _JOBS_MAX:
                break
            await self._act(instance)
        for _ in range(_ROUNDS_MAX):
            await self._look()
            if not self._elements or len(self._held) > _JOBS_MAX:
                return
            if not await self._bring_on(instance):
                break

    async def _look(self) -> None:
        """Wait until nothing goes on, and lend all jobs."""
        await self._rest()
        jobs = await self._play.lend_all(*JOBS)
        self._held = [job for job in self._held if job.key not in self._over_jobs] + jobs
        self._held.sort(key=lambda job: (job.element, job.key))
        if jobs:
            await self._rest()

    async def _rest(self) -> None:
        """Until nothing has come between two marks, some moments apart."""
        for _ in range(_MARKS_MAX):
            await asyncio.sleep(_QUIET_SECONDS)
            await self._play.catches_up()
            if not self._fold():
                return
        self._play.say("there is no rest", "")

    def _fold(self) -> bool:
        """Take in what has been written down; whether there was something of this run."""
        records, run = self._play.records(), self._play.run
        own = self._own
        for record in records[self._read :]:
            value = record.value
            if not value.get("bpmnProcessId", "").startswith(run):
                continue
            self._own += 1
            if record.kind == "PROCESS_INSTANCE":
                self._names[record.key] = value["elementId"]
            match record.kind:
                case "PROCESS_INSTANCE" if record.intent == "ELEMENT_ACTIVATED":
                    self._elements[record.key] = (value["elementId"], value["processInstanceKey"])
                case "PROCESS_INSTANCE" if record.intent in _OVER:
                    self._elements.pop(record.key, None)
                case "JOB" if record.intent in ("COMPLETED", "CANCELED"):
                    self._over_jobs.add(record.key)
                case "INCIDENT" if record.intent == "CREATED":
                    self._incidents[record.key] = _Incident(
                        # Zeebe names an element of its own where nobody caught an error.
                        self._names[value["elementInstanceKey"]],
                        value["errorType"],
                        record.key,
                        max(0, value.get("jobKey") or 0),
                        value["processInstanceKey"],
                        value["elementInstanceKey"],
                    )
                case "INCIDENT":
                    self._incidents.pop(record.key, None)
                case _:
                    pass
        self._read = len(records)
        return self._own != own

    def _open_incidents(self) -> list[_Incident]:
        return sorted(self._incidents.values())

    async def _act(self, instance: int) -> None:
        chance, play = self._chance, self._play
        match chance.randrange(20):
            case 0 | 1 | 2 if self._models.messages:
                name = chance.choice(self._models.messages)
                live = chance.choice((0, 60_000)) if name in self._models.caught else 0
                await play.publish(name, "1", self._variables(), live_ms=live)
            case 3 if self._models.messages and chance.random() < 0.4:
                await play.correlate(chance.choice(self._models.messages), "1", self._variables())
            case 3 | 4:
                await play.broadcast(chance.choice(self._models.signals), self._variables())
            case 5:
                variables = {**self._variables(), "yes": chance.random() < 0.5}
                name, key = chance.choice(self._found(instance) or [("", instance)])
                play.say("set at", name)
                await play.set_variables(key, variables, local=chance.random() < 0.5)
            case 6 | 7:
                for incident in self._open_incidents()[:1]:
                    await self._settle(incident)
            case 8 if self._modifies:
                await self._modify(instance)
            case 9 if chance.random() < 0.1:
                await play.cancel(instance)
            case _:
                if self._held:
                    await self._work(self._held.pop(chance.randrange(len(self._held))))

    async def _work(self, job: Job) -> None:
        chance, play = self._chance, self._play
        match chance.randrange(10):
            case 0:
                await play.fail(job, chance.randrange(2))
            case 1 | 2 if not job.element.startswith(("throw", "halt")):
                # Zeebe has an error of its own where a worker throws one at an event.
                await play.throw(job, chance.choice(("E1", "E1", "E2", "E3")), variables=self._variables())
            case _:
                await play.complete(job, self._variables())

    def _variables(self) -> dict[str, Any]:
        chance = self._chance
        found = {"count": chance.randrange(4), "again": chance.random() < 0.3, "made": chance.randrange(9)}
        return {name: found[name] for name in sorted(found) if chance.random() < 0.6}

    async def _modify(self, instance: int) -> None:
        """Activate an element, or end an element instance."""
        if self._chance.random() < 0.5:
            await self._play.modify(instance, self._chance.choice(self._models.elements))
        elif found := self._found(instance):
            name, key = self._chance.choice(found)
            self._play.say("end", name)
            await self._play.modify(instance, end=[key])

    def _found(self, instance: int) -> list[tuple[str, int]]:
        """What is active in the instance."""
        found = self._elements.items()
        return sorted((name, key) for key, (name, owner) in found if owner == instance and key != owner)

    async def _settle(self, incident: _Incident) -> None:
        if incident.job:
            await self._play.update(incident.job, retries=1)
        else:
            await self._play.set_variables(incident.scope, _GOOD)
        await self._play.resolve(incident.key, f" {incident.error} of {incident.element}")

    async def _bring_on(self, instance: int) -> bool:
        """Do all that can be done; whether there was something."""
        play, before = self._play, self._own
        for incident in self._open_incidents():
            await self._settle(incident)
        held, self._held = self._held, []
        for job in held:
            await play.complete(job, {"again": False, "count": 1, "yes": True})
        if held or self._own != before:
            return True
        for name in self._models.messages:
            await play.publish(name, "1")
            await self._rest()
        for name in self._models.signals:
            await play.broadcast(name)
            await self._rest()
        return self._own != before
