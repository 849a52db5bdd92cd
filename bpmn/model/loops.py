"""How often an activity runs: its loop characteristics (BPMN 2.0, §10.3.8)."""

from collections.abc import Sequence
from typing import Final

from bpmnd.bpmn.feel import Expression
from bpmnd.bpmn.feel.parser import parse_expression
from bpmnd.bpmn.feel.syntax import Name, Path
from bpmnd.bpmn.model.details import is_event_sub_process
from bpmnd.bpmn.model.graph import Evaluable, MultiInstance, StandardLoop, Text
from bpmnd.bpmn.model.reading import read_flag
from bpmnd.bpmn.model.report import Report
from bpmnd.bpmn.model.texts import read_expression, read_text
from bpmnd.bpmn.model.xml import Tag

_STANDARD: Final = "bpmn:standardLoopCharacteristics"
LOOPS: Final = frozenset({"bpmn:multiInstanceLoopCharacteristics", _STANDARD})
_OTHER_ACTIVITIES: Final = frozenset(
    {"bpmn:subProcess", "bpmn:transaction", "bpmn:adHocSubProcess", "bpmn:callActivity"}
)


def is_activity(tag: Tag) -> bool:
    """Whether it is an activity: a task, a sub-process or a call activity."""
    return tag.name in _OTHER_ACTIVITIES or tag.name.lower().endswith("task")


def read_loop(activity: Tag, report: Report) -> MultiInstance | StandardLoop | None:
    """How often the activity runs; None if that is once."""
    found = [child for child in activity.children if child.name in LOOPS]
    if not found or not is_activity(activity):
        return None
    if is_event_sub_process(activity):
        report.add(activity, "an event sub-process must not run more than once", at=found[0])
    for surplus in found[1:]:
        report.add(activity, "must have no more than one kind of loop characteristics", at=surplus)
    if found[0].name == _STANDARD:
        return _read_standard_loop(activity, found[0], report)
    return _read_multi_instance(activity, found[0], report)


def _read_standard_loop(activity: Tag, tag: Tag, report: Report) -> StandardLoop:
    """A loop without a condition and a maximum has no end that an engine could know of."""
    written = tag.attributes.get("loopMaximum", "").strip()
    maximum = int(written) if written.isascii() and written.isdecimal() and len(written) < 10 else 0
    if written and not maximum:
        reason = f"the loopMaximum '{written}' must be a whole number from 1 to 999999999"
        report.add(activity, reason, at=tag)
    conditions = [condition for condition in tag.all("bpmn:loopCondition") if condition.text]
    if not written and not conditions:
        report.add(activity, "a standard loop must have a loopCondition or a loopMaximum", at=tag)
    condition = None
    for found in conditions[:1]:
        condition = read_expression(found.text, activity, report, at=found)
    return StandardLoop(
        test_before=read_flag(tag, "testBefore", report, default=False),
        maximum=maximum or None,
        condition=condition,
    )


def _read_multi_instance(activity: Tag, tag: Tag, report: Report) -> MultiInstance:
    extensions = tag.extensions("zeebe:loopCharacteristics")
    extension = extensions[0] if extensions else tag
    cardinalities = tag.all("bpmn:loopCardinality")
    if len(extensions) > 1 or not (extensions or cardinalities):
        report.add(activity, "must have exactly one zeebe:loopCharacteristics extension element", at=tag)
    collection, cardinality = _read_count(activity, extension, cardinalities, report)
    output_collection = extension.attributes.get("outputCollection", "")
    output_element = extension.attributes.get("outputElement", "")
    if bool(output_collection) != bool(output_element):
        report.add(activity, "outputCollection and outputElement must be present together", at=extension)
    conditions = tag.all("bpmn:completionCondition")
    output = read_expression(output_element, activity, report, at=extension) if output_element else None
    return MultiInstance(
        sequential=read_flag(tag, "isSequential", report, default=False),
        input_collection=collection,
        cardinality=cardinality,
        input_element=extension.attributes.get("inputElement", ""),
        output_collection=output_collection,
        output_element=output,
        output_variable=_variable_in(output),
        completion_condition=(
            read_text(conditions[0].text, activity, report, at=conditions[0])
            if conditions and conditions[0].text
            else None
        ),
    )


def _variable_in(output: Evaluable | None) -> str:
    """The variable that an expression names, or of whose entries it names one, if it does nothing else."""
    if not isinstance(output, Expression):
        return ""
    tree = parse_expression(output.text, frozenset())
    while isinstance(tree, Path):
        tree = tree.source
    return tree.name if isinstance(tree, Name) else ""


def _read_count(
    activity: Tag, extension: Tag, cardinalities: Sequence[Tag], report: Report
) -> tuple[Evaluable | None, Text | None]:
    """The collection or else the cardinality. Zeebe has only the former, and an attribute for it."""
    text = extension.attributes.get("inputCollection", "")
    if text:
        return read_expression(text, activity, report, at=extension), None
    if cardinalities:
        return None, read_text(cardinalities[0].text, activity, report, at=cardinalities[0])
    if extension.name == "zeebe:loopCharacteristics":
        report.add(activity, "the inputCollection must be present and not empty", at=extension)
    return None, None
