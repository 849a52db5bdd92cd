"""Built-ins about strings. Characters are Unicode's, not Java's halves of them."""

from base64 import b64encode

from bpmnd.bpmn.feel.builtins.patterns import extracted, matched, replaced, splitted
from bpmnd.bpmn.feel.builtins.registry import builtin
from bpmnd.bpmn.feel.environment import Environment
from bpmnd.bpmn.feel.values import Number, Value


@builtin("substring(string, start position, length?)")
def substring(environment: Environment, text: str, start: Number, length: Number | None = None) -> Value:
    """Positions count from 1, or from -1 at the end."""
    environment.charge_text(len(text))
    first = int(start)
    if first == 0:
        return ""
    begin = first - 1 if first > 0 else len(text) + first
    if begin < 0 or begin > len(text):
        environment.warn(f"The string has no position {first}")
        return None if begin < 0 else ""
    if length is None:
        return text[begin:]
    if int(length) < 0:
        environment.warn("The length of a substring must not be negative")
        return None
    return text[begin : begin + int(length)]


@builtin("string length(string)")
def string_length(environment: Environment, text: str) -> Value:
    return len(text)


@builtin("upper case(string)")
def upper_case(environment: Environment, text: str) -> Value:
    environment.charge_text(len(text))
    return text.upper()


@builtin("lower case(string)")
def lower_case(environment: Environment, text: str) -> Value:
    environment.charge_text(len(text))
    return text.lower()


@builtin("substring before(string, match)")
def substring_before(environment: Environment, text: str, match: str) -> Value:
    environment.charge_text(len(text))
    return text[: max(text.find(match), 0)]


@builtin("substring after(string, match)")
def substring_after(environment: Environment, text: str, match: str) -> Value:
    environment.charge_text(len(text))
    at = text.find(match)
    return "" if at < 0 else text[at + len(match) :]


@builtin("contains(string, match)")
def contains(environment: Environment, text: str, match: str) -> Value:
    environment.charge_text(len(text))
    return match in text


@builtin("starts with(string, match)")
def starts_with(environment: Environment, text: str, match: str) -> Value:
    environment.charge_text(len(match))
    return text.startswith(match)


@builtin("ends with(string, match)")
def ends_with(environment: Environment, text: str, match: str) -> Value:
    environment.charge_text(len(match))
    return text.endswith(match)


@builtin("matches(input, pattern, flags?)")
def matches(environment: Environment, text: str, pattern: str, flags: str = "") -> Value:
    return matched(environment, text, pattern, flags)


@builtin("matches(input, pattern, flags)")
def matches_without_flags(environment: Environment, text: str, pattern: str, flags: None) -> Value:
    return matched(environment, text, pattern, "")


@builtin("replace(input, pattern, replacement, flags?)")
def replace(environment: Environment, text: str, pattern: str, replacement: str, flags: str = "") -> Value:
    return replaced(environment, text, pattern, replacement, flags)


@builtin("replace(input, pattern, replacement, flags)")
def replace_without_flags(
    environment: Environment, text: str, pattern: str, replacement: str, flags: None
) -> Value:
    return replaced(environment, text, pattern, replacement, "")


@builtin("split(string, delimiter)")
def split(environment: Environment, text: str, delimiter: str) -> Value:
    return splitted(environment, text, delimiter)


@builtin("extract(string, pattern)")
def extract(environment: Environment, text: str, pattern: str) -> Value:
    return extracted(environment, text, pattern)


@builtin("string join(list)")
def string_join(environment: Environment, texts: list[Value]) -> Value:
    return string_join_enclosed(environment, texts, "", "", "")


@builtin("string join(list, delimiter)")
def string_join_delimited(environment: Environment, texts: list[Value], delimiter: str | None) -> Value:
    return string_join_enclosed(environment, texts, delimiter, "", "")


@builtin("string join(list, delimiter, prefix, suffix)")
def string_join_enclosed(
    environment: Environment,
    texts: list[Value],
    delimiter: str | None,
    prefix: str | None,
    suffix: str | None,
) -> Value:
    """Nulls are left out; anything else that is no string makes the result null."""
    environment.charge(len(texts))
    parts = [text for text in texts if isinstance(text, str)]
    if len(parts) + sum(text is None for text in texts) < len(texts):
        environment.warn("Expected a list of strings to join")
        return None
    glue = delimiter or ""
    environment.charge_text(sum(map(len, parts)) + len(glue) * len(parts))
    return f"{prefix or ''}{glue.join(parts)}{suffix or ''}"


@builtin("trim(string)")
def trim(environment: Environment, text: str) -> Value:
    environment.charge_text(len(text))
    return text.strip()


@builtin("is blank(string)")
def is_blank(environment: Environment, text: str) -> Value:
    environment.charge_text(len(text))
    return not text.strip()


@builtin("to base64(value)")
def to_base64(environment: Environment, text: str) -> Value:
    environment.charge_text(2 * len(text))
    return b64encode(text.encode()).decode()


@builtin("uuid()")
def uuid(environment: Environment) -> Value:
    environment.warn("'uuid' is not available: an expression has the same result whenever it runs")
    return None
