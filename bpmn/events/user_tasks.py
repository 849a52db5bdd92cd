"""User tasks, and the listeners that hold for all of them.

A change begins, waits for its listeners, and comes to its end or is denied. `action` is what the user called
it, `user` who it was (empty: nobody known); `request` waits until it has come to its end.
"""

from bpmnd.bpmn.commands import Variables
from bpmnd.bpmn.events.struct import EventStruct
from bpmnd.bpmn.user_tasks import GlobalListener, TaskAttributes


class UserTaskCreating(EventStruct, frozen=True, gc=False, tag=102):
    """`form_key` is 0 without a linked form."""

    key: int
    instance_key: int
    element_instance_key: int
    element: int
    attributes: TaskAttributes
    form_key: int
    external_form_reference: str


class UserTaskCreated(EventStruct, frozen=True, gc=False, tag=103):
    key: int
    instance_key: int
    element_instance_key: int
    attributes: TaskAttributes


class UserTaskAssigning(EventStruct, frozen=True, gc=False, tag=104):
    key: int
    instance_key: int
    element_instance_key: int
    before: str
    assignee: str
    action: str
    user: str
    request: int


class UserTaskAssigned(EventStruct, frozen=True, gc=False, tag=105):
    key: int
    instance_key: int
    element_instance_key: int
    before: TaskAttributes
    attributes: TaskAttributes
    changed: tuple[str, ...]
    action: str
    user: str


class UserTaskUpdating(EventStruct, frozen=True, gc=False, tag=106):
    key: int
    instance_key: int
    element_instance_key: int
    before: TaskAttributes
    attributes: TaskAttributes
    changed: tuple[str, ...]
    action: str
    user: str
    request: int


class UserTaskUpdated(EventStruct, frozen=True, gc=False, tag=107):
    key: int
    instance_key: int
    element_instance_key: int
    before: TaskAttributes
    attributes: TaskAttributes
    changed: tuple[str, ...]
    action: str
    user: str


class UserTaskCompleting(EventStruct, frozen=True, gc=False, tag=108):
    key: int
    instance_key: int
    element_instance_key: int
    variables: Variables
    action: str
    user: str
    request: int


class UserTaskCompleted(EventStruct, frozen=True, gc=False, tag=109):
    key: int
    instance_key: int
    element_instance_key: int
    before: TaskAttributes
    attributes: TaskAttributes
    changed: tuple[str, ...]
    variables: Variables
    action: str
    user: str


class UserTaskCanceling(EventStruct, frozen=True, gc=False, tag=110):
    """Its element is terminated."""

    key: int
    instance_key: int
    element_instance_key: int


class UserTaskCanceled(EventStruct, frozen=True, gc=False, tag=111):
    key: int
    instance_key: int
    element_instance_key: int
    attributes: TaskAttributes


class UserTaskCorrected(EventStruct, frozen=True, gc=False, tag=112):
    """A listener wants the change that it has waited for to be another one."""

    key: int
    instance_key: int
    element_instance_key: int
    before: TaskAttributes
    attributes: TaskAttributes
    changed: tuple[str, ...]


class UserTaskDenied(EventStruct, frozen=True, gc=False, tag=113):
    """A listener does not let the change happen that `denied` names, such as COMPLETING."""

    key: int
    instance_key: int
    element_instance_key: int
    denied: str
    reason: str


class GlobalListenerCreated(EventStruct, frozen=True, gc=False, tag=117):
    """A listener to all user tasks."""

    key: int
    listener: GlobalListener
    user: str


class GlobalListenerUpdated(EventStruct, frozen=True, gc=False, tag=118):
    key: int
    listener: GlobalListener
    user: str


class GlobalListenerDeleted(EventStruct, frozen=True, gc=False, tag=119):
    key: int
    id: str
    user: str
