"""How long reads of a large history take: `python -m benchmarks.history_reads`.

The history is made from events of instances of a task, without a node; then each search runs some times.
"""

import argparse
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from bpmnd.actors.history.folding import fold
from bpmnd.actors.history.queries import (
    AnyOf,
    Compare,
    Condition,
    Has,
    Operator,
    Order,
    Report,
    Search,
)
from bpmnd.actors.history.reading import HistoryFile
from bpmnd.actors.history.tables import Tables
from bpmnd.bpmn import events
from bpmnd.bpmn.events import Event
from bpmnd.bpmn.keys import first_key
from bpmnd.storage.entry import ORIGIN, Position
from bpmnd.storage.history import HistoryWriter, Progress

_MODEL: Final = b"""<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"
 xmlns:zeebe="http://camunda.org/schema/zeebe/1.0"><process id="order" isExecutable="true">
<startEvent id="start"/><serviceTask id="work"/><endEvent id="end"/>
<sequenceFlow id="a" sourceRef="start" targetRef="work"/>
<sequenceFlow id="b" sourceRef="work" targetRef="end"/>
</process></definitions>"""
_ELEMENTS: Final = ("order", "start", "work", "end", "a", "b")
_DEFINITION: Final = first_key(1) + 1
_START_MS: Final = 1_700_000_000_000
_APART_MS: Final = 20
"""So long after one another instances begin."""
_WORKED_MS: Final = 1500
_PER_FRAME: Final = 50
_PER_TRANSACTION: Final = 5000


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--finished", type=int, default=1_000_000)
    parser.add_argument("--live", type=int, default=200_000)
    parser.add_argument("--incidents", type=int, default=10_000)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--file", type=Path, help="where the history is kept, or is already")
    given = parser.parse_args(arguments)
    with TemporaryDirectory(prefix="bpmnd-bench-") as directory:
        file = given.file or Path(directory) / "1.sqlite"
        total = given.finished + given.live
        if not file.exists():
            _make(file, given.finished, given.live, given.incidents)
        size = sum(path.stat().st_size for path in file.parent.glob(f"{file.name}*"))
        print(f"{total} instances, {size / total:.0f} bytes each")
        history = HistoryFile(file)
        middle = _START_MS + total * _APART_MS // 2
        for name, query in _queries(middle, total).items():
            best = min(_timed(history, query) for _ in range(given.repeat))
            print(f"{name:50} {best * 1000:8.1f} ms", flush=True)
        history.close()


def _make(file: Path, finished: int, live: int, incidents: int) -> None:
    writer = HistoryWriter(file)
    writer.begin_anew(ORIGIN)
    tables = Tables(1, writer)
    folding, writing, since = 0.0, 0.0, 0
    index, at = 0, _START_MS
    for index, (at, happened) in enumerate(_frames(finished, live, incidents), 1):
        began = time.process_time()
        fold(tables, index, at, happened)
        folded = time.process_time()
        folding += folded - began
        since += _PER_FRAME
        if since >= _PER_TRANSACTION:
            since = 0
            with writer.transaction():
                _write(writer, tables, Progress(Position(index, 1, bytes(32)), at))
            tables.forget()
            writing += time.process_time() - folded
    with writer.transaction():
        _write(writer, tables, Progress(Position(index, 1, bytes(32)), at))
    writer.close()
    total = finished + live
    print(
        f"made in {folding / total * 1e6:.1f} µs of folding and {writing / total * 1e6:.1f} of writing each"
    )


def _write(writer: HistoryWriter, tables: Tables, progress: Progress) -> None:
    writer.write(tables.take(), tables.take_expired(), progress)


def _frames(finished: int, live: int, incidents: int) -> Iterator[tuple[int, list[Event]]]:
    """Moments of log time, and what happened. Live instances are the last that begin."""
    yield (
        _START_MS,
        [
            events.ProcessCreated(
                _DEFINITION, first_key(1), "order", 1, "", "order.bpmn", b"", "<default>", _ELEMENTS, _MODEL
            )
        ],
    )
    open_: list[int] = []
    for first in range(0, finished + live, _PER_FRAME):
        now = _START_MS + first * _APART_MS
        some = [_DEFINITION + 10 * (1 + number) for number in range(first, first + _PER_FRAME)]
        yield now, [event for number, key in enumerate(some, first) for event in _begun(key, number)]
        lent = events.JobsActivated(
            tuple(key + 5 for key in some),
            "<default>",
            "work",
            f"w{first % 7}",
            now + 60_000,
            tuple(some),
        )
        if first < finished:
            yield now + 2, [lent]
            yield now + _WORKED_MS, [event for key in some for event in _ended(key)]
        elif len(open_) < incidents:
            yield now + 2, [lent]
            yield now + _WORKED_MS, [event for key in some for event in _failed(key, key // 10 % 20)]
            open_ += some


def _begun(key: int, number: int) -> Iterator[Event]:
    yield events.ProcessInstanceCreated(key, _DEFINITION, "<default>", (), None, (), 0, ())
    yield events.VariablesCreated(
        key + 1, key, key, {"customer": b'"c%d"' % (number % 50_000), "amount": b"%d" % (number % 1000)}
    )
    yield events.ElementActivated(key, key, key, 0, ())
    yield events.ElementActivated(key + 3, key, key, 1, ())
    yield events.ElementCompleted(key + 3, key, 1)
    yield events.SequenceFlowTaken(key, key, 4)
    yield events.ElementActivated(key + 4, key, key, 2, (4,))
    yield events.JobCreated(key + 5, key, key + 4, 2, "work", 3)


def _ended(key: int) -> Iterator[Event]:
    yield events.JobCompleted(key + 5, key)
    yield events.ElementCompleted(key + 4, key, 2)
    yield events.SequenceFlowTaken(key, key, 5)
    yield events.ElementActivated(key + 6, key, key, 3, (5,))
    yield events.ElementCompleted(key + 6, key, 3)
    yield events.ElementCompleted(key, key, 0)


def _failed(key: int, reason: int) -> Iterator[Event]:
    message = f"cannot reach host {reason}"
    yield events.JobFailed(key + 5, key, 0, 0, message)
    yield events.IncidentCreated(key + 7, key, key + 4, 2, key + 5, 0, "JOB_NO_RETRIES", message, b"")


def _timed(history: HistoryFile, query: Search | Report) -> float:
    began = time.perf_counter()
    history.run(query)
    return time.perf_counter() - began


def _queries(middle: int, total: int) -> dict[str, Search | Report]:
    def equal(field: str, *values: int | str) -> Compare:
        return Compare(field, Operator.EQUAL, values)

    def instances(*conditions: Condition, order: tuple[Order, ...] = (), offset: int = 0) -> Search:
        return Search("process instance", conditions, order, limit=50, offset=offset, count_max=100_000)

    end = _START_MS + total * _APART_MS
    active = equal("state", 0)
    newest = (Order("startDate", descending=True),)
    of_order = equal("processDefinitionId", "order")
    incidents: Callable[..., Search] = lambda *conditions: Search(  # noqa: E731
        "incident", conditions, limit=50, count_max=100_000
    )
    rare = Has("variable", (equal("name", "customer"), equal("value", '"c77"')))
    return {
        "all": instances(),
        "all, the newest first": instances(order=newest),
        "state ACTIVE": instances(active),
        "state ACTIVE, the newest first": instances(active, order=newest),
        "state COMPLETED": instances(equal("state", 1)),
        "processDefinitionId": instances(of_order),
        "processDefinitionId, state ACTIVE, newest first": instances(of_order, active, order=newest),
        "hasIncident": instances(equal("hasIncident", 1)),
        "a variable of a rare value": instances(rare),
        "startDate in the second half": instances(Compare("startDate", Operator.AT_LEAST, (middle,))),
        "startDate in the first half": instances(Compare("startDate", Operator.LESS, (middle,))),
        "startDate in the second half, newest first": instances(
            Compare("startDate", Operator.AT_LEAST, (middle,)), order=newest
        ),
        "startDate in a second": instances(
            Compare("startDate", Operator.AT_LEAST, (middle,)),
            Compare("startDate", Operator.LESS, (middle + 1000,)),
        ),
        "endDate in the first half": instances(Compare("endDate", Operator.LESS, (middle,))),
        "endDate in the second half": instances(Compare("endDate", Operator.AT_LEAST, (middle,))),
        "errorMessage": instances(
            Has("open incident", (equal("errorMessage", "cannot reach host 3"),)),
        ),
        "elementId with elementInstanceState ACTIVE": instances(
            Has("element instance", (equal("elementId", "work"), equal("elementInstanceState", 0)))
        ),
        "one of two filters": instances(AnyOf(((active,), (equal("hasIncident", 1),)))),
        "from 500,000": instances(offset=min(500_000, total // 2)),
        "from 500,000, the newest first": instances(offset=min(500_000, total // 2), order=newest),
        "incidents": incidents(),
        "incidents, of an error": incidents(equal("errorMessage", "cannot reach host 3")),
        "incidents, ACTIVE by error type": incidents(equal("state", 0), equal("errorType", 9)),
        "incidents, the newest first": Search(
            "incident", (), (Order("creationTime", descending=True),), limit=50, count_max=100_000
        ),
        "counts by element": Report("elements of definition", (_DEFINITION,)),
        "counts by element, live instances": Report("elements of definition", (_DEFINITION,), (active,)),
        "counts by element, failing instances": Report(
            "elements of definition", (_DEFINITION,), (equal("hasIncident", 1),)
        ),
        "live instances by definition": Report("live by definition"),
        "failing instances by error": Report("failing by error"),
        "processes as they stand": Report("processes"),
        "elements of a definition as they stand": Report("elements", (_DEFINITION,)),
        "the elements with most instances": Report("busiest elements", (100,)),
        "what processes did, all the time": Report("activity", (0, 2**53, 0)),
        "what elements did, all the time": Report("activity", (0, 2**53, _DEFINITION)),
        "what elements did in an hour": Report("activity", (end - 3_600_000, end, _DEFINITION)),
        "what happened to jobs, all the time": Report("tallies", (0, 2**53, "", *range(10))),
        "jobs of a type by the minute": Report("tally series", (0, 2**53, "work", 60_000, *range(10))),
    }


if __name__ == "__main__":
    main()
