"""The exporters in the configuration: `[exporters.NAME]` with a kind, and settings that depend on it.

Every command reads the configuration, so what exporters are made with is loaded only where there are some.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any, Final, cast

if TYPE_CHECKING:
    from bpmnd.actors.exporters.service import ExporterSpec

ENTRY_POINTS: Final = "bpmnd.exporters"
"""The group in which a package can name its exporters."""
SHIPPED: Final = {
    "json-lines": "bpmnd.actors.exporters.json_lines:JsonLinesExporter",
    "postgresql": "bpmnd.actors.exporters.postgresql.exporter:PostgresqlExporter",
    "webhook": "bpmnd.actors.exporters.webhook.exporter:WebhookExporter",
}
_BEGINS_NOW: Final = ("webhook",)
"""Kinds that tell people of what happens now."""
_VALUE_TYPES: Final = {"webhook": ("INCIDENT", "USER_TASK")}
"""What a kind makes something of; by default all."""
_BATCHES: Final = {"webhook": 10}
"""How many records a kind can bring somewhere in its time; by default 1000."""
_NAME: Final = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_COMMON: Final = ("kind", "value_types", "begins", "batch_records", "timeout_seconds")


@dataclass(frozen=True, slots=True)
class ExporterConfig:
    kind: str = ""
    """One that is shipped, the name of an entry point, or `module:Class`."""
    value_types: tuple[str, ...] = ()
    """Only records of these value types; empty: all."""
    begins: str = ""
    """`first`: with the first record that is kept; `now`: with what comes after it was first seen."""
    batch_records: int = 1000
    """So many records are handed over at once."""
    timeout_seconds: float = 60.0
    """So long handing them over may take."""
    settings: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Those of its kind."""


def exporter_config(name: str, values: Mapping[str, Any]) -> ExporterConfig:
    """Raises ValueError for what cannot be."""
    if not _NAME.fullmatch(name):
        raise ValueError("a name is of lower-case letters, digits and single underscores")
    kind = values.get("kind")
    if not isinstance(kind, str) or not kind:
        raise ValueError(f"'kind' is missing: one of {', '.join(sorted(SHIPPED))}, or module:Class")
    begins = values.get("begins", "now" if kind in _BEGINS_NOW else "first")
    if begins not in ("first", "now"):
        raise ValueError(f"begins: expected 'first' or 'now', found {begins!r}")
    settings = {key: value for key, value in values.items() if key not in _COMMON}
    return ExporterConfig(
        kind,
        _value_types(values.get("value_types", _VALUE_TYPES.get(kind, ()))),
        begins,
        int(_positive("batch_records", values.get("batch_records", _BATCHES.get(kind, 1000)))),
        _positive("timeout_seconds", values.get("timeout_seconds", 60.0)),
        settings,
    )


def check_exporter(config: ExporterConfig) -> None:
    """Whether there is such an exporter, and takes its settings. Raises ValueError."""
    from bpmnd.actors.exporters.worker import made_by

    made_by(_factory_of(config.kind), config.settings)


def spec_of(name: str, config: ExporterConfig) -> "ExporterSpec":
    from bpmnd.actors.exporters.service import ExporterSpec

    return ExporterSpec(
        name,
        _factory_of(config.kind),
        config.settings,
        config.value_types,
        config.begins == "now",
        config.batch_records,
        config.timeout_seconds,
    )


def _factory_of(kind: str) -> str:
    if kind in SHIPPED:
        return SHIPPED[kind]
    if ":" in kind:
        return kind
    for entry in entry_points(group=ENTRY_POINTS):
        if entry.name == kind:
            return entry.value
    known = sorted({*SHIPPED, *(entry.name for entry in entry_points(group=ENTRY_POINTS))})
    raise ValueError(f"there is no exporter of kind '{kind}'; there are {', '.join(known)}")


def _value_types(value: Any) -> tuple[str, ...]:
    """A list, or in the environment text with commas."""
    names = value.split(",") if isinstance(value, str) else value
    if not isinstance(names, list | tuple):
        raise ValueError(f"value_types: expected a list, found {value!r}")
    found = tuple(str(name).strip() for name in cast(Sequence[object], names))
    if not found:
        return ()
    from bpmnd.actors.exporters.names import VALUE_TYPES

    for name in found:
        if name not in VALUE_TYPES:
            raise ValueError(f"value_types: there is no {name!r}; there are {', '.join(sorted(VALUE_TYPES))}")
    return found


def _positive(name: str, value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise ValueError(f"{name}: expected a number, found {value!r}") from None
    if isinstance(value, bool) or not number > 0:
        raise ValueError(f"{name}: must be more than 0, is {value}")
    return number
