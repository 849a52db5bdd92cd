"""What a history wants to know of a model: names, types and headers of its elements."""

import re
from dataclasses import dataclass, field
from typing import Final, final

import msgspec

from bpmnd.actors.history.names import ELEMENT_TYPE
from bpmnd.bpmn.model.graph import Problem
from bpmnd.bpmn.model.xml import Tag, read

_WORD: Final = re.compile(r"(?<!^)(?=[A-Z])")
_UNKNOWN: Final = ELEMENT_TYPE["UNKNOWN"]


@final
@dataclass(frozen=True, slots=True)
class ElementFacts:
    """`type` is a number of `ELEMENT_TYPES`, `headers` the JSON of an object of strings."""

    type: int = _UNKNOWN
    name: str | None = None
    headers: str = "{}"


@final
@dataclass(frozen=True, slots=True)
class ModelFacts:
    name: str | None = None
    elements: dict[str, ElementFacts] = field(default_factory=dict[str, ElementFacts])
    has_start_form: bool = False


def facts_of(content: bytes, process_id: str) -> ModelFacts:
    """Of a model that this build cannot read, nothing is known."""
    root = read(content)
    if isinstance(root, Problem):
        return ModelFacts()
    name, elements, has_start_form = None, dict[str, ElementFacts](), False
    for tag in root.descendants():
        if tag.id is None:
            continue
        if tag.id == process_id and tag.bare_name == "process":
            name = tag.attributes.get("name") or None
            starts = tag.all("bpmn:startEvent")
            has_start_form = any(start.extensions("zeebe:formDefinition") for start in starts)
        elements[tag.id] = ElementFacts(_type_of(tag), tag.attributes.get("name") or None, _headers_of(tag))
    return ModelFacts(name, elements, has_start_form)


def _type_of(tag: Tag) -> int:
    if tag.bare_name == "subProcess" and tag.attributes.get("triggeredByEvent") == "true":
        return ELEMENT_TYPE["EVENT_SUB_PROCESS"]
    return ELEMENT_TYPE.get(_WORD.sub("_", tag.bare_name).upper(), _UNKNOWN)


def _headers_of(tag: Tag) -> str:
    headers = {
        header.attributes.get("key", ""): header.attributes.get("value", "")
        for headers in tag.extensions("zeebe:taskHeaders")
        for header in headers.all("zeebe:header")
    }
    return msgspec.json.encode(headers).decode() if headers else "{}"
