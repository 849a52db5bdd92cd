"""Search bodies at random, made of values that there are."""

import random
from typing import Any

from bpmnd.actors.history.entities import ENTITIES, Entity, Field, Filter, Kind

Item = dict[str, Any]
NAMES = {
    "process-instances": "process instance",
    "element-instances": "element instance",
    "jobs": "job",
    "incidents": "incident",
    "variables": "variable",
    "user-tasks": "user task",
    "decision-requirements": "decision requirements",
    "decision-definitions": "decision definition",
    "decision-instances": "decision instance",
    "message-subscriptions": "message subscription",
    "correlated-message-subscriptions": "correlated message subscription",
    "audit-logs": "audit log",
}


def filter_of(path: str, items: list[Item], chance: random.Random) -> Item:
    """A filter on some fields, and of process instances on what they have."""
    entity = ENTITIES[NAMES[path]]
    names = [name for name, field in entity.fields.items() if field.filter is not Filter.NONE and field.shows]
    chosen = chance.sample(names, chance.choice((0, 1, 1, 2)))
    made = {name: condition(entity.fields[name], name, items, chance) for name in chosen}
    if path == "process-instances" and chance.random() < 0.5:
        made |= related(entity, items, chance)
    if path == "user-tasks" and chance.random() < 0.5:
        made |= of_tasks(chance)
    if path == "decision-definitions" and chance.random() < 0.3:
        made["isLatestVersion"] = chance.random() < 0.5
    if path == "element-instances" and items and chance.random() < 0.2:
        made["elementInstanceScopeKey"] = chance.choice(items)["processInstanceKey"]
    return made


def related(entity: Entity, items: list[Item], chance: random.Random) -> Item:
    """What only process instances can be filtered by."""
    match chance.randrange(6):
        case 0:
            return {"tags": chance.sample(("red", "green", "none"), chance.randrange(3))}
        case 1:
            value: Any = chance.choice(('"1"', "3", "true", '"a b"', '{"x":[1,null]}'))
            if chance.random() < 0.4:
                value = chance.choice(({"$like": '"*"'}, {"$in": ["1", "2"]}, {"$neq": "true"}))
            return {"variables": [{"name": chance.choice(("amount", "order", "note")), "value": value}]}
        case 2:
            return {"hasRetriesLeft": chance.random() < 0.5}
        case 3:
            return {"elementId": chance.choice(("work", {"$like": "*e*"}, {"$in": ["box", "nowhere"]}))}
        case 4:
            return {"errorMessage": chance.choice(("not now", {"$like": "*o*"}, {"$exists": True}))}
        case _:
            groups = [
                {name: condition(entity.fields[name], name, items, chance) for name in some}
                for some in (["state"], ["processDefinitionId", "hasIncident"], ["startDate"])
            ]
            return {"$or": groups[: chance.randrange(4)]}


def of_tasks(chance: random.Random) -> Item:
    """What only user tasks can be filtered by."""
    match chance.randrange(5):
        case 0:
            return {"tags": chance.sample(("red", "green", "none"), chance.randrange(3))}
        case 1 | 2:
            name, there = chance.choice(
                (("candidateGroup", ("sales", "high", "low")), ("candidateUser", ("ann", "bob")))
            )
            value: Any = chance.choice(there)
            made = ({"$in": list(there[:2])}, {"$neq": value}, {"$notIn": [value]}, {"$like": f"{value[0]}*"})
            return {name: chance.choice((value, {"$exists": chance.random() < 0.5}, *made))}
        case 3:
            return {"processInstanceVariables": [{"name": "amount", "value": str(chance.randrange(5))}]}
        case _:
            return {"localVariables": [{"name": chance.choice(("amount", "seen")), "value": "true"}]}


def condition(field: Field, name: str, items: list[Item], chance: random.Random) -> Any:
    """A plain value or operators, of what the field allows."""
    values = [item[name] for item in items if item[name] is not None]
    if field.kind is Kind.BOOLEAN:
        return chance.random() < 0.5
    value: Any = chance.choice(values) if values else _other(field, chance)
    if field.filter is Filter.PLAIN or chance.random() < 0.3:
        return value
    made: Item = {}
    for _ in range(chance.choice((1, 1, 2))):
        other = chance.choice(values) if values else _other(field, chance)
        operators = ["$eq", "$neq", "$exists", "$in"]
        if field.kind in (Kind.MOMENT, Kind.INTEGER):
            operators += ["$gt", "$gte", "$lt", "$lte"] * 2
        if field.kind in (Kind.KEY, Kind.TEXT) or field.filter is Filter.FULL_NOT_IN:
            operators.append("$notIn")
        if field.kind in (Kind.TEXT, Kind.ENUM) and field.filter is not Filter.BASIC:
            operators.append("$like")
        operator = chance.choice(operators)
        match operator:
            case "$exists":
                made[operator] = chance.random() < 0.5
            case "$in" | "$notIn":
                made[operator] = [value, other][: chance.randrange(3)]
            case "$like":
                made[operator] = _pattern(str(other), chance)
            case _:
                made[operator] = other
    return made


def sort_of(path: str, chance: random.Random) -> list[Item]:
    entity = ENTITIES[NAMES[path]]
    names = [name for name, field in entity.fields.items() if field.sorts]
    return [
        {"field": name, "order": chance.choice(("ASC", "DESC"))}
        for name in chance.sample(names, chance.choice((0, 1, 1, 2)))
    ]


def _other(field: Field, chance: random.Random) -> Any:
    match field.kind:
        case Kind.KEY:
            return "2251799813685999"
        case Kind.INTEGER:
            return chance.randrange(4)
        case Kind.MOMENT:
            return "1970-01-01T00:16:41.000Z"
        case Kind.ENUM:
            return chance.choice(field.names)
        case _:
            return "nobody"


def _pattern(value: str, chance: random.Random) -> str:
    """One that fits, more or less. Without backslashes: the naive side has none."""
    if "\\" in value:
        return "*"
    at = chance.randrange(len(value) + 1)
    return chance.choice((f"{value[:at]}*", f"*{value[at:]}", value[:at] + "?" + value[at + 1 :], "*"))
