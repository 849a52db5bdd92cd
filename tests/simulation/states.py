"""The state that the committed log adds up to, against what every node made of it."""

from typing import Final

from bpmnd.actors.machine import Machine, load_machine
from bpmnd.actors.partition import PartitionActor
from bpmnd.bpmn.appliers import APPLIERS
from bpmnd.bpmn.state import State
from bpmnd.storage.cold_store import ColdStore
from tests.simulation.history import Questions
from tests.simulation.ledger import Group
from tests.simulation.process import Process
from tests.simulation.store import Rows
from tests.simulation.world import Violation

_ROWS: Final = 10_000
_EVERYTHING: Final = (b"\1", b"\xff", 1 << 40)


def replay_group(group: Group, questions: Questions) -> None:
    """Replay a group from its first entry, and compare with all checkpoints and memories noted in it."""
    rows = Rows()
    state = State(group.number, rows)
    for index, entry in enumerate(group.entries, 1):
        frame = entry.frame
        if frame is not None:
            state.last_time = frame.time
            for event in frame.events:
                APPLIERS[type(event)](state, event)
                questions.applied(state, event)
            state.journal.start()
            state.last_key = frame.last_key
        questions.frame_over()
        noted = group.checkpoints.get(index)
        if noted is None:
            continue
        _take_over(state, rows)
        for who, total in noted:
            if total != rows.sum:
                raise Violation(f"the state of partition {group.number} at {index} differs in {who}")


def _take_over(state: State, rows: Rows) -> None:
    rows.change(_changes(state))
    state.readable(instances_in_memory_max=_ROWS, index_head_max=_ROWS)


def _changes(state: State) -> dict[bytes, bytes | None]:
    capture = state.begin_capture()
    while capture.advance(_ROWS):
        pass
    return dict(capture.rows)


def whole_sum(machine: Machine, store: ColdStore) -> int:
    """The sum over all rows of a state, with those that only the store has. The state is of no use after."""
    rows = Rows()
    rows.change(dict(store.range(*_EVERYTHING)))
    rows.change(_changes(machine.state))
    return rows.sum


def note_memory(process: Process, group: Group, actor: PartitionActor) -> None:
    """Note what a replica at rest has in memory, and what a restart would make of its disk.

    Raises DamageError.
    """
    machine, store = actor.machine, actor.replica.store
    assert machine is not None, f"{process.name} has no state of {group.number}"
    assert not actor.checkpoints.in_the_making, f"{process.name} is not at rest"
    log = actor.replica.log.log
    position = store.position()
    first = 1 if position is None else position.index + 1
    last = min(machine.applied, log.synced_index)
    fresh = load_machine(group.number, store, log.entries(first, last) if first <= last else iter(()))
    noted = group.checkpoints.setdefault(fresh.applied, [])
    noted.append((f"{process.name}'s replay", whole_sum(fresh, store)))
    noted = group.checkpoints.setdefault(machine.applied, [])
    noted.append((f"{process.name}'s memory", whole_sum(machine, store)))
