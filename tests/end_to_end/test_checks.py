"""The checks that end every run with kills and faults see what they are there for."""

import pytest

from bpmnd.bpmn.events import ElementCompleted, Event, JobCompleted, ProcessInstanceCreated
from tests.end_to_end.load import History, Load, check_history
from tests.end_to_end.network_faults import leaders_by_term

INSTANCE, OTHER, JOB = 100, 200, 101


def life(key: int, business_id: str = "load-1") -> list[Event]:
    """An instance that is created, works one job and ends."""
    return [
        ProcessInstanceCreated(key, 1, "<default>", (), business_id, (), 0, ()),
        JobCompleted(key + 1, key),
        ElementCompleted(key, key, 0),
    ]


def load(created: int = INSTANCE, completed: int = JOB) -> Load:
    made = Load(["http://127.0.0.1:1"], "process", "work")
    made.created.add(created)
    made.completed.add(completed)
    return made


def test_a_run_in_which_all_is_well_passes() -> None:
    check_history(load(), History(life(INSTANCE)))


@pytest.mark.parametrize(
    ("events", "says"),
    [
        (life(OTHER), "acknowledged instances are not in the log"),
        ([*life(INSTANCE)[::2]], "acknowledged completions are not in the log"),
        (life(INSTANCE)[:2], "did not come to their end"),
        ([*life(INSTANCE), *life(OTHER)], "doubled: .*load-1"),
        ([*life(INSTANCE), life(INSTANCE)[1]], "doubled: .*101"),
        ([*life(INSTANCE), life(INSTANCE)[2]], "doubled: .*100"),
    ],
    ids=["lost", "not completed", "stuck", "sent twice", "completed twice", "ended twice"],
)
def test_a_run_in_which_something_is_wrong_fails(events: list[Event], says: str) -> None:
    with pytest.raises(AssertionError, match=says):
        check_history(load(), History(events))


def test_two_leaders_of_one_term_are_seen() -> None:
    said = {
        1: "partition 1: leads in term 3 from 7 on\npartition 2: leads in term 4 from 7 on",
        2: "partition 1: leads in term 4 from 9 on\npartition 2: leads in term 4 from 8 on",
    }
    leaders = leaders_by_term(said)
    assert {term: nodes for term, nodes in leaders.items() if len(nodes) > 1} == {(2, 4): {1, 2}}
