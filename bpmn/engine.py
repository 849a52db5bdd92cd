"""The engine of a partition: takes commands, decides them in memory, and yields the events.

Pure: time and the request's number come in with the command; what happened goes out as events.
"""

import logging
from collections.abc import Callable, Sequence
from typing import Any, Final, final

import msgspec

from bpmnd.bpmn.broadcast import reach_subscribers
from bpmnd.bpmn.channel import DeliverMessage, decode_message
from bpmnd.bpmn.commands import (
    AcknowledgeChannel,
    AcknowledgeExport,
    ActivateAdHocActivities,
    ActivateJobs,
    AssignUserTask,
    BroadcastSignal,
    CancelProcessInstance,
    Command,
    CompleteJob,
    CompleteUserTask,
    ConfirmSlots,
    Continue,
    CorrelateMessage,
    CreateGlobalListener,
    CreateProcessInstance,
    DeleteGlobalListener,
    DeleteResource,
    Deploy,
    DoOnce,
    EvaluateConditionals,
    EvaluateDecision,
    EvaluateExpression,
    FailJob,
    FireDue,
    GiveSlots,
    MigrateProcessInstance,
    ModifyProcessInstance,
    NoteExportGap,
    PublishMessage,
    ReadDecision,
    ReadDecisionRequirements,
    ReadGlobalListener,
    ReadGlobalListeners,
    ReadResource,
    ReadStartForm,
    ReadUserTaskForm,
    ReceiveChannelMessage,
    ResolveIncident,
    SampleState,
    SetVariables,
    Supply,
    ThrowJobError,
    UpdateGlobalListener,
    UpdateJob,
    UpdateUserTask,
    YieldJobs,
    asked_for,
)
from bpmnd.bpmn.correlation import start_next
from bpmnd.bpmn.definitions import Definitions
from bpmnd.bpmn.elements import (
    ad_hoc_sub_process,
    beginning,
    completing,
    complex_gateway,
    conditionals,
    errors,
    joins,
    listeners,
    loops,
    task_changes,
    terminating,
    throw_event,
    timers,
    triggers,
    waiting,
)
from bpmnd.bpmn.elements.registry import KINDS
from bpmnd.bpmn.events import (
    ChannelMessageReceived,
    ContinuationCreated,
    ContinuationRemoved,
    DecisionRequirementsCreated,
    Event,
    ProcessCreated,
)
from bpmnd.bpmn.incident import Incident, IncidentType
from bpmnd.bpmn.model.parser import rebuild
from bpmnd.bpmn.outcomes import Accepted, Outcome, Rejected, RejectionType
from bpmnd.bpmn.processors import (
    ad_hoc,
    channels,
    decisions,
    deletions,
    deployments,
    due,
    exports,
    expressions,
    global_listeners,
    incidents,
    jobs,
    messages,
    migration,
    modification,
    process_instances,
    reading,
    samples,
    slot_moves,
    user_tasks,
)
from bpmnd.bpmn.processors.conditionals import evaluate as evaluate_conditionals
from bpmnd.bpmn.processors.once import KEEP_MS, do_once
from bpmnd.bpmn.slots import Peers, SlotTable
from bpmnd.bpmn.start_timers import fire_start_timer
from bpmnd.bpmn.state import State
from bpmnd.bpmn.state.records import Lifecycle, ProcessInstance
from bpmnd.bpmn.steps import (
    ActivateElement,
    AwaitMessages,
    BeginItem,
    CallListeners,
    CheckConditions,
    CheckJoins,
    CompleteElement,
    CreateAdHocJob,
    Earned,
    EndTransition,
    MoveSlots,
    OpenScope,
    ReachSubscribers,
    ResetGateway,
    StartNext,
    Step,
    TakeDelivery,
    TerminateChildren,
    TerminateElement,
    ThrowError,
    ThrowNext,
    TriggerCondition,
    TriggerEvent,
    TriggerSignal,
    TriggerTimer,
    decode_steps,
    encode_steps,
)
from bpmnd.bpmn.turn import PASSES_MAX, BrokenStateError, Note, Turn, no_wait_state

_logger = logging.getLogger(__name__)

_TRIES_MAX: Final = 3
"""How often work of the partition that raises is put by for another turn."""


class Decision(msgspec.Struct, frozen=True, gc=False):
    """What came of one command. Nothing of it may leave the partition before its events are committed."""

    outcome: Outcome | None
    """None if the answer comes with a later command (`answers` of its decision)."""
    events: Sequence[Event]
    answers: Sequence[tuple[int, Outcome]] = ()
    offered: frozenset[tuple[str, str]] | set[tuple[str, str]] = frozenset()
    """(tenant, type) of jobs that may be lent since."""
    notes: Sequence[Note] = ()
    """For the metrics; nothing is decided by them."""
    request: int = 0
    """Under which number the answer will come, if `outcome` is None."""


@final
class Engine:
    """Decides the commands of one partition. `partitions` are all that a deployment has to reach; `slots`
    tells which of them has the messages of a correlation key; a command with an id is known again for
    `keep_ms`."""

    def __init__(
        self,
        state: State,
        partitions: Sequence[int],
        slots: SlotTable | None = None,
        *,
        keep_ms: int = KEEP_MS,
    ) -> None:
        self.state = state
        self._keep_ms = keep_ms
        self._definitions = Definitions(state, rebuild)
        self._peers = Peers(tuple(partitions), slots or SlotTable.even(len(partitions)))
        self._processors: Final[dict[type[Command], Callable[[Turn, Any], Outcome | None]]] = {
            DoOnce: self._do_once,
            Deploy: self._everywhere(deployments.deploy),
            CreateProcessInstance: process_instances.create,
            CancelProcessInstance: process_instances.cancel,
            ModifyProcessInstance: modification.modify,
            MigrateProcessInstance: migration.migrate,
            SetVariables: process_instances.set_variables,
            ActivateAdHocActivities: ad_hoc.activate,
            ActivateJobs: jobs.activate,
            YieldJobs: jobs.yield_jobs,
            CompleteJob: jobs.complete,
            FailJob: jobs.fail,
            ThrowJobError: jobs.throw_error,
            UpdateJob: jobs.update,
            AssignUserTask: user_tasks.assign,
            UpdateUserTask: user_tasks.update,
            DeleteResource: self._everywhere(deletions.delete),
            CreateGlobalListener: self._everywhere(global_listeners.create),
            UpdateGlobalListener: self._everywhere(global_listeners.update),
            DeleteGlobalListener: self._everywhere(global_listeners.delete),
            ReadGlobalListener: global_listeners.read,
            ReadGlobalListeners: global_listeners.read_all,
            ReadUserTaskForm: reading.user_task_form,
            ReadStartForm: reading.start_form,
            ReadResource: reading.resource,
            CompleteUserTask: user_tasks.complete,
            ResolveIncident: incidents.resolve,
            PublishMessage: messages.publish,
            CorrelateMessage: messages.correlate,
            BroadcastSignal: messages.broadcast_signal,
            EvaluateConditionals: evaluate_conditionals,
            FireDue: due.fire,
            Continue: self._continue,
            ReceiveChannelMessage: channels.receive,
            AcknowledgeChannel: channels.acknowledge,
            Supply: deployments.supply,
            SampleState: samples.sample,
            GiveSlots: slot_moves.give,
            ConfirmSlots: slot_moves.confirm,
            AcknowledgeExport: exports.acknowledge,
            NoteExportGap: exports.note_gap,
            EvaluateDecision: decisions.evaluate,
            EvaluateExpression: expressions.evaluate,
            ReadDecision: decisions.read,
            ReadDecisionRequirements: decisions.read_requirements,
        }

    def know(self, partitions: Sequence[int], slots: SlotTable) -> None:
        """The cluster has other partitions now, or its slots are elsewhere."""
        self._peers = Peers(tuple(partitions), slots)

    def decide(self, command: Command, now: int, request: int = 0) -> Decision:
        """One turn: decide a command and apply what it causes, or change nothing and reject it.

        Whatever the decision raises is caught here, and only here: the turn is undone, and a fresh one
        parks what would come again by itself behind an incident. Raises BrokenStateError if an applier
        failed: then the state is of no use any more.
        """
        state = self.state
        state.journal.start()
        last_key, last_time = state.last_key, state.last_time
        state.last_time = now
        turn = Turn(state, self._definitions, KINDS, self._peers, now, request)
        try:
            outcome = self._processors[type(command)](turn, command)
            if not isinstance(outcome, Rejected):
                turn.run(perform)
        except BrokenStateError:
            raise
        except Exception as error:
            _logger.exception("undone: %s raised", type(command).__name__)
            self._undo(turn, last_key, last_time)
            return self._after_failure(command, now, request, error)
        if isinstance(outcome, Rejected):
            noted = type(command) is DoOnce
            assert noted or not turn.events, f"{command} was rejected after {turn.events}"
        if not turn.events:
            self._stand(last_key, last_time)
        return Decision(outcome, turn.events, turn.answers, turn.offered, turn.notes, turn.request)

    def _stand(self, last_key: int, last_time: int) -> None:
        """Without an event, keys and log time have not moved: so the log will tell it."""
        self.state.last_key = last_key
        self.state.last_time = last_time

    def _undo(self, turn: Turn, last_key: int, last_time: int) -> None:
        self.state.journal.undo()
        self._stand(last_key, last_time)
        for event in turn.events:
            if isinstance(event, ProcessCreated | DecisionRequirementsCreated):
                self._definitions.forget(event.key)

    def _after_failure(self, command: Command, now: int, request: int, error: Exception) -> Decision:
        """The turn that stands in for one which raised."""
        reason = f"Expected to process the command without an error, but it raised: {error!r}"
        rejected = Rejected(RejectionType.PROCESSING_ERROR, reason)
        state = self.state
        state.journal.start()
        last_key, last_time = state.last_key, state.last_time
        state.last_time = now
        turn = Turn(state, self._definitions, KINDS, self._peers, now, request)
        incident = Incident(IncidentType.UNKNOWN, reason)
        match asked_for(command):
            case FireDue(key=key):
                instance = state.owner_of(key)
                timer = instance.timers.get(key) if instance is not None else None
                if instance is not None and timer is not None:
                    again = TriggerTimer(instance.key, key)
                    turn.raise_incident(instance, timer.element_instance_key, incident, again, timer_key=key)
                elif fire_start_timer(turn, key, starts=False):
                    _logger.error("no process was started by the timer %s, which raised", key)
            case Continue(key=key):
                continuation = state.continuations.items[key]
                turn.emit(ContinuationRemoved(key))
                steps = decode_steps(continuation.steps)
                if continuation.instance_key:
                    self._hold_up(turn, steps, incident)
                else:
                    self._park(turn, steps, incident, continuation.passes)
            case ReceiveChannelMessage(sender=sender, number=number, payload=payload):
                message = decode_message(payload)
                if isinstance(message, DeliverMessage):
                    # What a model makes of a message must not hold up the channel.
                    turn.emit(ChannelMessageReceived(sender, number))
                    triggers.take_delivery(turn, message, sender, stopped_by=incident)
                    return Decision(Accepted(), turn.events)
            case CompleteJob(key=key) | FailJob(key=key) | ThrowJobError(key=key):
                instance = state.owner_of(key)
                job = instance.jobs.get(key) if instance is not None else None
                if instance is not None and job is not None:
                    self._note_once(turn, instance, job.element_instance_key, incident)
            case _:
                pass
        if not turn.events:
            self._stand(last_key, last_time)
        return Decision(rejected, turn.events)

    def _hold_up(self, turn: Turn, steps: Sequence[Step], incident: Incident) -> None:
        """Let each of the process instances wait that had something left to do."""
        by_instance: dict[int, list[Step]] = {}
        for step in steps:
            if not isinstance(step, Earned):
                by_instance.setdefault(step.instance_key, []).append(step)
        for instance_key, own in by_instance.items():
            instance = self.state.instances.get(instance_key)
            if instance is not None:
                turn.raise_incident(instance, instance_key, incident, *own)

    def _park(self, turn: Turn, steps: Sequence[Step], incident: Incident, passes: int) -> None:
        """Work of the partition has raised. Alone, a step meets its own fault only; what is for a process
        instance then waits there behind an incident, the rest is tried a few times more."""
        for step in steps:
            if len(steps) == 1 and isinstance(step, TakeDelivery):
                here = self.state.partition_id
                triggers.take_delivery(turn, step.message, here, stopped_by=incident)
            elif passes < _TRIES_MAX:
                again = ContinuationCreated(turn.new_key(), 0, encode_steps((step,)), passes + 1)
                turn.emit(again)
            else:
                _logger.error("given up: %s", step)

    def _note_once(
        self, turn: Turn, instance: ProcessInstance, element_instance_key: int, incident: Incident
    ) -> None:
        """An incident that only tells; the worker's next try may succeed and end it."""
        if instance.incident_of(element_instance_key) is None:
            turn.raise_incident(instance, element_instance_key, incident)

    def _everywhere(
        self, processor: Callable[[Turn, Any, Sequence[int]], Outcome | None]
    ) -> Callable[[Turn, Any], Outcome | None]:
        """A processor of what all partitions have to know."""
        return lambda turn, command: processor(turn, command, turn.partitions)

    def _do_once(self, turn: Turn, command: DoOnce) -> Outcome | None:
        return do_once(turn, command, self._processors[type(command.asked)], self._keep_ms)

    def _continue(self, turn: Turn, command: Continue) -> Outcome:
        """Go on with what a turn left over, unless it has been at it for too long without a rest."""
        continuation = self.state.continuations.get(command.key)
        if continuation is None:
            return Accepted()
        turn.emit(ContinuationRemoved(command.key))
        instance = self.state.instances.get(continuation.instance_key)
        if instance is None and continuation.instance_key:
            return Accepted()
        steps = decode_steps(continuation.steps)
        if instance is not None and continuation.passes >= PASSES_MAX and not _is_ending(instance):
            self._hold_up(turn, steps, no_wait_state())
            return Accepted()
        turn.passes = continuation.passes
        for step in steps:
            if isinstance(step, Earned):
                turn.earned, turn.earners = step.steps, step.earners
            else:
                turn.schedule(step)
        return Accepted()


def _is_ending(instance: ProcessInstance) -> bool:
    """Whether it is being terminated: that comes to an end by itself."""
    return instance.elements[instance.key].state is Lifecycle.TERMINATING


def perform(turn: Turn, step: Step) -> None:
    """Do one step of a turn."""
    match step:
        case ActivateElement():
            begun = beginning.begin(turn, step)
            if begun is None:
                return
            element, activation = begun
            if step.happened:
                incident = completing.pass_through(element, activation)
            else:
                incident = KINDS[type(element)].activate(element, activation)
            if incident is not None:
                beginning.stop(element, activation, incident)
        case CompleteElement():
            completing.complete(turn, step)
        case TerminateElement():
            terminating.terminate(turn, step)
        case TriggerTimer():
            timers.trigger(turn, step)
        case TriggerEvent():
            triggers.trigger_event(turn, step)
        case ThrowNext():
            throw_event.throw_next(turn, step)
        case AwaitMessages():
            waiting.await_messages(turn, step)
        case TriggerSignal():
            triggers.trigger_signal(turn, step)
        case TakeDelivery():
            triggers.take_delivery(turn, step.message, turn.state.partition_id)
        case ReachSubscribers():
            reach_subscribers(turn, step)
        case StartNext():
            start_next(turn, step)
        case MoveSlots():
            slot_moves.move(turn, step)
        case CheckConditions():
            conditionals.check_conditions(turn, step)
        case TriggerCondition():
            conditionals.trigger_condition(turn, step)
        case OpenScope():
            waiting.open_scope(turn, step)
        case CallListeners():
            listeners.call_next(turn, step)
        case CreateAdHocJob():
            ad_hoc_sub_process.create_job(turn, step)
        case ResetGateway():
            complex_gateway.reset(turn, step)
        case CheckJoins():
            joins.check_joins(turn, step)
        case Earned():
            raise AssertionError(f"{step} is taken as the turn begins")
        case BeginItem():
            loops.begin_item(turn, step)
        case TerminateChildren():
            terminating.terminate_children(turn, step)
        case EndTransition():
            task_changes.end_transition(turn, step)
        case ThrowError():
            incident = errors.throw(turn, step)
            if incident is not None:
                instance = turn.state.instances.get(step.instance_key)
                assert instance is not None, f"{step} of no instance"
                turn.raise_incident(instance, step.key, incident, step)
