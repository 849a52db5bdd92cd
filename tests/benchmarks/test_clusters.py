"""What is made of the figures of clusters."""

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.cluster_measurements import GOALS, Clusters, shares
from benchmarks.cluster_tables import takeovers, throughputs
from benchmarks.clusters import ALONE, SHAPES, engine_name
from benchmarks.drivers import together
from benchmarks.load import Percentiles, Plan, Report
from benchmarks.measurements import Throughput
from benchmarks.takeover import Creation, Takeover, served_at, silence_of
from benchmarks.workloads import ONE_TASK
from benchmarks.zeebe_cluster import Broker, Replica, Topology, broker_environment, is_well

PLAN = Plan(ONE_TASK)
RUN = Report(
    workload="one-task",
    in_flight=64,
    rate_asked=0.0,
    seconds=10.0,
    completed=1000,
    completed_per_second=100.0,
    latency_ms=Percentiles(1.0, 2.0, 3.0, 4.0),
    creation_ms=Percentiles(0.5, 1.0, 1.5, 2.0),
    generator_us=40.0,
    server_us=200.0,
    completed_per_cpu_second=5000.0,
    server_rss_mib=50.0,
    written_bytes=700.0,
    refused=1,
    failed=0,
    unfinished=0,
    last_failure="",
)
THREE = engine_name(SHAPES["c"])


def costing(*costs_us: float, engine: str = THREE) -> Throughput:
    runs = (replace(RUN, server_us=us, completed_per_cpu_second=round(1e6 / us, 1)) for us in costs_us)
    return Throughput(engine, tuple(runs))


def compared(*found: Throughput) -> Clusters:
    return Clusters(found, (), None, (), "", ())


def test_loads_that_ran_at_once_are_one_whose_cost_counts_by_what_each_completed() -> None:
    slow = replace(
        RUN,
        completed=250,
        completed_per_second=25.0,
        server_us=1000.0,
        latency_ms=Percentiles(0.5, 9.0, 9.0, 9.0),
        failed=2,
        last_failure="503 busy",
    )

    both = together(PLAN, [RUN, slow])

    assert (both.completed, both.completed_per_second) == (1250, 125.0)
    assert both.server_us == (1000 * 200.0 + 250 * 1000.0) / 1250
    assert both.completed_per_cpu_second == round(1e6 / both.server_us, 1)
    assert both.latency_ms == Percentiles(1.0, 9.0, 9.0, 9.0)
    assert (both.refused, both.failed, both.last_failure) == (2, 2, "503 busy")
    assert both.in_flight == 64


def test_the_cpu_of_a_server_counts_though_it_completed_nothing() -> None:
    idle = replace(RUN, completed=0, completed_per_second=0.0, server_us=100_000.0)

    assert together(PLAN, [RUN, idle]).server_us == 200.0 + 100_000.0 / 1000


def test_shares_are_taken_round_by_round() -> None:
    alone, cluster = costing(100.0, 200.0, engine=engine_name(ALONE)), costing(200.0, 250.0)

    assert shares(cluster, alone) == [0.5, 0.8]


def test_the_table_puts_a_cluster_beside_the_single_node_and_the_goal() -> None:
    alone = costing(100.0, 150.0, 200.0, engine=engine_name(ALONE))
    lines = throughputs(compared(alone, costing(200.0, 200.0, 250.0))).splitlines()

    heading, of_alone, of_cluster = ([cell.strip() for cell in lines[i].split("|")] for i in (0, 2, 3))
    assert heading[1] == "One task, 64 in flight a node, medians of 3 rounds of 10 s"
    assert of_alone[7:10] == ["", "", ""]
    assert of_cluster[3:7] == ["5,000", "4,000 to 5,000", "200", "200 to 250"]
    assert of_cluster[7:10] == ["75%", "50% to 80%", "70%"]


def test_without_the_single_node_there_is_no_share() -> None:
    of_cluster = throughputs(compared(costing(200.0))).splitlines()[2].split("|")

    assert of_cluster[7].strip() == of_cluster[8].strip() == ""


def test_the_goals_are_those_of_clusters_that_are_measured() -> None:
    names = {engine_name(shape) for shape in SHAPES.values()}

    assert len(names) == len(SHAPES)
    assert set(GOALS) <= names - {engine_name(ALONE)}


def test_silence_counts_from_the_kill_and_up_to_the_end() -> None:
    creations = [Creation(0.0, at, 1) for at in (0.9, 1.2, 1.1, 2.5)]

    assert silence_of(creations, 1.0, 2.0) == pytest.approx(0.8)
    assert silence_of([], 1.0, 3.5) == 2.5


def test_a_partition_serves_again_with_a_creation_that_was_sent_after_the_kill() -> None:
    creations = [Creation(0.9, 1.1, 1), Creation(1.5, 1.9, 2), Creation(1.4, 1.6, 1), Creation(1.5, 1.7, 1)]

    assert served_at(creations, [1], since=1.0) == 1.6
    assert served_at(creations, [1, 2], since=1.0) == 1.9
    assert served_at(creations, [1, 3], since=1.0) is None


def test_the_table_of_takeovers_has_a_row_for_each_kill() -> None:
    lines = takeovers([Takeover((1, 3), 0.125, 0.75, 2), Takeover((2,), 0.0, 1.0, 0)], "three nodes")

    assert [cell.strip() for cell in lines.splitlines()[2].split("|")[1:-1]] == [
        "led 1, 3",
        "0.12",
        "0.75",
        "2",
    ]
    assert len(lines.splitlines()) == 4


def test_brokers_know_where_all_of_them_are_and_share_no_port() -> None:
    ports = [range(number * 5, number * 5 + 5) for number in range(1, 4)]
    environments = [
        broker_environment(Path("data"), SHAPES["c"], number, ports, Path("java")) for number in range(3)
    ]

    assert {each["ZEEBE_BROKER_CLUSTER_INITIALCONTACTPOINTS"] for each in environments} == {
        "127.0.0.1:9,127.0.0.1:14,127.0.0.1:19"
    }
    assert [each["ZEEBE_BROKER_NETWORK_INTERNALAPI_PORT"] for each in environments] == ["9", "14", "19"]
    own = ("NODEID", "PORT", "DATA_DIRECTORY")
    for name in environments[0]:
        differ = len({each[name] for each in environments})
        assert differ == (3 if name.endswith(own) else 1), name


def told(*leaders: int, health: str = "healthy") -> Topology:
    """Three brokers with all partitions, these of which have a leader."""
    return Topology(
        tuple(
            Broker(
                tuple(
                    Replica(
                        partition, "leader" if partition in leaders and broker == 0 else "follower", health
                    )
                    for partition in (1, 2, 3)
                )
            )
            for broker in range(3)
        )
    )


def test_brokers_are_well_when_every_partition_has_a_healthy_leader() -> None:
    assert is_well(told(1, 2, 3), SHAPES["c"])
    assert not is_well(told(1, 3), SHAPES["c"])
    assert not is_well(told(1, 2, 3, health="unhealthy"), SHAPES["c"])
    assert not is_well(told(1, 2, 3), SHAPES["b"])
    assert not is_well(Topology(()), SHAPES["c"])
