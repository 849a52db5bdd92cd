"""Modification of process instances: elements are activated, moved and terminated by hand."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final, TypeAlias, final

from bpmnd.bpmn.commands import (
    ActivateInstruction,
    AncestorOf,
    ModifyProcessInstance,
    MoveInstruction,
    VariableInstruction,
    Variables,
)
from bpmnd.bpmn.elements.opening import (
    AmbiguousScope,
    LoopScope,
    Opening,
    can_be_activated,
    is_behind_event_based_gateway,
    scopes_around,
)
from bpmnd.bpmn.elements.registry import ELEMENTS
from bpmnd.bpmn.elements.triggers import can_happen
from bpmnd.bpmn.events import ProcessInstanceModified
from bpmnd.bpmn.model.graph import Element, SequenceFlow
from bpmnd.bpmn.outcomes import Accepted, Outcome, Rejected, RejectionType
from bpmnd.bpmn.state.records import ElementInstance, ProcessInstance
from bpmnd.bpmn.steps import TerminateElement
from bpmnd.bpmn.turn import Turn

ACTIVATED_BY_HAND: Final = ", ".join(
    dict.fromkeys(str(entry.element_type) for entry in ELEMENTS.values() if entry.kind.by_hand)
)
"""The types of the elements that a command can activate, as its rejections list them."""

_Elements: TypeAlias = Mapping[str, Element | SequenceFlow]


def modify(turn: Turn, command: ModifyProcessInstance) -> Outcome:
    """All instructions, or none. A scope that is left empty by them is terminated, too."""
    instance = turn.state.instances.get(command.key)
    if instance is None or not can_happen(instance, instance.key):
        return Rejected(
            RejectionType.NOT_FOUND,
            f"Expected to modify process instance but no process instance found with key '{command.key}'",
        )
    request = _Request(turn, instance, command)
    problem = next(request.problems(), None)
    if problem is not None:
        return request.rejected(problem)
    opening = request.opening()
    if isinstance(opening, Rejected):
        return opening

    ended = _ended(instance, request.terminated, opening.scopes)
    if instance.parent is not None and instance.key in ended:
        return request.rejected(
            "the given instructions would terminate the instance. The instance was created by a call activity"
            " in the parent process. To terminate this instance please modify the parent process instead."
        )
    is_over = instance.key in ended
    turn.emit(ProcessInstanceModified(instance.key, () if is_over else opening.activated, ended))
    for key in ended:
        turn.schedule(TerminateElement(instance.key, key))
    if not is_over:
        opening.happen()
    return Accepted()


@final
class _Request:
    """A command beside the instance that it is for."""

    def __init__(self, turn: Turn, instance: ProcessInstance, command: ModifyProcessInstance) -> None:
        self._turn = turn
        self._instance = instance
        self._command = command
        self._process = turn.executable_of(instance)
        self._by_id: _Elements = self._process.by_id()

    @property
    def terminated(self) -> Sequence[int]:
        """The keys of what is to be terminated by name, each once."""
        keys: dict[int, None] = {}
        for instruction in self._command.terminations:
            keys |= dict.fromkeys(self._instances_of(instruction.key, instruction.element_id))
        for move in self._command.moves:
            keys |= dict.fromkeys(self._instances_of(move.source_key, move.source_id))
        return tuple(keys)

    def rejected(self, problem: str) -> Rejected:
        reason = f"Expected to modify instance of process '{self._process.id}' but {problem}"
        return Rejected(RejectionType.INVALID_ARGUMENT, reason)

    def problems(self) -> Iterator[str]:
        """Why the command cannot be done, the most general reason first."""
        command = self._command
        targets = [instruction.element_id for instruction in command.activations]
        targets += [move.target_id for move in command.moves]
        yield from self._unknown(targets, "activate instructions with an element that")
        sources = [move.source_id for move in command.moves if not move.source_key]
        yield from self._unknown(sources, "move instructions with a source element that", flows=False)
        ended = [instruction.element_id for instruction in command.terminations if not instruction.key]
        yield from self._unknown(ended, "terminate instructions with an element that", flows=False)
        yield from self._unsupported([self._by_id[target] for target in targets])
        keys = [instruction.key for instruction in command.terminations]
        yield from self._unknown_instances(keys, "terminate instructions with an element instance that")
        keys = [move.source_key for move in command.moves]
        yield from self._unknown_instances(keys, "move instructions with a source element instance that")
        for activation in command.activations:
            yield from self._problems_of_scopes(activation.element_id, activation.variables)
        for move in command.moves:
            yield from self._problems_of_scopes(move.target_id, move.variables)
        yield from self._problems_of_ancestors(self._activations())

    def opening(self) -> Opening | Rejected:
        """What is to be activated; rejected if it cannot be."""
        ending = _with_inner(self._instance, self.terminated)
        opening = Opening(self._turn, self._process, self._instance, ending=ending)
        for instruction in self._activations():
            element = self._element(instruction.element_id)
            result = opening.activate(
                element, self._variables_by_scope(instruction.variables), instruction.ancestor_key
            )
            match result:
                case AmbiguousScope(scope_id):
                    return self.rejected(
                        "it contains one or more activate instructions for an element that has a flow scope"
                        f" with more than one active instance: '{scope_id}'. Can't decide in which instance"
                        " of the flow scope the element should be activated. Please specify an ancestor"
                        " element instance key for this activate instruction."
                    )
                case LoopScope(scope_id):
                    return self.rejected(
                        "it contains one or more activate instructions that would result in the activation of"
                        f" multi-instance element '{scope_id}', which is currently unsupported."
                    )
                case Rejected():
                    return result
                case None:
                    pass
        return opening

    def _activations(self) -> Sequence[ActivateInstruction]:
        """With those that are one half of a move."""
        moved = [
            ActivateInstruction(move.target_id, move.variables, self._ancestor_of(move, key))
            for move in self._command.moves
            for key in self._instances_of(move.source_key, move.source_id)
        ]
        return (*self._command.activations, *moved)

    def _ancestor_of(self, move: MoveInstruction, source_key: int) -> int:
        match move.ancestor:
            case AncestorOf.NAMED:
                return move.ancestor_key
            case AncestorOf.SOURCE:
                return self._instance.elements[source_key].scope_key
            case AncestorOf.FOUND:
                scopes = {scope.index for scope in self._scopes_of(self._element(move.target_id))}
                record = self._instance.elements[source_key]
                while record.element not in scopes:
                    record = self._instance.elements[record.scope_key]
                return record.key

    def _instances_of(self, key: int, element_id: str) -> Sequence[int]:
        if key:
            return (key,)
        element = self._element(element_id)
        return [record.key for record in self._instance.elements.values() if record.element == element.index]

    def _element(self, element_id: str) -> Element:
        element = self._by_id[element_id]
        assert not isinstance(element, SequenceFlow), f"{element} is no element"
        return element

    def _scopes_of(self, element: Element) -> Sequence[Element]:
        """All scopes around an element, and the process."""
        return (self._process.root, *scopes_around(self._process, element))

    def _variables_by_scope(self, instructions: Sequence[VariableInstruction]) -> dict[int, Variables]:
        found: dict[int, Variables] = {}
        for instruction in instructions:
            index = self._by_id[instruction.scope_id].index if instruction.scope_id else 0
            found[index] = {**found.get(index, {}), **instruction.variables}
        return found

    def _unknown(self, element_ids: Sequence[str], what: str, *, flows: bool = True) -> Iterator[str]:
        """Without `flows` a sequence flow, which has no instances, counts as unknown."""
        unknown = dict.fromkeys(
            each
            for each in element_ids
            if each not in self._by_id or (not flows and isinstance(self._by_id[each], SequenceFlow))
        )
        if unknown:
            yield f"it contains one or more {what} could not be found: {_quoted(unknown)}"

    def _unknown_instances(self, keys: Sequence[int], what: str) -> Iterator[str]:
        unknown = dict.fromkeys(str(key) for key in keys if key and key not in self._instance.elements)
        if unknown:
            yield f"it contains one or more {what} could not be found: {_quoted(unknown)}"

    def _unsupported(self, targets: Sequence[Element | SequenceFlow]) -> Iterator[str]:
        events = [each.id for each in targets if is_behind_event_based_gateway(self._process, each)]
        what = "it contains one or more activate instructions for elements that are unsupported:"
        if events:
            yield (
                f"{what} {_quoted(events)}. The activation of events belonging to an event-based gateway is"
                " not supported."
            )
        unsupported = [each for each in targets if not can_be_activated(self._turn, each)]
        if unsupported:
            types = dict.fromkeys(type_of(each) for each in unsupported)
            yield (
                f"{what} {_quoted([each.id for each in unsupported])}. The activation of elements with type"
                f" {_quoted(types)} is not supported. Supported element types are: [{ACTIVATED_BY_HAND}]."
            )

    def _problems_of_scopes(self, element_id: str, variables: Sequence[VariableInstruction]) -> Iterator[str]:
        ids = [each.scope_id for each in variables if each.scope_id]
        yield from self._unknown(ids, "variable instructions with a scope element id that")
        element = self._element(element_id)
        scopes = {scope.id for scope in (element, *self._scopes_of(element))}
        if not scopes.issuperset(ids):
            yield (
                "it contains one or more variable instructions with a scope element that doesn't belong to"
                " the activating element's flow scope. These variables should be set before or after the"
                " modification."
            )

    def _problems_of_ancestors(self, instructions: Sequence[ActivateInstruction]) -> Iterator[str]:
        named = [each for each in instructions if each.ancestor_key]
        what = "it contains one or more activate instructions with an ancestor scope key that"
        elsewhere = [each for each in named if each.ancestor_key not in self._instance.elements]
        foreign = [each for each in elsewhere if self._is_known(each.ancestor_key)]
        gone = [each for each in elsewhere if each not in foreign]
        gone += [
            each
            for each in named
            if each not in elsewhere and not can_happen(self._instance, each.ancestor_key)
        ]
        if gone:
            keys = _quoted(dict.fromkeys(str(each.ancestor_key) for each in gone))
            yield f"{what} does not exist, or is not in an active state: {keys}"
        if foreign:
            keys = _quoted(dict.fromkeys(str(each.ancestor_key) for each in foreign))
            yield f"{what} does not belong to the modified process instance: {keys}"
        wrong: list[str] = []
        for each in named:
            element = self._element(each.element_id)
            ancestor = self._process.elements[self._instance.elements[each.ancestor_key].element]
            if ancestor.index not in {scope.index for scope in self._scopes_of(element)}:
                wrong.append(
                    f"- instance '{each.ancestor_key}' of element '{ancestor.id}' is not an ancestor of"
                    f" element '{element.id}'"
                )
        if wrong:
            yield "\n".join((f"{what} is not an ancestor of the element to activate:", *wrong))

    def _is_known(self, key: int) -> bool:
        state = self._turn.state
        return state.owner_of(key) is not None or state.instances.get(key) is not None


def type_of(element: Element | SequenceFlow) -> str:
    return "SEQUENCE_FLOW" if isinstance(element, SequenceFlow) else str(element.element_type)


def _quoted(names: Collection[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)


def _with_inner(instance: ProcessInstance, keys: Collection[int]) -> set[int]:
    """These element instances and all in them."""
    found = set(keys)
    for record in instance.elements.values():
        around: list[int] = []
        while record.key not in found and record.key != instance.key:
            around.append(record.key)
            record = instance.elements[record.scope_key]
        if record.key in found:
            found.update(around)
    return found


def _ended(instance: ProcessInstance, keys: Sequence[int], needed: Collection[int]) -> tuple[int, ...]:
    """The outermost of what is to be terminated: of the element instances themselves, and of the scopes in
    which nothing is left then, no token either. What is `needed` stays."""
    ended = _with_inner(instance, keys)
    ended_in = Counter(instance.elements[key].scope_key for key in ended)
    waiting = [instance.elements[key] for key in keys]
    while waiting:
        record = waiting.pop()
        scope = instance.elements[record.scope_key]
        is_empty = instance.children.get(scope.key, 0) == ended_in[scope.key]
        if scope.key in ended or scope.key in needed or scope.key in instance.tokens or not is_empty:
            continue
        ended.add(scope.key)
        ended_in[scope.scope_key] += 1
        waiting.append(scope)
    return tuple(sorted(key for key in ended if _is_outermost(instance.elements[key], instance, ended)))


def _is_outermost(record: ElementInstance, instance: ProcessInstance, ended: Collection[int]) -> bool:
    return record.key == instance.key or record.scope_key not in ended
