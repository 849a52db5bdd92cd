"""`bpmnd status`: what there is, and whether it is well."""

import argparse
import sys
from collections.abc import Mapping
from typing import Any, Final

from bpmnd.cli.output import print_table
from bpmnd.cli.settings import MONITORING, Commands, add_address, add_json

_COUNTS: Final = {
    "instances": "bpmnd_process_instances",
    "started": "bpmnd_process_instances_started_total",
    "ended": "bpmnd_process_instances_ended_total",
    "incidents": "bpmnd_incidents",
    "logEntries": "bpmnd_log_entries_total",
}
"""What is counted for a partition, and by which metric."""
_DEFINITIONS: Final = "/v2/bpmnd/statistics/process-definitions?limit=10000"
_HEADING: Final = ("PARTITION", "ROLE", "HEALTH", "INSTANCES", "STARTED", "ENDED", "INCIDENTS", "LOG ENTRIES")


def add_to(commands: Commands) -> None:
    parser = commands.add_parser(
        "status",
        help="topology, health and live instances of a node",
        description="Topology, health and live instances of a node. Exit status 0 if every partition has a"
        " healthy leader.",
    )
    add_address(parser)
    parser.add_argument(
        "--monitoring", default=MONITORING, metavar="URL", help=f"monitoring address (default {MONITORING})"
    )
    add_json(parser)
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from bpmnd.cli.client import ask

    return ask(_status(options))


async def _status(options: argparse.Namespace) -> int:
    import msgspec

    from bpmnd.cli.client import Client, ProblemError, UnreachableError
    from bpmnd.cli.cluster import show_under_way

    async with Client(options.address) as client:
        topology = msgspec.json.decode(await client.get("/v2/topology"))
    counts: Mapping[str, Mapping[str, int]] = {}
    cluster: dict[str, Any] = {}
    exporters: list[dict[str, Any]] = []
    summary: dict[str, Any] = {}
    try:
        async with Client(options.address) as client:
            summary = summary_of(msgspec.json.decode(await client.get(_DEFINITIONS)))
    except (ProblemError, UnreachableError) as error:
        print(f"bpmnd: no summary: {error}", file=sys.stderr)
    try:
        async with Client(options.monitoring) as client:
            counts = _counts_in((await client.get("/metrics")).decode())
            cluster = msgspec.json.decode(await client.get("/cluster"))
            exporters = msgspec.json.decode(await client.get("/exporters"))
    except UnreachableError as error:
        print(f"bpmnd: no counts: {error}", file=sys.stderr)

    for broker in topology["brokers"]:
        for partition in broker["partitions"]:
            partition |= counts.get(str(partition["partitionId"]), {})
    if options.json:
        under_way = {name: cluster[name] for name in ("operation", "installing", "slots") if name in cluster}
        print(msgspec.json.encode(topology | under_way | {"exporters": exporters} | summary).decode())
    else:
        _show(topology)
        _show_summary(summary)
        _show_exporters(exporters)
        show_under_way(cluster)
    return 0 if _is_well(topology) else 1


def summary_of(definitions: dict[str, Any]) -> dict[str, Any]:
    """Over all definitions: what is in flight, what fails by what, and the throughput of the last hour."""
    items: list[dict[str, Any]] = definitions["items"]
    incidents: dict[str, int] = {}
    for item in items:
        for error, count in item["openIncidents"].items():
            incidents[error] = incidents.get(error, 0) + count
    return {
        "inFlight": sum(item["active"] for item in items),
        "withIncident": sum(item["activeWithIncident"] for item in items),
        "openIncidents": incidents,
        "completedPerSecond": round(sum(item["window"]["completedPerSecond"] for item in items), 4),
    }


def _show_summary(summary: dict[str, Any]) -> None:
    if summary:
        print(
            f"in flight {summary['inFlight']}, with incident {summary['withIncident']},"
            f" completed {summary['completedPerSecond']:.2f}/s in the last hour"
        )
        for error, count in sorted(summary["openIncidents"].items()):
            print(f"{count} open incidents: {error}")


def _counts_in(text: str) -> dict[str, dict[str, int]]:
    """Partition -> what is counted -> how many."""
    from prometheus_client.parser import text_string_to_metric_families

    names = {metric: name for name, metric in _COUNTS.items()}
    counts: dict[str, dict[str, int]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name in names and "partition" in sample.labels:
                of_partition = counts.setdefault(sample.labels["partition"], {})
                name = names[sample.name]
                of_partition[name] = of_partition.get(name, 0) + int(sample.value)
    return counts


def _is_well(topology: dict[str, Any]) -> bool:
    led = {
        partition["partitionId"]
        for broker in topology["brokers"]
        for partition in broker["partitions"]
        if partition["role"] == "leader" and partition["health"] == "healthy"
    }
    count: int = topology["partitionsCount"]
    return len(led) == count > 0


def _show(topology: dict[str, Any]) -> None:
    for broker in topology["brokers"]:
        print(f"node {broker['nodeId']} at {broker['host']}:{broker['port']}, version {broker['version']}")
        rows = [
            (
                partition["partitionId"],
                partition["role"],
                partition["health"],
                *(partition.get(name, "-") for name in _COUNTS),
            )
            for partition in broker["partitions"]
        ]
        print_table([_HEADING, *rows])


def _show_exporters(exporters: list[dict[str, Any]]) -> None:
    """Those of the partitions that the node leads."""
    if not exporters:
        return
    rows = [
        (
            exporter["exporter"],
            exporter["partitionId"],
            exporter["position"],
            exporter["behindEntries"],
            f"{exporter['behindSeconds']:.1f} s",
            exporter["lostEntries"],
            exporter.get("error", "-"),
        )
        for exporter in exporters
    ]
    print_table([("EXPORTER", "PARTITION", "POSITION", "BEHIND", "SINCE", "LOST", "ERROR"), *rows])
