"""Jobs."""

from bpmnd.bpmn.events.struct import EventStruct


class JobCreated(EventStruct, frozen=True, gc=False, tag=20):
    key: int
    instance_key: int
    element_instance_key: int
    element: int
    type: str
    retries: int


class JobsActivated(EventStruct, frozen=True, gc=False, tag=21):
    """Jobs of one type, lent to one worker until `deadline`."""

    keys: tuple[int, ...]
    tenant_id: str
    type: str
    worker: str
    deadline: int
    instance_keys: tuple[int, ...]
    """The process instance of each job."""


class JobCompleted(EventStruct, frozen=True, gc=False, tag=22):
    key: int
    instance_key: int


class JobFailed(EventStruct, frozen=True, gc=False, tag=23):
    """With retries left the job may be lent again at `recur_at` (0: at once)."""

    key: int
    instance_key: int
    retries: int
    recur_at: int
    message: str


class JobRecurred(EventStruct, frozen=True, gc=False, tag=24):
    """The back-off of a failed job is over."""

    key: int
    instance_key: int


class JobTimedOut(EventStruct, frozen=True, gc=False, tag=25):
    key: int
    instance_key: int


class JobYielded(EventStruct, frozen=True, gc=False, tag=26):
    """Given back: it never reached its worker."""

    key: int
    instance_key: int


class JobErrorThrown(EventStruct, frozen=True, gc=False, tag=27):
    key: int
    instance_key: int
    code: str
    message: str


class JobRetriesUpdated(EventStruct, frozen=True, gc=False, tag=28):
    key: int
    instance_key: int
    retries: int


class JobTimeoutUpdated(EventStruct, frozen=True, gc=False, tag=29):
    key: int
    instance_key: int
    deadline: int


class JobCanceled(EventStruct, frozen=True, gc=False, tag=30):
    key: int
    instance_key: int


class ListenerJobCreated(EventStruct, frozen=True, gc=False, tag=100):
    """The job of a listener to what `listens_to` names, such as START. `then` are the encoded steps that it
    holds up."""

    key: int
    instance_key: int
    element_instance_key: int
    element: int
    type: str
    retries: int
    listens_to: str
    then: bytes


class JobWithHeadersCreated(EventStruct, frozen=True, gc=False, tag=101):
    """A job whose headers were worked out with it: that of a user task that others manage, where they say all
    that there is to it, or of an element with linked resources."""

    key: int
    instance_key: int
    element_instance_key: int
    element: int
    type: str
    retries: int
    headers: tuple[tuple[str, str], ...]
