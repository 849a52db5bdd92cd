"""What is committed, as the simulator knows it, and the rules of Raft that every node is held to.

An entry stands in here from the moment that any member takes it for committed. From then on no member may
have another one at that index, and whoever leads must have it.
"""

from dataclasses import dataclass
from typing import Final, TypeAlias, final

from bpmnd.actors.controller import ControllerActor
from bpmnd.actors.partition import PartitionActor
from bpmnd.bpmn.codec import Frame, decode_frame
from bpmnd.bpmn.events import (
    ElementCompleted,
    ElementTerminated,
    Event,
    IncidentCreated,
    IncidentResolved,
    ProcessInstanceCreated,
)
from bpmnd.cluster.membership import CONTROLLER_GROUP
from bpmnd.cluster.raft import EntryKind, Role
from bpmnd.storage.entry import ORIGIN, Position, chain
from tests.simulation.process import Process, Seen
from tests.simulation.world import Violation, World

_ALL: Final = 1 << 40

Actor: TypeAlias = PartitionActor | ControllerActor


@dataclass(frozen=True, slots=True)
class Committed:
    """An entry that stands for good."""

    term: int
    kind: int
    payload: bytes
    hash: bytes
    frame: Frame | None
    known_in: int
    """The term of the first member that took it for committed: it was so in that term or before."""


@final
class Group:
    """The committed log of one partition, from its first entry on, and what is alive at its end."""

    def __init__(self, number: int) -> None:
        self.number: Final = number
        self.entries: list[Committed] = []
        self.live: dict[int, ProcessInstanceCreated] = {}
        self.incidents: dict[int, IncidentCreated] = {}
        self.checkpoints: dict[int, list[tuple[str, int]]] = {}
        """Index -> (who, sum of all rows) of the checkpoints that nodes made there."""

    @property
    def length(self) -> int:
        return len(self.entries)

    def has_frames_after(self, index: int) -> bool:
        """A leader takes no note of its own changes of the configuration before it makes a frame."""
        return any(entry.frame is not None for entry in self.entries[index:])

    def append(self, term: int, kind: int, payload: bytes, known_in: int) -> None:
        before = self.entries[-1].hash if self.entries else ORIGIN.hash
        digest = chain(before, self.length + 1, term, kind, payload)
        has_frame = kind == EntryKind.COMMAND and self.number != CONTROLLER_GROUP
        frame = decode_frame(payload) if has_frame else None
        self.entries.append(Committed(term, kind, payload, digest, frame, known_in))
        for event in frame.events if frame is not None else ():
            self._note(event)

    def _note(self, event: Event) -> None:
        match event:
            case ProcessInstanceCreated():
                self.live[event.key] = event
            case ElementCompleted() | ElementTerminated() if event.key == event.instance_key:
                self.live.pop(event.key, None)
            case IncidentCreated():
                self.incidents[event.key] = event
            case IncidentResolved():
                self.incidents.pop(event.key, None)
            case _:
                pass


@final
class Ledger:
    """Watches all nodes after each of their turns."""

    def __init__(self, world: World) -> None:
        self.groups: dict[int, Group] = {}
        self.commits = 0
        self._world = world
        self._leaders: dict[tuple[int, int], int] = {}
        """(group, term) -> the member that leads it."""
        self._failures: dict[Process, dict[int, BaseException]] = {}

    def group(self, number: int) -> Group:
        group = self.groups.get(number)
        if group is None:
            group = self.groups[number] = Group(number)
        return group

    def lengths(self) -> dict[int, int]:
        """How far each group's log is committed."""
        return {number: group.length for number, group in self.groups.items()}

    @property
    def partitions(self) -> dict[int, Group]:
        """All groups but the controller's."""
        return {number: group for number, group in self.groups.items() if number != CONTROLLER_GROUP}

    def look(self, process: Process) -> None:
        for number, hosted in process.node.hosted.items():
            if hosted.failure is not None:
                self._judge(process, number, hosted.failure)
            if hosted.actor is not None:
                self._look_at(process, number, hosted.actor)
        controller = process.node.control.controller
        if controller is not None and not controller.stopped:
            self._look_at(process, CONTROLLER_GROUP, controller)

    def _look_at(self, process: Process, number: int, actor: Actor) -> None:
        seen = process.seen.get(number)
        if seen is None or seen.actor is not actor:
            seen = process.seen[number] = Seen(actor)
        raft = actor.replica.consensus.raft
        if raft.committed != seen.committed:
            self._compare(process, number, actor, seen.committed, raft.committed)
            seen.committed = raft.committed
        if raft.role is not seen.role or raft.term != seen.term:
            if raft.role is Role.LEADER:
                self._elected(process, number, actor)
            self._world.note(process.name, f"{number} {raft.role.name} in {raft.term}")
            seen.role, seen.term = raft.role, raft.term

    def _judge(self, process: Process, number: int, error: BaseException) -> None:
        known = self._failures.setdefault(process, {})
        if known.get(number) is not error:
            known[number] = error
            if not process.excuses(error):
                raise Violation(f"{process.name}: partition {number} died: {error!r}") from error

    def _elected(self, process: Process, number: int, actor: Actor) -> None:
        raft = actor.replica.consensus.raft
        leader = self._leaders.setdefault((number, raft.term), raft.member)
        if leader != raft.member:
            raise Violation(f"two leaders of {number} in term {raft.term}: {leader} and {raft.member}")
        group = self.group(number)
        index = group.length
        while index and group.entries[index - 1].known_in >= raft.term:
            index -= 1  # Who hears late that it was elected leads in a term that others have left behind.
        if index:
            term = actor.replica.log.term_at(index)
            if term != group.entries[index - 1].term:
                raise Violation(
                    f"{process.name} leads {number} in term {raft.term} and lacks the committed entry"
                    f" {index} of term {group.entries[index - 1].term}: it has {term} there"
                )

    def _compare(self, process: Process, number: int, actor: Actor, after: int, last: int) -> None:
        """What a member takes for committed must be what everybody took for it."""
        log, group = actor.replica.log, self.group(number)
        if last < after:
            raise Violation(f"{process.name}: the commit index of {number} went from {after} to {last}")
        index = max(after + 1, log.first_index)
        while index <= last:
            for entry in log.entries(index, last + 1, _ALL):
                mine = (entry.term, int(entry.kind), entry.payload)
                if entry.index == group.length + 1:
                    group.append(*mine, actor.replica.consensus.raft.term)
                    self.commits += 1
                elif entry.index > group.length:
                    raise Violation(
                        f"{process.name}: entry {entry.index} of {number}, but not the one before"
                    )
                else:
                    known = group.entries[entry.index - 1]
                    if mine != (known.term, known.kind, known.payload):
                        raise Violation(
                            f"{process.name}: entry {entry.index} of {number} is committed as of term"
                            f" {entry.term}, and elsewhere of term {known.term}"
                        )
                index = entry.index + 1
        self._check_hash(process, group, log.log.synced)

    def _check_hash(self, process: Process, group: Group, synced: Position) -> None:
        seen = process.seen[group.number].actor.replica.consensus.raft.committed
        if 0 < synced.index <= min(group.length, seen):
            known = group.entries[synced.index - 1]
            if (synced.term, synced.hash) != (known.term, known.hash):
                raise Violation(f"{process.name}: the chain of {group.number} differs at {synced.index}")

    def checkpointed(self, process: Process, partition: int, position: Position, total: int) -> None:
        group = self.group(partition)
        if position.index > group.length:
            raise Violation(
                f"{process.name}: a checkpoint of {partition} at {position.index}, ahead of {group.length}"
            )
        if position.index and position.hash != group.entries[position.index - 1].hash:
            raise Violation(f"{process.name}: a checkpoint of {partition} of another history")
        group.checkpoints.setdefault(position.index, []).append((process.name, total))
