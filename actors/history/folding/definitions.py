"""Deployed processes and their elements."""

from typing import Final

from bpmnd.actors.history.folding.registry import folds
from bpmnd.actors.history.models import ElementFacts, facts_of
from bpmnd.actors.history.names import ACTIVE, ELEMENT_TYPE
from bpmnd.actors.history.rows import DefinitionRow, ElementRow
from bpmnd.actors.history.tables import Tables
from bpmnd.bpmn import events
from bpmnd.bpmn.model.graph import INNER_INSTANCE, bodies_in

_BODY: Final = ELEMENT_TYPE["MULTI_INSTANCE_BODY"]
_INNER_INSTANCE: Final = ELEMENT_TYPE["AD_HOC_SUB_PROCESS_INNER_INSTANCE"]


@folds(events.ProcessCreated)
def process_created(tables: Tables, event: events.ProcessCreated, time: int) -> None:
    facts = facts_of(event.content, event.process_id)
    tables.definitions.add(
        DefinitionRow(
            event.key,
            event.process_id,
            event.version,
            event.version_tag or None,
            facts.name,
            event.resource_name,
            event.tenant_id,
            event.deployment_key,
            int(facts.has_start_form),
            ACTIVE,
            event.content,
        )
    )
    unknown, bodies = ElementFacts(), bodies_in(event.element_ids)
    for element, element_id in enumerate(event.element_ids):
        fact = facts.elements.get(element_id, unknown)
        number = len(tables.element_of) + 1
        kind = _BODY if element in bodies else fact.type
        if element_id.endswith(INNER_INSTANCE):
            kind = _INNER_INSTANCE
        row = ElementRow(number, event.key, element, element_id, kind, fact.name, fact.headers)
        tables.know_element(row)
        tables.elements.changed[number] = row
