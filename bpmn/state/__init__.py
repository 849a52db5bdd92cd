"""The state of a partition: what its events add up to, in memory over a cold store."""

from bpmnd.bpmn.state.cold import ColdStore, EmptyStore
from bpmnd.bpmn.state.state import State

__all__ = ["ColdStore", "EmptyStore", "State"]
