"""From frames to records: every event with what it is called outside, and with what its keys stand for.

Pure: a fold over the frames of one partition, from its first. What is remembered of an instance is dropped
when it ends, so memory grows by live instances, not by the length of the log.
"""

from collections.abc import Container, Iterator, Sequence
from typing import Final, final

import msgspec

from bpmnd.actors.exporters.decisions import of_deployed, of_evaluation
from bpmnd.actors.exporters.instances import Definition, Instance, Instances, Job
from bpmnd.actors.exporters.messages import of_message
from bpmnd.actors.exporters.names import COMMAND_NAMES, EVENT_NAMES, VALUE_TYPES
from bpmnd.actors.exporters.noted import of_noted
from bpmnd.actors.exporters.user_tasks import of_global_listener, of_user_task
from bpmnd.actors.exporters.values import Value, json_values, moment
from bpmnd.bpmn import events
from bpmnd.bpmn.codec import Frame
from bpmnd.bpmn.commands import NO_ORIGIN, Origin, Variables
from bpmnd.bpmn.events import Event
from bpmnd.bpmn.model.graph import INNER_INSTANCE, ElementType

EVERYTHING: Final[Container[str]] = VALUE_TYPES


class Record(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """One event, to be read without the log beside it. A line of `bpmnd log export`."""

    position: tuple[int, int]
    """Index of the log entry, number within it."""
    time: str
    partition_id: int
    value_type: str
    intent: str
    key: str | None
    value: Value
    cause: str | None = None
    """The command that led to it, `JOB/COMPLETE`."""
    user: str | None = None
    """Who has asked for that, as far as it is known."""
    operation_reference: int | None = None
    """What the request that led to it was called by its client."""
    hash: str | None = None
    """The chain hash of the entry: who has it can prove that nothing up to here was altered."""


@final
class Records:
    """The records of one partition, entry after entry."""

    def __init__(self, partition_id: int, wanted: Container[str] = EVERYTHING) -> None:
        """`wanted` are value types: of the others no records are made, but they count and are remembered."""
        self._partition_id = partition_id
        self._wanted = wanted
        self._instances = Instances()

    def memory(self) -> bytes:
        return self._instances.memory()

    def recall(self, memory: bytes) -> None:
        """Go on where another has stopped. Raises msgspec.DecodeError."""
        self._instances.recall(memory)

    def note(self, frame: Frame) -> None:
        """Take in an entry of which no records are wanted."""
        for event in frame.events:
            self._instances.note(event)

    def of(self, index: int, frame: Frame, hash: bytes = b"") -> Iterator[Record]:
        """The records of the entry `index`. Consume them all before the next entry."""
        time, digest, number = moment(frame.time), hash.hex() or None, 0
        for cause, origin, event in _with_causes(frame):
            name = EVENT_NAMES[type(event)]
            if name.value_type not in self._wanted:
                number += _count_of(event)
                self._instances.note(event)
                continue
            for key, value in self._values(event):
                number += 1
                yield Record(
                    (index, number),
                    time,
                    self._partition_id,
                    name.value_type,
                    name.intent,
                    str(key) if key else None,
                    value,
                    cause,
                    origin.user or None,
                    origin.operation_reference or None,
                    digest,
                )
            self._instances.note(event)

    def _values(self, event: Event) -> Iterator[tuple[int, Value]]:
        """Key and value; of variables one for each."""
        match event:
            case events.VariablesCreated(first_key, instance_key, scope_key, variables):
                base = self._in_instance(instance_key, scope_key)
                for number, value in enumerate(_each(variables, base)):
                    yield first_key + number, value
            case events.VariablesUpdated(instance_key, scope_key, variables):
                base = self._in_instance(instance_key, scope_key)
                instance = self._instances.by_key.get(instance_key)
                for value in _each(variables, base):
                    known = instance.variables.get((scope_key, value["name"]), 0) if instance else 0
                    yield known, value
            case events.ProcessInstanceModified(instance_key) | events.ProcessInstanceMigrated(instance_key):
                yield instance_key, self._value(event)
            case _:
                yield _key_of(event), self._value(event)

    def _value(self, event: Event) -> Value:
        match event:
            case (
                events.DeploymentCreated()
                | events.ProcessCreated()
                | events.FormCreated()
                | events.ResourceCreated()
                | events.ResourceDeleted()
                | events.DeploymentDistributing()
                | events.DeploymentDistributed()
                | events.DeploymentFullyDistributed()
            ):
                return self._of_deployment(event)
            case (
                events.ChannelMessageSent()
                | events.ChannelMessageReceived()
                | events.ChannelMessageAcknowledged()
            ):
                return _of_channel(event)
            case events.ProcessInstanceCreated(_, definition_key, tenant_id, tags, business_id):
                definition = self._instances.definitions.get(definition_key)
                return {
                    **_of_process(definition_key, definition, tenant_id),
                    "processInstanceKey": str(event.key),
                    "tags": tags,
                    "businessId": business_id,
                }
            case events.ProcessInstanceCalled(_, caller_key, caller_element_key, definition_key, tenant_id):
                definition = self._instances.definitions.get(definition_key)
                return {
                    **_of_process(definition_key, definition, tenant_id),
                    "processInstanceKey": str(event.key),
                    "parentProcessInstanceKey": str(caller_key),
                    "parentElementInstanceKey": str(caller_element_key),
                    "rootProcessInstanceKey": str(event.root_key),
                }
            case events.LoopStarted(key, instance_key, element):
                value = self._at_element(instance_key, key, element)
                return {**value, "numberOfInstances": len(event.items)}
            case events.LoopOutputCollected(key, instance_key, number, output):
                value = self._in_instance(instance_key, key)
                return {**value, "loopCounter": number + 1, **json_values({"value": output})}
            case events.GatewayStarted(key, instance_key, element) | events.GatewayReset(
                key, instance_key, _, element
            ):
                return self._at_element(instance_key, key, element)
            case events.LoopEnded(key, instance_key):
                return self._in_instance(instance_key, key)
            case events.ElementActivating() | events.ElementActivated():
                value = self._at_element(event.instance_key, event.key, event.element)
                return {**value, "flowScopeKey": str(event.scope_key)}
            case (
                events.ElementCompleting()
                | events.ElementCompleted()
                | events.ElementTerminating()
                | events.ElementTerminated()
            ):
                return self._at_element(event.instance_key, event.key, event.element)
            case events.SequenceFlowTaken(instance_key, scope_key, flow):
                value = self._at_element(instance_key, 0, flow)
                return {**value, "flowScopeKey": str(scope_key)}
            case events.BoundaryEventTriggered(element_instance_key, instance_key, boundary, variables):
                value = self._at_element(instance_key, element_instance_key, boundary)
                return {**value, "variables": json_values(variables)}
            case events.ScopeInterrupted(scope_key, instance_key, element, variables):
                value = self._at_element(instance_key, scope_key, element)
                return {**value, "variables": json_values(variables)}
            case events.ScopeReopened(scope_key, instance_key):
                return self._in_instance(instance_key, scope_key)
            case events.ProcessInstanceModified() | events.ProcessInstanceMigrated():
                return self._of_change(event)
            case events.EscalationThrown(element_instance_key, instance_key, element, code, catch_event):
                value = self._at_element(instance_key, element_instance_key, element)
                return {
                    **value,
                    "escalationCode": code,
                    "throwElementId": value.get("elementId"),
                    "catchElementId": catch_event or None,
                }
            case events.EventPartAwaited(_, instance_key, part):
                return {**self._in_instance(instance_key), "part": part}
            case events.EventPartOccurred(element_instance_key, instance_key, element, part, variables):
                value = self._at_element(instance_key, element_instance_key, element)
                return {**value, "part": part, "variables": json_values(variables)}
            case events.EventPartsCleared(element_instance_key, instance_key, element):
                return self._at_element(instance_key, element_instance_key, element)
            case events.CompensationSubscriptionCreated(_, instance_key, activity, activity_key, scope_key):
                value = self._at_element(instance_key, activity_key, activity)
                return {**value, "compensableActivityScopeKey": str(scope_key)}
            case events.CompensationVariablesKept(_, instance_key, variables):
                return {**self._in_instance(instance_key), "variables": json_values(variables)}
            case events.CompensationSubscriptionTriggered(_, instance_key, throw_key, handler_key):
                value = {**self._in_instance(instance_key), "throwEventInstanceKey": str(throw_key)}
                return {**value, "compensationHandlerInstanceKey": str(handler_key)} if handler_key else value
            case events.CompensationSubscriptionCompleted(
                _, instance_key
            ) | events.CompensationSubscriptionDeleted(_, instance_key):
                return self._in_instance(instance_key)
            case events.ConditionalSubscriptionCreated(_, instance_key, element_instance_key, element):
                return self._at_element(instance_key, element_instance_key, element)
            case events.ConditionalSubscriptionTriggered(
                _, instance_key
            ) | events.ConditionalSubscriptionDeleted(_, instance_key):
                return self._in_instance(instance_key)
            case events.ConditionalStartSubscriptionCreated():
                definition = self._instances.definitions.get(event.definition_key)
                return _of_process(event.definition_key, definition, event.tenant_id)
            case events.ConditionalStartSubscriptionDeleted():
                return {}
            case events.ConditionalEvaluated(_, definition_key, tenant_id, variables):
                value = {"tenantId": tenant_id, "variables": json_values(variables)}
                if definition_key:
                    value["processDefinitionKey"] = str(definition_key)
                return value
            case events.StartTimerCreated() | events.StartTimerTriggered() | events.StartTimerCanceled():
                return self._of_start_timer(event)
            case events.StartPartOccurred() | events.StartPartsCleared():
                return self._of_start_part(event)
            case events.TimerCreated() | events.TimerTriggered() | events.TimerCanceled():
                return self._of_timer(event)
            case events.IncidentCreated() | events.IncidentResolved():
                return self._of_incident(event)
            case events.ContinuationCreated(_, instance_key, _, passes):
                return {**self._in_instance(instance_key), "passes": passes}
            case events.ContinuationRemoved():
                return {}
            case events.StateSampled(rows):
                return {"rows": [key.hex() for key in rows]}
            case events.DecisionRequirementsCreated() | events.DecisionCreated():
                return of_deployed(event)
            case events.DecisionEvaluated() | events.DecisionEvaluationFailed():
                if not event.instance_key:
                    return of_evaluation(event)
                at = self._at_element(event.instance_key, event.element_instance_key, event.element)
                return {**at, **of_evaluation(event)}
            case events.CommandNoted() | events.CommandAnswered() | events.CommandForgotten():
                return of_noted(event)
            case events.ExporterAcknowledged(_, exporter, position, mark):
                return {"exporter": exporter, "position": position, "mark": mark}
            case events.ExportGapNoted(_, exporter, after, to):
                return {"exporter": exporter, "after": after, "to": to}
            case (
                events.ProcessMessageSubscriptionCreated()
                | events.ProcessMessageSubscriptionCorrelated()
                | events.ProcessMessageSubscriptionDeleted()
                | events.SignalSubscriptionCreated()
                | events.SignalSubscriptionDeleted()
            ):
                return self._of_subscription(event)
            case events.VariablesCreated() | events.VariablesUpdated():
                raise AssertionError("variables have a record each")
            case (
                events.MessagePublished()
                | events.MessageExpired()
                | events.MessageSubscriptionCreated()
                | events.MessageSubscriptionCorrelating()
                | events.MessageSubscriptionCorrelated()
                | events.MessageSubscriptionRejected()
                | events.MessageSubscriptionDeleted()
                | events.MessageSubscriptionMigrated()
                | events.MessageStartEventSubscriptionCreated()
                | events.MessageStartEventSubscriptionDeleted()
                | events.MessageStartEventSubscriptionCorrelated()
                | events.MessageStartPartCorrelated()
                | events.MessageCorrelating()
                | events.MessageCorrelated()
                | events.MessageNotCorrelated()
                | events.SignalBroadcasted()
                | events.SignalStartEventSubscriptionCreated()
                | events.SignalStartEventSubscriptionDeleted()
            ):
                return of_message(event, self._instances)
            case (
                events.GlobalListenerCreated()
                | events.GlobalListenerUpdated()
                | events.GlobalListenerDeleted()
            ):
                return of_global_listener(event)
            case (
                events.UserTaskCreating()
                | events.UserTaskCreated()
                | events.UserTaskAssigning()
                | events.UserTaskAssigned()
                | events.UserTaskUpdating()
                | events.UserTaskUpdated()
                | events.UserTaskCompleting()
                | events.UserTaskCompleted()
                | events.UserTaskCanceling()
                | events.UserTaskCanceled()
                | events.UserTaskCorrected()
                | events.UserTaskDenied()
            ):
                return of_user_task(event, self._at_known(event.instance_key, event.element_instance_key))
            case _:
                return self._of_job(event)

    def _of_change(self, event: events.ProcessInstanceModified | events.ProcessInstanceMigrated) -> Value:
        value = self._in_instance(event.instance_key)
        instance = self._instances.by_key.get(event.instance_key)
        match event:
            case events.ProcessInstanceModified(_, activated, terminated):
                value["activateInstructions"] = [
                    {"elementInstanceKey": str(key), **self._element(instance, element)}
                    for key, element in activated
                ]
                value["terminateInstructions"] = [{"elementInstanceKey": str(key)} for key in terminated]
            case events.ProcessInstanceMigrated(_, definition_key, elements):
                source = self._instances.definitions.get(instance.definition_key) if instance else None
                target = self._instances.definitions.get(definition_key)
                value["targetProcessDefinitionKey"] = str(definition_key)
                value["mappingInstructions"] = [
                    {"sourceElementId": _id_in(source, old), "targetElementId": _id_in(target, new)}
                    for old, new in elements
                ]
        return value

    def _of_deployment(
        self,
        event: events.DeploymentCreated
        | events.ProcessCreated
        | events.FormCreated
        | events.ResourceCreated
        | events.ResourceDeleted
        | events.DeploymentDistributing
        | events.DeploymentDistributed
        | events.DeploymentFullyDistributed,
    ) -> Value:
        match event:
            case events.ProcessCreated():
                return {
                    "processDefinitionKey": str(event.key),
                    "bpmnProcessId": event.process_id,
                    "version": event.version,
                    "versionTag": event.version_tag or None,
                    "resourceName": event.resource_name,
                    "checksum": event.checksum.hex(),
                    "deploymentKey": str(event.deployment_key),
                    "tenantId": event.tenant_id,
                    "resource": event.content,
                }
            case events.FormCreated():
                return {"formKey": str(event.key), "formId": event.form_id, **_of_file(event)}
            case events.ResourceCreated():
                return {"resourceKey": str(event.key), "resourceId": event.resource_id, **_of_file(event)}
            case events.ResourceDeleted(key, user):
                return {"resourceKey": str(key), "user": user or None}
            case events.DeploymentCreated(key, tenant_id, definition_keys):
                return self._deployed(key, tenant_id, definition_keys)
            case events.DeploymentDistributing(key, _, tenant_id, definition_keys, waiting_for):
                return {**self._deployed(key, tenant_id, definition_keys), "partitionIds": waiting_for}
            case events.DeploymentDistributed(key, partition_id):
                return {"deploymentKey": str(key), "partitionId": partition_id}
            case events.DeploymentFullyDistributed(key):
                return {"deploymentKey": str(key)}

    def _deployed(self, key: int, tenant_id: str, definition_keys: Sequence[int]) -> Value:
        known = self._instances.definitions  # Keys of decisions have records of their own.
        processes = [self._process(key) for key in definition_keys if key in known]
        return {"deploymentKey": str(key), "tenantId": tenant_id, "processes": processes}

    def _process(self, definition_key: int) -> Value:
        return _of_process(definition_key, self._instances.definitions.get(definition_key), None)

    def _of_job(
        self,
        event: events.JobCreated
        | events.ListenerJobCreated
        | events.JobWithHeadersCreated
        | events.JobsActivated
        | events.JobCompleted
        | events.JobFailed
        | events.JobRecurred
        | events.JobTimedOut
        | events.JobYielded
        | events.JobErrorThrown
        | events.JobRetriesUpdated
        | events.JobTimeoutUpdated
        | events.JobCanceled,
    ) -> Value:
        if isinstance(event, events.JobsActivated):
            jobs = [
                {"jobKey": str(key), **self._job(self._instances.owner_of(key), key)} for key in event.keys
            ]
            return {
                "type": event.type,
                "worker": event.worker,
                "deadline": moment(event.deadline),
                "tenantId": event.tenant_id,
                "jobs": jobs,
            }
        if isinstance(event, events.JobCreated):
            value = self._at_element(event.instance_key, event.element_instance_key, event.element)
            return {**value, "type": event.type, "retries": event.retries}
        if isinstance(event, events.ListenerJobCreated):
            value = self._at_element(event.instance_key, event.element_instance_key, event.element)
            kind = "EXECUTION_LISTENER" if event.listens_to in ("START", "END") else "TASK_LISTENER"
            of_listener = {"jobListenerEventType": event.listens_to, "jobKind": kind}
            return {**value, "type": event.type, "retries": event.retries, **of_listener}
        if isinstance(event, events.JobWithHeadersCreated):
            value = self._at_element(event.instance_key, event.element_instance_key, event.element)
            headers = {"customHeaders": dict(event.headers)}
            return {**value, "type": event.type, "retries": event.retries, **headers}

        value = self._job(event.instance_key, event.key)
        match event:
            case events.JobFailed(_, _, retries, recur_at, message):
                value |= {"retries": retries, "errorMessage": message}
                if recur_at:
                    value["recurringTime"] = moment(recur_at)
            case events.JobErrorThrown(_, _, code, message):
                value |= {"errorCode": code, "errorMessage": message}
            case events.JobRetriesUpdated(_, _, retries):
                value["retries"] = retries
            case events.JobTimeoutUpdated(_, _, deadline):
                value["deadline"] = moment(deadline)
            case _:
                pass  # All that is to be said of it is known of the job.
        return value

    def _job(self, instance_key: int, key: int) -> Value:
        instance = self._instances.by_key.get(instance_key)
        job = instance.jobs.get(key) if instance is not None else None
        if job is None:
            return self._in_instance(instance_key)
        value = self._at_element(instance_key, job.element_instance_key, job.element)
        return {**value, **_known_of(job)}

    def _of_timer(self, event: events.TimerCreated | events.TimerTriggered | events.TimerCanceled) -> Value:
        instance = self._instances.by_key.get(event.instance_key)
        timer = instance.timers.get(event.key) if instance is not None else None
        timer = event if isinstance(event, events.TimerCreated) else timer
        if timer is None:
            return self._in_instance(event.instance_key)
        return {
            **self._at_element(event.instance_key, timer.element_instance_key, timer.element),
            "dueDate": moment(timer.due),
            "repetitions": timer.repetitions,
        }

    def _of_start_timer(
        self, event: events.StartTimerCreated | events.StartTimerTriggered | events.StartTimerCanceled
    ) -> Value:
        value = self._of_start_event(event.definition_key, event.element)
        if isinstance(event, events.StartTimerCreated):
            value |= {"dueDate": moment(event.due), "repetitions": event.repetitions}
        return value

    def _of_start_part(self, event: events.StartPartOccurred | events.StartPartsCleared) -> Value:
        value = self._of_start_event(event.definition_key, event.element)
        if isinstance(event, events.StartPartOccurred):
            value |= {"part": event.part, "variables": json_values(event.variables)}
        return value

    def _of_start_event(self, definition_key: int, element: int) -> Value:
        definition = self._instances.definitions.get(definition_key)
        value = _of_process(definition_key, definition, None)
        if definition is not None and element < len(definition.element_ids):
            value["targetElementId"] = definition.element_ids[element]
        return value

    def _of_subscription(
        self,
        event: events.ProcessMessageSubscriptionCreated
        | events.ProcessMessageSubscriptionCorrelated
        | events.ProcessMessageSubscriptionDeleted
        | events.SignalSubscriptionCreated
        | events.SignalSubscriptionDeleted,
    ) -> Value:
        instance = self._instances.by_key.get(event.instance_key)
        known = instance.subscriptions.get(event.key) if instance is not None else None
        if isinstance(event, events.ProcessMessageSubscriptionCreated | events.SignalSubscriptionCreated):
            known = event
        if known is None:
            return self._in_instance(event.instance_key)
        value = self._at_element(event.instance_key, known.element_instance_key, known.element)
        if isinstance(known, events.SignalSubscriptionCreated):
            return {**value, "signalName": known.name}
        value |= {"messageName": known.name, "correlationKey": known.correlation_key}
        if isinstance(event, events.ProcessMessageSubscriptionCorrelated):
            value["messageKey"] = str(event.message_key)
        return {**value, "interrupting": known.interrupting}

    def _of_incident(self, event: events.IncidentCreated | events.IncidentResolved) -> Value:
        instance = self._instances.by_key.get(event.instance_key)
        incident = instance.incidents.get(event.key) if instance is not None else None
        incident = event if isinstance(event, events.IncidentCreated) else incident
        if incident is None:
            return self._in_instance(event.instance_key)
        value = {
            **self._at_element(event.instance_key, incident.element_instance_key, incident.element),
            "errorType": incident.type,
            "errorMessage": incident.message,
        }
        if incident.job_key:
            value["jobKey"] = str(incident.job_key)
        return value

    def _in_instance(self, instance_key: int, scope_key: int = 0) -> Value:
        """The instance an event belongs to, and the scope that it names."""
        instance = self._instances.by_key.get(instance_key)
        if instance is None:
            value: Value = {}
        else:
            definition = self._instances.definitions.get(instance.definition_key)
            value = _of_process(instance.definition_key, definition, instance.tenant_id)
        if instance_key:
            value["processInstanceKey"] = str(instance_key)
        if scope_key:
            value["scopeKey"] = str(scope_key)
            if instance is not None and (element := instance.elements.get(scope_key)) is not None:
                value |= self._element(instance, element)
        return value

    def _at_element(self, instance_key: int, element_instance_key: int, element: int) -> Value:
        value = self._in_instance(instance_key)
        if element_instance_key:
            value["elementInstanceKey"] = str(element_instance_key)
        return value | self._element(self._instances.by_key.get(instance_key), element)

    def _at_known(self, instance_key: int, element_instance_key: int) -> Value:
        """At an element instance of which the event does not say where it is in the model."""
        instance = self._instances.by_key.get(instance_key)
        element = instance.elements.get(element_instance_key) if instance is not None else None
        if element is None:
            return {**self._in_instance(instance_key), "elementInstanceKey": str(element_instance_key)}
        return self._at_element(instance_key, element_instance_key, element)

    def _element(self, instance: Instance | None, element: int) -> Value:
        """Id and type of an element, by the table of the deployment; its index, if that was dropped."""
        definition = (
            self._instances.definitions.get(instance.definition_key) if instance is not None else None
        )
        if definition is None or element >= len(definition.element_ids):
            return {"elementIndex": element}
        element_id = definition.element_ids[element]
        return {
            "elementId": element_id,
            "bpmnElementType": _type_of(definition, element),
        }


def _type_of(definition: Definition, element: int) -> str:
    element_id = definition.element_ids[element]
    if element in definition.bodies:
        return ElementType.MULTI_INSTANCE_BODY
    if element_id.endswith(INNER_INSTANCE):
        return ElementType.AD_HOC_SUB_PROCESS_INNER_INSTANCE
    return definition.element_types.get(element_id, "UNSPECIFIED")


def _with_causes(frame: Frame) -> Iterator[tuple[str | None, Origin, Event]]:
    position, happened = 0, frame.events
    for number, (command, _, count) in enumerate(frame.commands):
        cause, origin = str(COMMAND_NAMES[command]), frame.origins.get(number, NO_ORIGIN)
        for event in happened[position : position + count]:
            yield cause, origin, event
        position += count
    for event in happened[position:]:
        yield None, NO_ORIGIN, event


def _id_in(definition: Definition | None, element: int) -> str:
    if definition is None or element >= len(definition.element_ids):
        return str(element)
    return definition.element_ids[element]


def _count_of(event: Event) -> int:
    """How many records an event has: their numbers must not depend on what is wanted."""
    match event:
        case events.VariablesCreated() | events.VariablesUpdated():
            return len(event.variables)
        case _:
            return 1


def _key_of(event: Event) -> int:
    key: int = getattr(event, "key", 0)
    return key


def _of_file(event: events.FormCreated | events.ResourceCreated) -> Value:
    return {
        "version": event.version,
        "versionTag": event.version_tag or None,
        "resourceName": event.resource_name,
        "checksum": event.checksum.hex(),
        "deploymentKey": str(event.deployment_key),
        "tenantId": event.tenant_id,
        "resource": event.content,
    }


def _of_channel(
    event: events.ChannelMessageSent | events.ChannelMessageReceived | events.ChannelMessageAcknowledged,
) -> Value:
    match event:
        case events.ChannelMessageSent(receiver, number, payload):
            return {"receiver": receiver, "number": number, "size": len(payload)}
        case events.ChannelMessageReceived(sender, number):
            return {"sender": sender, "number": number}
        case events.ChannelMessageAcknowledged(receiver, number):
            return {"receiver": receiver, "number": number}


def _of_process(key: int, definition: Definition | None, tenant_id: str | None) -> Value:
    value: Value = {"processDefinitionKey": str(key)}
    if definition is not None:
        value |= {"bpmnProcessId": definition.process_id, "version": definition.version}
    if tenant_id is not None:
        value["tenantId"] = tenant_id
    return value


def _known_of(job: Job) -> Value:
    value: Value = {"type": job.type, "retries": job.retries}
    if job.worker:
        value["worker"] = job.worker
    return value


def _each(variables: Variables, base: Value) -> Iterator[Value]:
    for name, value in json_values(variables).items():
        yield {**base, "name": name, "value": value}
