"""Random lives of a partition: work left undone for a while, turns undone, checkpoints, evictions, restarts.

After every command what stands in the state must hold together, wait for something, and be the fold of the
log; in the end everything can be cancelled, and nothing is left of it.
"""

import random
from typing import Final

import pytest

from bpmnd.bpmn import engine as engine_module
from bpmnd.bpmn import turn as turn_module
from bpmnd.bpmn.commands import (
    CancelProcessInstance,
    Deploy,
    Resource,
)
from bpmnd.bpmn.events import BoundaryEventTriggered, ProcessInstanceCreated
from bpmnd.bpmn.state import ordered
from tests.bpmn.lives.checks import check
from tests.bpmn.lives.commands import (
    let_listeners_work,
    live_on,
)
from tests.bpmn.lives.models import (
    ALL_MODELS,
    CALLED,
    CHANGED,
    FORMS,
    GRADES,
    PEOPLE,
    STARTED,
)
from tests.bpmn.lives.world import World, live
from tests.bpmn.playground import (
    rows_of,
)
from tests.bpmn.test_state import whole
from tests.judged import JUDGE

FIRST_LONG: Final = 40
"""From this seed on people take part, and there are four times as many commands."""
SEEDS: Final = range(400) if JUDGE else (*range(24), *range(FIRST_LONG, FIRST_LONG + 7))


@pytest.mark.parametrize("seed", SEEDS)
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
    if seed >= FIRST_LONG:
        world.versions = [ALL_MODELS.index(PEOPLE) + 1, len(ALL_MODELS)]  # Theirs take more than others.
        world.types = ("a", "b", "c", "work", "handle")
        world.do(Deploy((Resource("f.form", FORMS[0]),)))
    world.settles, world.raises = chance.choice((0, 0.1, 0.5, 1)), chance.choice((0, 0, 0.05, 0.2))
    world.repeats = chance.choice((0, 0.3, 1))
    all_the_time, known = chance.random() < 0.4, list[int]()

    for _ in range(70 if seed < FIRST_LONG else 300):
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
