from pathlib import Path

import pytest

from bpmnd.storage.disk import RealDisk, read_file, replace_file
from bpmnd.storage.errors import StorageError
from bpmnd.storage.memory_disk import MemoryDisk


def test_a_new_file_is_all_zeros_and_no_hole(tmp_path: Path) -> None:
    disk = RealDisk()
    file = disk.create(tmp_path / "zeros", 3 << 20)
    file.sync()
    assert file.read(4 << 20, 0) == bytes(3 << 20)
    assert (tmp_path / "zeros").stat().st_blocks * 512 >= 3 << 20
    file.close()


def test_a_write_lands_at_its_offset(tmp_path: Path) -> None:
    file = RealDisk().create(tmp_path / "file", 16)
    file.write([b"ab", b"cd"], 6, durable=True)
    assert file.read(100, 5) == b"\0abcd" + bytes(6)
    file.close()


def test_a_missing_file_is_our_error(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="No such file"):
        RealDisk().open(tmp_path / "none")


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    disk = RealDisk()
    for content in (b"first", b"second"):
        replace_file(disk, tmp_path / "file", content)
    assert read_file(disk, tmp_path / "file") == b"second"
    assert disk.names(tmp_path) == ["file"]


def test_the_disk_in_memory_loses_what_was_not_synced() -> None:
    disk = MemoryDisk()
    replace_file(disk, Path("/d/file"), b"old")
    disk.open(Path("/d/file"), writable=True).write([b"new"], 0, durable=False)
    assert read_file(disk, Path("/d/file")) == b"new"
    assert read_file(disk.crash(), Path("/d/file")) == b"old"


def test_the_disk_in_memory_loses_a_name_whose_directory_was_not_synced() -> None:
    disk = MemoryDisk()
    disk.create(Path("/d/file"), 4).sync()
    assert disk.names(Path("/d")) == ["file"]
    assert disk.crash().names(Path("/d")) == []


def test_after_a_failed_sync_the_page_is_readable_but_a_further_sync_does_not_write_it() -> None:
    disk = MemoryDisk()
    replace_file(disk, Path("/d/file"), b"old")
    file = disk.open(Path("/d/file"), writable=True)
    disk.failing = True
    with pytest.raises(StorageError):
        file.write([b"new"], 0, durable=True)
    disk.failing = False
    file.sync()
    assert read_file(disk, Path("/d/file")) == b"new"
    assert read_file(disk.crash(), Path("/d/file")) == b"old"
