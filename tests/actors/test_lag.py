"""How far a process beside the node is behind: the age of the oldest entry that it lacks."""

from bpmnd.actors.beside.lag import Lag


def test_the_age_is_that_of_the_oldest_entry_that_is_missing() -> None:
    lag = Lag()
    lag.tell(5, now=10)
    lag.tell(9, now=12)
    assert (lag.entries, lag.seconds(now=13)) == (9, 3)

    lag.reach(4, now=13)
    assert lag.seconds(now=13) == 3, "the fifth is missing still"
    lag.reach(5, now=13)
    assert (lag.entries, lag.seconds(now=13)) == (4, 1)
    lag.reach(9, now=13)
    assert (lag.entries, lag.seconds(now=20)) == (0, 0)


def test_who_is_always_a_little_behind_is_not_long_behind() -> None:
    lag = Lag()
    for moment in range(100):
        lag.tell(10 * moment + 10, now=moment)
        lag.reach(10 * moment + 5, now=moment)
    assert (lag.entries, lag.seconds(now=100)) == (5, 1)


def test_a_long_backlog_is_never_younger_than_its_oldest_entry() -> None:
    lag = Lag()
    count = 100_000
    for index in range(1, count + 1):
        lag.tell(index, now=index)

    for done in (0, 1, count // 2, count - 100, count - 1):
        lag.reach(done, now=count)
        oldest = count - (done + 1)
        assert oldest <= lag.seconds(now=count) <= oldest + count / 100 + 1, done


def test_what_is_made_anew_is_behind_from_then_on() -> None:
    lag = Lag()
    lag.tell(5, now=1)
    lag.reach(5, now=2)
    lag.reach(0, now=100)
    assert (lag.entries, lag.seconds(now=103)) == (5, 3)
