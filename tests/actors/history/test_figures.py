"""Counts that are kept are those that a walk over all rows finds, and the steps of writing do not matter."""

import random
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bpmnd.actors.history.durations import decode_durations
from bpmnd.actors.history.figures import HOURS_KEPT, MINUTES_KEPT, SUBJECTS_MAX
from bpmnd.actors.history.names import SUBJECT_KIND
from bpmnd.bpmn.codec import Frame, decode_frame
from bpmnd.bpmn.commands import ActivateJobs, CompleteJob, FailJob, MigrateProcessInstance
from bpmnd.bpmn.outcomes import Accepted, JobsActivated
from bpmnd.storage.history import Row, dump_history
from tests.actors.history.histories import write_history
from tests.actors.history.world import MODELS, live
from tests.bpmn.playground import END, ONE_TASK, START, Playground, path, process, task
from tests.bpmn.test_partitions import Cluster

HOUR_MS = 3_600_000


@pytest.fixture(scope="module")
def frames() -> list[Frame]:
    cluster = Cluster(1)
    cluster.deploy(*MODELS)
    live(cluster, random.Random(7), 400)
    return [decode_frame(frame) for frame in cluster[1].frames]


@pytest.fixture(scope="module")
def written(frames: list[Frame], tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("history") / "1.sqlite"
    write_history(file, 1, frames)
    return file


@pytest.fixture
def rows(written: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(written)) as connection:
        yield connection


def found(rows: sqlite3.Connection, sql: str) -> list[Any]:
    return sorted(rows.execute(sql).fetchall())


def frames_of(playground: Playground) -> list[Frame]:
    return [decode_frame(frame) for frame in playground.frames]


@pytest.mark.parametrize("per_transaction", [1, 40, 100_000])
def test_the_rows_are_the_same_in_whatever_steps_they_are_written(
    tmp_path: Path, frames: list[Frame], written: Path, per_transaction: int
) -> None:
    file = tmp_path / "other.sqlite"
    write_history(file, 1, frames, per_transaction=per_transaction, known_max=per_transaction)
    assert dump_history(file) == dump_history(written)


def test_the_counts_of_an_element_are_those_of_its_instances(rows: sqlite3.Connection) -> None:
    assert found(
        rows,
        "SELECT key, active, completed, terminated, failing, live_completed, live_terminated FROM elements"
        " WHERE element > 0 AND active + completed + terminated > 0",
    ) == found(
        rows,
        "SELECT e.key, count(*) FILTER (WHERE y.state = 0), count(*) FILTER (WHERE y.state = 1),"
        " count(*) FILTER (WHERE y.state = 2), count(*) FILTER (WHERE y.state = 0 AND y.incidents > 0),"
        " count(*) FILTER (WHERE y.state = 1 AND i.state = 0),"
        " count(*) FILTER (WHERE y.state = 2 AND i.state = 0)"
        " FROM elements e JOIN element_instances y USING (definition_key, element)"
        " JOIN instances i ON i.key = y.instance_key GROUP BY e.key",
    )


def test_those_of_a_process_are_those_of_its_process_instances(rows: sqlite3.Connection) -> None:
    counted = found(
        rows,
        "SELECT definition_key, active, completed, terminated, failing FROM elements WHERE element = 0",
    )
    assert counted == found(
        rows,
        "SELECT definition_key, count(*) FILTER (WHERE state = 0), count(*) FILTER (WHERE state = 1),"
        " count(*) FILTER (WHERE state = 2), count(*) FILTER (WHERE state = 0 AND incidents > 0)"
        " FROM instances GROUP BY definition_key",
    )
    assert any(row[4] for row in counted), "some fail"


_PLACES = (
    " count(*) FILTER (WHERE state != 3 AND retries > 0 AND deadline IS NULL),"
    " count(*) FILTER (WHERE state != 3 AND retries > 0 AND deadline IS NOT NULL),"
    " count(*) FILTER (WHERE state = 3 OR retries <= 0)"
)


def test_the_open_jobs_of_a_type_are_counted_by_where_they_are(rows: sqlite3.Connection) -> None:
    counted = found(rows, "SELECT type, waiting, active, failing FROM job_types")
    assert counted == found(rows, f"SELECT type, {_PLACES} FROM jobs WHERE ended IS NULL GROUP BY type")
    assert all(any(row[place] for row in counted) for place in (1, 2, 3)), "there are some of each"


def test_so_are_those_of_an_element(rows: sqlite3.Connection) -> None:
    assert found(
        rows,
        "SELECT definition_key, element, jobs_waiting, jobs_active, jobs_failing FROM elements"
        " WHERE jobs_waiting + jobs_active + jobs_failing > 0",
    ) == found(
        rows,
        f"SELECT definition_key, element, {_PLACES} FROM jobs WHERE ended IS NULL"
        " GROUP BY definition_key, element",
    )


def test_open_incidents_are_counted_by_process_and_error(rows: sqlite3.Connection) -> None:
    counted = found(
        rows,
        "SELECT e.definition_key, o.key & 255, o.count FROM open_incidents o"
        " JOIN elements e ON e.key = o.key >> 8 WHERE o.count != 0",
    )
    assert counted == found(
        rows,
        "SELECT definition_key, type, count(*) FROM incidents WHERE state = 0 GROUP BY definition_key, type",
    )
    assert counted, "there are some"


@pytest.mark.parametrize("slot", ["minutes", "hours"])
def test_what_happened_over_time_adds_up_to_all(rows: sqlite3.Connection, slot: str) -> None:
    """Nothing is so old yet that it would be gone."""
    counted = found(
        rows,
        "SELECT e.key, sum(a.begun), sum(a.completed), sum(a.terminated), sum(a.milliseconds)"
        f" FROM activity_{slot} a JOIN elements e ON e.key = a.key & 16777215 WHERE e.element > 0"
        " GROUP BY e.key",
    )
    assert counted == found(
        rows,
        "SELECT e.key, count(*), count(*) FILTER (WHERE y.state = 1), count(*) FILTER (WHERE y.state = 2),"
        ' coalesce(sum(y."end" - y.start) FILTER (WHERE y.state = 1), 0)'
        " FROM elements e JOIN element_instances y USING (definition_key, element) GROUP BY e.key",
    )


def test_durations_are_those_of_completed_instances(rows: sqlite3.Connection) -> None:
    for completed, data in rows.execute("SELECT completed, durations FROM activity_hours").fetchall():
        assert sum(decode_durations(data).values()) == completed


def test_an_incident_counts_at_its_element_and_at_the_process(rows: sqlite3.Connection) -> None:
    ((at_processes, at_elements),) = rows.execute(
        "SELECT sum(a.incidents) FILTER (WHERE e.element = 0), sum(a.incidents) FILTER (WHERE e.element > 0)"
        " FROM activity_hours a JOIN elements e ON e.key = a.key & 16777215"
    ).fetchall()
    ((count,),) = rows.execute("SELECT count(*) FROM incidents").fetchall()
    assert (at_processes, at_elements) == (count, count)


def test_subjects_happened_as_often_as_their_slots_say(rows: sqlite3.Connection) -> None:
    for slot in ("minutes", "hours"):
        assert found(rows, "SELECT key, count, last FROM subjects") == found(
            rows, f"SELECT key & 16777215, sum(count), max(last) FROM tally_{slot} GROUP BY key & 16777215"
        )


def test_what_happened_to_jobs_is_counted_by_type_and_worker(
    rows: sqlite3.Connection, frames: list[Frame]
) -> None:
    from bpmnd.bpmn import events

    activated: Counter[str] = Counter()
    failed: Counter[str] = Counter()
    for frame in frames:
        for event in frame.events:
            if isinstance(event, events.JobsActivated):
                activated[f'["{event.type}","{event.worker}"]'] += len(event.keys)
            if isinstance(event, events.JobFailed):
                failed["all"] += 1
    assert dict(_subjects(rows, "JOB_ACTIVATED")) == activated
    assert sum(count for _, count in _subjects(rows, "JOB_FAILED")) == failed["all"] > 0


def _subjects(rows: sqlite3.Connection, kind: str) -> list[tuple[str, int]]:
    return rows.execute("SELECT names, count FROM subjects WHERE kind = ?", (SUBJECT_KIND[kind],)).fetchall()


def test_the_counts_move_with_an_instance_that_goes_on_by_another_definition(tmp_path: Path) -> None:
    playground = Playground()
    playground.deploy(ONE_TASK)
    instance = playground.create({})
    (job,) = playground.jobs("work")
    playground.do(FailJob(job.key, 0, 0, "x", {}))
    other = process(START + task("done", "work") + END + path("start", "done", "end"))
    definition = playground.deploy(other).processes[0].key
    assert playground.do(MigrateProcessInstance(instance, definition, (("work", "done"),))) == Accepted()

    for cut in (1, 100):
        write_history(tmp_path / f"{cut}.sqlite", 1, frames_of(playground), per_transaction=cut, known_max=0)
        at = {
            (row[1] == definition, row[3]): row[-9:]
            for row in dump_history(tmp_path / f"{cut}.sqlite")["elements"]
            if any(row[-9:])
        }
        assert at == {
            (True, "process"): (1, 0, 0, 1, 0, 0, 0, 0, 0),
            (False, "start"): (0, 1, 0, 0, 0, 0, 0, 0, 0),
            (True, "start"): (0, 0, 0, 0, 1, 0, 0, 0, 0),
            (True, "done"): (1, 0, 0, 1, 0, 0, 0, 0, 1),
        }


def _over_time(hours: list[int]) -> list[Frame]:
    """One instance and one worker of its own in each of these hours."""
    playground = Playground()
    playground.deploy(ONE_TASK)
    for hour in hours:
        playground.now = 1_000_000 + hour * HOUR_MS
        playground.create({})
        lent = playground.do(ActivateJobs("work", f"w{hour}", 60_000, 1))
        assert isinstance(lent, JobsActivated), lent
        playground.do(CompleteJob(lent.jobs[0].key))
    return frames_of(playground)


@pytest.mark.parametrize("per_transaction", [1, 1000])
def test_old_slots_go_by_the_time_of_the_log(tmp_path: Path, per_transaction: int) -> None:
    hours = [0, 1, HOURS_KEPT, HOURS_KEPT + 1, HOURS_KEPT + 2]
    write_history(tmp_path / "h.sqlite", 1, _over_time(hours), per_transaction=per_transaction)
    rows = dump_history(tmp_path / "h.sqlite")
    first_hour = 1_000_000 // HOUR_MS
    kept = sorted({_slot(row) - first_hour for row in rows["activity_hours"]})
    assert kept == [HOURS_KEPT, HOURS_KEPT + 1, HOURS_KEPT + 2]
    assert {_slot(row) // 60 - first_hour for row in rows["activity_minutes"]} <= set(kept)
    workers = [row[2] for row in rows["subjects"] if row[1] == SUBJECT_KIND["JOB_COMPLETED"]]
    assert workers == [f'["work","w{hour}"]' for hour in kept]


def test_minutes_go_before_hours(tmp_path: Path) -> None:
    beyond = MINUTES_KEPT // 60 + 1
    write_history(tmp_path / "h.sqlite", 1, _over_time([0, beyond]))
    rows = dump_history(tmp_path / "h.sqlite")
    assert len({_slot(row) for row in rows["tally_minutes"]}) == 1
    assert len({_slot(row) for row in rows["tally_hours"]}) == 2


def test_a_subject_that_comes_back_after_it_was_forgotten_is_counted_anew(tmp_path: Path) -> None:
    hours = [0, 0, HOURS_KEPT + 2, HOURS_KEPT + 2]
    dumps: list[dict[str, list[Row]]] = []
    for per_transaction in (1, 1000):
        file = tmp_path / f"{per_transaction}.sqlite"
        write_history(file, 1, _over_time(hours), per_transaction=per_transaction)
        dumps.append(dump_history(file))
    assert dumps[0] == dumps[1]
    kinds = [row for row in dumps[0]["subjects"] if row[1] == SUBJECT_KIND["JOB_CREATED"]]
    assert [(row[2], row[3]) for row in kinds] == [('["work"]', 2)]


def test_names_without_end_are_counted_as_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert SUBJECTS_MAX > 1000, "real names have room"
    monkeypatch.setattr("bpmnd.actors.history.figures.SUBJECTS_MAX", 6)
    hours = list(range(10))
    dumps: list[dict[str, list[Row]]] = []
    for per_transaction in (1, 1000):
        file = tmp_path / f"{per_transaction}.sqlite"
        write_history(file, 1, _over_time(hours), per_transaction=per_transaction)
        dumps.append(dump_history(file))
    assert dumps[0] == dumps[1]
    completed = {row[2]: row[3] for row in dumps[0]["subjects"] if row[1] == SUBJECT_KIND["JOB_COMPLETED"]}
    assert completed['["(others)","(others)"]'] == 10 - (len(completed) - 1)
    assert sum(int(count or 0) for count in completed.values()) == 10, "none is lost"


def _slot(row: Row) -> int:
    key = row[0]
    assert isinstance(key, int), f"{row} has no key"
    return key >> 24
