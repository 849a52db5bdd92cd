"""Deployed decisions: their requirements graphs with the files they came from, and the decisions in them."""

from collections.abc import Callable, Iterator
from typing import TypeVar, final

import msgspec

from bpmnd.bpmn.state.cold import ColdStore
from bpmnd.bpmn.state.journal import Journal
from bpmnd.bpmn.state.table import Table

K = TypeVar("K")
N = TypeVar("N")


class DecisionRequirements(msgspec.Struct, frozen=True, array_like=True, tag=1):
    """A deployed file of decisions. `imports` are the keys of those that it imports."""

    key: int
    deployment_key: int
    requirements_id: str
    name: str
    version: int
    namespace: str
    resource_name: str
    checksum: bytes
    tenant_id: str
    imports: tuple[int, ...]
    content: bytes


class DecisionDefinition(msgspec.Struct, frozen=True, array_like=True, tag=2):
    """A deployed decision."""

    key: int
    deployment_key: int
    requirements_key: int
    requirements_id: str
    decision_id: str
    name: str
    version: int
    version_tag: str
    tenant_id: str


@final
class Decisions:
    """All versions of all decisions, by key and by what they are called."""

    def __init__(self, store: ColdStore, deleted: Table[int]) -> None:
        self._deleted = deleted
        self.requirements = Table(b"D", DecisionRequirements, store)
        self.definitions = Table(b"E", DecisionDefinition, store)
        self.latest_requirements: dict[tuple[str, str], dict[int, int]] = {}
        """(tenant, id of the graph) -> version -> key."""
        self.latest: dict[tuple[str, str], dict[int, int]] = {}
        """(tenant, decision id) -> version -> key."""
        self.members: dict[int, dict[str, int]] = {}
        """Key of a graph -> decision id -> key."""
        self.namespaces: dict[tuple[str, str], dict[int, int]] = {}
        """(tenant, namespace) -> key of a graph -> the same key; the highest is the latest."""
        off_the_record = Journal()
        for key in sorted(self.requirements.items):
            self._name_requirements(self.requirements.items[key], off_the_record)
        for key in sorted(self.definitions.items):
            self._name(self.definitions.items[key], off_the_record)
        for key in deleted.items:
            if key in self.requirements.items:
                self.delete(key, off_the_record)

    @property
    def tables(self) -> Iterator[Table[DecisionRequirements] | Table[DecisionDefinition]]:
        yield self.requirements
        yield self.definitions

    def put_requirements(self, record: DecisionRequirements, journal: Journal) -> None:
        self.requirements.put(record.key, record, journal)
        self._name_requirements(record, journal)

    def put(self, record: DecisionDefinition, journal: Journal) -> None:
        self.definitions.put(record.key, record, journal)
        self._name(record, journal)

    def delete(self, key: int, journal: Journal) -> None:
        """Nothing new finds the graph by its name any more, nor the decisions in it."""
        record = self.requirements.items[key]
        journal.drop(self.latest_requirements[record.tenant_id, record.requirements_id], record.version)
        journal.drop(self.namespaces[record.tenant_id, record.namespace], key)
        for decision_id, definition_key in self.members.get(key, {}).items():
            version = self.definitions.items[definition_key].version
            journal.drop(self.latest[record.tenant_id, decision_id], version)

    def is_deleted(self, definition: DecisionDefinition) -> bool:
        return bool(self._deleted.get(definition.requirements_key))

    def last_version_of(self, tenant_id: str, decision_id: str) -> int:
        """The highest version of a decision that was ever given; 0 if there was none."""
        deleted = (self.members.get(key, {}).get(decision_id) for key in self._deleted.items)
        records = (self.definitions.items[key] for key in deleted if key is not None)
        versions = [record.version for record in records if record.tenant_id == tenant_id]
        return max([*versions, *self.latest.get((tenant_id, decision_id), {})], default=0)

    def last_version_of_requirements(self, tenant_id: str, requirements_id: str) -> int:
        """The same of a graph."""
        deleted = (self.requirements.get(key) for key in self._deleted.items)
        name = (tenant_id, requirements_id)
        versions = [
            record.version
            for record in deleted
            if record is not None and (record.tenant_id, record.requirements_id) == name
        ]
        return max([*versions, *self.latest_requirements.get(name, {})], default=0)

    def latest_of(self, tenant_id: str, decision_id: str) -> DecisionDefinition | None:
        versions = self.latest.get((tenant_id, decision_id))
        return self.definitions.items[versions[max(versions)]] if versions else None

    def latest_requirements_of(self, tenant_id: str, requirements_id: str) -> DecisionRequirements | None:
        versions = self.latest_requirements.get((tenant_id, requirements_id))
        return self.requirements.items[versions[max(versions)]] if versions else None

    def latest_in_namespace(self, tenant_id: str, namespace: str) -> DecisionRequirements | None:
        """What an import of that namespace means."""
        keys = self.namespaces.get((tenant_id, namespace))
        return self.requirements.items[max(keys)] if keys else None

    def in_deployment(
        self, tenant_id: str, decision_id: str, deployment_key: int
    ) -> DecisionDefinition | None:
        """The version of a decision that came with a deployment."""
        return self._newest(tenant_id, decision_id, lambda one: one.deployment_key == deployment_key)

    def with_tag(self, tenant_id: str, decision_id: str, version_tag: str) -> DecisionDefinition | None:
        """The latest version of a decision that has the tag."""
        return self._newest(tenant_id, decision_id, lambda one: one.version_tag == version_tag)

    def _newest(
        self, tenant_id: str, decision_id: str, wanted: Callable[[DecisionDefinition], bool]
    ) -> DecisionDefinition | None:
        versions = self.latest.get((tenant_id, decision_id), {})
        for version in sorted(versions, reverse=True):
            definition = self.definitions.items[versions[version]]
            if wanted(definition):
                return definition
        return None

    def _name_requirements(self, record: DecisionRequirements, journal: Journal) -> None:
        name = (record.tenant_id, record.requirements_id)
        _put_within(self.latest_requirements, name, record.version, record.key, journal)
        place = (record.tenant_id, record.namespace)
        _put_within(self.namespaces, place, record.key, record.key, journal)

    def _name(self, record: DecisionDefinition, journal: Journal) -> None:
        name = (record.tenant_id, record.decision_id)
        _put_within(self.latest, name, record.version, record.key, journal)
        _put_within(self.members, record.requirements_key, record.decision_id, record.key, journal)


def _put_within(outer: dict[K, dict[N, int]], name: K, inner_name: N, key: int, journal: Journal) -> None:
    inner = outer.get(name)
    if inner is None:
        inner = dict[N, int]()
        journal.put(outer, name, inner)
    journal.put(inner, inner_name, key)
