"""Events: the facts that a partition's log consists of. State is what they add up to, by the appliers.

An event names its process instance and carries whatever an audit wants to know without asking the state.
Elements are indexes into the deployed table of element ids. Field order is part of the log's format: see
codec.py before changing anything here. An event and its applier (`bpmn/appliers/`) lie in files of one name.
"""

from typing import TypeAlias

from bpmnd.bpmn.events.changes import (
    MessageSubscriptionMigrated,
    ProcessInstanceMigrated,
    ProcessInstanceModified,
    ScopeReopened,
)
from bpmnd.bpmn.events.channels import (
    ChannelMessageAcknowledged,
    ChannelMessageReceived,
    ChannelMessageSent,
)
from bpmnd.bpmn.events.compensation import (
    CompensationSubscriptionCompleted,
    CompensationSubscriptionCreated,
    CompensationSubscriptionDeleted,
    CompensationSubscriptionTriggered,
    CompensationVariablesKept,
)
from bpmnd.bpmn.events.conditions import (
    ConditionalEvaluated,
    ConditionalStartSubscriptionCreated,
    ConditionalStartSubscriptionDeleted,
    ConditionalSubscriptionCreated,
    ConditionalSubscriptionDeleted,
    ConditionalSubscriptionTriggered,
)
from bpmnd.bpmn.events.continuations import (
    ContinuationCreated,
    ContinuationRemoved,
)
from bpmnd.bpmn.events.decisions import (
    DecisionCreated,
    DecisionEvaluated,
    DecisionEvaluationFailed,
    DecisionRequirementsCreated,
)
from bpmnd.bpmn.events.deployments import (
    DeploymentCreated,
    DeploymentDistributed,
    DeploymentDistributing,
    DeploymentFullyDistributed,
    FormCreated,
    ProcessCreated,
    ResourceCreated,
    ResourceDeleted,
)
from bpmnd.bpmn.events.elements import (
    BoundaryEventTriggered,
    ElementActivated,
    ElementActivating,
    ElementCompleted,
    ElementCompleting,
    ElementTerminated,
    ElementTerminating,
    EscalationThrown,
    ProcessInstanceCalled,
    ProcessInstanceCreated,
    ScopeInterrupted,
    SequenceFlowTaken,
)
from bpmnd.bpmn.events.exports import ExporterAcknowledged, ExportGapNoted
from bpmnd.bpmn.events.gateways import GatewayReset, GatewayStarted
from bpmnd.bpmn.events.incidents import (
    IncidentCreated,
    IncidentResolved,
)
from bpmnd.bpmn.events.jobs import (
    JobCanceled,
    JobCompleted,
    JobCreated,
    JobErrorThrown,
    JobFailed,
    JobRecurred,
    JobRetriesUpdated,
    JobsActivated,
    JobTimedOut,
    JobTimeoutUpdated,
    JobWithHeadersCreated,
    JobYielded,
    ListenerJobCreated,
)
from bpmnd.bpmn.events.loops import (
    LoopEnded,
    LoopOutputCollected,
    LoopStarted,
)
from bpmnd.bpmn.events.messages import (
    MessageCorrelated,
    MessageCorrelating,
    MessageExpired,
    MessageNotCorrelated,
    MessagePublished,
    MessageStartEventSubscriptionCorrelated,
    MessageStartEventSubscriptionCreated,
    MessageStartEventSubscriptionDeleted,
    MessageSubscriptionCorrelated,
    MessageSubscriptionCorrelating,
    MessageSubscriptionCreated,
    MessageSubscriptionDeleted,
    MessageSubscriptionRejected,
    ProcessMessageSubscriptionCorrelated,
    ProcessMessageSubscriptionCreated,
    ProcessMessageSubscriptionDeleted,
)
from bpmnd.bpmn.events.multiple import (
    EventPartAwaited,
    EventPartOccurred,
    EventPartsCleared,
    MessageStartPartCorrelated,
    StartPartOccurred,
    StartPartsCleared,
)
from bpmnd.bpmn.events.noted import (
    CommandAnswered,
    CommandForgotten,
    CommandNoted,
)
from bpmnd.bpmn.events.samples import StateSampled
from bpmnd.bpmn.events.signals import (
    SignalBroadcasted,
    SignalStartEventSubscriptionCreated,
    SignalStartEventSubscriptionDeleted,
    SignalSubscriptionCreated,
    SignalSubscriptionDeleted,
)
from bpmnd.bpmn.events.slots import (
    MessageStartLockReleased,
    MessageStartLockTaken,
    ProcessMessageSubscriptionOpened,
    SlotMessageHeld,
    SlotMessagesPassedOn,
    SlotMoveEnded,
    SlotMovePaused,
    SlotRecordsGiven,
    SlotRecordsTaken,
    SlotsGiven,
    SlotsTaken,
)
from bpmnd.bpmn.events.timers import (
    StartTimerCanceled,
    StartTimerCreated,
    StartTimerTriggered,
    TimerCanceled,
    TimerCreated,
    TimerTriggered,
)
from bpmnd.bpmn.events.user_tasks import (
    GlobalListenerCreated,
    GlobalListenerDeleted,
    GlobalListenerUpdated,
    UserTaskAssigned,
    UserTaskAssigning,
    UserTaskCanceled,
    UserTaskCanceling,
    UserTaskCompleted,
    UserTaskCompleting,
    UserTaskCorrected,
    UserTaskCreated,
    UserTaskCreating,
    UserTaskDenied,
    UserTaskUpdated,
    UserTaskUpdating,
)
from bpmnd.bpmn.events.variables import (
    VariablesCreated,
    VariablesUpdated,
)

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
    | EventPartAwaited
    | EventPartOccurred
    | EventPartsCleared
    | StartPartOccurred
    | StartPartsCleared
    | MessageStartPartCorrelated
    | EscalationThrown
    | CompensationSubscriptionCreated
    | CompensationSubscriptionTriggered
    | CompensationVariablesKept
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
    | GatewayReset
    | GatewayStarted
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
    | JobWithHeadersCreated
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
    | StateSampled
    | MessageStartLockReleased
    | MessageStartLockTaken
    | ProcessMessageSubscriptionOpened
    | SlotMessageHeld
    | SlotMessagesPassedOn
    | SlotMoveEnded
    | SlotMovePaused
    | SlotRecordsGiven
    | SlotRecordsTaken
    | SlotsGiven
    | SlotsTaken
    | ExporterAcknowledged
    | ExportGapNoted
)

__all__ = [
    "BoundaryEventTriggered",
    "ChannelMessageAcknowledged",
    "ChannelMessageReceived",
    "ChannelMessageSent",
    "CommandAnswered",
    "CommandForgotten",
    "CommandNoted",
    "CompensationSubscriptionCompleted",
    "CompensationSubscriptionCreated",
    "CompensationSubscriptionDeleted",
    "CompensationSubscriptionTriggered",
    "CompensationVariablesKept",
    "ConditionalEvaluated",
    "ConditionalStartSubscriptionCreated",
    "ConditionalStartSubscriptionDeleted",
    "ConditionalSubscriptionCreated",
    "ConditionalSubscriptionDeleted",
    "ConditionalSubscriptionTriggered",
    "ContinuationCreated",
    "ContinuationRemoved",
    "DecisionCreated",
    "DecisionEvaluated",
    "DecisionEvaluationFailed",
    "DecisionRequirementsCreated",
    "DeploymentCreated",
    "DeploymentDistributed",
    "DeploymentDistributing",
    "DeploymentFullyDistributed",
    "ElementActivated",
    "ElementActivating",
    "ElementCompleted",
    "ElementCompleting",
    "ElementTerminated",
    "ElementTerminating",
    "EscalationThrown",
    "Event",
    "EventPartAwaited",
    "EventPartOccurred",
    "EventPartsCleared",
    "ExportGapNoted",
    "ExporterAcknowledged",
    "FormCreated",
    "GatewayReset",
    "GatewayStarted",
    "GlobalListenerCreated",
    "GlobalListenerDeleted",
    "GlobalListenerUpdated",
    "IncidentCreated",
    "IncidentResolved",
    "JobCanceled",
    "JobCompleted",
    "JobCreated",
    "JobErrorThrown",
    "JobFailed",
    "JobRecurred",
    "JobRetriesUpdated",
    "JobTimedOut",
    "JobTimeoutUpdated",
    "JobWithHeadersCreated",
    "JobYielded",
    "JobsActivated",
    "ListenerJobCreated",
    "LoopEnded",
    "LoopOutputCollected",
    "LoopStarted",
    "MessageCorrelated",
    "MessageCorrelating",
    "MessageExpired",
    "MessageNotCorrelated",
    "MessagePublished",
    "MessageStartEventSubscriptionCorrelated",
    "MessageStartEventSubscriptionCreated",
    "MessageStartEventSubscriptionDeleted",
    "MessageStartLockReleased",
    "MessageStartLockTaken",
    "MessageStartPartCorrelated",
    "MessageSubscriptionCorrelated",
    "MessageSubscriptionCorrelating",
    "MessageSubscriptionCreated",
    "MessageSubscriptionDeleted",
    "MessageSubscriptionMigrated",
    "MessageSubscriptionRejected",
    "ProcessCreated",
    "ProcessInstanceCalled",
    "ProcessInstanceCreated",
    "ProcessInstanceMigrated",
    "ProcessInstanceModified",
    "ProcessMessageSubscriptionCorrelated",
    "ProcessMessageSubscriptionCreated",
    "ProcessMessageSubscriptionDeleted",
    "ProcessMessageSubscriptionOpened",
    "ResourceCreated",
    "ResourceDeleted",
    "ScopeInterrupted",
    "ScopeReopened",
    "SequenceFlowTaken",
    "SignalBroadcasted",
    "SignalStartEventSubscriptionCreated",
    "SignalStartEventSubscriptionDeleted",
    "SignalSubscriptionCreated",
    "SignalSubscriptionDeleted",
    "SlotMessageHeld",
    "SlotMessagesPassedOn",
    "SlotMoveEnded",
    "SlotMovePaused",
    "SlotRecordsGiven",
    "SlotRecordsTaken",
    "SlotsGiven",
    "SlotsTaken",
    "StartPartOccurred",
    "StartPartsCleared",
    "StartTimerCanceled",
    "StartTimerCreated",
    "StartTimerTriggered",
    "StateSampled",
    "TimerCanceled",
    "TimerCreated",
    "TimerTriggered",
    "UserTaskAssigned",
    "UserTaskAssigning",
    "UserTaskCanceled",
    "UserTaskCanceling",
    "UserTaskCompleted",
    "UserTaskCompleting",
    "UserTaskCorrected",
    "UserTaskCreated",
    "UserTaskCreating",
    "UserTaskDenied",
    "UserTaskUpdated",
    "UserTaskUpdating",
    "VariablesCreated",
    "VariablesUpdated",
]
