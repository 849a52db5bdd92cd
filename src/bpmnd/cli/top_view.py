"""What `bpmnd top` shows, as lines of text."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

_ELEMENTS_MAX: Final = 12
_WORKERS_MAX: Final = 3
_MESSAGE_MAX: Final = 70


def view(facts: Mapping[str, Any], sort: str) -> list[str]:
    now: datetime = facts["now"]
    lines = [_title(facts, now), ""]
    lines += _definitions(facts, sort)
    lines += _elements(facts, now)
    lines += _job_types(facts, now)
    lines += _incidents(facts)
    lines += _partitions(facts)
    return lines


def table(rows: Sequence[Sequence[object]]) -> list[str]:
    """Rows under a heading, columns as wide as they need; numbers stand at the right."""
    texts = [[_text(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    is_number = [all(isinstance(row[n], (int, float)) for row in rows[1:]) for n in range(len(widths))]
    return [
        "  ".join(
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(row, widths, is_number, strict=True)
        ).rstrip()
        for row in texts
    ]


def span(milliseconds: float | None) -> str:
    """So long, in words that are short."""
    if milliseconds is None:
        return "-"
    seconds = milliseconds / 1000
    if seconds < 1:
        return f"{milliseconds:.0f} ms"
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.1f} s"


def _text(cell: object) -> str:
    """Nothing of what people named may move the cursor."""
    text = f"{cell:.2f}" if isinstance(cell, float) else str(cell)
    return "".join(character if character.isprintable() else "·" for character in text)


def _since(moment: str | None, now: datetime) -> str:
    if moment is None:
        return "-"
    return span(max((now - datetime.fromisoformat(moment)).total_seconds(), 0) * 1000)


def _title(facts: Mapping[str, Any], now: datetime) -> str:
    definitions = facts["definitions"]
    active = sum(item["active"] for item in definitions)
    failing = sum(item["activeWithIncident"] for item in definitions)
    throughput = sum(item["window"]["completedPerSecond"] for item in definitions)
    return (
        f"bpmnd top  {now:%H:%M:%S}  in flight {active}, with incident {failing},"
        f" completed {throughput:.2f}/s over {facts['minutes']} min"
    )


_ORDERS: Final[Mapping[str, Callable[[Mapping[str, Any]], Any]]] = {
    "active": lambda item: -item["active"],
    "incidents": lambda item: -item["activeWithIncident"],
    "throughput": lambda item: -item["window"]["completedPerSecond"],
    "duration": lambda item: -(item["window"]["durationMs"]["p95"] or 0),
    "name": lambda item: (item["processDefinitionId"], -item["processDefinitionVersion"]),
}


def _definitions(facts: Mapping[str, Any], sort: str) -> list[str]:
    heading = (
        "PROCESS",
        "VERSION",
        "ACTIVE",
        "INCIDENT",
        "STARTED",
        "ENDED",
        "PER S",
        "P50",
        "P95",
        "OLDEST",
    )
    rows: list[Sequence[object]] = [heading]
    for item in sorted(facts["definitions"], key=_ORDERS[sort]):
        window, durations = item["window"], item["window"]["durationMs"]
        rows.append(
            (
                item["processDefinitionId"],
                item["processDefinitionVersion"],
                item["active"],
                item["activeWithIncident"],
                window["started"],
                window["completed"] + window["terminated"],
                float(window["completedPerSecond"]),
                span(durations["p50"]),
                span(durations["p95"]),
                _since(item["oldestActiveSince"], facts["now"]),
            )
        )
    return [*table(rows), ""]


def _elements(facts: Mapping[str, Any], now: datetime) -> list[str]:
    if not facts["elements"]:
        return []
    heading = ("ELEMENT", "OF", "ACTIVE", "INCIDENT", "JOBS WAIT", "WITH WORKER", "FAILED", "P95", "OLDEST")
    rows: list[Sequence[object]] = [heading]
    for definition, item in sorted(facts["elements"], key=lambda pair: -pair[1]["active"])[:_ELEMENTS_MAX]:
        jobs = item["openJobs"]
        rows.append(
            (
                item["elementId"],
                f"{definition['processDefinitionId']} {definition['processDefinitionVersion']}",
                item["active"],
                item["activeWithIncident"],
                jobs["waiting"],
                jobs["active"],
                jobs["failed"],
                span(item["window"]["durationMs"]["p95"]),
                _since(item["oldestActiveSince"], now),
            )
        )
    return [*table(rows), ""]


def _job_types(facts: Mapping[str, Any], now: datetime) -> list[str]:
    if not facts["jobTypes"]:
        return []
    heading = ("JOB TYPE", "WAIT", "ACTIVE", "FAILED", "DONE", "FAILURES", "TIMED OUT", "WORKERS, LAST SEEN")
    rows: list[Sequence[object]] = [heading]
    for item in facts["jobTypes"]:
        window = item["window"]
        seen = [f"{one['worker']} {_since(one['lastSeen'], now)}" for one in item["workers"][:_WORKERS_MAX]]
        more = len(item["workers"]) - len(seen)
        rows.append(
            (
                item["jobType"],
                item["waiting"],
                item["active"],
                item["failed"],
                window["completed"],
                window["failed"] + window["errorsThrown"],
                window["timedOut"],
                ", ".join(seen) + (f" and {more} more" if more > 0 else "") or "none",
            )
        )
    return [*table(rows), ""]


def _incidents(facts: Mapping[str, Any]) -> list[str]:
    if not facts["errors"]:
        return []
    rows: list[Sequence[object]] = [("INSTANCES", "OPEN INCIDENT")]
    ordered = sorted(facts["errors"], key=lambda item: -item["activeInstancesWithErrorCount"])
    rows += [(item["activeInstancesWithErrorCount"], item["errorMessage"][:_MESSAGE_MAX]) for item in ordered]
    return [*table(rows), ""]


def _partitions(facts: Mapping[str, Any]) -> list[str]:
    rows: list[Sequence[object]] = [("PARTITION", "NODE", "ROLE", "HEALTH", "HISTORY BEHIND")]
    for broker in facts["topology"]["brokers"]:
        for partition in broker["partitions"]:
            number = str(partition["partitionId"])
            history = facts["history"].get(number, {})
            behind = history.get("behindSeconds")
            shown = "-" if behind is None else f"{behind:.1f} s"
            shown = history.get("stuck", shown)
            rows.append((number, str(broker["nodeId"]), partition["role"], partition["health"], shown))
    return table(rows)
