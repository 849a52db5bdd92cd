"""What an element instance waits for, planned before it is active and begun once it is: timers, messages and
signals of its own, of the boundary events on it, or of the events behind it."""

from typing import TypeAlias

from bpmnd.bpmn.elements.behaviour import Activation
from bpmnd.bpmn.elements.subscriptions import (
    MessagePlan,
    SignalPlan,
    plan_message,
    plan_signal,
    subscribe,
)
from bpmnd.bpmn.elements.timers import TimerPlan, create_timer, plan_timer
from bpmnd.bpmn.incident import Incident
from bpmnd.bpmn.model.graph import (
    CatchEvent,
    Element,
    MessageBoundaryEvent,
    MessageCatchEvent,
    ReceiveTask,
    SignalBoundaryEvent,
    SignalCatchEvent,
    TimerBoundaryEvent,
    TimerCatchEvent,
)

Plan: TypeAlias = TimerPlan | MessagePlan | SignalPlan


def plan_catch(activation: Activation, event: CatchEvent) -> Plan | Incident:
    match event:
        case TimerCatchEvent():
            return plan_timer(activation, event.index, event.timer)
        case MessageCatchEvent() | ReceiveTask():
            return plan_message(activation, event.index, event.message, interrupting=True, outside=False)
        case SignalCatchEvent():
            return plan_signal(activation, event.index, event.signal)


def plan_boundary_events(element: Element, activation: Activation) -> list[Plan] | Incident:
    """What the boundary events on the element wait for; those of errors wait for nothing."""
    plans: list[Plan] = []
    if element.boundary_events:
        process = activation.turn.executable_of(activation.instance)
        for index in element.boundary_events:
            plan: Plan | Incident
            match process.elements[index]:
                case TimerBoundaryEvent(timer=timer):
                    plan = plan_timer(activation, index, timer)
                case MessageBoundaryEvent(message=message, interrupting=interrupting):
                    plan = plan_message(activation, index, message, interrupting=interrupting, outside=True)
                case SignalBoundaryEvent(signal=signal):
                    plan = plan_signal(activation, index, signal)
                case _:
                    continue
            if isinstance(plan, Incident):
                return plan
            plans.append(plan)
    return plans


def wait_for(activation: Activation, plans: list[Plan]) -> None:
    for plan in plans:
        if isinstance(plan, TimerPlan):
            create_timer(activation, plan)
        else:
            subscribe(activation, plan)
