"""The trail of one process instance: its records, and with what is after in them what was before."""

from collections.abc import Iterable, Iterator
from typing import Any, Final, final

import msgspec

from bpmnd.actors.exporters.records import Record
from bpmnd.actors.exporters.values import Value

_ENDS: Final = frozenset({"ELEMENT_COMPLETED", "ELEMENT_TERMINATED"})
_LENT: Final = "ACTIVATED"


@final
class Trail:
    """Picks out of the records of a partition what belongs to one process instance; of a batch of jobs only
    its own. With `with_called` also what belongs to the instances that it has called, and so on."""

    def __init__(self, key: int, *, with_called: bool = False) -> None:
        self._root = str(key)
        self._with_called = with_called
        self._wanted = {self._root}
        self._variables: dict[tuple[str, str], Any] = {}
        """(scope, name) -> value."""
        self._jobs: dict[str, Value] = {}
        """Key -> state and retries of what has not ended."""
        self.is_over = False
        """The instance has ended: it has no records any more."""

    @property
    def keys(self) -> set[int]:
        """What tells a frame that may be of interest: the instances, and their jobs, which are lent by their
        own keys."""
        return {int(key) for key in (*self._wanted, *self._jobs)}

    def of(self, records: Iterable[Record]) -> Iterator[Record]:
        for record in records:
            value = record.value
            if value.get("processInstanceKey") in self._wanted or self._is_called(value):
                yield self._with_before(record)
                if record.key == self._root and record.intent in _ENDS:
                    self.is_over = True
            elif (jobs := value.get("jobs")) is not None:
                own = [
                    self._lent(job, value.get("worker"))
                    for job in jobs
                    if job.get("processInstanceKey") in self._wanted
                ]
                if own:
                    yield msgspec.structs.replace(record, value={**value, "jobs": own})

    def _is_called(self, value: Value) -> bool:
        """Whether it says that one of them has called another."""
        if not self._with_called or value.get("parentProcessInstanceKey") not in self._wanted:
            return False
        self._wanted.add(value["processInstanceKey"])
        return True

    def _with_before(self, record: Record) -> Record:
        before: Value | None = None
        match record.value_type:
            case "VARIABLE":
                before = self._variable_before(record)
            case "JOB":
                before = self._job_before(record)
            case _:
                pass  # Those of user tasks tell it themselves; of others there is nothing.
        if before is None:
            return record
        return msgspec.structs.replace(record, value={**record.value, "before": before})

    def _variable_before(self, record: Record) -> Value | None:
        value = record.value
        place = (value["scopeKey"], value["name"])
        known = self._variables.get(place)
        self._variables[place] = value["value"]
        return None if known is None else {"value": known}

    def _job_before(self, record: Record) -> Value | None:
        key = record.key or ""
        known = self._jobs.get(key)
        if record.intent in ("COMPLETED", "CANCELED"):
            self._jobs.pop(key, None)
        else:
            retries = record.value.get("retries", known["retries"] if known is not None else None)
            self._jobs[key] = {"state": record.intent, "retries": retries}
        return known

    def _lent(self, job: Value, worker: str | None) -> Value:
        known = self._jobs.get(job["jobKey"])
        retries = known["retries"] if known is not None else job.get("retries")
        self._jobs[job["jobKey"]] = {"state": _LENT, "retries": retries, "worker": worker}
        return job if known is None else {**job, "before": known}
