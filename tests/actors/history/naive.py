"""Searches without tables: the events are gone through from the first, and filters are taken by their word.

Written apart from the projection, to be compared with it: nothing here is shared with it but the events.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from bpmnd.bpmn import events
from bpmnd.bpmn.codec import Frame
from tests.actors.history import naive_decisions, naive_messages, naive_operations, naive_tasks
from tests.actors.history.comparing import Item, holds

TYPES = {
    "start": "START_EVENT",
    "end": "END_EVENT",
    "work": "SERVICE_TASK",
    "check": "SERVICE_TASK",
    "box": "SUB_PROCESS",
    "inner_start": "START_EVENT",
    "paid": "INTERMEDIATE_CATCH_EVENT",
    "oops": "BOUNDARY_EVENT",
    "begun": "START_EVENT",
    "rated": "BUSINESS_RULE_TASK",
    "seen": "USER_TASK",
}


def moment(time: int) -> str:
    return datetime.fromtimestamp(time / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def text(value: bytes) -> str:
    return json.dumps(json.loads(value), separators=(",", ":"), ensure_ascii=False)


class Naive:
    """What all searches would find, of the events so far."""

    def __init__(self) -> None:
        self.definitions: dict[int, events.ProcessCreated] = {}
        self.instances: dict[int, Item] = {}
        self.elements: dict[int, Item] = {}
        self.jobs: dict[int, Item] = {}
        self.incidents: dict[int, Item] = {}
        self.variables: dict[int, Item] = {}
        self.scopes: dict[int, int] = {}
        self.user_tasks: dict[int, Item] = {}
        self.requirements: dict[int, Item] = {}
        self.decisions: dict[int, Item] = {}
        self.evaluations: dict[int, Item] = {}
        self.subscriptions: dict[int, Item] = {}
        self.received_once: set[int] = set()
        """Subscriptions that end with their first message."""
        self.correlations: dict[int, Item] = {}
        self.operations: dict[int, Item] = {}
        self._place = 0

    def entities(self) -> Mapping[str, dict[int, Item]]:
        """Path -> items, by what breaks ties."""
        return {
            "process-instances": self.instances,
            "element-instances": self.elements,
            "jobs": self.jobs,
            "incidents": self.incidents,
            "variables": self.variables,
            "user-tasks": self.user_tasks,
            "decision-requirements": self.requirements,
            "decision-definitions": self.decisions,
            "decision-instances": self.evaluations,
            "message-subscriptions": self.subscriptions,
            "correlated-message-subscriptions": self.correlations,
            "audit-logs": self.operations,
        }

    def take(self, partition: int, frames: Iterable[Frame]) -> None:
        """Those of one partition; partitions come in the order of their numbers."""
        for index, frame in enumerate(frames, 1):
            for event in frame.events:
                now = moment(frame.time)
                self._take(event, now)
                naive_tasks.take(self, event, now)
                naive_decisions.take(self, event, now)
                naive_messages.take(self, event, now)
            naive_operations.take(self, partition, index, frame, moment(frame.time))

    def next_place(self) -> int:
        """What has no key is in order of where it stands in the logs."""
        self._place += 1
        return self._place

    def common(self, instance_key: int) -> Item:
        instance = self.instances[instance_key]
        names = ("processInstanceKey", "rootProcessInstanceKey", "processDefinitionKey")
        return {name: instance[name] for name in (*names, "processDefinitionId", "tenantId")}

    def element_id(self, instance_key: int, element: int) -> str:
        definition = self.definitions[int(self.instances[instance_key]["processDefinitionKey"])]
        return definition.element_ids[element]

    def _take(self, event: events.Event, now: str) -> None:
        match event:
            case events.ProcessCreated():
                self.definitions[event.key] = event
            case events.ProcessInstanceCreated():
                definition = self.definitions[event.definition_key]
                self.instances[event.key] = {
                    "processInstanceKey": str(event.key),
                    "rootProcessInstanceKey": str(event.key),
                    "processDefinitionKey": str(definition.key),
                    "processDefinitionId": definition.process_id,
                    "processDefinitionName": None,
                    "processDefinitionVersion": definition.version,
                    "processDefinitionVersionTag": None,
                    "startDate": now,
                    "endDate": None,
                    "state": "ACTIVE",
                    "hasIncident": False,
                    "tenantId": definition.tenant_id,
                    "parentProcessInstanceKey": None,
                    "parentElementInstanceKey": None,
                    "tags": list(event.tags),
                    "businessId": event.business_id,
                }
            case events.ElementActivating() | events.ElementActivated() if event.key != event.instance_key:
                if event.key not in self.elements:
                    element_id = self.element_id(event.instance_key, event.element)
                    self.scopes[event.key] = event.scope_key
                    self.elements[event.key] = {
                        **self.common(event.instance_key),
                        "elementInstanceKey": str(event.key),
                        "elementId": element_id,
                        "elementName": element_id,
                        "type": TYPES[element_id],
                        "startDate": now,
                        "endDate": None,
                        "state": "ACTIVE",
                        "hasIncident": False,
                        "incidentKey": None,
                    }
            case events.ElementCompleted() | events.ElementTerminated():
                state = "COMPLETED" if isinstance(event, events.ElementCompleted) else "TERMINATED"
                of = self.instances if event.key == event.instance_key else self.elements
                of[event.key] |= {"state": state, "endDate": now}
            case events.VariablesCreated():
                for key, (name, value) in enumerate(event.variables.items(), event.first_key):
                    common = self.common(event.instance_key)
                    self.variables[key] = {
                        "variableKey": str(key),
                        "name": name,
                        "value": text(value),
                        "isTruncated": False,
                        "scopeKey": str(event.scope_key),
                        "processInstanceKey": common["processInstanceKey"],
                        "rootProcessInstanceKey": common["rootProcessInstanceKey"],
                        "tenantId": common["tenantId"],
                    }
            case events.VariablesUpdated():
                for name, value in event.variables.items():
                    for item in self.variables.values():
                        if (item["scopeKey"], item["name"]) == (str(event.scope_key), name):
                            item["value"] = text(value)
            case events.JobCreated():
                self.jobs[event.key] = {
                    **self.common(event.instance_key),
                    "jobKey": str(event.key),
                    "elementId": self.element_id(event.instance_key, event.element),
                    "elementInstanceKey": str(event.element_instance_key),
                    "type": event.type,
                    "kind": "BPMN_ELEMENT",
                    "listenerEventType": "UNSPECIFIED",
                    "state": "CREATED",
                    "retries": event.retries,
                    "worker": "",
                    "deadline": None,
                    "creationTime": now,
                    "lastUpdateTime": now,
                    "endTime": None,
                    "errorCode": None,
                    "errorMessage": None,
                    "hasFailedWithRetriesLeft": False,
                    "isDenied": None,
                    "deniedReason": None,
                    "customHeaders": {},
                }
            case events.JobsActivated():
                for key in event.keys:
                    said = {"worker": event.worker, "deadline": moment(event.deadline)}
                    self.jobs[key] |= {**said, "lastUpdateTime": now}
            case events.IncidentCreated():
                self.incidents[event.key] = {
                    **self.common(event.instance_key),
                    "incidentKey": str(event.key),
                    "errorType": event.type,
                    "errorMessage": event.message,
                    "elementId": self.element_id(event.instance_key, event.element),
                    "elementInstanceKey": str(event.element_instance_key),
                    "creationTime": now,
                    "state": "ACTIVE",
                    "jobKey": str(event.job_key) if event.job_key else None,
                }
                self._mark(event.instance_key)
            case events.IncidentResolved():
                self.incidents[event.key]["state"] = "RESOLVED"
                self._mark(event.instance_key)
            case _:
                self._take_job(event, now)

    def _take_job(self, event: events.Event, now: str) -> None:
        match event:
            case events.JobCompleted():
                said: Item = {"state": "COMPLETED", "endTime": now}
            case events.JobCanceled():
                thrown = self.jobs[event.key]["state"] == "ERROR_THROWN"
                said = {"state": "ERROR_THROWN" if thrown else "CANCELED", "endTime": now}
            case events.JobErrorThrown():
                said = {
                    "state": "ERROR_THROWN",
                    "errorCode": event.code,
                    "errorMessage": event.message or None,
                }
            case events.JobFailed():
                said = {"state": "FAILED", "retries": event.retries, "deadline": None}
                said["errorMessage"] = event.message or None
            case events.JobTimedOut():
                said = {"state": "TIMED_OUT", "deadline": None}
            case events.JobYielded():
                said = {"deadline": None}
            case events.JobRetriesUpdated():
                said = {"state": "RETRIES_UPDATED", "retries": event.retries}
            case events.JobTimeoutUpdated():
                said = {"deadline": moment(event.deadline)}
            case _:
                return
        job = self.jobs[event.key]
        job |= {**said, "lastUpdateTime": now}
        job["hasFailedWithRetriesLeft"] = job["state"] == "FAILED" and job["retries"] > 0

    def _mark(self, instance_key: int) -> None:
        """Say of an instance and its elements anew what is wrong within them."""
        own = [one for one in self.elements.values() if one["processInstanceKey"] == str(instance_key)]
        for item in own:
            item |= {"hasIncident": False, "incidentKey": None}
        self.instances[instance_key]["hasIncident"] = False
        for incident in self.incidents.values():
            if incident["processInstanceKey"] != str(instance_key) or incident["state"] != "ACTIVE":
                continue
            self.instances[instance_key]["hasIncident"] = True
            key = int(incident["elementInstanceKey"])
            if key in self.elements:
                self.elements[key]["incidentKey"] = incident["incidentKey"]
            while key in self.elements:
                self.elements[key]["hasIncident"] = True
                key = self.scopes[key]

    # Filters

    def fits(self, path: str, item: Item, filter: Item) -> bool:
        """Whether all of a filter holds."""
        return all(self._holds(path, item, name, wanted) for name, wanted in filter.items())

    def _holds(self, path: str, item: Item, name: str, wanted: Any) -> bool:
        if path == "process-instances":
            key = item["processInstanceKey"]
            if name == "$or":
                return not wanted or any(self.fits(path, item, group) for group in wanted)
            if name == "tags":
                return set(wanted) <= set(item["tags"])
            if name == "variables":
                return all(
                    any(
                        variable["name"] == one["name"] and holds(variable["value"], one["value"])
                        for variable in self.variables.values()
                        if variable["processInstanceKey"] == key
                    )
                    for one in wanted
                )
            if name == "hasRetriesLeft":
                failed = any(
                    job["hasFailedWithRetriesLeft"] and job["endTime"] is None
                    for job in self.jobs.values()
                    if job["processInstanceKey"] == key
                )
                return failed is wanted
            if name == "elementId":
                return any(
                    holds(element["elementId"], wanted)
                    for element in self.elements.values()
                    if element["processInstanceKey"] == key
                )
            if name == "errorMessage":
                return any(
                    holds(incident["errorMessage"], wanted)
                    for incident in self.incidents.values()
                    if incident["processInstanceKey"] == key and incident["state"] == "ACTIVE"
                )
        if path == "element-instances" and name == "elementInstanceScopeKey":
            return self.scopes[int(item["elementInstanceKey"])] == int(wanted)
        if path == "decision-definitions" and name == "isLatestVersion":
            return naive_decisions.is_latest(self, item) is wanted
        if path == "user-tasks" and (found := naive_tasks.fits(self, item, name, wanted)) is not None:
            return found
        return holds(item[name], wanted)
