"""What the cases of the DMN TCK come to: a table by compliance level, and those that differ."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, final

from tests.dmn_tck.cases import LEVELS, Case

# Why a case differs, by the beginning of its id. docs/dmn-tck.md says the same in more words.
DIFFERENT: Final = {
    "0050-feel-abs-function/007": "abs takes its argument as 'number' too, as Camunda's does",
    "1111-feel-matches-function/K2-MatchesFunc-17": "RE2 has no back references",
    "0019-flight-rebooking/001": "expects an empty string for an element that is not there",
}
# Their input is a date that the model gives no type: in JSON it is a string.
NOT_IN_JSON: Final = (
    "0095-feel-day-of-year-function/date_005",
    "0095-feel-day-of-year-function/datetime_004",
    "0096-feel-day-of-week-function/date_001",
    "0096-feel-day-of-week-function/datetime_001",
    "0098-feel-week-of-year-function/date_006",
    "0098-feel-week-of-year-function/datetime_004",
)


def is_expressible(case: Case) -> bool:
    """Whether the REST API can ask for it: it evaluates decisions, and has no dates but strings."""
    return case.is_decision and not case.id.startswith(NOT_IN_JSON)


@final
@dataclass(frozen=True, slots=True)
class Report:
    """Cases with whether they agree, and what came instead."""

    outcomes: list[tuple[Case, bool, str]]

    def share(self, *, of_null: bool = True) -> float:
        """How much agrees, of all or of those whose expected answer is not null."""
        counted = [agreed for case, agreed, _ in self.outcomes if of_null or case.expected is not None]
        return sum(counted) / len(counted)

    def wrong(self) -> list[tuple[Case, str]]:
        return [(case, shown) for case, agreed, shown in self.outcomes if not agreed]

    def table(self) -> str:
        lines = ["| cases | agree | of | share | answer not null: agree | of | share |", f"|{'---|' * 7}"]
        for level in (*LEVELS, "all"):
            every = [one for one in self.outcomes if level in (one[0].level, "all")]
            lines.append(
                f"| {level} | {_figures(every)} | {_figures([one for one in every if _says(one[0])])} |"
            )
        return "\n".join(lines)


def report_of(cases: Iterable[Case], outcome: Callable[[Case], tuple[bool, str]]) -> Report:
    return Report([(case, *outcome(case)) for case in cases if is_expressible(case)])


def _says(case: Case) -> bool:
    return case.expected is not None


def _figures(outcomes: list[tuple[Case, bool, str]]) -> str:
    agreed = sum(one[1] for one in outcomes)
    return f"{agreed:,} | {len(outcomes):,} | {agreed / max(len(outcomes), 1):.2%}"
