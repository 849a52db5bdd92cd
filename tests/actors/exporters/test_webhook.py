"""Messages to a real web server: signed, sent again until they arrive, and known by their ids."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from bpmnd.actors.exporters.pipe import Failing
from bpmnd.actors.exporters.webhook import sending
from bpmnd.actors.exporters.webhook.exporter import WebhookExporter
from bpmnd.actors.exporters.webhook.sending import secret_of, signature_of
from bpmnd.bpmn.commands import CompleteUserTask, FailJob
from bpmnd.bpmn.events import UserTaskCreated
from tests.actors.exporters.deliveries import Receiver, Side, Written
from tests.bpmn.playground import END, START, path, process


class Messages:
    """What has come to the address."""

    def __init__(self) -> None:
        self.url = ""
        self.requests: list[tuple[str, dict[str, str], bytes]] = []
        self.answers: list[int] = []
        """Statuses of the next answers; then 204."""

    @property
    def accepted(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, _, body in self.requests]

    async def post(self, request: web.Request) -> web.Response:
        status = self.answers.pop(0) if self.answers else 204
        if status == 204:
            self.requests.append((request.path, dict(request.headers), await request.read()))
        return web.Response(status=status, text="" if status == 204 else "not now")


@pytest.fixture
async def messages() -> AsyncIterator[Messages]:
    messages = Messages()
    application = web.Application()
    application.add_routes([web.post("/{tail:.*}", messages.post)])
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0]
    messages.url = f"http://{host}:{port}"
    yield messages
    await runner.cleanup()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "_PAUSE_SECONDS", 0.01)
    monkeypatch.setattr("bpmnd.actors.exporters.webhook.exporter._LOOK_SECONDS", 0.02)


@pytest.fixture
async def start(messages: Messages, tmp_path: Path) -> AsyncIterator[Callable[..., Side]]:
    sides: list[Side] = []

    def begin(written: Written, **settings: Any) -> Side:
        given = {"url": f"{messages.url}/all", **settings}
        side = Side(
            written,
            tmp_path,
            Receiver(),
            wanted=("INCIDENT", "USER_TASK"),
            settle_seconds=0.02,
            make=lambda: WebhookExporter(given),
        )
        sides.append(side)
        return side

    yield begin
    for side in sides:
        await side.stop()


def contract(due: datetime) -> bytes:
    return process(
        START + '<userTask id="sign"><extensionElements><zeebe:userTask/>'
        '<zeebe:assignmentDefinition candidateGroups="lawyers, notaries"/>'
        f'<zeebe:taskSchedule dueDate="{due.isoformat()}"/></extensionElements></userTask>'
        + END
        + path("start", "sign", "end"),
        process_id="contract",
    )


def with_task(due_in_seconds: float) -> Written:
    written = Written()
    written.playground.deploy(contract(datetime.now(UTC) + timedelta(seconds=due_in_seconds)))
    written.playground.create(process_id="contract")
    written.write()
    return written


def with_incident() -> Written:
    written = Written()
    written.playground.create()
    (job,) = written.playground.jobs("work")
    written.playground.do(FailJob(job.key, 0, 0, "no paper", {}))
    written.write()
    return written


async def test_an_incident_is_told_signed_and_then_acknowledged(
    messages: Messages, start: Callable[..., Side], tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text("whsec_MDEyMzQ1Njc4OQ==\n")
    written = with_incident()
    side = start(written, secret_file=str(tmp_path / "secret"))
    side.tell()
    await side.until(lambda: side.position == written.log.last_index)

    ((path_, headers, body),) = messages.requests
    message = json.loads(body)
    assert path_ == "/all"
    assert (message["type"], message["errorType"], message["errorMessage"], message["elementId"]) == (
        "incident-created",
        "JOB_NO_RETRIES",
        "no paper",
        "work",
    )
    signature = signature_of(b"0123456789", headers["webhook-id"], int(headers["webhook-timestamp"]), body)
    assert headers["webhook-signature"] == signature


def test_a_signature_is_that_of_the_convention() -> None:
    """The example of standardwebhooks.com."""
    secret = secret_of("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    body = b'{"test": 2432232314}'
    id = "msg_p5jXN8AQM9LWM0D4loKWxJek"
    assert signature_of(secret, id, 1614265330, body) == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize("answers", [[503], [500, 404, 429, 302], [503] * 9])
async def test_a_message_is_sent_until_it_arrives_under_one_id(
    messages: Messages, start: Callable[..., Side], answers: list[int]
) -> None:
    messages.answers = list(answers)
    written = with_incident()
    side = start(written)
    side.tell()
    await side.until(lambda: side.position == written.log.last_index)
    assert len(messages.requests) == 1
    failed = [str(said) for said in side.heard(Failing)]
    assert bool(failed) == (len(answers) >= 4)
    assert all("answered" in said and "not now" in said for said in failed)


async def test_what_the_receiver_does_not_want_holds_nothing_up(
    messages: Messages, start: Callable[..., Side], caplog: pytest.LogCaptureFixture
) -> None:
    messages.answers = [422]
    written = with_incident()
    side = start(written)
    side.tell()
    await side.until(lambda: side.position == written.log.last_index)
    assert messages.requests == []
    assert "does not want message" in caplog.text


async def test_a_task_is_told_when_it_becomes_overdue(messages: Messages, start: Callable[..., Side]) -> None:
    written = with_task(due_in_seconds=0.3)
    side = start(written)
    side.tell()
    await side.until(lambda: side.position == written.log.last_index)
    assert messages.requests == []
    await side.until(lambda: bool(messages.requests))
    (message,) = messages.accepted
    assert (message["type"], message["elementId"], message["candidateGroups"]) == (
        "user-task-overdue",
        "sign",
        ["lawyers", "notaries"],
    )


async def test_a_task_that_is_done_in_time_is_not_told(
    messages: Messages, start: Callable[..., Side]
) -> None:
    written = with_task(due_in_seconds=0.3)
    side = start(written)
    side.tell()
    (task,) = written.playground.happened(UserTaskCreated)
    written.playground.do(CompleteUserTask(task.key))
    written.write()
    side.tell()
    await side.until(lambda: side.position == written.log.last_index)
    await asyncio.sleep(0.5)
    assert messages.requests == []


async def test_overdue_tasks_go_to_the_teams_that_could_do_them(
    messages: Messages, start: Callable[..., Side]
) -> None:
    written = with_task(due_in_seconds=-5)
    side = start(written, teams={"notaries": f"{messages.url}/notaries", "cooks": f"{messages.url}/cooks"})
    side.tell()
    await side.until(lambda: side.position == written.log.last_index)
    assert [path_ for path_, _, _ in messages.requests] == ["/notaries"]


async def test_who_begins_anew_tells_only_what_was_not_told(
    messages: Messages, start: Callable[..., Side]
) -> None:
    written = with_task(due_in_seconds=-5)
    written.playground.deploy(contract(datetime.now(UTC) + timedelta(seconds=1)))
    written.playground.create(process_id="contract")
    last = written.write()
    first = start(written)
    first.tell()
    await first.until(lambda: first.position == last and first.mark > 0)
    await first.stop()
    assert len(messages.requests) == 1

    again = start(written)
    again.tell(last, first.mark)
    await again.until(lambda: len(messages.requests) == 2)
    keys = {message["userTaskKey"] for message in messages.accepted}
    assert len(keys) == 2, "the one that became overdue since, and not the other again"


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "url"),
        ({"url": "ftp://x"}, "no address of the web"),
        ({"url": "http://x", "teams": {"a": "b"}}, "no address of the web"),
        ({"url": "http://x", "events": "incident"}, "there is no 'incident'; there are incident-created"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        WebhookExporter(settings)
