"""Appliers of complex gateways."""

from bpmnd.bpmn.appliers.elements import take_tokens
from bpmnd.bpmn.appliers.registry import applies
from bpmnd.bpmn.events import GatewayReset, GatewayStarted
from bpmnd.bpmn.state import State


@applies(GatewayStarted)
def gateway_started(state: State, event: GatewayStarted) -> None:
    state.journal.put(state.touch(event.instance_key).started_gateways, event.key, event.flows)


@applies(GatewayReset)
def gateway_reset(state: State, event: GatewayReset) -> None:
    instance = state.touch(event.instance_key)
    state.journal.drop(instance.started_gateways, event.key)
    take_tokens(state.journal, instance, event.scope_key, event.flows)
