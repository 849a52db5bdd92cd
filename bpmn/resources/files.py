"""Forms, which are `.form` files, and plain files, which are all others."""

from collections.abc import Sequence
from typing import ClassVar, Final, final

import msgspec

from bpmnd.bpmn.commands import Resource
from bpmnd.bpmn.events import FormCreated, ResourceCreated
from bpmnd.bpmn.resources.resource import checksum_of
from bpmnd.bpmn.state.library import Form, Library, PlainFile
from bpmnd.bpmn.turn import Turn

ID_LENGTH_MAX: Final = 1000


class _Head(msgspec.Struct, frozen=True, rename="camel"):
    """What is read of a file of JSON. As in Zeebe, a number is as good as its text."""

    id: str | int | float | None = None
    version_tag: str | int | float | None = None


_HEAD: Final = msgspec.json.Decoder(_Head)


@final
class FormKind:
    extensions: ClassVar[tuple[str, ...]] = (".form",)

    def read(
        self, turn: Turn, tenant_id: str, resources: Sequence[Resource], problems: list[str]
    ) -> "Sequence[DeployableForm]":
        """All forms; an id may be there once only."""
        read: list[DeployableForm] = []
        names: dict[str, str] = {}
        for resource in resources:
            head = _head_of(resource.content)
            if isinstance(head, str):
                problems.append(f"'{resource.name}': {head}")
                continue
            form_id = "" if head.id is None else str(head.id)
            if head.id is None or not form_id.strip() or len(form_id) > ID_LENGTH_MAX:
                why = "to be present, but none given" if head.id is None else "to be filled, and not too long"
                problems.append(f"'{resource.name}': Expected the form id {why}")
                continue
            if form_id in names:
                problems.append(
                    f"'{resource.name}': duplicated form id '{form_id}', which is in"
                    f" '{names[form_id]}' already"
                )
            names[form_id] = resource.name
            version_tag = "" if head.version_tag is None else str(head.version_tag)
            read.append(DeployableForm(tenant_id, resource, form_id, version_tag))
        return read


@final
class PlainFileKind:
    """Files of which the engine only knows that they are there. One of JSON may say its id and version tag;
    otherwise its name is its id."""

    extensions: ClassVar[tuple[str, ...]] = ()

    def read(
        self, turn: Turn, tenant_id: str, resources: Sequence[Resource], problems: list[str]
    ) -> "Sequence[DeployablePlainFile]":
        read: list[DeployablePlainFile] = []
        for resource in resources:
            head = _head_of(resource.content)
            if isinstance(head, str) or head.id is None or not 0 < len(str(head.id)) <= ID_LENGTH_MAX:
                head = _Head(resource.name)
            version_tag = "" if head.version_tag is None else str(head.version_tag)
            read.append(DeployablePlainFile(tenant_id, resource, str(head.id), version_tag))
        ids = [one.id for one in read]
        problems += [
            f"'{one.name}': duplicated resource id '{one.id}'"
            for number, one in enumerate(read)
            if one.id in ids[:number]
        ]
        return read


class _DeployableFile:
    def __init__(self, tenant_id: str, resource: Resource, id: str, version_tag: str) -> None:
        self._tenant_id = tenant_id
        self._resource = resource
        self._version_tag = version_tag
        self.id = id

    @property
    def name(self) -> str:
        return self._resource.name

    def _known(self, library: Library[Form] | Library[PlainFile]) -> tuple[int, ...] | None:
        latest = library.latest(self._tenant_id, self.id)
        if latest is None or latest.resource_name != self.name:
            return None
        return (latest.key,) if latest.checksum == checksum_of(self._resource) else None

    def _facts(
        self, turn: Turn, library: Library[Form] | Library[PlainFile], deployment_key: int
    ) -> tuple[int, int, str, int, str, str, bytes, str, bytes]:
        version = library.last_version(self._tenant_id, self.id) + 1
        return (
            turn.new_key(),
            deployment_key,
            self.id,
            version,
            self._version_tag,
            self.name,
            checksum_of(self._resource),
            self._tenant_id,
            self._resource.content,
        )

    def begin(self, turn: Turn, keys: Sequence[int]) -> None:
        """Who needs it looks for it."""


@final
class DeployableForm(_DeployableFile):
    def unchanged(self, turn: Turn) -> tuple[int, ...] | None:
        return self._known(turn.state.forms)

    def create(self, turn: Turn, deployment_key: int) -> tuple[int, ...]:
        created = FormCreated(*self._facts(turn, turn.state.forms, deployment_key))
        turn.emit(created)
        return (created.key,)


@final
class DeployablePlainFile(_DeployableFile):
    def unchanged(self, turn: Turn) -> tuple[int, ...] | None:
        return self._known(turn.state.plain_files)

    def create(self, turn: Turn, deployment_key: int) -> tuple[int, ...]:
        created = ResourceCreated(*self._facts(turn, turn.state.plain_files, deployment_key))
        turn.emit(created)
        return (created.key,)


def _head_of(content: bytes) -> _Head | str:
    """What a file of JSON says of itself, or why it is none."""
    try:
        content.decode()
        return _HEAD.decode(content)
    except UnicodeDecodeError as error:
        return f"it must be UTF-8, but is not at byte {error.start}"
    except (msgspec.DecodeError, RecursionError) as error:
        return f"it must be a JSON object with an id: {error}"
