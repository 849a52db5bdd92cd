"""Built-ins about contexts."""

from bpmnd.bpmn.feel.builtins.registry import builtin
from bpmnd.bpmn.feel.environment import Environment
from bpmnd.bpmn.feel.values import Value


@builtin("get value(context, key)", "get value(m, key)")
def get_value(environment: Environment, context: dict[str, Value], key: str) -> Value:
    return context.get(key)


@builtin("get value(context, keys)")
def get_nested_value(environment: Environment, context: dict[str, Value], keys: list[Value]) -> Value:
    """Follow the keys through contexts within each other."""
    environment.charge(len(keys))
    value: Value = context
    for key in keys:
        if not isinstance(value, dict) or not isinstance(key, str):
            return None
        value = value.get(key)
    return value if keys else None


@builtin("get entries(context)", "get entries(m)")
def get_entries(environment: Environment, context: dict[str, Value]) -> Value:
    environment.charge(len(context))
    return [{"key": key, "value": value} for key, value in context.items()]


@builtin("context put(context, key, value)")
def put(environment: Environment, context: dict[str, Value], key: str, value: Value) -> Value:
    environment.charge(len(context))
    return {**context, key: value}


@builtin("context put(context, keys, value)")
def put_nested(environment: Environment, context: dict[str, Value], keys: list[Value], value: Value) -> Value:
    """Set what lies below several keys, with new contexts where there are none."""
    levels: list[dict[str, Value]] = [context]
    for key in keys[:-1]:
        environment.charge(1)
        inner = levels[-1].get(key, {}) if isinstance(key, str) else None
        if not isinstance(inner, dict):
            environment.warn(
                f"No context found at key '{key}'" if isinstance(key, str) else "Keys are strings"
            )
            return None
        levels.append(inner)
    if not keys or not isinstance(keys[-1], str):
        environment.warn("'context put' expects a list of strings as keys")
        return None
    for key, level in zip(reversed(keys), reversed(levels), strict=True):
        environment.charge(len(level))
        assert isinstance(key, str), f"{key} was looked at above"
        value = {**level, key: value}
    return value


@builtin("context merge(contexts)")
def merge(environment: Environment, contexts: list[Value]) -> Value:
    """All entries of all contexts; of the same keys, the last counts."""
    merged: dict[str, Value] = {}
    for context in contexts:
        if not isinstance(context, dict):
            environment.warn("Expected contexts to merge")
            return None
        environment.charge(len(context) + 1)
        merged.update(context)
    return merged


@builtin("context merge(context, contexts...)")
def merge_each(environment: Environment, context: dict[str, Value], *contexts: dict[str, Value]) -> Value:
    return merge(environment, [context, *contexts])


@builtin("context(entries)")
def context_of(environment: Environment, entries: list[Value]) -> Value:
    """A context of what `get entries` yields; null unless every entry has a key and a value."""
    environment.charge(len(entries))
    context: dict[str, Value] = {}
    for entry in entries:
        if not isinstance(entry, dict) or "value" not in entry or not isinstance(entry.get("key"), str):
            environment.warn("Expected entries with 'key' and 'value'")
            return None
        key = str(entry["key"])
        if key in context and environment.is_standard:
            environment.warn(f"There are two entries with the key '{key}'")
            return None
        context[key] = entry["value"]
    return context
