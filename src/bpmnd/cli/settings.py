"""The flags that several commands share."""

import argparse
from pathlib import Path
from typing import Any, Final, Protocol

from bpmnd.config import Config, load

ADDRESS: Final = "http://127.0.0.1:8080"
MONITORING: Final = "http://127.0.0.1:9600"
_FLAGS: Final = {
    "data_dir": "node.data_dir",
    "node_id": "node.id",
    "host": "node.host",
    "nodes": "cluster.nodes",
    "join": "cluster.join",
    "partitions": "cluster.partitions",
    "replication": "cluster.replication",
    "peer": "peer.address",
    "http": "http.address",
    "reuse_port": "http.reuse_port",
    "monitoring": "monitoring.address",
}


class Commands(Protocol):
    """Where a command adds itself: what argparse's `add_subparsers` returns; its type is private."""

    def add_parser(self, *args: Any, **kwargs: Any) -> argparse.ArgumentParser: ...


def add_settings(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", type=Path, metavar="FILE", help="TOML file")
    parser.add_argument("--data-dir", metavar="DIR", help="the one directory of the node")
    parser.add_argument("--http", metavar="HOST:PORT", help="where the REST API listens; port 0 picks one")
    parser.add_argument("--monitoring", metavar="HOST:PORT", help="where metrics and health are served")
    parser.add_argument("--node-id", type=int, metavar="N", help="number of this node")
    parser.add_argument("--host", metavar="LABEL", help="label of this machine")
    parser.add_argument(
        "--nodes", metavar="1=HOST:PORT,2=…", help="all nodes that found the cluster, this one among them"
    )
    parser.add_argument(
        "--join", metavar="1=HOST:PORT,…", help="members of the cluster that this node is to be added to"
    )
    parser.add_argument(
        "--partitions", type=int, metavar="P", help="partitions that the cluster is founded with"
    )
    parser.add_argument(
        "--replication", type=int, metavar="R", help="on how many nodes each partition stands"
    )
    parser.add_argument("--peer", metavar="HOST:PORT", help="where other nodes reach this one")
    parser.add_argument(
        "--reuse-port", action="store_true", default=None, help="share the HTTP port with other nodes here"
    )


def seconds(text: str) -> float:
    """A length of time, as an argument. Raises ArgumentTypeError and ValueError."""
    number = float(text)
    if not 0.001 <= number <= 1e9:
        raise argparse.ArgumentTypeError(f"must be positive, is {text}")
    return number


def add_address(parser: argparse.ArgumentParser) -> None:
    """For the commands that ask a node."""
    parser.add_argument(
        "--address", default=ADDRESS, metavar="URL", help=f"REST address of a node (default {ADDRESS})"
    )


def add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print the result as JSON")


def config_of(options: argparse.Namespace) -> Config:
    """Raises ConfigError."""
    return load(options.config, flags={name: getattr(options, flag) for flag, name in _FLAGS.items()})
