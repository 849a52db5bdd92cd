"""Instances that wait for several event definitions go on by another definition."""

from bpmnd.bpmn.commands import BroadcastSignal, CancelProcessInstance, SetVariables
from bpmnd.bpmn.outcomes import Accepted
from tests.bpmn.events import boundary, catch, event, on_message, on_signal, together
from tests.bpmn.playground import START, flow, path, task
from tests.bpmn.test_migration import Migration
from tests.bpmn.test_modification import instance_of

BOTH = on_message("go") + on_signal("bell")


def when(condition: str) -> str:
    return f"<conditionalEventDefinition><condition>{condition}</condition></conditionalEventDefinition>"


def guarded(event_id: str, definitions: str = BOTH, *, parallel: bool = True) -> str:
    body = (
        START + task("a") + boundary(event_id, "a", definitions, interrupting=False) + task(f"by_{event_id}")
    )
    body += path("start", "a") + flow(event_id, f"by_{event_id}")
    return together(body, event_id) if parallel else body


def ring(migration: Migration) -> None:
    migration.playground.do(BroadcastSignal("bell", {"x": b"1"}))


def test_what_has_occurred_counts_for_the_event_that_is_mapped() -> None:
    migration = Migration(guarded("old"), guarded("new"))
    ring(migration)
    assert migration.migrate(a="a", old="new") == Accepted()
    migration.publish("go")
    assert migration.playground.work("by_new").variables["x"] == b"1"


def test_it_takes_one_message_of_each_set_also_afterwards() -> None:
    migration = Migration(guarded("old"), guarded("new"))
    migration.publish("go")
    assert migration.migrate(a="a", old="new") == Accepted()
    migration.publish("go", live_ms=60_000)
    ring(migration)
    ring(migration)
    assert len(migration.playground.jobs("by_new")) == 2


def test_what_has_occurred_is_forgotten_if_the_event_is_not_mapped() -> None:
    migration = Migration(guarded("old"), guarded("new"))
    ring(migration)
    assert migration.migrate(a="a") == Accepted()
    instance = instance_of(migration.playground, migration.key)
    assert (instance.occurred, instance.size) == ({}, len("k") + len('"1"'))
    migration.publish("go")
    assert migration.playground.jobs("by_new") == ()
    ring(migration)
    assert len(migration.playground.jobs("by_new")) == 1
    migration.playground.do(CancelProcessInstance(migration.key))
    assert migration.playground.is_over(migration.key)


def test_a_subscription_stays_that_of_its_definition() -> None:
    def waiting(limit: int) -> str:
        body = START + catch("wait", on_signal("bell") + when(f"=v &gt; {limit}")) + task("then")
        return body + path("start", "wait", "then")

    migration = Migration(waiting(5), waiting(10), variables={"k": b'"1"', "v": b"1"})
    assert migration.migrate(wait="wait", then="then") == Accepted()
    migration.playground.do(SetVariables(migration.key, {"v": b"7"}))
    assert migration.playground.jobs("then") == ()
    migration.playground.do(SetVariables(migration.key, {"v": b"11"}))
    assert len(migration.playground.jobs("then")) == 1


def test_an_event_cannot_become_one_of_other_definitions() -> None:
    migration = Migration(guarded("old"), guarded("new", BOTH + when("=v = 1")))
    reason = migration.refused(a="a", old="new")
    assert "'MESSAGE and SIGNAL' and 'MESSAGE and SIGNAL and CONDITIONAL'" in reason


def test_an_event_of_all_its_definitions_cannot_become_one_of_any_of_them() -> None:
    migration = Migration(guarded("old"), guarded("new", parallel=False))
    assert "'MESSAGE and SIGNAL' and 'MESSAGE or SIGNAL'" in migration.refused(a="a", old="new")


def test_an_event_throws_the_rest_as_the_target_has_it() -> None:
    def ending(definitions: str) -> str:
        job = '<zeebe:taskDefinition type="send"/>'
        return START + event("endEvent", "end", definitions, job) + path("start", "end")

    migration = Migration(ending(on_message("go") + on_signal("bell")), ending(on_message("go")))
    assert migration.migrate(end="end") == Accepted()
    migration.playground.work("send")
    assert migration.playground.is_over(migration.key)
