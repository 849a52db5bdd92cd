"""Configuration: defaults, then a TOML file, then the environment, then flags; the last one that speaks wins.

Every setting has one place, here. An unknown one is an error that names the nearest known.
"""

import dataclasses
import difflib
import os
import socket
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, cast, get_type_hints

from bpmnd.exporter_config import ExporterConfig, check_exporter, exporter_config

ENVIRONMENT_PREFIX: Final = "BPMND_"
_EXPORTER: Final = "exporters."


class ConfigError(Exception):
    """A setting that cannot be taken; the message names it and where it came from."""


@dataclass(frozen=True, slots=True)
class NodeConfig:
    id: int = 0
    """The number of this node in its cluster."""
    host: str = field(default_factory=socket.gethostname)
    """The label of the machine: replicas of one partition stand on different hosts."""
    data_dir: str = "data"
    """The one directory that holds everything."""


@dataclass(frozen=True, slots=True)
class ClusterConfig:
    """What the cluster is founded with, once. Later these are either left out or as they were."""

    nodes: str = ""
    """The nodes that found it, as `1=HOST:PORT,2=HOST:PORT`; empty for a node that is alone."""
    partitions: int = 0
    """How many partitions; 0: as founded, by default one."""
    join: str = ""
    """Members of a cluster that this node is to be added to, as `1=HOST:PORT`; it founds none then."""
    replication: int = 0
    """On how many nodes each partition stands; 0: as founded, by default three, or all nodes if fewer."""


@dataclass(frozen=True, slots=True)
class PeerConfig:
    address: str = ""
    """Where other nodes reach this one; empty: as `cluster.nodes` says, or nowhere."""
    ca: str = ""
    """Certificate of the authority that all nodes of the cluster trust; empty: no TLS between nodes."""
    certificate: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True)
class HttpConfig:
    address: str = "127.0.0.1:8080"
    reuse_port: bool = False
    """Let several nodes of one machine share the port."""
    user_header: str = ""
    """The header in which a proxy in front says who the caller is; empty: nobody does. Whoever reaches the
    port can claim to be anybody by it, so let nobody else than the proxy reach it."""


@dataclass(frozen=True, slots=True)
class MonitoringConfig:
    address: str = "127.0.0.1:9600"


@dataclass(frozen=True, slots=True)
class LogConfig:
    segment_mib: int = 64
    """Size of a segment file."""
    io_uring: bool = True
    """Let the kernel write the log aside, where it can; a thread does otherwise."""


@dataclass(frozen=True, slots=True)
class ArchiveConfig:
    keep_days: int = 0
    """How long the archive keeps what is no longer needed for a restart; 0: for good."""
    keep_gib: int = 0
    """How large it may grow, a partition; 0: without limit."""
    hold_days: int = 7
    """What an exporter has not acknowledged is kept so much longer,"""
    hold_gib: int = 10
    """and so much more of it."""


@dataclass(frozen=True, slots=True)
class HistoryConfig:
    enabled: bool = True
    """Keep what happened in tables beside the log, and answer searches from them."""
    keep_days: int = 0
    """How long process instances are found after they have ended; 0: for good."""


@dataclass(frozen=True, slots=True)
class CheckpointConfig:
    every_mib: int = 4
    """A checkpoint is made after so much log,"""
    every_seconds: float = 5.0
    """or after so long, if anything happened."""
    instances_in_memory: int = 1000
    """Idle process instances beyond so many, a partition, are kept on disk only."""


@dataclass(frozen=True, slots=True)
class ScrubConfig:
    """What lies still on the disk is read now and then, so that damage is found before it is needed."""

    every_hours: float = 24.0
    """From the end of a round to the beginning of the next."""
    first_after_hours: float = 1.0
    """From the start of the node to its first round."""
    mib_per_second: float = 2.0
    """How fast it is read; 0: never."""


@dataclass(frozen=True, slots=True)
class LimitsConfig:
    commit_seconds: float = 2.0
    """New instances are refused (503) while a commit would take longer."""
    disk_free_mib: int = 256
    """New instances are refused (503) while less of the disk is free."""
    idempotency_hours: int = 24
    """How long a request with an `Idempotency-Key` is known again, with its answer; at least one."""
    drain_seconds: float = 10.0
    """How long a stopping node waits for what is under way."""


@dataclass(frozen=True, slots=True)
class Config:
    node: NodeConfig = field(default_factory=NodeConfig)
    cluster: ClusterConfig = field(default_factory=ClusterConfig)
    peer: PeerConfig = field(default_factory=PeerConfig)
    http: HttpConfig = field(default_factory=HttpConfig)
    monitoring: MonitoringConfig = field(default_factory=MonitoringConfig)
    log: LogConfig = field(default_factory=LogConfig)
    archive: ArchiveConfig = field(default_factory=ArchiveConfig)
    history: HistoryConfig = field(default_factory=HistoryConfig)
    checkpoints: CheckpointConfig = field(default_factory=CheckpointConfig)
    scrub: ScrubConfig = field(default_factory=ScrubConfig)
    limits: LimitsConfig = field(default_factory=LimitsConfig)
    exporters: Mapping[str, ExporterConfig] = field(default_factory=dict[str, ExporterConfig])
    """By their names."""


Layers = list[tuple[str, str, str, Any]]
"""(origin, section, key, value), the weakest first."""


def load(
    file: Path | None, environment: Mapping[str, str] | None = None, flags: Mapping[str, Any] | None = None
) -> Config:
    """Merge all sources. `flags` maps "section.key" to a value; None stands for a flag that was not given.

    Raises ConfigError.
    """
    layers: Layers = []
    if file is not None:
        layers += _from_file(file)
    layers += _from_environment(os.environ if environment is None else environment)
    for name, value in (flags or {}).items():
        if value is not None:
            section, _, key = name.partition(".")
            layers.append(("a flag", section, key, value))
    sections: dict[str, dict[str, Any]] = {}
    for origin, section, key, value in layers:
        if section.startswith(_EXPORTER):
            sections.setdefault(section, {})[key] = value
        else:
            sections.setdefault(section, {})[key] = _checked(origin, section, key, value)
    kinds = get_type_hints(Config)
    exporters = {
        section.removeprefix(_EXPORTER): _exporter(section, sections.pop(section))
        for section in sorted(sections)
        if section.startswith(_EXPORTER)
    }
    settings = {section: kinds[section](**values) for section, values in sections.items()}
    return Config(**settings, exporters=exporters)


def _exporter(section: str, values: Mapping[str, Any]) -> ExporterConfig:
    try:
        config = exporter_config(section.removeprefix(_EXPORTER), values)
        check_exporter(config)
    except ValueError as error:
        raise ConfigError(f"{section}: {error}") from None
    return config


def address_of(text: str) -> tuple[str, int]:
    """Split HOST:PORT. Raises ConfigError."""
    host, separator, port = text.rpartition(":")
    if not separator or not port.isdecimal() or int(port) > 65535:
        raise ConfigError(f"'{text}' is no HOST:PORT")
    return host.strip("[]") or "0.0.0.0", int(port)


def nodes_of(text: str) -> dict[int, str]:
    """Split `1=HOST:PORT,2=HOST:PORT`. Raises ConfigError."""
    nodes: dict[int, str] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        number, separator, address = part.partition("=")
        if not separator or not number.strip().isdecimal():
            raise ConfigError(f"'{part}' is no NODE=HOST:PORT")
        node = int(number)
        if node in nodes:
            raise ConfigError(f"node {node} is there twice")
        if address_of(address.strip())[1] == 0:
            raise ConfigError(f"node {node} needs a port that the others know")
        nodes[node] = address.strip()
    return nodes


def to_toml(config: Config) -> str:
    """The whole configuration as a file that would set it."""
    lines: list[str] = []
    for section in dataclasses.fields(config):
        if section.name == "exporters":
            continue
        lines.append(f"[{section.name}]")
        values = getattr(config, section.name)
        lines += [
            f"{setting.name} = {_shown(getattr(values, setting.name))}"
            for setting in dataclasses.fields(values)
        ]
        lines.append("")
    for name, exporter in config.exporters.items():
        lines.append(f"[{_EXPORTER}{name}]")
        common = {
            setting.name: getattr(exporter, setting.name)
            for setting in dataclasses.fields(exporter)
            if setting.name != "settings"
        }
        lines += [f"{key} = {_shown(value)}" for key, value in (common | dict(exporter.settings)).items()]
        lines.append("")
    return "\n".join(lines)


def _shown(value: Any) -> str:
    if isinstance(value, bool | int | float):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return f"[{', '.join(_shown(item) for item in cast(Sequence[Any], value))}]"
    if isinstance(value, dict):
        items = cast(dict[str, Any], value).items()
        return f"{{ {', '.join(f'{_quoted(key)} = {_shown(item)}' for key, item in items)} }}"
    return _quoted(value)


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _from_file(file: Path) -> Layers:
    try:
        content = tomllib.loads(file.read_text())
    except OSError as error:
        raise ConfigError(f"{file}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file}: {error}") from error
    layers: Layers = []
    for section, values in content.items():
        if not isinstance(values, dict):
            raise ConfigError(f"{file}: '{section}' stands outside of a section")
        _check_section(str(file), section)
        settings = cast(dict[str, Any], values)
        if section == "exporters":
            layers += _exporters_from(str(file), settings)
            continue
        layers += [(str(file), section, key, value) for key, value in settings.items()]
    return layers


def _exporters_from(origin: str, exporters: Mapping[str, Any]) -> Layers:
    layers: Layers = []
    for name, values in exporters.items():
        if not isinstance(values, dict):
            raise ConfigError(f"{origin}: 'exporters.{name}' stands outside of an exporter's section")
        settings = cast(dict[str, Any], values)
        layers += [(origin, f"{_EXPORTER}{name}", key, value) for key, value in settings.items()]
    return layers


def _from_environment(environment: Mapping[str, str]) -> Layers:
    layers: Layers = []
    for name in sorted(environment):
        if name.startswith(ENVIRONMENT_PREFIX):
            section, separator, key = name.removeprefix(ENVIRONMENT_PREFIX).lower().partition("__")
            if not separator:
                raise ConfigError(f"{name}: expected {ENVIRONMENT_PREFIX}SECTION__KEY")
            if section == "exporters":
                exporter, separator, key = key.partition("__")
                if not separator:
                    raise ConfigError(f"{name}: expected {ENVIRONMENT_PREFIX}EXPORTERS__NAME__KEY")
                section = f"{_EXPORTER}{exporter}"
            layers.append((name, section, key, environment[name]))
    return layers


def _checked(origin: str, section: str, key: str, value: Any) -> Any:
    kinds = _check_section(origin, section)
    settings = get_type_hints(kinds[section])
    if key not in settings:
        raise ConfigError(f"{origin}: unknown setting '{section}.{key}'{_nearest(key, settings)}")
    kind = settings[key]
    try:
        converted = _convert(kind, value)
    except ValueError as error:
        raise ConfigError(f"{origin}: {section}.{key}: expected {kind.__name__}, found {value!r}") from error
    if kind in (int, float) and not isinstance(value, bool) and converted < 0:
        raise ConfigError(f"{origin}: {section}.{key}: must not be negative, is {value}")
    if (section, key) == ("limits", "idempotency_hours") and converted < 1:
        raise ConfigError(f"{origin}: {section}.{key}: must be at least 1, is {value}")
    if (section, key) in (("cluster", "nodes"), ("cluster", "join")):
        try:
            nodes_of(converted)
        except ConfigError as error:
            raise ConfigError(f"{origin}: {section}.{key}: {error}") from None
    return converted


def _check_section(origin: str, section: str) -> dict[str, Any]:
    """The kinds of all sections, of which this must be one."""
    kinds = get_type_hints(Config)
    if section not in kinds:
        raise ConfigError(f"{origin}: unknown section '{section}'{_nearest(section, kinds)}")
    return kinds


def _convert(kind: type[Any], value: Any) -> Any:
    if kind is bool:
        if isinstance(value, bool):
            return value
        if str(value).lower() in ("true", "1", "yes", "false", "0", "no"):
            return str(value).lower() in ("true", "1", "yes")
        raise ValueError(value)
    if isinstance(value, bool) or (kind is str and not isinstance(value, str)):
        raise ValueError(value)
    return kind(value)


def _nearest(name: str, known: Mapping[str, Any]) -> str:
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.0)
    return f"; the nearest is '{close[0]}'" if close else ""
