"""When a replica that has found damage lets another lead, and when it is set aside."""

from pathlib import Path

import pytest

from bpmnd.actors.hidden_damage import HiddenDamage
from bpmnd.storage.errors import DamageError

VOTERS = (1, 2, 3)
DAMAGE = DamageError("body", Path("log"), 5, 218, "the checksum is wrong")


@pytest.fixture
def hidden() -> HiddenDamage:
    """On member 1, at 0 seconds."""
    made = HiddenDamage("partition 1", 1)
    made.found(DAMAGE, 0.0, is_alone=False)
    return made


def test_a_leader_hands_over_to_the_only_one_that_is_well(hidden: HiddenDamage) -> None:
    """The third may wait for a copy of the state, which a damaged log cannot give it."""
    hidden.heard(2, 4.0)
    assert hidden.is_in_the_way(5.0, VOTERS, leads=True)


def test_who_does_not_lead_is_not_set_aside_while_only_one_is_well(hidden: HiddenDamage) -> None:
    hidden.heard(2, 4.0)
    assert not hidden.is_in_the_way(5.0, VOTERS, leads=False)


def test_a_leader_that_nobody_can_follow_goes_on(hidden: HiddenDamage) -> None:
    assert not hidden.is_in_the_way(5.0, VOTERS, leads=True)


def test_it_is_set_aside_when_the_others_are_well(hidden: HiddenDamage) -> None:
    hidden.heard(2, 4.0)
    hidden.heard(3, 4.0)
    with pytest.raises(DamageError):
        hidden.is_in_the_way(5.0, VOTERS, leads=False)
