"""What events and commands are called outside: Zeebe's value types and intents, by one table.

What Zeebe has no record for has a name of its own: CHANNEL_MESSAGE, CONTINUATION, DUE_DATE,
IDEMPOTENCY_KEY and SCOPE_INTERRUPTION.
"""

from typing import Final, NamedTuple, get_args

from bpmnd.bpmn import commands, events
from bpmnd.bpmn.commands import Command
from bpmnd.bpmn.events import Event


class Name(NamedTuple):
    value_type: str
    intent: str

    def __str__(self) -> str:
        return f"{self.value_type}/{self.intent}"


EVENT_NAMES: Final[dict[type[Event], Name]] = {
    events.DeploymentCreated: Name("DEPLOYMENT", "CREATED"),
    events.ProcessCreated: Name("PROCESS", "CREATED"),
    events.DeploymentDistributing: Name("DEPLOYMENT_DISTRIBUTION", "DISTRIBUTING"),
    events.DeploymentDistributed: Name("DEPLOYMENT_DISTRIBUTION", "COMPLETED"),
    events.DeploymentFullyDistributed: Name("DEPLOYMENT", "FULLY_DISTRIBUTED"),
    events.ChannelMessageSent: Name("CHANNEL_MESSAGE", "SENT"),
    events.ChannelMessageReceived: Name("CHANNEL_MESSAGE", "RECEIVED"),
    events.ChannelMessageAcknowledged: Name("CHANNEL_MESSAGE", "ACKNOWLEDGED"),
    events.ProcessInstanceCreated: Name("PROCESS_INSTANCE_CREATION", "CREATED"),
    events.ElementActivating: Name("PROCESS_INSTANCE", "ELEMENT_ACTIVATING"),
    events.ElementActivated: Name("PROCESS_INSTANCE", "ELEMENT_ACTIVATED"),
    events.ElementCompleting: Name("PROCESS_INSTANCE", "ELEMENT_COMPLETING"),
    events.ElementCompleted: Name("PROCESS_INSTANCE", "ELEMENT_COMPLETED"),
    events.ElementTerminating: Name("PROCESS_INSTANCE", "ELEMENT_TERMINATING"),
    events.ElementTerminated: Name("PROCESS_INSTANCE", "ELEMENT_TERMINATED"),
    events.SequenceFlowTaken: Name("PROCESS_INSTANCE", "SEQUENCE_FLOW_TAKEN"),
    events.BoundaryEventTriggered: Name("PROCESS_EVENT", "TRIGGERED"),
    events.ScopeInterrupted: Name("PROCESS_EVENT", "TRIGGERED"),
    events.ProcessInstanceCalled: Name("PROCESS_INSTANCE_CREATION", "CALLED"),
    events.EscalationThrown: Name("ESCALATION", "ESCALATED"),
    events.LoopStarted: Name("MULTI_INSTANCE", "STARTED"),
    events.LoopOutputCollected: Name("MULTI_INSTANCE", "OUTPUT_COLLECTED"),
    events.LoopEnded: Name("MULTI_INSTANCE", "ENDED"),
    events.VariablesCreated: Name("VARIABLE", "CREATED"),
    events.VariablesUpdated: Name("VARIABLE", "UPDATED"),
    events.JobCreated: Name("JOB", "CREATED"),
    events.ListenerJobCreated: Name("JOB", "CREATED"),
    events.JobsActivated: Name("JOB_BATCH", "ACTIVATED"),
    events.JobCompleted: Name("JOB", "COMPLETED"),
    events.JobFailed: Name("JOB", "FAILED"),
    events.JobRecurred: Name("JOB", "RECURRED_AFTER_BACKOFF"),
    events.JobTimedOut: Name("JOB", "TIMED_OUT"),
    events.JobYielded: Name("JOB", "YIELDED"),
    events.JobErrorThrown: Name("JOB", "ERROR_THROWN"),
    events.JobRetriesUpdated: Name("JOB", "RETRIES_UPDATED"),
    events.JobTimeoutUpdated: Name("JOB", "TIMEOUT_UPDATED"),
    events.JobCanceled: Name("JOB", "CANCELED"),
    events.TimerCreated: Name("TIMER", "CREATED"),
    events.TimerTriggered: Name("TIMER", "TRIGGERED"),
    events.TimerCanceled: Name("TIMER", "CANCELED"),
    events.StartTimerCreated: Name("TIMER", "CREATED"),
    events.StartTimerTriggered: Name("TIMER", "TRIGGERED"),
    events.StartTimerCanceled: Name("TIMER", "CANCELED"),
    events.MessagePublished: Name("MESSAGE", "PUBLISHED"),
    events.MessageExpired: Name("MESSAGE", "EXPIRED"),
    events.MessageSubscriptionCreated: Name("MESSAGE_SUBSCRIPTION", "CREATED"),
    events.MessageSubscriptionCorrelating: Name("MESSAGE_SUBSCRIPTION", "CORRELATING"),
    events.MessageSubscriptionCorrelated: Name("MESSAGE_SUBSCRIPTION", "CORRELATED"),
    events.MessageSubscriptionRejected: Name("MESSAGE_SUBSCRIPTION", "REJECTED"),
    events.MessageSubscriptionDeleted: Name("MESSAGE_SUBSCRIPTION", "DELETED"),
    events.MessageStartEventSubscriptionCreated: Name("MESSAGE_START_EVENT_SUBSCRIPTION", "CREATED"),
    events.MessageStartEventSubscriptionDeleted: Name("MESSAGE_START_EVENT_SUBSCRIPTION", "DELETED"),
    events.MessageStartEventSubscriptionCorrelated: Name("MESSAGE_START_EVENT_SUBSCRIPTION", "CORRELATED"),
    events.MessageCorrelating: Name("MESSAGE_CORRELATION", "CORRELATING"),
    events.MessageCorrelated: Name("MESSAGE_CORRELATION", "CORRELATED"),
    events.MessageNotCorrelated: Name("MESSAGE_CORRELATION", "NOT_CORRELATED"),
    events.ProcessMessageSubscriptionCreated: Name("PROCESS_MESSAGE_SUBSCRIPTION", "CREATED"),
    events.ProcessMessageSubscriptionCorrelated: Name("PROCESS_MESSAGE_SUBSCRIPTION", "CORRELATED"),
    events.ProcessMessageSubscriptionDeleted: Name("PROCESS_MESSAGE_SUBSCRIPTION", "DELETED"),
    events.SignalBroadcasted: Name("SIGNAL", "BROADCASTED"),
    events.SignalSubscriptionCreated: Name("SIGNAL_SUBSCRIPTION", "CREATED"),
    events.SignalSubscriptionDeleted: Name("SIGNAL_SUBSCRIPTION", "DELETED"),
    events.SignalStartEventSubscriptionCreated: Name("SIGNAL_SUBSCRIPTION", "CREATED"),
    events.SignalStartEventSubscriptionDeleted: Name("SIGNAL_SUBSCRIPTION", "DELETED"),
    events.DecisionRequirementsCreated: Name("DECISION_REQUIREMENTS", "CREATED"),
    events.DecisionCreated: Name("DECISION", "CREATED"),
    events.DecisionEvaluated: Name("DECISION_EVALUATION", "EVALUATED"),
    events.DecisionEvaluationFailed: Name("DECISION_EVALUATION", "FAILED"),
    events.IncidentCreated: Name("INCIDENT", "CREATED"),
    events.IncidentResolved: Name("INCIDENT", "RESOLVED"),
    events.ContinuationCreated: Name("CONTINUATION", "CREATED"),
    events.ContinuationRemoved: Name("CONTINUATION", "REMOVED"),
    events.CommandNoted: Name("IDEMPOTENCY_KEY", "NOTED"),
    events.CommandAnswered: Name("IDEMPOTENCY_KEY", "ANSWERED"),
    events.CommandForgotten: Name("IDEMPOTENCY_KEY", "EXPIRED"),
    events.ProcessInstanceModified: Name("PROCESS_INSTANCE_MODIFICATION", "MODIFIED"),
    events.ProcessInstanceMigrated: Name("PROCESS_INSTANCE_MIGRATION", "MIGRATED"),
    events.ScopeReopened: Name("SCOPE_INTERRUPTION", "LIFTED"),
    events.MessageSubscriptionMigrated: Name("MESSAGE_SUBSCRIPTION", "MIGRATED"),
}
COMMAND_NAMES: Final[dict[type[Command], Name]] = {
    commands.Deploy: Name("DEPLOYMENT", "CREATE"),
    commands.CreateProcessInstance: Name("PROCESS_INSTANCE_CREATION", "CREATE"),
    commands.CancelProcessInstance: Name("PROCESS_INSTANCE", "CANCEL"),
    commands.SetVariables: Name("VARIABLE_DOCUMENT", "UPDATE"),
    commands.ActivateJobs: Name("JOB_BATCH", "ACTIVATE"),
    commands.YieldJobs: Name("JOB", "YIELD"),
    commands.CompleteJob: Name("JOB", "COMPLETE"),
    commands.FailJob: Name("JOB", "FAIL"),
    commands.ThrowJobError: Name("JOB", "THROW_ERROR"),
    commands.UpdateJob: Name("JOB", "UPDATE"),
    commands.ResolveIncident: Name("INCIDENT", "RESOLVE"),
    commands.PublishMessage: Name("MESSAGE", "PUBLISH"),
    commands.CorrelateMessage: Name("MESSAGE_CORRELATION", "CORRELATE"),
    commands.BroadcastSignal: Name("SIGNAL", "BROADCAST"),
    commands.EvaluateDecision: Name("DECISION_EVALUATION", "EVALUATE"),
    commands.EvaluateExpression: Name("EXPRESSION", "EVALUATE"),
    commands.FireDue: Name("DUE_DATE", "FIRE"),
    commands.Continue: Name("CONTINUATION", "CONTINUE"),
    commands.ReceiveChannelMessage: Name("CHANNEL_MESSAGE", "RECEIVE"),
    commands.AcknowledgeChannel: Name("CHANNEL_MESSAGE", "ACKNOWLEDGE"),
    commands.Supply: Name("DEPLOYMENT", "DISTRIBUTE"),
    commands.ModifyProcessInstance: Name("PROCESS_INSTANCE_MODIFICATION", "MODIFY"),
    commands.MigrateProcessInstance: Name("PROCESS_INSTANCE_MIGRATION", "MIGRATE"),
}
assert set(EVENT_NAMES) == set(get_args(Event)), "every event has a name"
assert set(COMMAND_NAMES) == set(get_args(Command)) - {commands.DoOnce}, "every command has a name"
