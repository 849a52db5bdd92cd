"""The ad-hoc sub-process (BPMN 2.0, §10.3.5 and §13.3.5)."""

from collections.abc import Sequence
from typing import Final, final

import msgspec

from bpmnd.bpmn.commands import Variables
from bpmnd.bpmn.elements.activation import Activation
from bpmnd.bpmn.elements.beginning import activated
from bpmnd.bpmn.elements.kind import ElementKind
from bpmnd.bpmn.elements.waiting import begin_waiting, plan_events
from bpmnd.bpmn.evaluation import evaluate, evaluate_int, evaluate_string, lookup_in, not_of_type
from bpmnd.bpmn.events import ElementActivated, JobCanceled, JobCreated, LoopStarted
from bpmnd.bpmn.incident import Incident, IncidentType
from bpmnd.bpmn.model.details import is_event_sub_process
from bpmnd.bpmn.model.extensions import read_job
from bpmnd.bpmn.model.graph import (
    AdHocInner,
    AdHocSubProcess,
    BoundaryEvent,
    EventSubProcess,
    ExecutableProcess,
    SequenceFlow,
)
from bpmnd.bpmn.model.loops import is_activity
from bpmnd.bpmn.model.reading import Common, Reading, read_flag
from bpmnd.bpmn.model.surroundings import Item, Surroundings
from bpmnd.bpmn.model.texts import read_expression, read_text
from bpmnd.bpmn.model.xml import Tag
from bpmnd.bpmn.state.records import Lifecycle, ProcessInstance
from bpmnd.bpmn.steps import ActivateElement, CreateAdHocJob
from bpmnd.bpmn.turn import JobNote, Turn
from bpmnd.bpmn.variables import merge_local

_DESCRIPTION: Final = "adHocSubProcessElements"
_NO_EVENTS: Final = ("bpmn:startEvent", "bpmn:endEvent")


@final
class AdHocSubProcessKind(ElementKind[AdHocSubProcess]):
    """Begins the elements that an expression or a command names. It completes when nothing in it is active
    any more, or, with a completion condition, as soon as that holds when one of them has completed."""

    nodes = (AdHocSubProcess,)

    def read(self, tag: Tag, common: Common, reading: Reading) -> AdHocSubProcess:
        report = reading.report
        extensions = tag.extensions("zeebe:adHoc")
        for surplus in extensions[1:]:
            report.add(tag, "must have at most one zeebe:adHoc extension element", at=surplus)
        extension = extensions[0] if extensions else tag
        active = extension.attributes.get("activeElementsCollection", "")
        output_collection = extension.attributes.get("outputCollection", "")
        output_element = extension.attributes.get("outputElement", "")
        if bool(output_collection) != bool(output_element):
            report.add(tag, "outputCollection and outputElement must be present together", at=extension)
        conditions = tag.all("bpmn:completionCondition")
        condition = conditions[0].text if conditions else ""
        job = read_job(tag, report) if tag.extensions("zeebe:taskDefinition") else None
        if job is not None and (active or condition):
            reason = "with a job it must have neither an activeElementsCollection nor a completionCondition"
            report.add(tag, reason, at=extension)
        return AdHocSubProcess(
            **common,
            active_elements=read_expression(active, tag, report, at=extension) if active else None,
            output_collection=output_collection,
            output_element=(
                read_expression(output_element, tag, report, at=extension) if output_element else None
            ),
            completion_condition=read_text(condition, tag, report, at=conditions[0]) if condition else None,
            cancels_remaining=read_flag(tag, "cancelRemainingInstances", report, default=True),
            job=job,
            described=b"[]" if job is None else _described(tag),
        )

    def check(self, item: Item, around: Surroundings) -> None:
        inside = [other for other in around.outline if other.scope == item.position and other is not item]
        for other in inside:
            if other.tag.name in _NO_EVENTS:
                around.report.add(
                    other.tag, f"an ad-hoc sub-process must not contain a {other.tag.bare_name}"
                )
        if not any(_can_begin(other) for other in inside):
            around.report.add(item.tag, "an ad-hoc sub-process must have an activity")

    def activate(self, element: AdHocSubProcess, activation: Activation) -> Incident | None:
        turn, instance, key = activation.turn, activation.instance, activation.key
        begun = _active_elements(turn, element, activation)
        if isinstance(begun, Incident):
            return begun
        events = plan_events(element, activation)
        if isinstance(events, Incident):
            return events

        activated(element, activation)
        begin_waiting(activation, events)
        turn.emit(LoopStarted(key, instance.key, element.index, element.output_collection, ()))
        for index in begun:
            begin_inside(turn, instance, key, element, index, {})
        if element.job is not None:
            merge_local(turn, instance, key, {_DESCRIPTION: element.described})
            turn.schedule(CreateAdHocJob(instance.key, key))
        return None


@final
class AdHocInnerKind(ElementKind[AdHocInner]):
    """What is around an element that was begun. Nothing leads to it: it begins with its element."""

    nodes = (AdHocInner,)
    by_hand = False


def begin_inside(
    turn: Turn,
    instance: ProcessInstance,
    key: int,
    sub_process: AdHocSubProcess,
    element: int,
    variables: Variables,
) -> None:
    """Begin an element in an active ad-hoc sub-process, with variables of its own."""
    inner = turn.new_key()
    turn.emit(ElementActivated(inner, instance.key, key, sub_process.inner, ()))
    merge_local(turn, instance, inner, variables)
    turn.schedule(ActivateElement(instance.key, inner, element))


def create_job(turn: Turn, step: CreateAdHocJob) -> None:
    """A job of an ad-hoc sub-process. One that is there already has not seen what has completed since."""
    instance = turn.state.instances.get(step.instance_key)
    record = instance.elements.get(step.key) if instance is not None else None
    if instance is None or record is None or record.state is not Lifecycle.ACTIVATED:
        return
    if step.key in instance.triggers or instance.loops[step.key].ended:
        return
    element = turn.executable_of(instance).elements[record.element]
    assert isinstance(element, AdHocSubProcess), f"{element} has no job of its own"
    assert element.job is not None, f"{element} has no job of its own"
    lookup = lookup_in(instance, step.key)
    job_type = evaluate_string(turn, element.job.type, lookup)
    retries = evaluate_int(turn, element.job.retries, lookup)
    if isinstance(job_type, Incident) or isinstance(retries, Incident):
        incident = job_type if isinstance(job_type, Incident) else retries
        assert isinstance(incident, Incident), f"{incident} is one of both"
        turn.raise_incident(instance, step.key, incident, step)
        return
    if record.job_key:
        turn.emit(JobCanceled(record.job_key, instance.key))
    turn.emit(JobCreated(turn.new_key(), instance.key, step.key, element.index, job_type, retries))
    turn.offered.add((instance.tenant_id, job_type))
    turn.notes.append(JobNote(job_type, "created", 1))


def elements_inside(process: ExecutableProcess, sub_process: AdHocSubProcess) -> dict[str, int]:
    """What can be begun in an ad-hoc sub-process: element id -> index."""
    found: dict[str, int] = {}
    for element in process.elements:
        if element.scope != sub_process.inner or isinstance(element, SequenceFlow):
            continue
        if not element.incoming and not isinstance(element, BoundaryEvent | EventSubProcess):
            found.setdefault(element.id, element.index)
    return found


def _can_begin(item: Item) -> bool:
    return not item.is_flow and not isinstance(item.node, BoundaryEvent | EventSubProcess)


def _described(sub_process: Tag) -> bytes:
    """What a worker may want to know of the elements that can begin, to choose among them."""
    targets = {flow.attributes.get("targetRef") for flow in sub_process.all("bpmn:sequenceFlow")}
    described: list[dict[str, object]] = []
    for tag in sub_process.children:
        if not is_activity(tag) or tag.id in targets or is_event_sub_process(tag):
            continue
        documentation = tag.all("bpmn:documentation")
        properties = {
            entry.attributes.get("name", ""): entry.attributes.get("value", "")
            for container in tag.extensions("zeebe:properties")
            for entry in container.all("zeebe:property")
        }
        described.append(
            {
                "elementId": tag.id,
                "elementName": tag.attributes.get("name"),
                "documentation": documentation[0].text if documentation else None,
                "properties": properties,
            }
        )
    return msgspec.json.encode(described)


def _active_elements(
    turn: Turn, element: AdHocSubProcess, activation: Activation
) -> Sequence[int] | Incident:
    if element.active_elements is None:
        return ()
    lookup = lookup_in(activation.instance, activation.inner_key)
    evaluated = evaluate(turn, element.active_elements, lookup, IncidentType.EXTRACT_VALUE_ERROR)
    if isinstance(evaluated, Incident):
        return evaluated
    ids = evaluated.value
    if not isinstance(ids, list) or not all(isinstance(each, str) for each in ids):
        return not_of_type(element.active_elements, "ARRAY_STRING", evaluated)
    inside = elements_inside(turn.executable_of(activation.instance), element)
    unknown = [str(each) for each in ids if each not in inside]
    if unknown:
        quoted = "', '".join(dict.fromkeys(unknown))
        return Incident(
            IncidentType.EXTRACT_VALUE_ERROR,
            f"Failed to activate ad-hoc elements. No BPMN elements found with ids: '{quoted}'.",
        )
    return [inside[str(each)] for each in ids]
