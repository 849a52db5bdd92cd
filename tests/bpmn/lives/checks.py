"""What holds after every command, whatever came before."""

from bpmnd.bpmn.commands import (
    DEFAULT_TENANT,
)
from bpmnd.bpmn.elements.complex_gateway import ComplexGateway
from bpmnd.bpmn.elements.inclusive_gateway import InclusiveGateway
from bpmnd.bpmn.elements.joins import others_can_come
from bpmnd.bpmn.elements.parallel_gateway import ParallelGateway
from bpmnd.bpmn.model.graph import AdHocSubProcess, SequenceFlow
from bpmnd.bpmn.state.messages import entry_of, group_of, lock_of, signal_group
from bpmnd.bpmn.state.records import (
    JobState,
    Lifecycle,
    ProcessInstance,
    encode_instance,
    loop_size,
    occurred_size,
    size_of,
)
from bpmnd.bpmn.steps import decode_steps
from tests.bpmn.lives.models import FLAGS, TYPES
from tests.bpmn.lives.world import World, live


def check(world: World, *, whole_state: bool) -> None:
    """What holds after every command."""
    mirror, state = world.mirror, world.state
    dues = [
        (message.deadline, int.from_bytes(key, "big"))
        for key, message in mirror.messages.messages._changed.items()  # pyright: ignore[reportPrivateUsage]
        if message is not None
    ]
    dues += [
        (noted.deadline, int.from_bytes(key, "big"))
        for key, noted in mirror.noted.records._changed.items()  # pyright: ignore[reportPrivateUsage]
        if noted is not None
    ]
    dues += [(timer.due, timer.key) for timer in mirror.start_timers.items.values()]
    activatable: dict[str, list[int]] = {}
    owners: dict[int, int] = {}
    incidents = 0
    for instance in live(mirror):
        _check_instance(world, instance)
        _check_subscriptions(world, instance)
        incidents += len(instance.incidents)
        owners.update(dict.fromkeys(instance.owned_keys(), instance.key))
        dues += [(timer.due, timer.key) for timer in instance.timers.values() if timer.due]
        for job in instance.jobs.values():
            if job.state is JobState.ACTIVATABLE:
                activatable.setdefault(job.type, []).append(job.key)
            elif job.due:
                dues.append((job.due, job.key))
    assert state.incidents == mirror.incidents == incidents
    assert (state.started, state.completed) == (mirror.started, mirror.completed)
    assert state.last_key == mirror.last_key
    assert state.due(1 << 63, len(dues) + 1) == [key for _, key in sorted(dues)]
    for job_type in TYPES:
        keys = state.first_activatable(DEFAULT_TENANT, job_type, 10_000)
        assert keys == sorted(activatable.get(job_type, []))
    if whole_state:
        for key in range(max(1, mirror.last_key - 1000), mirror.last_key + 3):
            assert state.owners.get(key) == owners.get(key)
            here, there = state.instances.get(key), mirror.instances.get(key)
            assert (here and encode_instance(here)) == (there and encode_instance(there))


def _check_instance(world: World, instance: ProcessInstance) -> None:
    """Its parts hold together, and each of them waits for something that can come."""
    tree = {each.key for each in live(world.mirror) if each.root_key == instance.root_key}
    left_over = [
        *(entry.steps for entry in world.mirror.continuations.items.values() if entry.instance_key in tree),
        *(incident.steps for key in tree for incident in _there(world, key).incidents.values()),
    ]
    steps = [step for encoded in left_over for step in decode_steps(encoded)]
    about = {key for step in steps for key in (getattr(step, "key", 0), getattr(step, "scope_key", 0))}
    listens = any(
        task.transition is not None and task.transition.event == "CANCELING"
        for key in tree
        for task in _there(world, key).user_tasks.values()
    )
    children: dict[int, int] = {}
    executable = world.engine._definitions.executable(instance.definition_key)  # pyright: ignore[reportPrivateUsage]
    for element in instance.elements.values():
        if element.key != instance.key:
            children[element.scope_key] = children.get(element.scope_key, 0) + 1
        waits = (
            element.key in instance.children
            or element.key in instance.tokens
            or element.key in about
            or element.job_key in instance.jobs
            or instance.timers_of(element.key)
            or any(each.element_instance_key == element.key for each in instance.subscriptions.values())
            or any(each.element_instance_key == element.key for each in instance.signals.values())
            or any(each.element_instance_key == element.key for each in instance.conditions.values())
            or (element.scope_key in instance.interruptions and bool(steps))
            or any(each.throw_key == element.key for each in instance.compensations.values())
            or instance.incident_of(element.key) is not None
            or element.key in instance.called
            or element.key in instance.started_gateways
            or isinstance(executable.elements[element.element], AdHocSubProcess)
            or ((user_task := instance.user_task_of(element.key)) and user_task.transition is None)
        )
        around = element
        while not waits and around.key != instance.key:
            around = instance.elements[around.scope_key]
            ends = around.state is Lifecycle.TERMINATING or around.key in instance.triggers
            waits = ends and bool(steps)
        assert waits, f"{element} of {instance} waits for nothing"
        if element.state is Lifecycle.TERMINATING or element.key in instance.triggers:
            assert steps or listens, f"{element} of {instance} never ends"
    assert children == instance.children
    size = sum(map(size_of, instance.variables.values()))
    held = sum(map(occurred_size, instance.occurred.values()))
    held += sum(size_of(each.variables) for each in instance.compensations.values())
    assert instance.size == size + held + sum(loop_size(instance, key) for key in instance.loops)
    assert instance.elements.keys() >= instance.occurred.keys()
    waiting = (instance.timers, instance.subscriptions, instance.signals, instance.conditions)
    assert {key for each in waiting for key in each} >= instance.awaited_parts.keys()
    for key, called in instance.called.items():
        parent = _there(world, called).parent
        assert parent is not None
        assert (parent.instance_key, parent.element_instance_key) == (instance.key, key)
    assert instance.elements.keys() >= {*instance.variables, *instance.tokens, *instance.triggers}
    assert instance.elements.keys() >= instance.started_gateways.keys()
    if not steps:
        elements = executable.elements
        for key, flows in instance.started_gateways.items():
            record = instance.elements[key]
            gateway, tokens = executable.element(record.element), instance.tokens.get(record.scope_key, {})
            if record.state is Lifecycle.ACTIVATED and not instance.interruptions:
                came = (*flows, *tokens)
                assert others_can_come(executable, instance, record.scope_key, gateway, came), "no reset"
        for scope_key, tokens in instance.tokens.items():
            if instance.elements[scope_key].state is Lifecycle.TERMINATING:
                continue  # It only waits for listeners.
            for flow_index in tokens:
                taken = elements[flow_index]
                assert isinstance(taken, SequenceFlow)
                target = elements[taken.target]
                if isinstance(target, ComplexGateway):
                    continue  # Its condition need not hold.
                assert isinstance(target, ParallelGateway | InclusiveGateway), f"a token lies before {target}"
                assert not all(other in tokens for other in target.incoming)


def _there(world: World, key: int) -> ProcessInstance:
    instance = world.mirror.instances.get(key)
    assert instance is not None, f"there is no instance {key}"
    return instance


def _check_subscriptions(world: World, instance: ProcessInstance) -> None:
    """What an instance waits for is known where messages and signals come, and no lock is left over."""
    here, there = world.state.messages, world.mirror.messages
    process_id = world.mirror.definitions.items[instance.definition_key].process_id
    for subscription in instance.subscriptions.values():
        group = group_of(DEFAULT_TENANT, subscription.name, subscription.correlation_key)
        entry = there.place_of(process_id, subscription.element_instance_key, subscription.key)
        waiting = [
            tables.subscriptions.get(group + flag + entry) for tables in (here, there) for flag in FLAGS
        ]
        assert waiting[: len(FLAGS)] == waiting[len(FLAGS) :]
        assert sum(each is not None for each in waiting) == 2, f"{subscription} is known as {waiting}"
        assert subscription.element_instance_key in instance.elements
    for signal_subscription in instance.signals.values():
        group = signal_group(DEFAULT_TENANT, signal_subscription.name)
        assert here.signals.get(group + entry_of(signal_subscription.key)) == instance.key
        assert signal_subscription.element_instance_key in instance.elements
    if instance.correlation_key is not None:
        lock = lock_of(DEFAULT_TENANT, process_id, instance.correlation_key)
        assert here.locks.get(lock) == instance.key
