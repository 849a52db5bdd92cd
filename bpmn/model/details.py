"""Parts of BPMN and of Zeebe's extensions that are no elements: which of them say nothing about how a process
runs, and which this engine does not run."""

from collections.abc import Mapping
from typing import Final

from bpmnd.bpmn.model.xml import Tag

UNSUPPORTED_DETAILS: Final[Mapping[str, str]] = {
    "zeebe:publishMessage": "published messages",
}
"""What stands in an element that would be supported without it."""

IGNORED: Final = frozenset(
    {
        "association",
        "auditing",
        "correlationSubscription",
        "dataInput",
        "dataInputAssociation",
        "dataObject",
        "dataObjectReference",
        "dataOutput",
        "dataOutputAssociation",
        "dataStoreReference",
        "categoryValueRef",
        "documentation",
        "extensionElements",
        "group",
        "humanPerformer",
        "incoming",
        "inputSet",
        "ioBinding",
        "ioSpecification",
        "laneSet",
        "monitoring",
        "outgoing",
        "outputSet",
        "performer",
        "potentialOwner",
        "property",
        "resourceRole",
        "script",
        "supportedInterfaceRef",
        "supports",
        "textAnnotation",
    }
)
"""BPMN that says nothing about how a process runs, as Zeebe sees it too."""


def is_event_sub_process(tag: Tag) -> bool:
    flag = tag.attributes.get("triggeredByEvent", "").strip()
    return tag.name == "bpmn:subProcess" and flag in ("true", "1")


def not_yet(words: str) -> str:
    return f"{words} are not supported yet"


def detail_refusal(qualified_name: str) -> str | None:
    """Why something inside an element is refused, if it is."""
    words = UNSUPPORTED_DETAILS.get(qualified_name)
    return None if words is None else not_yet(words)
