import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bpmnd.storage.checkpoint import CheckpointStore, verify_checkpoint
from bpmnd.storage.cold_store import ColdStore, MemoryStore
from bpmnd.storage.entry import Position
from bpmnd.storage.errors import DamageError

P1, P2 = Position(10, 1, b"a" * 32), Position(20, 2, b"b" * 32)


@pytest.fixture(params=["rocksdb", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ColdStore]:
    store: ColdStore = CheckpointStore(tmp_path / "store") if request.param == "rocksdb" else MemoryStore()
    yield store
    store.close()


def test_a_new_store_has_no_position(store: ColdStore) -> None:
    assert store.position() is None


def test_rows_are_there_once_they_are_committed(store: ColdStore) -> None:
    store.write([(b"a", b"1"), (b"b", b"2")])
    assert store.get(b"a") is None

    store.commit(P1)

    assert (store.get(b"a"), store.get(b"b"), store.get(b"c")) == (b"1", b"2", None)
    assert store.position() == P1


def test_a_later_write_wins_within_a_checkpoint(store: ColdStore) -> None:
    store.write([(b"a", b"1"), (b"b", b"1"), (b"a", b"2")])
    store.write([(b"b", None), (b"c", b"3")])
    store.commit(P1)
    assert store.range(b"", b"z", 10) == [(b"a", b"2"), (b"c", b"3")]


def test_a_deleted_row_is_gone_after_the_next_checkpoint(store: ColdStore) -> None:
    store.write([(b"a", b"1")])
    store.commit(P1)
    store.write([(b"a", None)])
    store.commit(P2)
    assert store.get(b"a") is None
    assert store.range(b"", b"z", 10) == []


def test_a_range_ends_before_its_stop_and_at_its_limit(store: ColdStore) -> None:
    store.write([(bytes([97 + at]), b"%d" % at) for at in range(6)])
    store.commit(P1)
    assert store.range(b"b", b"e", 10) == [(b"b", b"1"), (b"c", b"2"), (b"d", b"3")]
    assert store.range(b"b", b"z", 2) == [(b"b", b"1"), (b"c", b"2")]
    assert store.range(b"b", b"z", 0) == []


def test_a_range_does_not_show_the_stores_own_rows(store: ColdStore) -> None:
    store.commit(P1, {"version": b"1"})
    assert store.range(b"", b"\xff", 10) == []


def test_named_values_stay_until_they_are_replaced(store: ColdStore) -> None:
    store.commit(P1, {"version": b"1", "clock": b"5"})
    store.commit(P2, {"clock": b"6"})
    assert (store.meta("version"), store.meta("clock"), store.meta("other")) == (b"1", b"6", None)


def test_what_was_abandoned_is_not_committed(store: ColdStore) -> None:
    store.write([(b"a", b"1")])
    store.abandon()
    store.commit(P1)
    assert store.get(b"a") is None


def test_a_key_of_the_stores_own_is_refused(store: ColdStore) -> None:
    with pytest.raises(AssertionError):
        store.write([(b"\0position", b"")])


def test_a_checkpoint_survives_reopening(tmp_path: Path) -> None:
    store = CheckpointStore(tmp_path / "store")
    store.write([(b"a", b"1")])
    store.commit(P1, {"version": b"1"})
    store.close()

    store = CheckpointStore(tmp_path / "store")

    assert (store.position(), store.get(b"a"), store.meta("version")) == (P1, b"1", b"1")
    store.close()


def test_what_was_not_committed_is_gone_after_reopening(tmp_path: Path) -> None:
    store = CheckpointStore(tmp_path / "store")
    store.write([(b"a", b"1")])
    store.close()
    store = CheckpointStore(tmp_path / "store")
    assert (store.position(), store.get(b"a")) == (None, None)
    store.close()


# Two checkpoints of the same rows; the process ends at the n-th pause, with all that was flushed by then.
SCRIPT = """
import os, sys
from pathlib import Path
from bpmnd.storage.checkpoint import CheckpointStore
from bpmnd.storage.entry import Position

steps = int(sys.argv[2])
def between():
    global steps
    if steps == 0:
        os._exit(7)
    steps -= 1

store = CheckpointStore(Path(sys.argv[1]), between=between)
for number in (1, 2):
    for piece in range(3):
        store.write([(b"%d/%04d" % (piece, row), b"%d" % number) for row in range(400)])
        store._rows.flush()
        between()
    store.commit(Position(number, 1, bytes(32)))
os._exit(0)
"""


def test_a_process_killed_at_any_step_leaves_one_whole_checkpoint(tmp_path: Path) -> None:
    seen: set[int] = set()
    for steps in range(40):
        path = tmp_path / f"store-{steps}"
        ended = subprocess.run([sys.executable, "-c", SCRIPT, path, str(steps)], check=False).returncode
        store = CheckpointStore(path)
        position = store.position()
        number = 0 if position is None else position.index
        values = {value for _, value in store.range(b"", b"\xff", 5000)}
        assert values == ({b"%d" % number} if number else set()), f"killed at step {steps}"
        assert not path.with_name(path.name + ".staged").exists()
        store.close()
        seen.add(number)
        if ended == 0:
            break
    assert seen == {0, 1, 2}


def test_a_kill_while_the_store_is_made_leaves_nothing_half(tmp_path: Path) -> None:
    (tmp_path / "store.new").mkdir()
    (tmp_path / "store.new" / "CURRENT").write_bytes(b"")
    store = CheckpointStore(tmp_path / "store")
    assert store.position() is None
    store.close()


def damaged(path: Path) -> Path:
    """A closed store with a flipped byte in its rows."""
    store = CheckpointStore(path)
    store.write([(b"%06d" % number, b"%d" % number * 50) for number in range(2000)])
    store.commit(P1)
    store.close()
    (file,) = path.glob("*.sst")
    data = bytearray(file.read_bytes())
    data[len(data) // 3] ^= 1
    file.write_bytes(data)
    return file


def test_a_damaged_file_is_named_when_its_rows_are_read(tmp_path: Path) -> None:
    file = damaged(tmp_path / "store")
    store = CheckpointStore(tmp_path / "store")
    with pytest.raises(DamageError, match=file.name):
        store.range(b"0", b"9", 5000)
    store.close()


def test_verifying_finds_a_damaged_file(tmp_path: Path) -> None:
    file = damaged(tmp_path / "store")
    with pytest.raises(DamageError, match=file.name):
        verify_checkpoint(tmp_path / "store")


def test_verifying_a_good_store_counts_its_rows(tmp_path: Path) -> None:
    store = CheckpointStore(tmp_path / "store")
    store.write([(b"%d" % number, b"") for number in range(7)])
    store.commit(P1)
    assert store.verify() == 8
    store.close()
    assert verify_checkpoint(tmp_path / "store") == 8


rows = st.lists(
    st.tuples(
        st.binary(min_size=1, max_size=2).filter(lambda key: key[0] > 0), st.none() | st.binary(max_size=3)
    )
)


@given(checkpoints=st.lists(st.lists(rows, max_size=3), max_size=4))
@settings(max_examples=25, deadline=None)
def test_both_stores_hold_the_same(
    tmp_path_factory: pytest.TempPathFactory, checkpoints: list[list[list[tuple[bytes, bytes | None]]]]
) -> None:
    memory, real = MemoryStore(), CheckpointStore(tmp_path_factory.mktemp("store") / "store")
    for number, batches in enumerate(checkpoints):
        for batch in batches:
            memory.write(batch)
            real.write(batch)
        memory.commit(Position(number, 1, bytes(32)))
        real.commit(Position(number, 1, bytes(32)))
    assert real.range(b"", b"\xff" * 3, 10_000) == memory.range(b"", b"\xff" * 3, 10_000)
    assert real.position() == memory.position()
    real.close()
