"""How the tests that start nodes share two processes (`--dist loadgroup`)."""

from collections.abc import Iterable

import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: Iterable[pytest.Item]) -> None:
    """One process has the clusters and whatever else is hard on nodes, the other the comparison with Zeebe
    and the command line: of both there is only one at a time."""
    for item in items:
        if item.get_closest_marker("end_to_end") is not None:
            group = "nodes" if item.path.parent.name == "end_to_end" else "others"
            item.add_marker(pytest.mark.xdist_group(group))
