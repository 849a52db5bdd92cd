from pathlib import Path

import pytest

from bpmnd.config import ConfigError
from bpmnd.server import DataDirectory


def test_a_directory_is_used_by_one_node_at_a_time(tmp_path: Path) -> None:
    with DataDirectory(tmp_path, 1), pytest.raises(ConfigError, match="in use"), DataDirectory(tmp_path, 1):
        pass


def test_the_number_of_partitions_is_settled_at_the_first_start(tmp_path: Path) -> None:
    with DataDirectory(tmp_path, 3):
        pass
    with pytest.raises(ConfigError, match="3 partitions"), DataDirectory(tmp_path, 2):
        pass
    with DataDirectory(tmp_path, 3):
        pass


def test_a_crash_at_the_first_start_settles_nothing(tmp_path: Path) -> None:
    (tmp_path / "partitions.new" / "3").mkdir(parents=True)
    with DataDirectory(tmp_path, 2):
        pass
    assert sorted(entry.name for entry in (tmp_path / "partitions").iterdir()) == ["1", "2"]
