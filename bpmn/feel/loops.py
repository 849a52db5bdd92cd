"""Closures that repeat a part: `for`, `some`, `every`, filters, and functions.

Each round is paid for by the size of its part, so that a budget of steps bounds the time of all.
"""

from collections.abc import Iterator
from typing import final

import msgspec

from bpmnd.bpmn.feel import numbers
from bpmnd.bpmn.feel.closures import Closure
from bpmnd.bpmn.feel.environment import Environment, Frame
from bpmnd.bpmn.feel.equality import order
from bpmnd.bpmn.feel.operators import element_of
from bpmnd.bpmn.feel.temporal import Date, date_of_epoch_day, epoch_day
from bpmnd.bpmn.feel.values import MISSING, Function, Range, Value, feel_type, is_number

_NODES_PER_STEP = 8


@final
class Source(msgspec.Struct, frozen=True, eq=False):
    """Where an iterator gets its values: a list, or all from `start` to `end`."""

    name: str
    start: Closure
    end: Closure | None
    nodes: int


def _cost(nodes: int) -> int:
    return 1 + nodes // _NODES_PER_STEP


def _values(environment: Environment, source: Source) -> Iterator[Value] | None:
    """The values to go through, made one by one; None if there is nothing to go through."""
    start = source.start(environment)
    if source.end is not None:
        return _counted(environment, start, source.end(environment))
    if isinstance(start, list):
        return iter(start)
    if isinstance(start, Range):
        if order(environment, start.start, start.end) == 1:
            environment.warn("A range does not go downwards")
            return None
        return _counted(environment, start.start, start.end, start.start_included, start.end_included)
    environment.warn(f"Expected list but found '{feel_type(start)}'")
    return None


def _counted(
    environment: Environment, start: Value, end: Value, with_start: bool = True, with_end: bool = True
) -> Iterator[Value] | None:
    """Numbers or days from one to another, by one, upwards or downwards."""
    if is_number(start) and is_number(end):
        if isinstance(start, int):
            last = int(end)  # What lies behind the point is beyond the last one, in both directions.
            return iter(_span(start, last, with_start, with_end or end != last))
        distance = numbers.subtract(end, start)
        steps = _span(0, int(distance or 0), with_start, with_end or distance != int(distance or 0))
        return (numbers.add(start, step) for step in steps)
    if isinstance(start, Date) and isinstance(end, Date):
        days = _span(epoch_day(start), epoch_day(end), with_start, with_end)
        return (date_of_epoch_day(day) for day in days)
    environment.warn(f"Can't go from '{feel_type(start)}' to '{feel_type(end)}'")
    return None


def _span(start: int, end: int, with_start: bool, with_end: bool) -> range:
    step = 1 if start <= end else -1
    return range(start if with_start else start + step, end + step if with_end else end, step)


def _rounds(environment: Environment, sources: list[Source], frame: Frame) -> Iterator[bool]:
    """Set the iterators' names in the frame, round by round; False, and the end, where one has no list.

    The stack of open sources stands for loops within each other, so that many iterators are not deep.
    """
    open_sources: list[Iterator[Value]] = []
    last = len(sources) - 1
    environment.frame = frame
    first = _values(environment, sources[0])
    if first is None:
        yield False
        return
    open_sources.append(first)
    while open_sources:
        depth = len(open_sources) - 1
        value = next(open_sources[depth], MISSING)
        if value is MISSING:
            open_sources.pop()
            frame.values.pop(sources[depth].name, None)
            continue
        frame.values[sources[depth].name] = value
        if depth == last:
            yield True
            continue
        environment.charge(_cost(sources[depth + 1].nodes))
        environment.frame = frame
        inner = _values(environment, sources[depth + 1])
        if inner is None:
            yield False
            return
        open_sources.append(inner)


def for_each(sources: list[Source], result: Closure, nodes: int, with_partial: bool) -> Closure:
    """`for`: null if any iterator has no list to go through."""
    cost = _cost(nodes)

    def loop(environment: Environment) -> Value:
        outer = environment.frame
        results: list[Value] = []
        names: dict[str, Value] = {}
        for fine in _rounds(environment, sources, Frame(names, outer)):
            if not fine:
                environment.frame = outer
                return None
            environment.charge(cost)
            # A function made in this round, or what a round does with `partial`, keeps what it was then.
            values = names.copy()
            if with_partial:
                environment.charge_text(len(results))
                values["partial"] = results.copy()
            environment.frame = Frame(values, outer)
            results.append(result(environment))
        environment.frame = outer
        return results

    return loop


def quantified(sources: list[Source], condition: Closure, nodes: int, every: bool) -> Closure:
    """`some` and `every`: decided by the first clear answer, else null if any had none."""
    cost = _cost(nodes)

    def loop(environment: Environment) -> Value:
        outer = environment.frame
        unknown = False
        decided = False
        names: dict[str, Value] = {}
        for fine in _rounds(environment, sources, Frame(names, outer)):
            if not fine:
                unknown = True
                break
            environment.charge(cost)
            environment.frame = Frame(names.copy(), outer)
            value = condition(environment)
            if value is not every and isinstance(value, bool):
                decided = True
                break
            unknown = unknown or value is not every
        environment.frame = outer
        if decided:
            return not every
        return None if unknown else every

    return loop


def filtered(source: Closure, condition: Closure, nodes: int, *, is_boxed: bool = False) -> Closure:
    """The elements for which a condition is true, or the one whose position the condition yields.

    A boxed filter is null if the condition yields something else.
    """
    cost = _cost(nodes)

    def select(environment: Environment) -> Value:
        values = source(environment)
        if not isinstance(values, list):
            environment.warn(f"Expected List but found '{feel_type(values)}'")
            return None
        outer = environment.frame
        selected: list[Value] = []
        for value in values:
            environment.charge(cost)
            frame = Frame({"item": value}, outer)
            # An element's own entries come first, an entry called `item` too.
            environment.frame = Frame(value, frame) if isinstance(value, dict) else frame
            answer = condition(environment)
            if answer is True:
                selected.append(value)
            elif is_number(answer):
                environment.frame = outer
                return element_of(environment, values, int(answer))
            elif is_boxed and answer is not None and answer is not False:
                environment.frame = outer
                environment.warn(f"Expected Boolean but found '{feel_type(answer)}'")
                return None
        environment.frame = outer
        return selected

    return select


def function_of(parameters: tuple[str, ...], body: Closure, nodes: int) -> Closure:
    """A function that knows the names around the place where it was made."""
    cost = _cost(nodes)

    def make(environment: Environment) -> Value:
        made_in = environment.frame

        def call(arguments: list[Value]) -> Value:
            environment.charge(cost)
            environment.deeper()
            outer = environment.frame
            environment.frame = Frame(dict(zip(parameters, arguments, strict=True)), made_in)
            value = body(environment)
            environment.frame = outer
            environment.nesting -= 1
            return value

        return Function(parameters, call)

    return make
