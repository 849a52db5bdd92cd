from pathlib import Path

import pytest

from bpmnd.config import ConfigError
from bpmnd.server import DataDirectory


def test_a_directory_is_used_by_one_node_at_a_time(tmp_path: Path) -> None:
    with DataDirectory(tmp_path), pytest.raises(ConfigError, match="in use"), DataDirectory(tmp_path):
        pass
