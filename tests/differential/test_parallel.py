"""Forks and joins: who waits for whom."""

import pytest

from tests.differential.comparison import Comparison
from tests.differential.models import (
    END,
    START,
    choice,
    end,
    flow,
    fork,
    path,
    process,
    start,
    sub_process,
    task,
)
from tests.differential.play import Play

TURN_BY_TURN = (
    "an element that never waits is activated and completed at once; Zeebe lets other branches between"
)

FORK_AND_JOIN = process(
    START
    + fork("fork")
    + fork("join")
    + task("a")
    + task("b")
    + task("after")
    + END
    + path("start", "fork", "a", "join", "after", "end")
    + path("fork", "b", "join")
)


async def test_an_exclusive_gateway_joins_nothing(compare: Comparison) -> None:
    model = process(
        START
        + fork("fork")
        + choice("merge")
        + task("a")
        + task("b")
        + task("after")
        + path("start", "fork", "a", "merge", "after")
        + path("fork", "b", "merge")
    )

    async def script(play: Play) -> None:
        instance = await play.create()
        await play.work("a")
        await play.work("after")
        await play.work("b")
        await play.work("after")
        await play.ends(instance)

    await compare(script, model)


@pytest.mark.representative
async def test_both_branches_of_a_fork_are_joined(compare: Comparison) -> None:
    async def script(play: Play) -> None:
        instance = await play.create()
        await play.work("b")
        await play.none("after")
        await play.work("a")
        await play.work("after")
        await play.ends(instance)

    await compare(script, FORK_AND_JOIN)


async def test_a_fork_whose_branches_never_wait(compare: Comparison) -> None:
    model = process(
        START
        + fork("fork")
        + fork("join")
        + '<task id="a"/><task id="b"/>'
        + END
        + path("start", "fork", "a", "join", "end")
        + path("fork", "b", "join")
    )

    async def script(play: Play) -> None:
        await play.ends(await play.create())

    await compare(script, model, concurrent=TURN_BY_TURN)


async def test_forks_within_forks(compare: Comparison) -> None:
    model = process(
        START
        + "".join(map(fork, ("outer", "inner", "inner-join", "outer-join")))
        + "".join(map(task, ("a", "b", "c", "after")))
        + END
        + path("start", "outer", "inner", "a", "inner-join", "outer-join", "after", "end")
        + path("inner", "b", "inner-join")
        + path("outer", "c", "outer-join")
    )

    async def script(play: Play) -> None:
        instance = await play.create()
        await play.work("a")
        await play.work("c")
        await play.none("after")
        await play.work("b")
        await play.work("after")
        await play.ends(instance)

    await compare(script, model)


async def test_a_join_that_lacks_a_token_waits_for_ever(compare: Comparison) -> None:
    model = process(
        START
        + choice("choice", default="choice_a")
        + fork("join")
        + task("a")
        + task("b")
        + task("after")
        + flow("start", "choice")
        + flow("choice", "a")
        + flow("choice", "b", "=false")
        + path("a", "join", "after")
        + path("b", "join")
    )

    async def script(play: Play) -> None:
        instance = await play.create()
        await play.work("a")
        await play.none("after")
        await play.cancel(instance)
        await play.ends(instance, "terminated")

    await compare(script, model)


async def test_tokens_wait_at_a_join_in_a_loop(compare: Comparison) -> None:
    """The branch of `a` goes round while that of `b` waits: two tokens on one flow of the join."""
    model = process(
        START
        + fork("fork")
        + choice("merge")
        + task("a")
        + fork("again")
        + choice("enough", default="enough_done")
        + task("b")
        + fork("join")
        + task("after")
        + end("done")
        + path("start", "fork", "merge", "a", "again", "join", "after")
        + path("again", "enough")
        + flow("enough", "done")
        + flow("enough", "merge", "=n &lt; 3")
        + path("fork", "b", "join")
    )

    async def script(play: Play) -> None:
        instance = await play.create({"n": 0})
        for number in range(1, 4):
            await play.work("a", {"n": number})
        await play.none("a", "after")
        await play.work("b")
        await play.work("after")
        await play.none("after")
        await play.cancel(instance)
        await play.ends(instance, "terminated")

    await compare(script, model)


async def test_a_join_is_used_again_in_every_round_of_a_loop(compare: Comparison) -> None:
    model = process(
        START
        + choice("merge")
        + fork("fork")
        + task("a")
        + task("b")
        + fork("join")
        + choice("enough", default="enough_end")
        + END
        + path("start", "merge", "fork", "a", "join", "enough")
        + path("fork", "b", "join")
        + flow("enough", "end")
        + flow("enough", "merge", "=n &lt; 2")
    )

    async def script(play: Play) -> None:
        instance = await play.create({"n": 0})
        for number in range(1, 3):
            await play.work("b")
            await play.work("a", {"n": number})
        await play.ends(instance)

    await compare(script, model)


async def test_a_join_takes_one_token_of_each_flow(compare: Comparison) -> None:
    """Two tokens come by one flow before the first comes by the other."""
    model = process(
        START
        + fork("fork")
        + task("a")
        + choice("merge")
        + task("b")
        + task("c")
        + fork("join")
        + task("after")
        + path("start", "fork", "a", "merge", "join", "after")
        + path("fork", "b", "merge")
        + path("fork", "c", "join")
    )

    async def script(play: Play) -> None:
        instance = await play.create()
        await play.work("a")
        await play.work("b")
        await play.none("after")
        await play.work("c")
        await play.work("after")
        await play.none("after")
        await play.cancel(instance)
        await play.ends(instance, "terminated")

    await compare(script, model)


async def test_all_tokens_of_a_scope_have_to_come_to_their_end(compare: Comparison) -> None:
    model = process(
        START
        + fork("fork")
        + task("a")
        + task("b")
        + end("end-a")
        + end("end-b")
        + path("start", "fork", "a", "end-a")
        + path("fork", "b", "end-b")
    )

    async def script(play: Play) -> None:
        instance = await play.create()
        await play.work("a")
        await play.work("b")
        await play.ends(instance)

    await compare(script, model)


async def test_a_sub_process_waits_for_all_its_branches(compare: Comparison) -> None:
    inner = start("s") + fork("f") + task("a") + task("b") + path("s", "f", "a") + path("f", "b")
    model = process(START + sub_process("sub", inner) + task("after") + path("start", "sub", "after"))

    async def script(play: Play) -> None:
        instance = await play.create()
        await play.work("b")
        await play.none("after")
        await play.work("a")
        await play.work("after")
        await play.ends(instance)

    await compare(script, model)


async def test_a_fork_into_two_sub_processes(compare: Comparison) -> None:
    model = process(
        START
        + fork("fork")
        + sub_process("one", start("s1") + task("a") + path("s1", "a"))
        + sub_process("two", start("s2") + task("b") + path("s2", "b"))
        + fork("join")
        + END
        + path("start", "fork", "one", "join", "end")
        + path("fork", "two", "join")
    )

    async def script(play: Play) -> None:
        instance = await play.create()
        await play.work("a")
        await play.work("b")
        await play.ends(instance)

    await compare(script, model, concurrent=TURN_BY_TURN)
