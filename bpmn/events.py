"""Events: the facts that a partition's log consists of. State is what they add up to, by the appliers.

An event names its process instance and carries whatever an audit wants to know without asking the state.
Elements are indexes into the deployed table of element ids. Field order is part of the log's format: see
codec.py before changing anything here.
"""

from typing import TypeAlias

import msgspec

from bpmnd.bpmn.commands import Variables
from bpmnd.bpmn.dmn.results import EvaluatedDecision
from bpmnd.bpmn.user_tasks import GlobalListener, TaskAttributes


class _Event(
    msgspec.Struct, frozen=True, gc=False, array_like=True, tag_field="event", forbid_unknown_fields=True
):
    """The tag of an event is its code in the log. A code is never given twice, and the fields of a released
    code never change: a change is a new code with a new struct."""


# Deployments


class DeploymentCreated(_Event, frozen=True, gc=False, tag=1):
    """A deployment is complete on this partition. On the deploying one, others may still miss it."""

    key: int
    tenant_id: str
    definition_keys: tuple[int, ...]


class ProcessCreated(_Event, frozen=True, gc=False, tag=2):
    """A new version of a process. `element_ids` is the table that all later events and state refer to."""

    key: int
    deployment_key: int
    process_id: str
    version: int
    version_tag: str
    resource_name: str
    checksum: bytes
    tenant_id: str
    element_ids: tuple[str, ...]
    content: bytes


class DeploymentDistributing(_Event, frozen=True, gc=False, tag=3):
    """The deployment is on its way to other partitions; `request` is answered when all have it."""

    key: int
    request: int
    tenant_id: str
    definition_keys: tuple[int, ...]
    waiting_for: tuple[int, ...]


class DeploymentDistributed(_Event, frozen=True, gc=False, tag=4):
    key: int
    partition_id: int


class DeploymentFullyDistributed(_Event, frozen=True, gc=False, tag=5):
    key: int


# Decisions


class DecisionRequirementsCreated(_Event, frozen=True, gc=False, tag=70):
    """A new version of a file of decisions. `imports` are the keys of those it imports, as they were then."""

    key: int
    deployment_key: int
    requirements_id: str
    name: str
    version: int
    namespace: str
    resource_name: str
    checksum: bytes
    tenant_id: str
    imports: tuple[int, ...]
    content: bytes


class DecisionCreated(_Event, frozen=True, gc=False, tag=71):
    """A new version of a decision, with the graph that it is part of."""

    key: int
    deployment_key: int
    requirements_key: int
    requirements_id: str
    decision_id: str
    name: str
    version: int
    version_tag: str
    tenant_id: str


class DecisionEvaluated(_Event, frozen=True, gc=False, tag=72):
    """A decision was evaluated: what came of it, and of all that it required. Where a process asked for it,
    `instance_key` and the rest say where it stood; else they are 0."""

    key: int
    decision_key: int
    tenant_id: str
    instance_key: int
    element_instance_key: int
    element: int
    output: bytes
    decisions: tuple[EvaluatedDecision, ...]


class DecisionEvaluationFailed(_Event, frozen=True, gc=False, tag=73):
    """A decision could not be evaluated. The last of the decisions is the one that failed."""

    key: int
    decision_key: int
    tenant_id: str
    instance_key: int
    element_instance_key: int
    element: int
    failed_decision_id: str
    message: str
    decisions: tuple[EvaluatedDecision, ...]


class FormCreated(_Event, frozen=True, gc=False, tag=114):
    """A new version of a form."""

    key: int
    deployment_key: int
    form_id: str
    version: int
    version_tag: str
    resource_name: str
    checksum: bytes
    tenant_id: str
    content: bytes


class ResourceCreated(_Event, frozen=True, gc=False, tag=115):
    """A new version of a file that the engine keeps for others."""

    key: int
    deployment_key: int
    resource_id: str
    version: int
    version_tag: str
    resource_name: str
    checksum: bytes
    tenant_id: str
    content: bytes


class ResourceDeleted(_Event, frozen=True, gc=False, tag=116):
    """Nothing new uses what was deployed under the key. `user` is who has deleted it, if that is known."""

    key: int
    user: str


# Channels between partitions


class ChannelMessageSent(_Event, frozen=True, gc=False, tag=6):
    receiver: int
    number: int
    payload: bytes


class ChannelMessageReceived(_Event, frozen=True, gc=False, tag=7):
    sender: int
    number: int


class ChannelMessageAcknowledged(_Event, frozen=True, gc=False, tag=8):
    """The receiver has applied all messages up to `number`."""

    receiver: int
    number: int


# Process instances and their elements


class ProcessInstanceCreated(_Event, frozen=True, gc=False, tag=9):
    """`request` is the request that waits for the result, or 0."""

    key: int
    definition_key: int
    tenant_id: str
    tags: tuple[str, ...]
    business_id: str | None
    terminate_after: tuple[int, ...]
    request: int
    fetch_variables: tuple[str, ...]


class ElementActivating(_Event, frozen=True, gc=False, tag=10):
    """Activation has begun and takes more than one step: input mappings, or an incident on the way.

    `flows` are the sequence flows whose tokens the activation takes.
    """

    key: int
    instance_key: int
    scope_key: int
    element: int
    flows: tuple[int, ...]


class ElementActivated(_Event, frozen=True, gc=False, tag=11):
    """Active. Without an `ElementActivating` before it, this is where the element instance begins."""

    key: int
    instance_key: int
    scope_key: int
    element: int
    flows: tuple[int, ...]


class ElementCompleting(_Event, frozen=True, gc=False, tag=12):
    """Completion has begun and could not be ended in one step."""

    key: int
    instance_key: int
    element: int


class ElementCompleted(_Event, frozen=True, gc=False, tag=13):
    key: int
    instance_key: int
    element: int


class ElementTerminating(_Event, frozen=True, gc=False, tag=14):
    key: int
    instance_key: int
    element: int


class ElementTerminated(_Event, frozen=True, gc=False, tag=15):
    key: int
    instance_key: int
    element: int


class SequenceFlowTaken(_Event, frozen=True, gc=False, tag=16):
    instance_key: int
    scope_key: int
    flow: int


class BoundaryEventTriggered(_Event, frozen=True, gc=False, tag=17):
    """`element_instance_key` is to be terminated; then `boundary_event` goes on with `variables`."""

    element_instance_key: int
    instance_key: int
    boundary_event: int
    variables: Variables


class ScopeInterrupted(_Event, frozen=True, gc=False, tag=80):
    """All that is active in a scope is to be terminated. Then the event sub-process `element` begins, with
    `variables` for its start event; or the scope completes, if `element` is an end event."""

    scope_key: int
    instance_key: int
    element: int
    variables: Variables


class ProcessInstanceCalled(_Event, frozen=True, gc=False, tag=90):
    """The call activity `element_instance_key` has started the process instance `key`. `depth` counts the
    instances from the root, which has 1, to that one."""

    key: int
    instance_key: int
    element_instance_key: int
    definition_key: int
    tenant_id: str
    root_key: int
    depth: int


class EscalationThrown(_Event, frozen=True, gc=False, tag=81):
    """`catch_event` is the id of the event that catches it, maybe in a calling process; or nothing."""

    element_instance_key: int
    instance_key: int
    element: int
    code: str
    catch_event: str


class LoopStarted(_Event, frozen=True, gc=False, tag=91):
    """The multi-instance body `key` runs its activity once for each of the items (JSON texts), and collects
    what comes of it for the variable `output_collection`, if that is named."""

    key: int
    instance_key: int
    element: int
    output_collection: str
    items: tuple[bytes, ...]


class LoopOutputCollected(_Event, frozen=True, gc=False, tag=92):
    """What came of the item at `index`, as JSON text."""

    key: int
    instance_key: int
    index: int
    value: bytes


class LoopEnded(_Event, frozen=True, gc=False, tag=93):
    """The completion condition holds: no other item begins, and what is active is to be terminated."""

    key: int
    instance_key: int


# Variables


class VariablesCreated(_Event, frozen=True, gc=False, tag=18):
    """New variables in one scope. Their keys are `first_key` and those that follow, in order."""

    first_key: int
    instance_key: int
    scope_key: int
    variables: Variables


class VariablesUpdated(_Event, frozen=True, gc=False, tag=19):
    instance_key: int
    scope_key: int
    variables: Variables


# Compensation


class CompensationSubscriptionCreated(_Event, frozen=True, gc=False, tag=85):
    """The activity instance `activity_key` has completed in `scope_key` and can be undone: by the handler of
    its `boundary_event`, if that is not -1, and by those of what was inside."""

    key: int
    instance_key: int
    activity: int
    activity_key: int
    scope_key: int
    boundary_event: int


class CompensationSubscriptionTriggered(_Event, frozen=True, gc=False, tag=86):
    """It is undone, as the throw event `throw_key` wants it, by the handler `handler_key` (0: there is no
    such)."""

    key: int
    instance_key: int
    throw_key: int
    handler_key: int


class CompensationSubscriptionCompleted(_Event, frozen=True, gc=False, tag=87):
    key: int
    instance_key: int


class CompensationSubscriptionDeleted(_Event, frozen=True, gc=False, tag=88):
    """It will not be undone any more."""

    key: int
    instance_key: int


# Conditions


class ConditionalSubscriptionCreated(_Event, frozen=True, gc=False, tag=89):
    """`element` happens to the element instance when its condition holds."""

    key: int
    instance_key: int
    element_instance_key: int
    element: int


class ConditionalSubscriptionTriggered(_Event, frozen=True, gc=False, tag=140):
    """The condition holds. What does not interrupt goes on to wait."""

    key: int
    instance_key: int


class ConditionalSubscriptionDeleted(_Event, frozen=True, gc=False, tag=141):
    key: int
    instance_key: int


class ConditionalStartSubscriptionCreated(_Event, frozen=True, gc=False, tag=142):
    """A start event of the latest version of a process waits for its condition; it has no name."""

    key: int
    definition_key: int
    element: int
    tenant_id: str
    process_id: str
    name: str


class ConditionalStartSubscriptionDeleted(_Event, frozen=True, gc=False, tag=143):
    key: int


class ConditionalEvaluated(_Event, frozen=True, gc=False, tag=144):
    """Conditional start events were evaluated: of a definition, or of all (0)."""

    key: int
    definition_key: int
    tenant_id: str
    variables: Variables


# Jobs


class JobCreated(_Event, frozen=True, gc=False, tag=20):
    key: int
    instance_key: int
    element_instance_key: int
    element: int
    type: str
    retries: int


class JobsActivated(_Event, frozen=True, gc=False, tag=21):
    """Jobs of one type, lent to one worker until `deadline`."""

    keys: tuple[int, ...]
    tenant_id: str
    type: str
    worker: str
    deadline: int


class JobCompleted(_Event, frozen=True, gc=False, tag=22):
    key: int
    instance_key: int


class JobFailed(_Event, frozen=True, gc=False, tag=23):
    """With retries left the job may be lent again at `recur_at` (0: at once)."""

    key: int
    instance_key: int
    retries: int
    recur_at: int
    message: str


class JobRecurred(_Event, frozen=True, gc=False, tag=24):
    """The back-off of a failed job is over."""

    key: int
    instance_key: int


class JobTimedOut(_Event, frozen=True, gc=False, tag=25):
    key: int
    instance_key: int


class JobYielded(_Event, frozen=True, gc=False, tag=26):
    """Given back: it never reached its worker."""

    key: int
    instance_key: int


class JobErrorThrown(_Event, frozen=True, gc=False, tag=27):
    key: int
    instance_key: int
    code: str
    message: str


class JobRetriesUpdated(_Event, frozen=True, gc=False, tag=28):
    key: int
    instance_key: int
    retries: int


class JobTimeoutUpdated(_Event, frozen=True, gc=False, tag=29):
    key: int
    instance_key: int
    deadline: int


class JobCanceled(_Event, frozen=True, gc=False, tag=30):
    key: int
    instance_key: int


class ListenerJobCreated(_Event, frozen=True, gc=False, tag=100):
    """The job of a listener to what `listens_to` names, such as START. `then` are the encoded steps that it
    holds up."""

    key: int
    instance_key: int
    element_instance_key: int
    element: int
    type: str
    retries: int
    listens_to: str
    then: bytes


class UserTaskJobCreated(_Event, frozen=True, gc=False, tag=101):
    """The job of a user task that others manage; the headers say all that there is to it."""

    key: int
    instance_key: int
    element_instance_key: int
    element: int
    type: str
    retries: int
    headers: tuple[tuple[str, str], ...]


# User tasks. A change begins, waits for its listeners, and comes to its end or is denied. `action` is what
# the user called it, `user` who it was (empty: nobody known); `request` waits until it has come to its end.


class UserTaskCreating(_Event, frozen=True, gc=False, tag=102):
    """`form_key` is 0 without a linked form."""

    key: int
    instance_key: int
    element_instance_key: int
    element: int
    attributes: TaskAttributes
    form_key: int
    external_form_reference: str


class UserTaskCreated(_Event, frozen=True, gc=False, tag=103):
    key: int
    instance_key: int
    element_instance_key: int
    attributes: TaskAttributes


class UserTaskAssigning(_Event, frozen=True, gc=False, tag=104):
    key: int
    instance_key: int
    element_instance_key: int
    before: str
    assignee: str
    action: str
    user: str
    request: int


class UserTaskAssigned(_Event, frozen=True, gc=False, tag=105):
    key: int
    instance_key: int
    element_instance_key: int
    before: TaskAttributes
    attributes: TaskAttributes
    changed: tuple[str, ...]
    action: str
    user: str


class UserTaskUpdating(_Event, frozen=True, gc=False, tag=106):
    key: int
    instance_key: int
    element_instance_key: int
    before: TaskAttributes
    attributes: TaskAttributes
    changed: tuple[str, ...]
    action: str
    user: str
    request: int


class UserTaskUpdated(_Event, frozen=True, gc=False, tag=107):
    key: int
    instance_key: int
    element_instance_key: int
    before: TaskAttributes
    attributes: TaskAttributes
    changed: tuple[str, ...]
    action: str
    user: str


class UserTaskCompleting(_Event, frozen=True, gc=False, tag=108):
    key: int
    instance_key: int
    element_instance_key: int
    variables: Variables
    action: str
    user: str
    request: int


class UserTaskCompleted(_Event, frozen=True, gc=False, tag=109):
    key: int
    instance_key: int
    element_instance_key: int
    before: TaskAttributes
    attributes: TaskAttributes
    changed: tuple[str, ...]
    variables: Variables
    action: str
    user: str


class UserTaskCanceling(_Event, frozen=True, gc=False, tag=110):
    """Its element is terminated."""

    key: int
    instance_key: int
    element_instance_key: int


class UserTaskCanceled(_Event, frozen=True, gc=False, tag=111):
    key: int
    instance_key: int
    element_instance_key: int
    attributes: TaskAttributes


class UserTaskCorrected(_Event, frozen=True, gc=False, tag=112):
    """A listener wants the change that it has waited for to be another one."""

    key: int
    instance_key: int
    element_instance_key: int
    before: TaskAttributes
    attributes: TaskAttributes
    changed: tuple[str, ...]


class UserTaskDenied(_Event, frozen=True, gc=False, tag=113):
    """A listener does not let the change happen that `denied` names, such as COMPLETING."""

    key: int
    instance_key: int
    element_instance_key: int
    denied: str
    reason: str


class GlobalListenerCreated(_Event, frozen=True, gc=False, tag=117):
    """A listener to all user tasks."""

    key: int
    listener: GlobalListener
    user: str


class GlobalListenerUpdated(_Event, frozen=True, gc=False, tag=118):
    key: int
    listener: GlobalListener
    user: str


class GlobalListenerDeleted(_Event, frozen=True, gc=False, tag=119):
    key: int
    id: str
    user: str


# Timers


class TimerCreated(_Event, frozen=True, gc=False, tag=31):
    """`repetitions` counts the firings to come (-1: no end); `cycle` is the interval they follow."""

    key: int
    instance_key: int
    element_instance_key: int
    element: int
    due: int
    repetitions: int
    cycle: str


class TimerTriggered(_Event, frozen=True, gc=False, tag=32):
    key: int
    instance_key: int


class TimerCanceled(_Event, frozen=True, gc=False, tag=33):
    key: int
    instance_key: int


class StartTimerCreated(_Event, frozen=True, gc=False, tag=82):
    """The start event `element` of the latest version of a process waits; the rest is as above."""

    key: int
    definition_key: int
    element: int
    due: int
    repetitions: int
    cycle: str


class StartTimerTriggered(_Event, frozen=True, gc=False, tag=83):
    key: int
    definition_key: int
    element: int


class StartTimerCanceled(_Event, frozen=True, gc=False, tag=84):
    """There is a newer version of the process."""

    key: int
    definition_key: int
    element: int


# Messages, where they are published and buffered


class MessagePublished(_Event, frozen=True, gc=False, tag=38):
    """Buffered until `deadline`; with 0 it is over when everybody who waits now has it."""

    key: int
    tenant_id: str
    name: str
    correlation_key: str
    message_id: str
    deadline: int
    variables: Variables


class MessageExpired(_Event, frozen=True, gc=False, tag=39):
    key: int
    tenant_id: str
    name: str
    correlation_key: str


class MessageSubscriptionCreated(_Event, frozen=True, gc=False, tag=40):
    """An element instance waits for a message here. If it is of another partition, its place among those who
    wait is by `arrival`, else that is 0."""

    key: int
    instance_key: int
    element_instance_key: int
    process_id: str
    tenant_id: str
    name: str
    correlation_key: str
    interrupting: bool
    arrival: int


class MessageSubscriptionCorrelating(_Event, frozen=True, gc=False, tag=41):
    """A message is on its way to who waits, and counts as had by its process.

    Of the messages in the buffer those before `passed` are of no more use to the process (0: as before).
    """

    key: int
    instance_key: int
    element_instance_key: int
    process_id: str
    tenant_id: str
    name: str
    correlation_key: str
    message_key: int
    passed: int


class MessageSubscriptionCorrelated(_Event, frozen=True, gc=False, tag=42):
    """The message was taken. Who is not interrupted by it waits for the next one."""

    key: int
    instance_key: int
    element_instance_key: int
    process_id: str
    tenant_id: str
    name: str
    correlation_key: str
    message_key: int


class MessageSubscriptionRejected(_Event, frozen=True, gc=False, tag=43):
    """Nobody waited there any more: the message is again as if the process never had it."""

    key: int
    instance_key: int
    element_instance_key: int
    process_id: str
    tenant_id: str
    name: str
    correlation_key: str
    message_key: int


class MessageSubscriptionDeleted(_Event, frozen=True, gc=False, tag=44):
    key: int
    instance_key: int
    element_instance_key: int
    process_id: str
    tenant_id: str
    name: str
    correlation_key: str


class MessageStartEventSubscriptionCreated(_Event, frozen=True, gc=False, tag=45):
    key: int
    definition_key: int
    element: int
    tenant_id: str
    process_id: str
    name: str


class MessageStartEventSubscriptionDeleted(_Event, frozen=True, gc=False, tag=46):
    """There is a newer version of the process."""

    key: int


class MessageStartEventSubscriptionCorrelated(_Event, frozen=True, gc=False, tag=47):
    """A message has started the process instance `instance_key`. `passed` is as above."""

    key: int
    instance_key: int
    message_key: int
    correlation_key: str
    passed: int


class MessageCorrelating(_Event, frozen=True, gc=False, tag=48):
    """`request` waits until one of so many subscriptions has taken the message."""

    key: int
    request: int
    tenant_id: str
    name: str
    correlation_key: str
    waiting: int


class MessageCorrelated(_Event, frozen=True, gc=False, tag=49):
    """The request of the message is answered with the process instance that took it."""

    key: int
    instance_key: int


class MessageNotCorrelated(_Event, frozen=True, gc=False, tag=50):
    key: int


# Messages, where the process instance is


class ProcessMessageSubscriptionCreated(_Event, frozen=True, gc=False, tag=51):
    key: int
    instance_key: int
    element_instance_key: int
    element: int
    name: str
    correlation_key: str
    interrupting: bool


class ProcessMessageSubscriptionCorrelated(_Event, frozen=True, gc=False, tag=52):
    """The message is taken; an interrupting subscription is gone with it."""

    key: int
    instance_key: int
    message_key: int


class ProcessMessageSubscriptionDeleted(_Event, frozen=True, gc=False, tag=53):
    key: int
    instance_key: int


# Signals


class SignalBroadcasted(_Event, frozen=True, gc=False, tag=54):
    """The signal has reached this partition."""

    key: int
    tenant_id: str
    name: str
    variables: Variables


class SignalSubscriptionCreated(_Event, frozen=True, gc=False, tag=55):
    key: int
    instance_key: int
    element_instance_key: int
    element: int
    name: str


class SignalSubscriptionDeleted(_Event, frozen=True, gc=False, tag=56):
    key: int
    instance_key: int


class SignalStartEventSubscriptionCreated(_Event, frozen=True, gc=False, tag=57):
    key: int
    definition_key: int
    element: int
    tenant_id: str
    process_id: str
    name: str


class SignalStartEventSubscriptionDeleted(_Event, frozen=True, gc=False, tag=58):
    key: int


# Incidents and work left over


class IncidentCreated(_Event, frozen=True, gc=False, tag=34):
    """`steps` is the work to do again on resolution; `job_key` and `timer_key` are 0 if there is none."""

    key: int
    instance_key: int
    element_instance_key: int
    element: int
    job_key: int
    timer_key: int
    type: str
    message: str
    steps: bytes


class IncidentResolved(_Event, frozen=True, gc=False, tag=35):
    """Also when the element instance ends, and the incident with it."""

    key: int
    instance_key: int


class ContinuationCreated(_Event, frozen=True, gc=False, tag=36):
    """The turn's budget ended before its work, or it is for a turn of its own; `steps` is what is left.

    With `instance_key` 0 it is work of the partition, not of a process instance.
    """

    key: int
    instance_key: int
    steps: bytes
    passes: int


class ContinuationRemoved(_Event, frozen=True, gc=False, tag=37):
    key: int


# Commands with an id


class CommandNoted(_Event, frozen=True, gc=False, tag=59):
    """A command was decided, and is known again by scope and id until `deadline`.

    `outcome` is what a repeat is answered with; empty while it is to come, then `request` waits for it.
    """

    key: int
    scope: str
    id: str
    hash: bytes
    request: int
    deadline: int
    outcome: bytes


class CommandAnswered(_Event, frozen=True, gc=False, tag=60):
    """The outcome that a noted command has waited for."""

    key: int
    outcome: bytes


class CommandForgotten(_Event, frozen=True, gc=False, tag=61):
    """The same id would be that of a new command now."""

    key: int


# Changes by hand


class ProcessInstanceModified(_Event, frozen=True, gc=False, tag=160):
    """What was asked for: element instances to be activated (key, element), and to be terminated (key)."""

    instance_key: int
    activated: tuple[tuple[int, int], ...]
    terminated: tuple[int, ...]


class ProcessInstanceMigrated(_Event, frozen=True, gc=False, tag=161):
    """From here on the instance goes by another definition.

    `elements` are pairs of indexes, the old and the new, of everything that the instance still refers to.
    `steps` are pairs of key and encoded steps: what waits behind that incident, or for the listener of that
    job, as it is now. `interrupting` are pairs of subscription and whether its message interrupts. Of both
    only what has changed.
    """

    instance_key: int
    definition_key: int
    elements: tuple[tuple[int, int], ...]
    steps: tuple[tuple[int, bytes], ...]
    interrupting: tuple[tuple[int, bool], ...]


class ScopeReopened(_Event, frozen=True, gc=False, tag=163):
    """Something begins by hand in a scope that an event sub-process had interrupted, or in a transaction that
    is cancelled handlers do."""

    scope_key: int
    instance_key: int


class MessageSubscriptionMigrated(_Event, frozen=True, gc=False, tag=162):
    """Who waits is an instance of another process now, or is interrupted otherwise than before."""

    key: int
    instance_key: int
    element_instance_key: int
    process_id: str
    new_process_id: str
    tenant_id: str
    name: str
    correlation_key: str
    interrupting: bool


Event: TypeAlias = (
    DeploymentCreated
    | ProcessCreated
    | DeploymentDistributing
    | DeploymentDistributed
    | DeploymentFullyDistributed
    | ChannelMessageSent
    | ChannelMessageReceived
    | ChannelMessageAcknowledged
    | ProcessInstanceCreated
    | ElementActivating
    | ElementActivated
    | ElementCompleting
    | ElementCompleted
    | ElementTerminating
    | ElementTerminated
    | SequenceFlowTaken
    | BoundaryEventTriggered
    | ScopeInterrupted
    | EscalationThrown
    | CompensationSubscriptionCreated
    | CompensationSubscriptionTriggered
    | CompensationSubscriptionCompleted
    | CompensationSubscriptionDeleted
    | ConditionalSubscriptionCreated
    | ConditionalSubscriptionTriggered
    | ConditionalSubscriptionDeleted
    | ConditionalStartSubscriptionCreated
    | ConditionalStartSubscriptionDeleted
    | ConditionalEvaluated
    | ProcessInstanceCalled
    | LoopStarted
    | LoopOutputCollected
    | LoopEnded
    | VariablesCreated
    | VariablesUpdated
    | JobCreated
    | JobsActivated
    | JobCompleted
    | JobFailed
    | JobRecurred
    | JobTimedOut
    | JobYielded
    | JobErrorThrown
    | JobRetriesUpdated
    | JobTimeoutUpdated
    | JobCanceled
    | TimerCreated
    | TimerTriggered
    | TimerCanceled
    | StartTimerCreated
    | StartTimerTriggered
    | StartTimerCanceled
    | IncidentCreated
    | IncidentResolved
    | ContinuationCreated
    | ContinuationRemoved
    | MessagePublished
    | MessageExpired
    | MessageSubscriptionCreated
    | MessageSubscriptionCorrelating
    | MessageSubscriptionCorrelated
    | MessageSubscriptionRejected
    | MessageSubscriptionDeleted
    | MessageStartEventSubscriptionCreated
    | MessageStartEventSubscriptionDeleted
    | MessageStartEventSubscriptionCorrelated
    | MessageCorrelating
    | MessageCorrelated
    | MessageNotCorrelated
    | ProcessMessageSubscriptionCreated
    | ProcessMessageSubscriptionCorrelated
    | ProcessMessageSubscriptionDeleted
    | SignalBroadcasted
    | SignalSubscriptionCreated
    | SignalSubscriptionDeleted
    | SignalStartEventSubscriptionCreated
    | SignalStartEventSubscriptionDeleted
    | CommandNoted
    | CommandAnswered
    | CommandForgotten
    | ListenerJobCreated
    | DecisionRequirementsCreated
    | DecisionCreated
    | DecisionEvaluated
    | DecisionEvaluationFailed
    | ProcessInstanceModified
    | ProcessInstanceMigrated
    | MessageSubscriptionMigrated
    | ScopeReopened
    | UserTaskJobCreated
    | UserTaskCreating
    | UserTaskCreated
    | UserTaskAssigning
    | UserTaskAssigned
    | UserTaskUpdating
    | UserTaskUpdated
    | UserTaskCompleting
    | UserTaskCompleted
    | UserTaskCanceling
    | UserTaskCanceled
    | UserTaskCorrected
    | UserTaskDenied
    | FormCreated
    | ResourceCreated
    | ResourceDeleted
    | GlobalListenerCreated
    | GlobalListenerUpdated
    | GlobalListenerDeleted
)
