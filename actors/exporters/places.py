"""Where something happened: process, instance and element, by what is known of an event's keys."""

from typing import final

from bpmnd.actors.exporters.instances import Definition, Instance, Instances
from bpmnd.actors.exporters.values import Value
from bpmnd.bpmn.model.graph import INNER_INSTANCE, ElementType


@final
class Places:
    """Looks up what the events of one partition name. What is not known any more is left out."""

    def __init__(self, known: Instances) -> None:
        self.known = known

    def instance(self, key: int) -> Instance | None:
        return self.known.by_key.get(key)

    def process(self, definition_key: int, tenant_id: str | None = None) -> Value:
        """A definition, with the tenant if there is one to be named."""
        definition = self.known.definitions.get(definition_key)
        value: Value = {"processDefinitionKey": str(definition_key)}
        if definition is not None:
            value |= {"bpmnProcessId": definition.process_id, "version": definition.version}
        if tenant_id is not None:
            value["tenantId"] = tenant_id
        return value

    def in_instance(self, instance_key: int, scope_key: int = 0) -> Value:
        """The instance an event belongs to, and the scope that it names."""
        instance = self.instance(instance_key)
        value = {} if instance is None else self.process(instance.definition_key, instance.tenant_id)
        if instance_key:
            value["processInstanceKey"] = str(instance_key)
        if scope_key:
            value["scopeKey"] = str(scope_key)
            if instance is not None and (element := instance.elements.get(scope_key)) is not None:
                value |= self.element(instance, element)
        return value

    def at_element(self, instance_key: int, element_instance_key: int, element: int) -> Value:
        value = self.in_instance(instance_key)
        if element_instance_key:
            value["elementInstanceKey"] = str(element_instance_key)
        return value | self.element(self.instance(instance_key), element)

    def at_known(self, instance_key: int, element_instance_key: int) -> Value:
        """At an element instance of which the event does not say where it is in the model."""
        instance = self.instance(instance_key)
        element = instance.elements.get(element_instance_key) if instance is not None else None
        if element is None:
            return {**self.in_instance(instance_key), "elementInstanceKey": str(element_instance_key)}
        return self.at_element(instance_key, element_instance_key, element)

    def element(self, instance: Instance | None, element: int) -> Value:
        """Id and type of an element, by the table of the deployment; its index, if that was dropped."""
        definition = self.known.definitions.get(instance.definition_key) if instance is not None else None
        if definition is None or element >= len(definition.element_ids):
            return {"elementIndex": element}
        return {
            "elementId": definition.element_ids[element],
            "bpmnElementType": _type_of(definition, element),
        }

    def at_start_event(self, definition_key: int, element: int) -> Value:
        """At a start event that waits without an instance."""
        value = self.process(definition_key)
        definition = self.known.definitions.get(definition_key)
        if definition is not None and element < len(definition.element_ids):
            value["targetElementId"] = definition.element_ids[element]
        return value

    def element_id(self, definition_key: int, element: int) -> str:
        """The id of an element; its index, if the definition is not known."""
        definition = self.known.definitions.get(definition_key)
        if definition is None or element >= len(definition.element_ids):
            return str(element)
        return definition.element_ids[element]


def _type_of(definition: Definition, element: int) -> str:
    element_id = definition.element_ids[element]
    if element in definition.bodies:
        return ElementType.MULTI_INSTANCE_BODY
    if element_id.endswith(INNER_INSTANCE):
        return ElementType.AD_HOC_SUB_PROCESS_INNER_INSTANCE
    return definition.element_types.get(element_id, "UNSPECIFIED")
