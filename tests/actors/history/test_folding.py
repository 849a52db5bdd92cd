from pathlib import Path

import pytest

from bpmnd.actors.history.compiling import glob_of
from bpmnd.actors.history.folding import fold
from bpmnd.actors.history.folding.incidents import hash_of
from bpmnd.actors.history.rows import ROW_TYPES
from bpmnd.actors.history.tables import Tables
from bpmnd.bpmn.codec import decode_frame
from bpmnd.bpmn.commands import CompleteJob, DeleteResource, MigrateProcessInstance
from bpmnd.bpmn.outcomes import Accepted
from bpmnd.storage.entry import ORIGIN
from bpmnd.storage.history import HistoryWriter, Progress, dump_history
from bpmnd.storage.history_schema import TABLES
from tests.actors.history.histories import write_history
from tests.bpmn.playground import END, ONE_TASK, START, Playground, path, process, task


@pytest.mark.parametrize(
    ("text", "code"), [("", 0), ("hello", 99162322), ("polygenelubricants", -(2**31)), ("𝄞", 1772394)]
)
def test_the_hash_of_a_message_is_that_of_java(text: str, code: int) -> None:
    assert hash_of(text) == code


@pytest.mark.parametrize("row_type", ROW_TYPES)
def test_the_fields_of_a_row_are_the_columns_of_its_table(row_type: type) -> None:
    columns = [column.partition(" ")[0] for column in TABLES[row_type.TABLE]]  # type: ignore[attr-defined]
    assert list(row_type.__struct_fields__) == columns  # type: ignore[attr-defined]


def test_every_table_has_rows() -> None:
    assert {row_type.TABLE for row_type in ROW_TYPES} == set(TABLES)


@pytest.mark.parametrize(
    ("like", "glob"),
    [
        ("a*b?", "a*b?"),
        ("a\\*b\\?", "a[*]b[?]"),
        ("[a]", "[[]a]"),
        ("\\[a\\", "[[]a\\"),
        ("\\\\*", "\\*"),
        ("50%_", "50%_"),
    ],
)
def test_a_pattern_of_the_api_becomes_one_of_sqlite(like: str, glob: str) -> None:
    assert glob_of(like) == glob


def test_what_is_open_goes_on_at_the_other_definition_and_what_is_over_stays(tmp_path: Path) -> None:
    playground = Playground()
    playground.deploy(ONE_TASK)
    instance = playground.create({"a": b"1"})
    (job,) = playground.jobs("work")
    other = process(START + task("done", "work") + END + path("start", "done", "end"))
    definition = playground.deploy(other).processes[0].key
    mapping = (("work", "done"),)
    assert playground.do(MigrateProcessInstance(instance, definition, mapping)) == Accepted()
    assert playground.do(CompleteJob(job.key)) == Accepted()

    for cut in (1, 100):
        file = tmp_path / f"{cut}.sqlite"
        frames = [decode_frame(frame) for frame in playground.frames]
        write_history(file, 1, frames, per_transaction=cut, known_max=0)
        rows = dump_history(file)
        (found,) = rows["instances"]
        assert found[:3] == (instance, definition, 1)
        names = {(row[1], row[2]): row[3] for row in rows["elements"]}
        at = [(row[2] == definition, names[row[2], row[3]]) for row in rows["element_instances"]]
        assert at == [(False, "start"), (True, "done"), (True, "end")]
        counts = {names[row[1], row[2]]: row[-9:-6] for row in rows["elements"] if row[1] == definition}
        assert counts["done"] == (0, 1, 0)
        work = next(row for row in rows["elements"] if row[3] == "work")
        assert work[-9:-6] == (0, 0, 0), "it is not counted where it was"
        (worked,) = rows["jobs"]
        assert (worked[2], names[worked[2], worked[3]]) == (definition, "done")


def test_a_process_that_is_deleted_is_said_to_be(tmp_path: Path) -> None:
    playground = Playground()
    key = playground.deploy(ONE_TASK).processes[0].key
    playground.do(DeleteResource(key))
    frames = [decode_frame(frame) for frame in playground.frames]
    write_history(tmp_path / "h.sqlite", 1, frames)
    (definition,) = dump_history(tmp_path / "h.sqlite")["definitions"]
    columns = [column.partition(" ")[0] for column in TABLES["definitions"]]
    assert definition[columns.index("state")] == 1


def test_long_variables_do_not_stay_in_memory(tmp_path: Path) -> None:
    playground = Playground()
    playground.deploy(ONE_TASK)
    playground.create({"long": b'"%s"' % (b"x" * 5000), "short": b"1"})
    writer = HistoryWriter(tmp_path / "h.sqlite")
    writer.begin_anew(ORIGIN)
    tables = Tables(1, writer)
    for index, frame in enumerate(map(decode_frame, playground.frames), 1):
        fold(tables, index, frame.time, frame.events)
    with writer.transaction():
        writer.write(tables.take(), tables.take_expired(), Progress())
    tables.forget()
    assert [row.name for row in tables.variables.known.values()] == ["short"]
    assert {row[3] for row in writer.all("variables")} == {"long", "short"}
    writer.close()
