"""Timers that start processes."""

import pytest

from tests.differential.comparison import Comparison
from tests.differential.models import END, path, process, start, sub_process, task, timer
from tests.differential.play import Play


def starting(definition: str, *, job_type: str = "a") -> bytes:
    begin = f'<startEvent id="begin">{definition}</startEvent>'
    return process(begin + task("a", job_type) + END + path("begin", "a", "end"))


@pytest.mark.representative
@pytest.mark.parametrize(
    ("definition", "times"),
    [
        (timer("timeDuration", "PT0.2S"), 1),
        (timer("timeDate", "2020-01-01T00:00:00Z"), 1),
        (timer("timeCycle", "R3/PT0.1S"), 3),
        (timer("timeCycle", "=cycle(2, duration(&quot;PT0.1S&quot;))"), 2),
        (timer("timeCycle", "R1/2020-01-01T00:00:00Z/PT0.1S"), 1),
    ],
)
async def test_a_timer_starts_instances(compare: Comparison, definition: str, times: int) -> None:
    async def script(play: Play) -> None:
        instances = await play.started(times)
        for _ in range(times):
            await play.work("a")
        for instance in instances:
            await play.ends(instance)
        await play.none("a")

    await compare(script, starting(definition))


async def test_a_cron_expression_starts_instances(compare: Comparison) -> None:
    """The next version ends it."""

    async def script(play: Play) -> None:
        await play.started()
        await play.deploy(starting(timer("timeCycle", "0 0 0 1 1 *"), job_type="b"))
        await play.work("a")
        await play.none("b")

    await compare(script, starting(timer("timeCycle", "* * * * * *")))


async def test_a_new_version_is_started_instead_of_the_one_before(compare: Comparison) -> None:
    async def script(play: Play) -> None:
        await play.deploy(starting(timer("timeDuration", "PT1S"), job_type="b"))
        await play.started()
        await play.work("b")
        await play.none("a")

    await compare(script, starting(timer("timeDuration", "PT0.8S")))


@pytest.mark.parametrize(
    "definition",
    [
        timer("timeDuration", "nonsense"),
        timer("timeDuration", "=x"),
        timer("timeDuration", "=5"),
        timer("timeCycle", "nonsense"),
        timer("timeCycle", "* * * * *"),
        timer("timeCycle", "@daily"),
        timer("timeCycle", "@Daily"),
        timer("timeCycle", "0 0 0 13W * FRI#2"),
        timer("timeDate", "2020-01-01"),
    ],
)
async def test_what_is_refused(compare: Comparison, definition: str) -> None:
    async def script(play: Play) -> None:
        await play.deploy(starting(definition))

    await compare(script)


async def test_a_timer_in_a_sub_process_is_refused(compare: Comparison) -> None:
    async def script(play: Play) -> None:
        begin = f'<startEvent id="begin">{timer("timeDuration", "PT1H")}</startEvent>'
        body = start("start") + sub_process("sub", begin) + path("start", "sub")
        await play.deploy(process(body))

    await compare(script)
