"""Which process instances a frame says that it is about."""

from bpmnd.bpmn.codec import decode_head
from bpmnd.bpmn.commands import CancelProcessInstance, FailJob
from bpmnd.bpmn.events import ElementCompleted
from bpmnd.bpmn.lives import Lives, lives_of
from tests.bpmn.playground import ONE_TASK, Playground


def lives(playground: Playground, number: int = -1) -> Lives:
    return decode_head(playground.frames[number]).lives


def with_one_task() -> Playground:
    playground = Playground()
    playground.deploy(ONE_TASK)
    return playground


def test_a_deployment_is_about_no_instance() -> None:
    assert lives(with_one_task()) == Lives(reaching=(0,))


def test_an_instance_begins_in_a_frame() -> None:
    playground = with_one_task()
    key = playground.create({"a": b"1"})
    assert lives(playground) == Lives(begun=(key,))


def test_who_has_a_job_lent_is_touched() -> None:
    playground = with_one_task()
    keys = sorted(playground.create() for _ in range(3))
    playground.jobs("work")
    assert lives(playground) == Lives(touched=tuple(keys))


def test_an_instance_ends_in_a_frame() -> None:
    playground = with_one_task()
    key = playground.create()
    playground.work("work")
    assert lives(playground) == Lives(ended=(key,))


def test_a_cancelled_instance_ends() -> None:
    playground = with_one_task()
    key = playground.create()
    playground.do(CancelProcessInstance(key))
    assert lives(playground) == Lives(ended=(key,))


def test_an_incident_reaches_beyond_its_instance() -> None:
    playground = with_one_task()
    key = playground.create()
    (job,) = playground.jobs("work")
    playground.do(FailJob(job.key, retries=0))
    assert lives(playground).reaching == (key,)


def test_an_element_that_ends_is_no_instance_that_ends() -> None:
    playground = with_one_task()
    key = playground.create()
    (start, *_) = playground.happened(ElementCompleted)
    assert start.instance_key == key
    assert lives_of([start]) == Lives(touched=(key,))
