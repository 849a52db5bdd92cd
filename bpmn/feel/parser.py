"""Tokens to a tree, by precedence climbing (Pratt).

Precedence is Camunda's: `instance of` binds as weakly as a comparison, and a minus sign more strongly than
`**`, so that `-2 ** 2` is 4. What Camunda does not parse but DMN 1.5 has (`[1..3].start`, `1e3`,
`for i in [1..3]`, calling what an expression yields) is taken as DMN has it.
"""

import re
from decimal import Decimal
from typing import Final, final

from bpmnd.bpmn.feel.builtins.registry import BUILTIN_NAMES
from bpmnd.bpmn.feel.cursor import Unexpected
from bpmnd.bpmn.feel.limits import NESTING_MAX, TEXT_SIZE_MAX
from bpmnd.bpmn.feel.names import Names, Vocabulary, joined, names_of
from bpmnd.bpmn.feel.numbers import negate, parsed
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
    TypeName,
    UnaryTests,
)
from bpmnd.bpmn.feel.temporal_text import parse_literal
from bpmnd.bpmn.feel.tokens import END, KEYWORDS, NAME, NUMBER, STRING, TEMPORAL, Token, string_of, tokenize
from bpmnd.bpmn.feel.type_parser import TypeParser

# How strongly what follows an operand binds to it.
_OR: Final = 1
_AND: Final = 2
_COMPARISON: Final = 3
_SUM: Final = 4
_SIGN: Final = 7
_BINDING: Final = {
    "or": _OR,
    "and": _AND,
    "=": _COMPARISON,
    "!=": _COMPARISON,
    "<": _COMPARISON,
    "<=": _COMPARISON,
    ">": _COMPARISON,
    ">=": _COMPARISON,
    "in": _COMPARISON,
    "between": _COMPARISON,
    "instance": _COMPARISON,
    "+": _SUM,
    "-": _SUM,
    "*": 5,
    "/": 5,
    "**": 6,
    ".": 8,
    "[": 8,
    "(": 8,
}
_COMPARISONS: Final = frozenset(("=", "!=", "<", "<=", ">", ">="))
_CONSTANTS: Final = {"true": True, "false": False, "null": None}
# With these begins an expression; before anything else a `[` is the end of a range.
_BEGINNINGS: Final = frozenset(
    (NUMBER, STRING, TEMPORAL, NAME, "true", "false", "null", "if", "for", "some", "every", "function")
) | frozenset(("-", "(", "[", "{"))
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_PROPERTIES: Final = Names(("time offset", "start included", "end included"))
_NO_NAMES: Final[frozenset[str]] = frozenset()


def parse_expression(
    text: str, names: frozenset[str] = _NO_NAMES, words: Vocabulary | None = None
) -> Tree | SyntaxProblem:
    """`names` of several words are known as such, and those of the `words` of a model."""
    return _parse(text, names, words, unary=False)


def parse_unary_tests(
    text: str, names: frozenset[str] = _NO_NAMES, words: Vocabulary | None = None
) -> UnaryTests | SyntaxProblem:
    tree = _parse(text, names, words, unary=True)
    assert isinstance(tree, UnaryTests | SyntaxProblem), f"unary tests became {tree}"
    return tree


def _parse(
    text: str, names: frozenset[str], words: Vocabulary | None, *, unary: bool
) -> Tree | SyntaxProblem:
    if len(text) > TEXT_SIZE_MAX:
        return SyntaxProblem(f"longer than {TEXT_SIZE_MAX} characters", TEXT_SIZE_MAX)
    if not text.isascii() and (half := _SURROGATE.search(text)):
        return SyntaxProblem("half a character", half.start())
    tokens = tokenize(text)
    if isinstance(tokens, SyntaxProblem):
        return tokens
    parser = _Parser(tokens, names_of(names) if names else None, words)
    try:
        return parser.unary_tests() if unary else parser.whole()
    except Unexpected as unexpected:
        return unexpected.problem
    except RecursionError:  # The caller stood deep in the stack already.
        return SyntaxProblem("nested too deeply", 0)


@final
class _Parser(TypeParser):
    __slots__ = ("_entries", "_known", "_own", "_properties")

    def __init__(self, tokens: list[Token], known: Names | None, words: Vocabulary | None) -> None:
        super().__init__(tokens)
        self._known = known
        self._entries = None if words is None else words.entries
        self._properties = None if words is None else words.properties
        self._own: Names | None = None

    def whole(self) -> Tree:
        tree = self._expression(0)
        self.expect(END)
        return tree

    def unary_tests(self) -> UnaryTests:
        tokens = self.tokens
        if tokens[0][0] == "-" and tokens[1][0] == END:
            return UnaryTests((), False)
        if tokens[0][1] == "not" and tokens[1][0] == "(":
            self.at = 2
            tests = self._tests()
            if self.kind() == ")" and tokens[self.at + 1][0] == END:
                return UnaryTests(tests, True)
            self.at = 0
        tests = self._tests()
        self.expect(END)
        return UnaryTests(tests, False)

    # -- what binds operands together

    def _expression(self, binding: int) -> Tree:
        """An operand with everything behind it that binds more strongly than `binding`."""
        self.depth += 1
        if self.depth > NESTING_MAX:
            raise self.unexpected("nested too deeply")
        tree = self._rest(self._operand(), binding)
        self.depth -= 1
        return tree

    def _rest(self, left: Tree, binding: int) -> Tree:
        tokens = self.tokens
        while True:
            operator = tokens[self.at][0]
            strength = _BINDING.get(operator)
            if strength is None or strength <= binding:
                return left
            if operator == "[" and tokens[self.at + 1][0] not in _BEGINNINGS:
                return left
            self.at += 1
            if operator in _COMPARISONS:
                left = Comparison(operator, left, self._expression(strength))
            elif strength in (_OR, _AND):
                left = self._chain(left, operator, strength)
            elif operator == ".":
                left = Path(left, self._property())
            elif operator == "[":
                left = Filter(left, self._expression(0))
                self.expect("]")
            elif operator == "(":
                left = self._call(left)
            elif operator == "in":
                left = In(left, self._tests_of_in())
            elif operator == "between":
                low = self._expression(_COMPARISON)
                self.expect("and")
                left = Between(left, low, self._expression(_COMPARISON))
            elif operator == "instance":
                if self.word() != "of":
                    raise self.unexpected("'of' expected")
                self.at += 1
                left = InstanceOf(left, self.type_name())
            else:
                left = Binary(operator, left, self._expression(strength))

    def _chain(self, first: Tree, operator: str, strength: int) -> Tree:
        operands = [first, self._expression(strength)]
        while self.kind() == operator:
            self.at += 1
            operands.append(self._expression(strength))
        return And(tuple(operands)) if operator == "and" else Or(tuple(operands))

    def _call(self, function: Tree) -> Tree:
        if self.take(")"):
            return Call(function, ())
        arguments: list[Tree] = []
        names: list[str] = []
        while True:
            if name := self.words_before(":"):
                names.append(joined(name))
            arguments.append(self._expression(0))
            if not self.take(","):
                break
        self.expect(")")
        if names and len(names) != len(arguments):
            raise self.unexpected("either all arguments have names or none")
        return Call(function, tuple(arguments), tuple(names) if names else None)

    # -- operands

    def _operand(self) -> Tree:
        kind, text, _ = self.tokens[self.at]
        if kind == NAME:
            return self._name()
        self.at += 1
        match kind:
            case "number":
                number = parsed(text)
                if number is None:
                    raise self.unexpected("number too large")
                return Literal(number)
            case "string":
                return Literal(string_of(text))
            case "temporal":
                return Literal(parse_literal(string_of(text[text.index('"') :])))
            case "true" | "false" | "null":
                return Literal(_CONSTANTS[kind])
            case "-":
                return self._negation()
            case "(":
                return self._bracket()
            case "[":
                return self._list()
            case "]":
                return self._range(self._expression(0), start_included=False)
            case "{":
                return self._context()
            case "if":
                return self._if()
            case "for":
                iterators = self._iterators("return")
                return For(iterators, self._expression(0))
            case "some" | "every":
                iterators = self._iterators("satisfies")
                return Quantified(kind == "every", iterators, self._expression(0))
            case "function":
                return self._function()
            case "and" | "or" if self.kind() == "(":  # Other names of `all` and `any`.
                return Name(kind)
            case _:
                self.at -= 1
                raise self.unexpected(
                    "the expression ends too early" if kind == END else f"unexpected '{text}'"
                )

    def _name(self) -> Tree:
        tokens, at = self.tokens, self.at
        word = tokens[at][1]
        if word[0] == "`":
            self.at += 1
            return Name(word[1:-1])
        for names, follower in (
            (self._own, None),
            (self._known, None),
            (self._entries, None),
            (BUILTIN_NAMES, "("),
        ):
            if names is not None and (words := names.find(tokens, at, follower)):
                self.at += len(words)
                return Name(joined(words))
        self.at += 1
        return Name(word)

    def _property(self) -> str:
        kind, text, _ = self.tokens[self.at]
        for names in (self._own, self._known, self._properties, _PROPERTIES):
            if names is not None and (words := names.find(self.tokens, self.at)):
                self.at += len(words)
                return joined(words)
        if kind != NAME and kind not in KEYWORDS:
            raise self.unexpected("a name expected")
        self.at += 1
        return text[1:-1] if text[0] == "`" else text

    def _negation(self) -> Tree:
        operand = self._expression(_SIGN)
        if isinstance(operand, Literal):
            value = operand.value
            if isinstance(value, int | Decimal) and not isinstance(value, bool):
                return Literal(negate(value))
        return Negation(operand)

    def _bracket(self) -> Tree:
        if self.kind() in ("<", "<=", ">", ">="):
            test = self._test()
            self.expect(")")
            return test
        if self.take("="):
            only = self._expression(_COMPARISON)
            self.expect(")")
            return RangeOf(only, only, True, True)
        tree = self._expression(0)
        if self.kind() == "..":
            return self._range(tree, start_included=False)
        self.expect(")")
        return tree

    def _list(self) -> Tree:
        if self.take("]"):
            return ListOf(())
        first = self._expression(0)
        if self.kind() == "..":
            return self._range(first, start_included=True)
        items = [first]
        while self.take(","):
            items.append(self._expression(0))
        self.expect("]")
        return ListOf(tuple(items))

    def _range(self, start: Tree, *, start_included: bool) -> Tree:
        self.expect("..")
        end = self._expression(0)
        closing = self.kind()
        if closing not in ("]", ")", "["):
            raise self.unexpected("the end of the range expected")
        self.at += 1
        return RangeOf(start, end, start_included, closing == "]")

    def _context(self) -> Tree:
        entries: list[tuple[str, Tree]] = []
        while not self.take("}"):
            if entries:
                self.expect(",")
            kind, text, _ = self.tokens[self.at]
            if kind == STRING and self.tokens[self.at + 1][0] == ":":
                self.at += 2
                key = string_of(text)
            else:
                words = self.words_before(":")
                if not words:
                    raise self.unexpected("a key with ':' expected")
                key = joined(words)
                self._declare(words)
            entries.append((key, self._expression(0)))
        return ContextOf(tuple(entries))

    def _if(self) -> Tree:
        condition = self._expression(0)
        self.expect("then")
        then = self._expression(0)
        self.expect("else")
        return If(condition, then, self._expression(0))

    def _iterators(self, end: str) -> tuple[Iterator, ...]:
        iterators: list[Iterator] = []
        while True:
            words = self.words_before("in")
            if not words:
                raise self.unexpected("a name with 'in' expected")
            self._declare(words)
            source = self._expression(0)
            last = self._expression(0) if self.take("..") else None
            iterators.append(Iterator(joined(words), source, last))
            if not self.take(","):
                break
        self.expect(end)
        return tuple(iterators)

    def _function(self) -> Tree:
        self.expect("(")
        parameters: list[str] = []
        types: list[TypeName | None] = []
        while not self.take(")"):
            if parameters:
                self.expect(",")
            words = self.words_before(",", ")", ":")
            if not words:
                raise self.unexpected("a parameter expected")
            self._declare(words)
            parameters.append(joined(words))
            if self.tokens[self.at - 1][0] == ":":
                types.append(self.type_name())
            else:
                types.append(None)
                self.at -= 1
        if self.word() == "external":
            raise self.unexpected("external functions are not supported")
        return FunctionOf(tuple(parameters), tuple(types), self._expression(0))

    # -- unary tests

    def _tests(self) -> tuple[Tree, ...]:
        tests = [self._test()]
        while self.take(","):
            tests.append(self._test())
        return tuple(tests)

    def _test(self) -> Tree:
        operator = self.kind()
        if operator not in _COMPARISONS:
            return self._expression(0)
        self.at += 1
        operand = self._expression(_COMPARISON)
        match operator:
            case "<" | "<=":
                return RangeOf(None, operand, False, operator == "<=")
            case ">" | ">=":
                return RangeOf(operand, None, operator == ">=", False)
            case _:
                return Test(operator, operand)

    def _tests_of_in(self) -> tuple[Tree, ...]:
        """One test, or several in round brackets; what begins like them may also be a range or a term."""
        if self.kind() != "(":
            if self.kind() in _COMPARISONS:
                return (self._test(),)
            return (self._expression(_COMPARISON),)
        self.at += 1
        first = self._test()
        if self.kind() == "..":
            return (self._rest(self._range(first, start_included=False), _COMPARISON),)
        if self.take(","):
            tests = (first, *self._tests())
            self.expect(")")
            return tests
        self.expect(")")
        return (self._rest(first, _COMPARISON),)

    # -- names

    def _declare(self, words: tuple[str, ...]) -> None:
        if len(words) > 1:
            if self._own is None:
                self._own = Names()
            self._own.add(words)
