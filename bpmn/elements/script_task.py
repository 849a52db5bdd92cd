"""The script task (BPMN 2.0, §10.3.3): evaluates a FEEL expression, or is worked by a job worker."""

from dataclasses import dataclass
from typing import Final, final

from bpmnd.bpmn.elements.activation import Activation
from bpmnd.bpmn.elements.beginning import activated
from bpmnd.bpmn.elements.completing import complete
from bpmnd.bpmn.elements.kind import ElementKind
from bpmnd.bpmn.evaluation import evaluate, lookup_in
from bpmnd.bpmn.feel import to_json
from bpmnd.bpmn.incident import Incident, IncidentType
from bpmnd.bpmn.model.extensions import read_job
from bpmnd.bpmn.model.graph import Element, Evaluable, ServiceTask
from bpmnd.bpmn.model.reading import Common, Reading
from bpmnd.bpmn.model.texts import read_expression
from bpmnd.bpmn.model.xml import Tag
from bpmnd.bpmn.steps import CompleteElement
from bpmnd.bpmn.variables import merge_local, merge_upwards, oversize

_ONE_OF_BOTH: Final = "must have either one zeebe:script or one zeebe:taskDefinition extension element"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptTask(Element):
    """Evaluates a FEEL expression into a variable."""

    script: Evaluable
    result_variable: str


@final
class ScriptTaskKind(ElementKind[ScriptTask | ServiceTask]):
    """Evaluates its expression and completes at once. With a job type it is the same as a service task."""

    nodes = (ScriptTask,)

    def read(self, tag: Tag, common: Common, reading: Reading) -> ScriptTask | ServiceTask | None:
        scripts = tag.extensions("zeebe:script")
        jobs = tag.extensions("zeebe:taskDefinition")
        if len(scripts) + len(jobs) != 1:
            reading.report.add(tag, _ONE_OF_BOTH)
            return None
        if jobs:
            return ServiceTask(**common, job=read_job(tag, reading.report))
        (script,) = scripts
        result_variable = script.attributes.get("resultVariable", "")
        if not result_variable.strip():
            reason = "the resultVariable of the zeebe:script must be present and not empty"
            reading.report.add(tag, reason, at=script)
        expression = read_expression(script.attributes.get("expression", ""), tag, reading.report, at=script)
        return ScriptTask(**common, script=expression, result_variable=result_variable)

    def activate(self, element: ScriptTask | ServiceTask, activation: Activation) -> Incident | None:
        assert isinstance(element, ScriptTask), f"{element} is worked by a job worker"
        turn, instance = activation.turn, activation.instance
        lookup = lookup_in(instance, activation.inner_key)
        result = evaluate(turn, element.script, lookup, IncidentType.EXTRACT_VALUE_ERROR)
        if isinstance(result, Incident):
            return result
        variables = {element.result_variable: to_json(result.value)}
        local = bool(element.outputs)
        too_large = oversize(instance, activation.inner_key, variables, local=local)
        if too_large is not None:
            return Incident(IncidentType.EXTRACT_VALUE_ERROR, too_large)

        activated(element, activation)
        merge = merge_local if local else merge_upwards
        merge(turn, instance, activation.key, variables)
        complete(turn, CompleteElement(instance.key, activation.key))
        return None
