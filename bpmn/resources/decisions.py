"""Decisions: `.dmn` files."""

from collections.abc import Mapping, Sequence
from typing import ClassVar, final

from bpmnd.bpmn.commands import Resource
from bpmnd.bpmn.dmn import Document, Model, compile_model, read_document
from bpmnd.bpmn.events import DecisionCreated, DecisionRequirementsCreated
from bpmnd.bpmn.model.graph import Problem
from bpmnd.bpmn.resources.resource import checksum_of
from bpmnd.bpmn.state.decisions import DecisionRequirements
from bpmnd.bpmn.turn import Turn


@final
class DecisionKind:
    extensions: ClassVar[tuple[str, ...]] = (".dmn",)

    def read(
        self, turn: Turn, tenant_id: str, resources: Sequence[Resource], problems: list[str]
    ) -> "Sequence[DeployableDecisions]":
        """All files, those that others import first. What is not among them is imported of the latest that is
        deployed."""
        documents: list[tuple[Resource, Document]] = []
        for resource in resources:
            document = read_document(resource.content)
            if isinstance(document, Document):
                documents.append((resource, document))
            else:
                problems += _of(resource, document)
        _check_ids(documents, problems)
        return _compile(turn, tenant_id, documents, problems)


@final
class DeployableDecisions:
    """One requirements graph, with all its decisions."""

    def __init__(
        self,
        tenant_id: str,
        resource: Resource,
        document: Document,
        beside: Mapping[str, "DeployableDecisions"],
    ) -> None:
        self._tenant_id = tenant_id
        self._resource = resource
        self._document = document
        self._beside = beside
        """Those of the same deployment that it may import, by namespace."""
        self._key = 0

    def _latest(self, turn: Turn) -> DecisionRequirements | None:
        return turn.state.decisions.latest_requirements_of(self._tenant_id, self._document.id)

    def unchanged(self, turn: Turn) -> tuple[int, ...] | None:
        latest = self._latest(turn)
        if (
            latest is None
            or latest.resource_name != self._resource.name
            or latest.checksum != checksum_of(self._resource)
        ):
            return None
        decisions = turn.state.decisions
        members = tuple(decisions.members.get(latest.key, {}).values())
        for key in members:  # A decision may have gone over to another graph since, and come back now.
            definition = decisions.definitions.items[key]
            if decisions.latest_of(self._tenant_id, definition.decision_id) != definition:
                return None
        return (latest.key, *members)

    def create(self, turn: Turn, deployment_key: int) -> tuple[int, ...]:
        document, resource, tenant_id = self._document, self._resource, self._tenant_id
        self._key = key = turn.new_key()
        turn.emit(
            DecisionRequirementsCreated(
                key,
                deployment_key,
                document.id,
                document.name,
                turn.state.decisions.last_version_of_requirements(tenant_id, document.id) + 1,
                document.namespace,
                resource.name,
                checksum_of(resource),
                tenant_id,
                self._imports(turn),
                resource.content,
            )
        )
        keys = [key]
        for decision in document.decisions:
            version = turn.state.decisions.last_version_of(tenant_id, decision.id) + 1
            keys.append(turn.new_key())
            turn.emit(
                DecisionCreated(
                    keys[-1],
                    deployment_key,
                    key,
                    document.id,
                    decision.id,
                    decision.name,
                    version,
                    decision.version_tag,
                    tenant_id,
                )
            )
        return tuple(keys)

    def _imports(self, turn: Turn) -> tuple[int, ...]:
        keys: dict[int, None] = {}
        for one in self._document.imports:
            beside = self._beside.get(one.namespace)
            if beside is not None:
                assert beside._key, f"{one.namespace} is created after what imports it"
                keys[beside._key] = None
                continue
            found = turn.state.decisions.latest_in_namespace(self._tenant_id, one.namespace)
            if found is not None:
                keys[found.key] = None
        return tuple(keys)

    def begin(self, turn: Turn, keys: Sequence[int]) -> None:
        """Nothing begins with a decision."""


def _compile(
    turn: Turn,
    tenant_id: str,
    documents: Sequence[tuple[Resource, Document]],
    problems: list[str],
) -> list[DeployableDecisions]:
    """Compile each file when those that it imports are there; of a cycle, all have the problem that they are
    not."""
    namespaces = {document.namespace for _, document in documents}
    models: dict[str, Model] = {}
    beside: dict[str, DeployableDecisions] = {}
    read: list[DeployableDecisions] = []
    waiting = list(documents)
    while waiting:
        ready = [
            (resource, document)
            for resource, document in waiting
            if all(
                one.namespace in models
                or one.namespace not in namespaces
                or one.namespace == document.namespace
                for one in document.imports
            )
        ]
        for resource, document in ready or waiting:
            model = compile_model(document, {**_deployed(turn, tenant_id, document), **models})
            if isinstance(model, Model):
                models[document.namespace] = model
            else:
                problems += _of(resource, model)
            one = DeployableDecisions(tenant_id, resource, document, dict(beside))
            beside[document.namespace] = one
            read.append(one)
        if not ready:
            break
        waiting = [one for one in waiting if one not in ready]
    return read


def _deployed(turn: Turn, tenant_id: str, document: Document) -> dict[str, Model]:
    """What is deployed of what a file imports."""
    models: dict[str, Model] = {}
    for one in document.imports:
        requirements = turn.state.decisions.latest_in_namespace(tenant_id, one.namespace)
        model = None if requirements is None else turn.definitions.decisions(requirements.key)
        if model is not None:
            models[one.namespace] = model
    return models


def _check_ids(documents: Sequence[tuple[Resource, Document]], problems: list[str]) -> None:
    """Ids of graphs and of decisions must be there once only."""
    graphs: dict[str, str] = {}
    decisions: dict[str, str] = {}
    for resource, document in documents:
        if document.id in graphs:
            problems.append(
                f"'{resource.name}': duplicated decision requirements id '{document.id}',"
                f" which is in '{graphs[document.id]}' already"
            )
        graphs[document.id] = resource.name
        for decision in document.decisions:
            if decision.id in decisions:
                problems.append(
                    f"'{resource.name}': duplicated decision id '{decision.id}',"
                    f" which is in '{decisions[decision.id]}' already"
                )
            decisions[decision.id] = resource.name


def _of(resource: Resource, found: Sequence[Problem]) -> list[str]:
    return [f"'{resource.name}': {problem}" for problem in found]
