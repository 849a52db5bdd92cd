"""Records of the tables that stand in memory whole."""

import msgspec

from bpmnd.bpmn.commands import Variables


class Definition(msgspec.Struct, frozen=True, array_like=True):
    """A deployed process. `element_ids` is the table index -> element id, fixed at deployment."""

    key: int
    deployment_key: int
    process_id: str
    version: int
    version_tag: str
    resource_name: str
    checksum: bytes
    tenant_id: str
    element_ids: tuple[str, ...]
    content: bytes


class StartTimer(msgspec.Struct, frozen=True, array_like=True):
    """A start event of the latest version of a process, and when it starts the next instance. `repetitions`
    counts the firings still to come, this one included; -1 stands for no end."""

    key: int
    definition_key: int
    element: int
    due: int
    repetitions: int
    cycle: str


class StartPart(msgspec.Struct, frozen=True, array_like=True):
    """Of a start event that waits for several definitions together one that has occurred."""

    definition_key: int
    element: int
    part: int
    variables: Variables


class PendingDeployment(msgspec.Struct, frozen=True, array_like=True):
    """A deployment that not every partition has yet, and the request that waits for it."""

    key: int
    request: int
    tenant_id: str
    definition_keys: tuple[int, ...]
    waiting_for: tuple[int, ...]


class Continuation(msgspec.Struct, frozen=True, array_like=True):
    """Work left over by a turn. `passes` counts the turns that this work has gone through without a wait."""

    key: int
    instance_key: int
    steps: bytes
    passes: int


class ExporterPosition(msgspec.Struct, frozen=True, array_like=True):
    """Up to where an exporter has the records of this partition, and the number that it keeps here."""

    exporter: str
    position: int
    mark: int


class Inbox(msgspec.Struct, frozen=True, array_like=True):
    """The channel from one partition: the number of the last message applied."""

    last_number: int
