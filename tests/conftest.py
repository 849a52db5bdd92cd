"""How the tests that start nodes share two processes (`--dist loadgroup`)."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

import pytest

_CLUSTERS: Final = Path(__file__).parent / "end_to_end"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: Iterable[pytest.Item]) -> None:
    """One process has the clusters and whatever else is hard on nodes, the other the comparison with Zeebe
    and the command line: of both there is only one at a time."""
    for item in items:
        group = "clusters" if item.path.is_relative_to(_CLUSTERS) else "others"
        item.add_marker(pytest.mark.xdist_group(group))
