"""What a process and its descendants use, from /proc."""

import contextlib
import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, final

_TICKS_PER_SECOND: Final = os.sysconf("SC_CLK_TCK")
_BLOCK: Final = 512
_PARENT, _USER, _SYSTEM, _CHILDREN_USER, _CHILDREN_SYSTEM = 1, 11, 12, 13, 14
"""Fields of /proc/PID/stat, counted from the state on, which stands behind the name in parentheses."""


@final
@dataclass(frozen=True, slots=True)
class Sample:
    """Use so far (CPU, bytes written) and now (memory) of process trees."""

    cpu_seconds: float = 0.0
    rss_bytes: int = 0
    pss_bytes: int = 0
    written_bytes: int = 0


def sample_of(*pids: int) -> Sample:
    """Of the trees of all these processes together; those that are gone count for nothing."""
    ticks = rss = pss = written = 0
    for member in _trees(pids):
        fields = _stat(member)
        if fields is None:
            continue
        # Times of descendants that are gone stand with those who waited for them.
        own = (_USER, _SYSTEM, _CHILDREN_USER, _CHILDREN_SYSTEM)
        ticks += sum(int(fields[number]) for number in own)
        rss += _value(member, "status", "VmRSS:") << 10
        pss += _value(member, "smaps_rollup", "Pss:") << 10
        written += _value(member, "io", "write_bytes:")
    return Sample(ticks / _TICKS_PER_SECOND, rss, pss, written)


def disk_bytes(directory: Path) -> int:
    """What the files below a directory take on disk."""
    total = 0
    for path in directory.rglob("*"):
        with contextlib.suppress(FileNotFoundError):  # Servers remove files while we look.
            total += path.lstat().st_blocks * _BLOCK
    return total


def _trees(roots: Sequence[int]) -> Iterator[int]:
    children: defaultdict[int, list[int]] = defaultdict(list)
    for entry in os.listdir("/proc"):
        fields = _stat(int(entry)) if entry.isdecimal() else None
        if fields is not None:
            children[int(fields[_PARENT])].append(int(entry))
    waiting = [*roots]
    while waiting:
        pid = waiting.pop()
        yield pid
        waiting += children[pid]


def _stat(pid: int) -> list[str] | None:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None


def _value(pid: int, file: str, name: str) -> int:
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for line in Path(f"/proc/{pid}/{file}").read_text().splitlines():
            if line.startswith(name):
                return int(line.split()[1])
    return 0
