"""Zeebe's extension elements: jobs, variable mappings, the version tag."""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Final

from bpmnd.bpmn.model.details import detail_refusal
from bpmnd.bpmn.model.graph import BindingType, CallActivity, JobDefinition, LinkedResource, Mapping, Text
from bpmnd.bpmn.model.reading import Common, read_flag
from bpmnd.bpmn.model.report import Report
from bpmnd.bpmn.model.texts import read_expression, read_text
from bpmnd.bpmn.model.xml import Tag

RETRIES_DEFAULT: Final = "3"
LINKED_RESOURCES: Final = "zeebe:linkedResources"

_PATH: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*(\.[a-zA-Z_][a-zA-Z0-9_]*)*")
_RESERVED: Final = (
    "null",
    "true",
    "false",
    "function",
    "if",
    "then",
    "else",
    "for",
    "between",
    "instance",
    "of",
)


def refuse_unsupported_extensions(element: Tag, report: Report) -> None:
    """Report every extension of Zeebe's that would change how the element runs, and that we do not run."""
    for container in element.all("bpmn:extensionElements"):
        for extension in container.children:
            if reason := detail_refusal(extension.name):
                report.add(element, reason, at=extension)


def read_version_tag(process: Tag, report: Report) -> str | None:
    tags = process.extensions("zeebe:versionTag")
    for surplus in tags[1:]:
        report.add(process, "must have at most one zeebe:versionTag", at=surplus)
    return (tags[0].attributes.get("value") or None) if tags else None


def read_job(task: Tag, report: Report) -> JobDefinition:
    definitions = task.extensions("zeebe:taskDefinition")
    if len(definitions) != 1:
        refused_for_more = any(
            detail_refusal(extension.name)
            for container in task.all("bpmn:extensionElements")
            for extension in container.children
        )
        if definitions or not refused_for_more:
            report.add(task, "must have exactly one zeebe:taskDefinition extension element")
        return JobDefinition("", RETRIES_DEFAULT, ())

    (definition,) = definitions
    type_ = definition.attributes.get("type", "")
    if not type_:
        report.add(task, "the type of the zeebe:taskDefinition must not be empty", at=definition)
    return JobDefinition(
        type=read_text(type_, task, report, at=definition),
        retries=read_text(
            definition.attributes.get("retries") or RETRIES_DEFAULT, task, report, at=definition
        ),
        headers=read_headers(task, report),
        linked=_read_linked(task, report),
    )


def _read_linked(task: Tag, report: Report) -> tuple[LinkedResource, ...]:
    """The files that the worker is told of."""
    linked: list[LinkedResource] = []
    for container in task.extensions(LINKED_RESOURCES):
        for entry in container.all("zeebe:linkedResource"):
            for name in ("resourceId", "resourceType"):
                if not entry.attributes.get(name):
                    report.add(task, f"the {name} of a zeebe:linkedResource must not be empty", at=entry)
            binding, version_tag = read_binding(entry, task, report)
            linked.append(
                LinkedResource(
                    read_text(entry.attributes.get("resourceId", ""), task, report, at=entry),
                    binding,
                    version_tag,
                    entry.attributes.get("resourceType", ""),
                    entry.attributes.get("linkName", ""),
                )
            )
    return tuple(linked)


def read_headers(task: Tag, report: Report) -> tuple[tuple[str, str], ...]:
    """The headers that have both key and value; the others are passed over."""
    headers: list[tuple[str, str]] = []
    for container in task.extensions("zeebe:taskHeaders"):
        found = container.all("zeebe:header")
        counts = Counter(header.attributes.get("key") for header in found)
        for key, count in counts.items():
            if count > 1:
                report.add(task, f"headers contain duplicate entries for key '{key}'", at=container)
        for header in found:
            key, value = header.attributes.get("key"), header.attributes.get("value")
            if key and value:
                headers.append((key, value))
    return tuple(headers)


def read_called_element(activity: Tag, common: Common, report: Report) -> CallActivity:
    """What a call activity calls, and what goes there and back."""
    found = activity.extensions("zeebe:calledElement")
    if len(found) != 1:
        report.add(activity, "must have exactly one zeebe:calledElement extension element")
        return CallActivity(
            **common,
            process_id="",
            binding=BindingType.LATEST,
            version_tag="",
            propagates_all_parent=True,
            propagates_all_child=True,
        )
    (called,) = found
    process_id = called.attributes.get("processId", "")
    if not process_id:
        report.add(activity, "the processId of the zeebe:calledElement must not be empty", at=called)
    binding, version_tag = read_binding(called, activity, report)
    return CallActivity(
        **common,
        process_id=read_text(process_id, activity, report, at=called),
        binding=binding,
        version_tag=version_tag,
        propagates_all_parent=read_flag(called, "propagateAllParentVariables", report, default=True),
        propagates_all_child=read_flag(called, "propagateAllChildVariables", report, default=True),
    )


def read_binding(extension: Tag, element: Tag, report: Report) -> tuple[BindingType, str]:
    """Which version an extension element refers to, and the version tag if it is by that."""
    text = extension.attributes.get("bindingType", BindingType.LATEST)
    if text not in set(BindingType):
        words = "', '".join(BindingType)
        report.add(element, f"the bindingType '{text}' is none of '{words}'", at=extension)
        return BindingType.LATEST, ""
    binding = BindingType(text)
    version_tag = extension.attributes.get("versionTag", "")
    if binding is BindingType.VERSION_TAG and not version_tag.strip():
        report.add(element, "a binding to a version tag must have a versionTag", at=extension)
    if binding is not BindingType.VERSION_TAG and version_tag:
        reason = "a versionTag may only be used with the bindingType 'versionTag'"
        report.add(element, reason, at=extension)
    return binding, version_tag


def read_inputs(element: Tag, report: Report) -> tuple[Mapping, ...]:
    return tuple(
        Mapping(_read_source(element, entry, report), _read_target(element, entry, report))
        for entry in _entries(element, "zeebe:input")
    )


def read_outputs(element: Tag, report: Report) -> tuple[Mapping, ...]:
    """Unlike those of inputs, the sources of outputs must be expressions."""
    return tuple(
        Mapping(
            read_expression(entry.attributes.get("source", ""), element, report, at=entry),
            _read_target(element, entry, report),
        )
        for entry in _entries(element, "zeebe:output")
    )


def _entries(element: Tag, name: str) -> Iterator[Tag]:
    for mappings in element.extensions("zeebe:ioMapping"):
        yield from mappings.all(name)


def _read_source(element: Tag, entry: Tag, report: Report) -> Text:
    source = entry.attributes.get("source", "")
    if not source:
        report.add(element, "the source of a variable mapping must not be empty", at=entry)
    return read_text(source, element, report, at=entry)


def _read_target(element: Tag, entry: Tag, report: Report) -> tuple[str, ...]:
    target = entry.attributes.get("target", "")
    if not _PATH.fullmatch(target):
        report.add(
            element, f"the target '{target}' of a variable mapping must be names joined by dots", at=entry
        )
    elif target in _RESERVED:
        report.add(element, f"the target '{target}' of a variable mapping is a reserved word", at=entry)
    return tuple(target.split("."))
