"""The journal of a turn: the old value of everything an applier changes, so that the turn can be undone.

All of the state hangs in dictionaries and in attributes of records, and appliers change them through
`put`, `drop` and `assign` alone. What it costs is the change, never the size of what is changed.
"""

from typing import Any, Final, Protocol, TypeVar, final, runtime_checkable

K = TypeVar("K")
V = TypeVar("V")


@runtime_checkable
class Restorable(Protocol):
    """A structure that keeps more than dictionaries and has to be told when a removed entry comes back."""

    def restore(self, entry: Any, /) -> None: ...


class _Missing:
    pass


_MISSING: Final = _Missing()


class Journal:
    """The changes since `start`; `undo` takes them back, last one first."""

    __slots__ = ("_changes",)

    def __init__(self) -> None:
        self._changes: list[tuple[Any, Any, Any]] = []

    def start(self) -> None:
        """Forget the turn before: it stands."""
        self._changes.clear()

    def put(self, mapping: dict[K, V], key: K, value: V) -> None:
        self._changes.append((mapping, key, mapping.get(key, _MISSING)))
        mapping[key] = value

    def drop(self, mapping: dict[K, V], key: K) -> V:
        """Remove an entry that must be there."""
        value = mapping.pop(key)
        self._changes.append((mapping, key, value))
        return value

    def assign(self, record: object, name: str, value: object) -> None:
        self._changes.append((record, name, getattr(record, name)))
        setattr(record, name, value)

    def removed(self, structure: Restorable, entry: object) -> None:
        """Note that `structure` took out `entry` by itself."""
        self._changes.append((structure, None, entry))

    def undo(self) -> None:
        changes = self._changes
        while changes:
            target, key, old = changes.pop()
            if type(target) is dict:
                if old is _MISSING:
                    del target[key]
                else:
                    target[key] = old
            elif key is None:
                target.restore(old)
            else:
                setattr(target, key, old)


@final
class NoJournal(Journal):
    """For who only replays: what is committed is never taken back."""

    __slots__ = ()

    def put(self, mapping: dict[K, V], key: K, value: V) -> None:
        mapping[key] = value

    def drop(self, mapping: dict[K, V], key: K) -> V:
        return mapping.pop(key)

    def assign(self, record: object, name: str, value: object) -> None:
        setattr(record, name, value)

    def removed(self, structure: Restorable, entry: object) -> None: ...

    def undo(self) -> None:
        raise AssertionError("nothing was kept to undo by")
