"""Executable processes and decisions of what is deployed, built when they are needed first."""

from collections.abc import Callable
from functools import partial
from typing import TypeAlias, final

from bpmnd.bpmn.dmn import Deployed, Model, compile_model, read_document
from bpmnd.bpmn.model.graph import ExecutableProcess
from bpmnd.bpmn.state import State

Rebuild: TypeAlias = Callable[[bytes, str, tuple[str, ...]], ExecutableProcess]
"""Makes a process again of its file, its id, and the table of its element ids."""


@final
class _Executables(dict[int, ExecutableProcess]):
    """By the keys of their definitions; what is not there yet is built."""

    def __init__(self, build: Callable[[int], ExecutableProcess]) -> None:
        super().__init__()
        self._build = build

    def __missing__(self, definition_key: int) -> ExecutableProcess:
        self[definition_key] = executable = self._build(definition_key)
        return executable


@final
class Definitions:
    """A cache over the definitions in the state. What it holds can always be built again from there."""

    def __init__(self, state: State, rebuild: Rebuild) -> None:
        self._state = state
        self.executables = _Executables(partial(_rebuilt, state, rebuild))
        """By the keys of their definitions."""
        self._models: dict[int, Model | None] = {}

    def executable(self, definition_key: int) -> ExecutableProcess:
        return self.executables[definition_key]

    def decisions(self, requirements_key: int) -> Model | None:
        """The compiled decisions of a graph with those that it imports; None if this build cannot compile
        what an earlier one has taken."""
        if requirements_key not in self._models:
            self._models[requirements_key] = self._compiled(requirements_key)
        return self._models[requirements_key]

    def _compiled(self, requirements_key: int) -> Model | None:
        decisions = self._state.decisions
        requirements = decisions.requirements.items[requirements_key]
        document = read_document(requirements.content)
        if isinstance(document, tuple):
            return None
        imported: dict[str, Model] = {}
        for key in requirements.imports:  # What is imported was deployed before, so this comes to an end.
            model = self.decisions(key)
            if model is not None:
                imported[model.namespace] = model
        deployed: dict[str, Deployed] = {}
        for decision_id, key in decisions.members.get(requirements_key, {}).items():
            deployed[decision_id] = Deployed(key, decisions.definitions.items[key].version)
        compiled = compile_model(document, imported, deployed)
        return None if isinstance(compiled, tuple) else compiled

    def forget(self, definition_key: int) -> None:
        """The turn that created the definition was undone, or the definition is gone."""
        self.executables.pop(definition_key, None)
        self._models.pop(definition_key, None)


def _rebuilt(state: State, rebuild: Rebuild, definition_key: int) -> ExecutableProcess:
    definition = state.definitions.items[definition_key]
    return rebuild(definition.content, definition.process_id, definition.element_ids)
