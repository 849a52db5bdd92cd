"""Scopes and mappings."""

from typing import Any

import pytest

from tests.differential.comparison import Comparison
from tests.differential.models import END, START, end, fork, path, process, start, sub_process, task
from tests.differential.play import Play

INCIDENT = "IO_MAPPING_ERROR"


def two_tasks(
    inputs: dict[str, str] | None = None, outputs: dict[str, str] | None = None, *, after: str = "b"
) -> bytes:
    """A task with mappings, and one after it which shows what is left."""
    return process(
        START + task("a", inputs=inputs, outputs=outputs) + task(after) + path("start", "a", after)
    )


async def works_both(
    compare: Comparison, model: bytes, variables: dict[str, Any], result: dict[str, Any]
) -> None:
    async def script(play: Play) -> None:
        instance = await play.create(variables)
        await play.work("a", result)
        await play.work("b")
        await play.ends(instance)

    await compare(script, model)


async def test_results_go_to_the_process_without_output_mappings(compare: Comparison) -> None:
    await works_both(compare, two_tasks(), {"x": 1, "y": 1}, {"x": 2, "z": 3, "y": 1})


@pytest.mark.representative
async def test_results_for_inputs_stay_in_the_task(compare: Comparison) -> None:
    await works_both(compare, two_tasks({"x": "=y"}), {"y": 7}, {"x": 2, "y": 8, "z": 3})


async def test_inputs_see_those_before_them(compare: Comparison) -> None:
    await works_both(compare, two_tasks({"x": "=y + 1", "z": "=x * 2", "y": "=z"}), {"y": 7}, {})


async def test_sources_without_an_equals_sign_are_texts(compare: Comparison) -> None:
    await works_both(compare, two_tasks({"x": "plain", "n": "5", "b": "true", "s": " = y"}), {"y": 7}, {})


async def test_inputs_to_nested_targets(compare: Comparison) -> None:
    inputs = {"order.id": "=id", "order.customer.name": '="A" + "B"', "order.lines": "=[1, id]"}
    await works_both(compare, two_tasks(inputs), {"id": 7, "order": {"old": True}}, {})


async def test_a_nested_input_over_a_value_that_is_no_context(compare: Comparison) -> None:
    await works_both(compare, two_tasks({"x": "=1", "x.y": "=2"}), {}, {})


async def test_an_input_over_a_nested_one(compare: Comparison) -> None:
    await works_both(compare, two_tasks({"x.y": "=2", "x": "=x.y + 1"}), {}, {})


async def test_inputs_of_missing_variables_are_null(compare: Comparison) -> None:
    await works_both(compare, two_tasks({"x": "=none", "y": "=none.of.it", "z": "=none + 1"}), {}, {})


async def test_outputs_choose_what_goes_on(compare: Comparison) -> None:
    outputs = {"total": "=price * 2", "local": "=x"}
    await works_both(compare, two_tasks({"x": "=1"}, outputs), {"price": 1}, {"price": 21, "noise": 1})


async def test_outputs_to_nested_targets_keep_the_rest(compare: Comparison) -> None:
    outputs = {"order.paid": "=done", "order.by.whom": "=worker", "other.new": "=1"}
    model = two_tasks(outputs=outputs)
    await works_both(compare, model, {"order": {"id": 7, "by": {"when": 1}}}, {"done": True, "worker": "w"})


async def test_a_nested_output_over_a_value_that_is_no_context(compare: Comparison) -> None:
    await works_both(compare, two_tasks(outputs={"order.paid": "=done"}), {"order": 5}, {"done": True})


async def test_a_nested_output_under_a_null(compare: Comparison) -> None:
    await works_both(compare, two_tasks(outputs={"order.paid": "=done"}), {"order": None}, {"done": True})


async def test_a_nested_output_beside_an_input_of_that_name(compare: Comparison) -> None:
    """Whose other entries are kept: those of the task, or those of the process?"""
    model = two_tasks({"order": "={local: 1}"}, {"order.paid": "=done"})
    await works_both(compare, model, {"order": {"id": 7}}, {"done": True})


async def test_nested_outputs_one_after_another(compare: Comparison) -> None:
    outputs = {"o.a": "=1", "o.b": "=o.a", "o.c.d": "=o", "copy": "=o"}
    await works_both(compare, two_tasks(outputs=outputs), {"o": {"a": 0, "z": 9}}, {})


async def test_outputs_of_what_the_worker_did_not_give(compare: Comparison) -> None:
    await works_both(compare, two_tasks(outputs={"x": "=none", "y": "=none.of.it"}), {"x": 1}, {"z": 1})


async def test_outputs_with_no_result_at_all(compare: Comparison) -> None:
    await works_both(compare, two_tasks(outputs={"x": "=y"}), {"y": 5}, {})


async def test_an_output_sees_those_before_it(compare: Comparison) -> None:
    await works_both(compare, two_tasks(outputs={"x": "=r + 1", "y": "=x"}), {"x": 0}, {"r": 5})


SCOPES = process(
    START
    + sub_process(
        "sub",
        start("s") + task("a", inputs={"own": "=1"}) + task("b") + path("s", "a", "b"),
        inputs={"inner": "=outer + 1", "kept": "={a: 1}"},
        outputs={"outer": "=inner", "given": "=result"},
    )
    + task("c")
    + path("start", "sub", "c")
)


@pytest.mark.representative
async def test_variables_go_to_the_nearest_scope_that_has_them(compare: Comparison) -> None:
    async def script(play: Play) -> None:
        instance = await play.create({"outer": 1, "seen": True})
        await play.work("a", {"own": 2, "inner": 5, "outer": 6, "result": "r", "kept": None})
        await play.work("b", {"own": 3})
        await play.work("c")
        await play.ends(instance)

    await compare(script, SCOPES)


@pytest.mark.parametrize("local", [True, False])
async def test_variables_are_set_in_a_scope_or_from_it_upwards(compare: Comparison, local: bool) -> None:
    async def script(play: Play) -> None:
        instance = await play.create({"outer": 1})
        (job,) = await play.activate("a")
        sub = await play.happens("sub", "ELEMENT_ACTIVATED")
        await play.set_variables(
            job.element_instance, {"own": 7, "inner": 8, "outer": 9, "new": 1}, local=local
        )
        await play.set_variables(sub, {"inner": 80, "outer": 90, "newer": 2, "own": 3}, local=local)
        await play.set_variables(instance, {"outer": 91, "newest": 3}, local=local)
        await play.set_variables(instance, {"outer": 91}, local=local)
        await play.complete(job)
        await play.work("b")
        await play.work("c")
        await play.ends(instance)

    await compare(script, SCOPES)


async def test_variables_cannot_be_set_where_there_is_nothing_any_more(compare: Comparison) -> None:
    async def script(play: Play) -> None:
        instance = await play.create({"outer": 1})
        job = await play.work("a")
        await play.set_variables(job.element_instance, {"x": 1})
        await play.cancel(instance)
        await play.ends(instance, "terminated")
        await play.set_variables(instance, {"x": 1})

    await compare(script, SCOPES)


async def test_a_sub_process_without_outputs_shares_what_it_makes(compare: Comparison) -> None:
    inner = start("s") + task("a") + path("s", "a")
    model = process(
        START + sub_process("sub", inner, inputs={"x": "=0"}) + task("b") + path("start", "sub", "b")
    )
    await works_both(compare, model, {"y": 1}, {"x": 2, "y": 3, "z": 4})


async def test_mappings_of_events(compare: Comparison) -> None:
    extensions = (
        "<extensionElements><zeebe:ioMapping>"
        '<zeebe:output source="=x + 1" target="y"/></zeebe:ioMapping></extensionElements>'
    )
    model = process(
        f'<startEvent id="start">{extensions}</startEvent>' + task("a") + task("b") + path("start", "a", "b")
    )
    await works_both(compare, model, {"x": 1}, {})


async def test_branches_see_each_others_results(compare: Comparison) -> None:
    model = process(
        START + fork("fork") + task("a") + task("b") + path("start", "fork", "a") + path("fork", "b")
    )
    await works_both(compare, model, {"n": 1}, {"n": 2})


async def test_a_worker_gets_only_the_variables_it_asks_for(compare: Comparison) -> None:
    async def script(play: Play) -> None:
        await play.create({"outer": 1, "x": 2, "y": 3})
        (job,) = await play.activate("a", fetchVariable=["outer", "own", "kept", "none"])
        await play.complete(job)

    await compare(script, SCOPES)


@pytest.mark.parametrize(
    "source",
    [
        "=assert(none, none != null)",
        "={a: b.c}",
        "=1 / 0",
        '=date("nonsense")',
        "=unknown(1)",
        '=x["a"]',
        "=[1,2][5]",
        "=-text",
        '=number("abc")',
        "=if text then 1 else 2",
        "=some i in xs satisfies i",
        "={}",
        "=string length(5)",
    ],
)
async def test_what_cannot_be_computed_for_an_input(compare: Comparison, source: str) -> None:
    async def script(play: Play) -> None:
        instance = await play.create({"x": 1, "text": "t", "xs": [1]})
        jobs = await play.activate_if_any("a")
        if not jobs:
            await play.incident(instance, INCIDENT)

    await compare(script, process(START + task("a", inputs={"v": source}) + END + path("start", "a", "end")))


async def test_outputs_of_a_sub_process_that_fail_are_tried_again(compare: Comparison) -> None:
    inner = start("s") + task("a") + end("e") + path("s", "a", "e")
    model = process(
        START
        + sub_process("sub", inner, outputs={"x": "=assert(y, y != null)"})
        + task("b")
        + path("start", "sub", "b")
    )

    async def script(play: Play) -> None:
        instance = await play.create()
        await play.work("a")
        incident = await play.incident(instance, INCIDENT)
        await play.resolve(incident)
        incident = await play.incident(instance, INCIDENT)
        await play.set_variables(instance, {"y": 1})
        await play.resolve(incident)
        await play.work("b")
        await play.ends(instance)

    await compare(script, model)


async def test_inputs_that_fail_are_tried_again(compare: Comparison) -> None:
    model = two_tasks({"x": "=1", "y": "=assert(z, z != null)"})

    async def script(play: Play) -> None:
        instance = await play.create()
        incident = await play.incident(instance, INCIDENT)
        await play.none("a")
        await play.resolve(incident)
        second = await play.incident(instance, INCIDENT)
        await play.resolve(incident)
        await play.set_variables(instance, {"z": 1})
        await play.resolve(second)
        await play.work("a")
        await play.work("b")
        await play.ends(instance)

    await compare(script, model)


async def test_outputs_of_a_job_that_fail_are_tried_again(compare: Comparison) -> None:
    model = two_tasks(outputs={"y": "=assert(z, z != null)"})

    async def script(play: Play) -> None:
        instance = await play.create({"z": None})
        job = await play.work("a", {"r": 1})
        incident = await play.incident(instance, INCIDENT)
        await play.complete(job)
        await play.set_variables(job.element_instance, {"z": 1}, local=True)
        await play.resolve(incident)
        await play.work("b")
        await play.ends(instance)

    await compare(script, model)
