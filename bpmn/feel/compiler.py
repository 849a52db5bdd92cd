"""A tree to closures. Each takes the environment and yields a value.

What can be known from the text alone is decided here, once: which name is a local one, which function is
meant, which operands are constant.
"""

from collections.abc import Iterable, Mapping
from typing import Final, final

from bpmnd.bpmn.feel import comparisons, loops, operators, testers
from bpmnd.bpmn.feel.builtins.registry import find
from bpmnd.bpmn.feel.calls import builtin_value, call_builtin, call_value, is_defined
from bpmnd.bpmn.feel.closures import Closure, Tester
from bpmnd.bpmn.feel.environment import SHORT
from bpmnd.bpmn.feel.limits import NESTING_MAX
from bpmnd.bpmn.feel.outcomes import SyntaxProblem
from bpmnd.bpmn.feel.syntax import (
    And,
    Between,
    Binary,
    Call,
    Comparison,
    ContextOf,
    Filter,
    For,
    FunctionOf,
    If,
    In,
    InstanceOf,
    Iterator,
    ListOf,
    Literal,
    Name,
    Negation,
    Or,
    Path,
    Quantified,
    RangeOf,
    Test,
    Tree,
    UnaryTests,
)
from bpmnd.bpmn.feel.types import TypeTest, is_known_type, type_test
from bpmnd.bpmn.feel.values import Range, Value

INPUT: Final = "?"
_NO_TYPES: Final[Mapping[str, TypeTest]] = {}


class TooDeep(Exception):  # noqa: N818 (a problem of the text, handed out as a value)
    """More operators within each other than the stack can take."""


def compile_tree(tree: Tree) -> tuple[Closure, frozenset[str], bool] | SyntaxProblem:
    """The closure, the names it reads from outside, and whether it may make lists or contexts."""
    compiler = _Compiler()
    try:
        closure = compiler.compile(tree)
    except (TooDeep, RecursionError):
        return SyntaxProblem("nested too deeply", 0)
    return closure, frozenset(compiler.variables), compiler.builds


def compile_part(tree: Tree, known: Iterable[str], types: Mapping[str, TypeTest]) -> Closure | SyntaxProblem:
    """The closure of an expression within something larger, whose frames have the `known` names."""
    compiler = _Compiler(known, types)
    try:
        return compiler.compile(tree)
    except (TooDeep, RecursionError):
        return SyntaxProblem("nested too deeply", 0)


def compile_part_tests(
    tree: UnaryTests, known: Iterable[str], types: Mapping[str, TypeTest]
) -> Tester | SyntaxProblem:
    """The same for unary tests, which are handed the value to be tested."""
    compiler = _Compiler(known, types)
    try:
        return compiler.tester(tree)
    except (TooDeep, RecursionError):
        return SyntaxProblem("nested too deeply", 0)


@final
class _Compiler:
    """Without `known` names all come from outside, unless the expression gives them itself."""

    def __init__(self, known: Iterable[str] | None = None, types: Mapping[str, TypeTest] = _NO_TYPES) -> None:
        self.variables: set[str] = set()
        self.builds = False
        self._types = types
        self._locals: dict[str, int] = dict.fromkeys(known or (), 1)
        # Within something larger as within a filter, a frame may have names that nobody can know here.
        self._filters = 0 if known is None else 1
        self._depth = 0
        self._nodes = 0
        self._partials = 0

    def compile(self, tree: Tree) -> Closure:
        self._depth += 1
        self._nodes += 1
        if self._depth > NESTING_MAX:
            raise TooDeep
        closure = self._closure(tree)
        self._depth -= 1
        return closure

    def _closure(self, tree: Tree) -> Closure:
        match tree:
            case Literal(value):
                return operators.constant(value)
            case Name(name):
                return self._name(name)
            case Comparison():
                return self._comparison(tree)
            case And(operands):
                return operators.conjunction([self.compile(operand) for operand in operands])
            case Or(operands):
                return operators.disjunction([self.compile(operand) for operand in operands])
            case Path(source, name):
                return operators.path(self.compile(source), name)
            case Call():
                return self._call(tree)
            case Binary():
                return self._binary(tree)
            case Filter():
                return self._filter(tree)
            case If(condition, then, otherwise):
                return operators.choice(self.compile(condition), self.compile(then), self.compile(otherwise))
            case ListOf(items):
                self.builds = True
                return operators.list_of([self.compile(item) for item in items])
            case ContextOf():
                return self._context(tree)
            case Negation(operand):
                return operators.negation(self.compile(operand))
            case For():
                return self._for(tree)
            case Quantified():
                return self._quantified(tree)
            case Between(value, low, high):
                return comparisons.between(self.compile(value), self.compile(low), self.compile(high))
            case In(value, tests):
                return testers.member(self.compile(value), [self._test(test) for test in tests])
            case InstanceOf(value, kind):
                test = type_test(kind, self._types) if is_known_type(kind, self._types) else None
                return operators.instance_of(self.compile(value), test)
            case RangeOf():
                return self._range(tree)
            case Test(operator, operand):
                return comparisons.compared(operator, operators.variable(INPUT), self.compile(operand))
            case FunctionOf():
                return self._function(tree)
            case UnaryTests():
                return self._unary_tests(tree)

    # -- names

    def _name(self, name: str) -> Closure:
        if self._is_local(name):
            self._partials += name == "partial"
            return operators.local(name)
        self.variables.add(name)
        if (candidates := find(name)) is not None:
            return builtin_value(name, candidates)
        # A filter's element may have an entry of that name, and only then shall it be known.
        return operators.local(name) if self._filters else operators.variable(name)

    def _outer_name(self, tree: Tree) -> str | None:
        """The variable that a part is, if it can only come from outside."""
        if not isinstance(tree, Name) or self._filters or self._is_local(tree.name):
            return None
        return tree.name if find(tree.name) is None else None

    def _is_local(self, name: str) -> bool:
        return self._locals.get(name, 0) > 0

    def _within(self, names: tuple[str, ...], tree: Tree) -> tuple[Closure, int]:
        """A part in which some names are local, and how many nodes it has."""
        nodes = self._nodes
        for name in names:
            self._locals[name] = self._locals.get(name, 0) + 1
        closure = self.compile(tree)
        for name in names:
            self._locals[name] -= 1
        return closure, self._nodes - nodes

    # -- operators

    def _comparison(self, tree: Comparison) -> Closure:
        left, name = self.compile(tree.left), self._outer_name(tree.left)
        match tree.right:
            case Literal(int() as number) if not isinstance(number, bool):
                if name is not None:
                    return comparisons.variable_to_whole(tree.operator, name, number)
                return comparisons.compared_to_whole(tree.operator, left, number)
            case Literal(str() as text) if tree.operator == "=" and len(text) <= SHORT:
                if name is not None:
                    return comparisons.variable_equal_to_text(name, text)
                return comparisons.equal_to_text(left, text)
            case _:
                pass
        return comparisons.compared(tree.operator, left, self.compile(tree.right))

    def _binary(self, tree: Binary) -> Closure:
        return operators.binary(tree.operator, self.compile(tree.left), self.compile(tree.right))

    def _range(self, tree: RangeOf) -> Closure:
        start = None if tree.start is None else self.compile(tree.start)
        end = None if tree.end is None else self.compile(tree.end)
        return operators.range_of(start, end, tree.start_included, tree.end_included)

    def _context(self, tree: ContextOf) -> Closure:
        self.builds = True
        entries: list[tuple[str, Closure]] = []
        for key, value in tree.entries:
            # A function may call itself, anything else sees the entries before it.
            names = (key,) if isinstance(value, FunctionOf) else ()
            entries.append((key, self._within(names, value)[0]))
            self._locals[key] = self._locals.get(key, 0) + 1
        for key, _ in tree.entries:
            self._locals[key] -= 1
        return operators.context_of(entries)

    # -- calls

    def _call(self, tree: Call) -> Closure:
        self.builds = True
        function = tree.function
        if isinstance(function, Name) and not self._is_local(function.name):
            if function.name == "is defined" and len(tree.arguments) == 1:
                return is_defined(self.compile(tree.arguments[0]))
            if (candidates := find(function.name)) is not None:
                arguments = [self.compile(argument) for argument in tree.arguments]
                return call_builtin(function.name, candidates, arguments, tree.names)
        shown = function.name if isinstance(function, Name) else "function"
        target = self.compile(function)
        return call_value(shown, target, [self.compile(argument) for argument in tree.arguments], tree.names)

    def _function(self, tree: FunctionOf) -> Closure:
        body, nodes = self._within(tree.parameters, tree.body)
        return loops.function_of(tree.parameters, body, nodes)

    # -- loops

    def _filter(self, tree: Filter) -> Closure:
        source = self.compile(tree.source)
        match tree.condition:
            case Literal(int() as index) if not isinstance(index, bool):
                return operators.element(source, index)
            case _:
                pass
        self.builds = True
        self._filters += 1
        condition, nodes = self._within(("item",), tree.condition)
        self._filters -= 1
        return loops.filtered(source, condition, nodes)

    def _iterators(self, iterators: tuple[Iterator, ...]) -> list[loops.Source]:
        """Each iterator sees those before it, and stays known until `_leave`."""
        sources: list[loops.Source] = []
        for iterator in iterators:
            nodes = self._nodes
            source = self.compile(iterator.source)
            end = None if iterator.end is None else self.compile(iterator.end)
            sources.append(loops.Source(iterator.name, source, end, self._nodes - nodes))
            self._locals[iterator.name] = self._locals.get(iterator.name, 0) + 1
        return sources

    def _leave(self, iterators: tuple[Iterator, ...]) -> None:
        for iterator in iterators:
            self._locals[iterator.name] -= 1

    def _for(self, tree: For) -> Closure:
        self.builds = True
        sources = self._iterators(tree.iterators)
        partials, self._partials = self._partials, 0
        result, nodes = self._within(("partial",), tree.result)
        with_partial, self._partials = self._partials > 0, partials
        self._leave(tree.iterators)
        return loops.for_each(sources, result, nodes, with_partial)

    def _quantified(self, tree: Quantified) -> Closure:
        sources = self._iterators(tree.iterators)
        condition, nodes = self._within((), tree.condition)
        self._leave(tree.iterators)
        return loops.quantified(sources, condition, nodes, tree.every)

    # -- tests

    def _test(self, tree: Tree) -> Tester:
        """What answers whether a value passes a test."""
        if isinstance(tree, Test):
            return testers.equality_test(tree.operator, self.compile(tree.operand))
        if isinstance(tree, RangeOf):
            interval = _whole_range(tree)
            if interval is not None:
                return testers.whole_range_test(interval)
            return testers.range_test(self._range(tree))
        if isinstance(tree, Literal):
            if isinstance(tree.value, str) and len(tree.value) <= SHORT:
                return testers.text_test(tree.value)
            return testers.equality_test("=", self.compile(tree))
        asks_input = INPUT in self.variables
        self.variables.discard(INPUT)
        test, _ = self._within((), tree)
        asks, self.variables = INPUT in self.variables, self.variables | ({INPUT} if asks_input else set())
        return testers.own_test(test) if asks else testers.value_test(test)

    def tester(self, tree: UnaryTests) -> Tester:
        return testers.all_tests([self._test(test) for test in tree.tests], tree.negated)

    def _unary_tests(self, tree: UnaryTests) -> Closure:
        tests = [self._test(test) for test in tree.tests]
        self.variables.add(INPUT)
        return testers.unary_tests(operators.variable(INPUT), tests, tree.negated)


def _whole_range(tree: RangeOf) -> Range | None:
    """The range, if all of it is written out in whole numbers."""
    ends: list[Value] = []
    for end in (tree.start, tree.end):
        if end is None:
            ends.append(None)
        elif isinstance(end, Literal) and type(end.value) is int:
            ends.append(end.value)
        else:
            return None
    return Range(ends[0], ends[1], tree.start_included, tree.end_included)
