"""Executable processes of the deployed definitions, built when they are needed first."""

from collections.abc import Callable
from typing import TypeAlias, final

from bpmnd.bpmn.model.graph import ExecutableProcess
from bpmnd.bpmn.state import State

Rebuild: TypeAlias = Callable[[bytes, str, tuple[str, ...]], ExecutableProcess]
"""Makes a process again of its file, its id, and the table of its element ids."""


@final
class Definitions:
    """A cache over the definitions in the state. What it holds can always be built again from there."""

    def __init__(self, state: State, rebuild: Rebuild) -> None:
        self._state = state
        self._rebuild = rebuild
        self._executables: dict[int, ExecutableProcess] = {}

    def executable(self, definition_key: int) -> ExecutableProcess:
        executable = self._executables.get(definition_key)
        if executable is None:
            definition = self._state.definitions.items[definition_key]
            executable = self._rebuild(definition.content, definition.process_id, definition.element_ids)
            self._executables[definition_key] = executable
        return executable

    def forget(self, definition_key: int) -> None:
        """The turn that created the definition was undone, or the definition is gone."""
        self._executables.pop(definition_key, None)
