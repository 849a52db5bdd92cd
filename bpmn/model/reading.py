"""What the readers of single elements share."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, TypedDict

from bpmnd.bpmn.model import graph
from bpmnd.bpmn.model.report import Report
from bpmnd.bpmn.model.xml import Tag

UNKNOWN: Final = -1
"""Stands where the index of another element will stand."""

_TRUTHS: Final = {"true": True, "1": True, "false": False, "0": False}


class Common(TypedDict):
    """The fields that every node has, as they are known while it is read."""

    index: int
    id: str
    name: str | None
    element_type: graph.ElementType
    scope: int
    inputs: tuple[graph.Mapping, ...]
    outputs: tuple[graph.Mapping, ...]
    start_listeners: tuple[graph.Listener, ...]
    end_listeners: tuple[graph.Listener, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """The file that is being read: what stands beside its processes, for their events to refer to, by kind
    (`error`) and id; and where problems go."""

    shared: Mapping[str, Mapping[str, Tag]]
    report: Report
    associations: Mapping[str, str]
    """From the id of each source to that of the target."""
    around: Tag | None = None
    """The process or sub-process that the element stands in."""

    def inside(self, container: Tag) -> "Reading":
        return self if container is self.around else replace(self, around=container)

    def referenced(self, kind: str, element: Tag, at: Tag, *, required: bool = True) -> Tag | None:
        """What the attribute `<kind>Ref` of `at` refers to. A reference is a qualified name; only the local
        part of it counts."""
        reference = at.attributes.get(f"{kind}Ref", "")
        if not reference:
            if required:
                article = "an" if kind[0] in "aeiou" else "a"
                self.report.add(element, f"must reference {article} {kind}", at=at)
            return None
        found = self.shared.get(kind, {}).get(reference.rpartition(":")[2])
        if found is None:
            self.report.add(element, f"references the {kind} '{reference}', which does not exist", at=at)
        return found


def reading_of(definitions: Tag, report: Report) -> Reading:
    shared: dict[str, dict[str, Tag]] = {}
    for tag in definitions.children:
        if tag.id:
            shared.setdefault(tag.bare_name, {}).setdefault(tag.id, tag)
    associations = {
        tag.attributes.get("sourceRef", ""): tag.attributes.get("targetRef", "")
        for tag in definitions.descendants()
        if tag.name == "bpmn:association"
    }
    return Reading(shared, report, associations)


def read_flag(element: Tag, name: str, report: Report, *, default: bool) -> bool:
    """A boolean attribute, in the four spellings of XML Schema."""
    text = element.attributes.get(name)
    if text is None:
        return default

    flag = _TRUTHS.get(text.strip())
    if flag is None:
        report.add(element, f"'{text}' is not a value for {name}; write 'true' or 'false'")
        return default
    return flag
