"""What events with several definitions wait for, and how to let it occur, for tests."""

from collections.abc import Callable
from typing import TypeAlias

from bpmnd.bpmn.commands import (
    BroadcastSignal,
    PublishMessage,
    SetVariables,
)
from tests.bpmn.events import (
    catch,
    message,
    on_message,
    on_signal,
    signal,
)
from tests.bpmn.playground import START, Playground, path, process, task

Occurs: TypeAlias = Callable[[Playground, int], None]

BESIDE = (
    message("m", "go", "=k")
    + message("n", "stop", "=k")
    + signal("s", "bell")
    + '<error id="e" errorCode="E"/><escalation id="esc" escalationCode="C"/>'
)
ON_ERROR = '<errorEventDefinition errorRef="e"/>'
ON_ESCALATION = '<escalationEventDefinition escalationRef="esc"/>'


def after(duration: str) -> str:
    return f"<timerEventDefinition><timeDuration>{duration}</timeDuration></timerEventDefinition>"


def every(cycle: str) -> str:
    return f"<timerEventDefinition><timeCycle>{cycle}</timeCycle></timerEventDefinition>"


def when(condition: str) -> str:
    return f"<conditionalEventDefinition><condition>{condition}</condition></conditionalEventDefinition>"


def started(body: str, **variables: bytes) -> tuple[Playground, int]:
    playground = Playground()
    playground.deploy(process(body, definitions=BESIDE))
    return playground, playground.create({"k": b'"1"', **variables})


def tell(playground: Playground, name: str, *, live_ms: int = 0, **variables: bytes) -> None:
    playground.do(PublishMessage(name, "1", live_ms, "", variables))


def ring(playground: Playground, **variables: bytes) -> None:
    playground.do(BroadcastSignal("bell", variables))


ANY = on_signal("s") + on_message("m") + after("PT10S") + when("=v = 1")
WAITING = START + catch("wait", ANY) + task("b") + path("start", "wait", "b")


def by_signal(playground: Playground, key: int) -> None:
    ring(playground)


def by_message(playground: Playground, key: int) -> None:
    tell(playground, "go")


def by_timer(playground: Playground, key: int) -> None:
    playground.pass_time(10_000)


def by_condition(playground: Playground, key: int) -> None:
    playground.do(SetVariables(key, {"v": b"1"}))


ALL = (by_signal, by_message, by_timer, by_condition)


BOTH = on_message("m") + on_signal("s")
