"""Commands at random, to whatever there is at the moment."""

import random

from bpmnd.bpmn.commands import (
    ActivateAdHocActivities,
    ActivateInstruction,
    ActivateJobs,
    AdHocResult,
    AncestorOf,
    AssignUserTask,
    BroadcastSignal,
    CancelProcessInstance,
    CompleteJob,
    CompleteUserTask,
    Continue,
    CorrelateMessage,
    CreateGlobalListener,
    CreateProcessInstance,
    DeleteGlobalListener,
    DeleteResource,
    Deploy,
    EvaluateDecision,
    FailJob,
    FireDue,
    MigrateProcessInstance,
    ModifyProcessInstance,
    MoveInstruction,
    PublishMessage,
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
from bpmnd.bpmn.model.graph import SequenceFlow
from bpmnd.bpmn.outcomes import JobsActivated
from bpmnd.bpmn.user_tasks import GlobalListener, TaskChanges
from tests.bpmn.lives.models import (
    FORMS,
    GRADES,
    KEYS,
    MESSAGES,
    STARTS,
    TYPES,
)
from tests.bpmn.lives.world import World, live


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
