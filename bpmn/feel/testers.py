"""Closures for unary tests and for `in`."""

from bpmnd.bpmn.feel.closures import Closure, Tester
from bpmnd.bpmn.feel.comparisons import compare
from bpmnd.bpmn.feel.environment import Environment, Frame
from bpmnd.bpmn.feel.equality import contains, equal, in_range
from bpmnd.bpmn.feel.values import Range, Value


def equality_test(sign: str, operand: Closure) -> Tester:
    return lambda environment, subject: compare(environment, sign, subject, operand(environment))


def value_test(operand: Closure) -> Tester:
    """A test by what an expression yields: a range or a list to be in, or a value to equal.

    True passes as well, whatever the input is; by the standard only for what is no boolean itself.
    """

    def test(environment: Environment, subject: Value) -> bool | None:
        wanted = operand(environment)
        if wanted is True and not environment.is_standard:
            return True
        return passes(environment, subject, wanted)

    return test


def passes(environment: Environment, subject: Value, wanted: Value) -> bool | None:
    if isinstance(wanted, Range):
        return in_range(environment, subject, wanted)
    if isinstance(wanted, bool) and not isinstance(subject, bool):
        return wanted
    if isinstance(wanted, list):
        if isinstance(subject, list) and equal(environment, subject, wanted):
            return True
        if contains(environment, wanted, subject):
            return True
        environment.charge(len(wanted))
        return any(isinstance(one, Range) and in_range(environment, subject, one) for one in wanted)
    return equal(environment, subject, wanted)


def range_test(operand: Closure) -> Tester:
    """A test by a range; one that cannot be, like `[null..1]`, has no answer."""

    def test(environment: Environment, subject: Value) -> bool | None:
        interval = operand(environment)
        return in_range(environment, subject, interval) if isinstance(interval, Range) else None

    return test


def whole_range_test(interval: Range) -> Tester:
    """A test by a range whose ends are known and whole. Whole inputs never go through decimals."""
    low, high = interval.start, interval.end
    assert low is None or type(low) is int, f"{interval} begins with no whole number"
    assert high is None or type(high) is int, f"{interval} ends with no whole number"
    first = None if low is None else low if interval.start_included else low + 1
    last = None if high is None else high if interval.end_included else high - 1

    def test(environment: Environment, subject: Value) -> bool | None:
        if type(subject) is not int:
            return in_range(environment, subject, interval)
        return (first is None or first <= subject) and (last is None or subject <= last)

    return test


def text_test(text: str) -> Tester:
    """A test by a short text, `"open"`."""

    def test(environment: Environment, subject: Value) -> bool | None:
        return subject == text if type(subject) is str else equal(environment, subject, text)

    return test


def own_test(operand: Closure) -> Tester:
    """A test that names its input as `?`, and so answers by itself; only true and false are answers."""

    def test(environment: Environment, subject: Value) -> bool | None:
        outer = environment.frame
        environment.frame = Frame({"?": subject}, outer)
        value = operand(environment)
        environment.frame = outer
        return value if isinstance(value, bool) else None

    return test


def member(value: Closure, tests: list[Tester]) -> Closure:
    return lambda environment: any_passes(environment, value(environment), tests)


def unary_tests(value: Closure, tests: list[Tester], negated: bool) -> Closure:
    test = all_tests(tests, negated)
    return lambda environment: test(environment, value(environment))


def all_tests(tests: list[Tester], negated: bool) -> Tester:
    """One test of many, of which one must pass. No test at all, which is `-`, holds always."""
    if len(tests) == 1 and not negated:
        return tests[0]

    def check(environment: Environment, subject: Value) -> bool | None:
        result = any_passes(environment, subject, tests) if tests else True
        return (None if result is None else not result) if negated else result

    return check


def any_passes(environment: Environment, subject: Value, tests: list[Tester]) -> bool | None:
    unknown = False
    for test in tests:
        result = test(environment, subject)
        if result:
            return True
        unknown = unknown or result is None
    return None if unknown else False
