"""A client that sends whatever comes to its mind to a real node, and looks hard at every answer."""

import json
import re
import socket
import urllib.request
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Final, final

from tests.end_to_end.api_content import FILES, WAITING
from tests.end_to_end.api_requests import Api, Operation, Pool, Request, Writer
from tests.end_to_end.api_spoiling import Spoiler
from tests.gateway.schemas import ApiDescription
from tests.nodes import RunningNode

SECONDS_MAX: Final = 20.0
"""Whatever takes longer hangs."""
_HELD_SECONDS: Final = 0.05
_HELD: Final = {
    "activateJobs",
    "createProcessInstance",
    "assignUserTask",
    "unassignUserTask",
    "updateUserTask",
    "completeUserTask",
}
"""What may wait for something to happen, as for a listener: a client that is tired of it hangs up."""
_UNDER_WAY: Final = {
    "searchElementInstances": "elementInstanceKey",
    "searchIncidents": "incidentKey",
    "searchJobs": "jobKey",
    "searchUserTasks": "creationDate",
}
_AD_HOC: Final = {"type": "AD_HOC_SUB_PROCESS", "state": "ACTIVE"}
_BATCH: Final = 30
_ALWAYS: Final = {400, 404, 405, 406, 408, 411, 413, 414, 415, 417, 422, 431}
"""What the server says of any request that cannot be read, whatever the description lists."""
_BESIDE: Final = {("publishMessage", 409)}
"""What Zeebe says, too, and the description does not list."""
_TEXT: Final = ("text/xml", "text/plain", "application/octet-stream")


@dataclass(frozen=True, slots=True)
class Answer:
    """Status 0: the server closed the connection without a word; -1: nothing came in the time there was."""

    status: int
    headers: dict[str, str] = field(default_factory=dict[str, str])
    body: bytes = b""


@final
class Wire:
    """One connection at a time, which sends bytes."""

    def __init__(self, address: str) -> None:
        host, _, port = address.removeprefix("http://").rpartition(":")
        self._place: Final = (host, int(port))
        self._socket: socket.socket | None = None

    def send(self, request: Request, seconds_max: float) -> Answer:
        fresh = self._socket is None
        answer = self._send(request, seconds_max)
        if answer.status == 0 and not fresh:
            return self._send(request, seconds_max)
        return answer

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _send(self, request: Request, seconds_max: float) -> Answer:
        if self._socket is None:
            self._socket = socket.create_connection(self._place, timeout=SECONDS_MAX)
        self._socket.settimeout(seconds_max)
        try:
            try:
                self._socket.sendall(request.wire())
                if request.ends:
                    self._socket.shutdown(socket.SHUT_WR)
            except ConnectionError:
                pass  # It was told no before it was done; the answer may be there.
            answer = self._read(request)
        except TimeoutError:
            answer = Answer(-1)
        except ConnectionError:
            answer = Answer(0)
        if answer.status <= 0 or request.ends or answer.headers.get("connection") == "close":
            self.close()
        return answer

    def _read(self, request: Request) -> Answer:
        got = b""
        while b"\r\n\r\n" not in got:
            got += self._more()
            if not got:
                return Answer(0)
        head, _, body = got.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines)
        length = int(headers.get("content-length", "0")) if request.method != "HEAD" else 0
        while len(body) < length:
            more = self._more()
            assert more, f"the body ends too early: {head!r} {body!r}"
            body += more
        assert len(body) == length or request.ends, f"there is more than the body: {head!r} {body!r}"
        status = int(first.split()[1])
        if status == 100:
            return self._read(request)
        return Answer(status, headers, body[:length])

    def _more(self) -> bytes:
        assert self._socket is not None, "it was opened"
        return self._socket.recv(1 << 20)


@final
class Fuzz:
    """Sends requests and gathers what is wrong with the answers."""

    def __init__(self, node: RunningNode, api: Api, description: ApiDescription, seed: int) -> None:
        """The node is one that was populated."""
        self._node = node
        self._description = description
        self.random: Final = Random(seed)
        self._wire = Wire(node.address)
        self.pool: Final = Pool()
        self._writer = Writer(api, self.random, self.pool, FILES)
        self._spoiler = Spoiler(self._writer)
        self.operations: Final = [one for one in api.operations if self._is_served(one)]
        self.complaints: Final[list[str]] = []
        self.statuses: Final[Counter[tuple[str, int]]] = Counter()
        self.details: Final[Counter[tuple[str, str, str]]] = Counter()

    def close(self) -> None:
        self._wire.close()

    def look_around(self) -> None:
        """Learn what is there, by all searches."""
        for operation in self.operations:
            if operation.template.endswith("/search"):
                self.send(self._writer.with_body(self._writer.request(operation), {}))

    def run(self, count: int) -> None:
        """Send so many requests, half of them as the description has them."""
        for _ in range(0, count, 2 * _BATCH):
            self._restock()
            for _ in range(_BATCH):
                self.send(self._writer.request(self.random.choice(self.operations)))
            spoilt = [self._spoiler.request(self.random.choice(self.operations)) for _ in range(_BATCH)]
            self._check_unchanged(spoilt)

    def _restock(self) -> None:
        """Let there be something that is still under way, and know of it."""
        named = {operation.id: operation for operation in self.operations}
        create = Request(named["createProcessInstance"], "POST", "/v2/process-instances")
        for process_id in ("tasks", "failing", self.random.choice(WAITING)):
            self.send(self._writer.with_body(create, {"processDefinitionId": process_id}))
        for name, key in _UNDER_WAY.items():
            newest = {"sort": [{"field": key, "order": "DESC"}], "page": {"limit": 20}}
            self.send(self._writer.with_body(self._writer.request(named[name]), newest))
        search = self._writer.request(named["searchElementInstances"])
        found = self.send(self._writer.with_body(search, {"filter": _AD_HOC}))
        for item in json.loads(found.body)["items"]:
            self.pool.add("adHocSubProcessInstanceKey", item["elementInstanceKey"], self.random)

    def send(self, request: Request) -> Answer:
        seconds_max = _HELD_SECONDS if request.operation.id in _HELD else SECONDS_MAX
        answer = self._wire.send(request, seconds_max)
        self.statuses[request.operation.id, answer.status] += 1
        for complaint in self._complaints(request, answer):
            self._complain(request, answer, complaint)
        return answer

    def _check_unchanged(self, batch: Sequence[Request]) -> None:
        """Send them, and see that those that are refused leave no entry in a log. What is still going on
        there, as a timer, comes and goes: whoever is blamed has to do it three times."""
        refused = [request for request in batch if self._is_refused(request)]
        suspected = refused
        for _ in range(2):
            before = self._settled()
            for request in refused:
                self.send(request)
            if self._settled() == before:
                return
        for _ in range(3):
            suspected = [request for request in suspected if self._is_refused_and_leaves_a_trace(request)]
        for request in suspected:
            self._complain(request, Answer(-1), "was refused, and yet the log has grown")

    def _is_refused_and_leaves_a_trace(self, request: Request) -> bool:
        before = self._settled()
        return self._is_refused(request) and self._settled() != before

    def _is_refused(self, request: Request) -> bool:
        """Not so what was taken, but is not done in the time that the client gave it."""
        status = self.send(request).status
        return status == 0 or (status >= 400 and status != 504)

    def _settled(self) -> tuple[int, ...]:
        """The entries of the logs, once they are the same twice."""
        before = self._entries()
        while (now := self._entries()) != before:
            before = now
        return now

    def _entries(self) -> tuple[int, ...]:
        with urllib.request.urlopen(f"{self._node.monitoring}/metrics", timeout=SECONDS_MAX) as answer:
            text = answer.read().decode()
        return tuple(int(float(one)) for one in re.findall(r"^bpmnd_log_entries_total\S* (\S+)$", text, re.M))

    def _is_served(self, operation: Operation) -> bool:
        path = "/v2" + re.sub(r"\{\w+\}", "1", operation.template)
        answer = self._wire.send(Request(operation, "OPTIONS", path), SECONDS_MAX)
        return operation.method in answer.headers.get("allow", "").upper().split(", ")

    def _complaints(self, request: Request, answer: Answer) -> Iterator[str]:
        """Everything that is wrong with an answer."""
        operation, status = request.operation, answer.status
        if status <= 0:
            if status < 0 and operation.id not in _HELD:
                yield "hangs"
            elif status == 0 and not request.ends:
                yield "no answer"
            return
        if status >= 500 and (operation.id, status) != ("createProcessInstance", 504):
            yield "is an error of ours"
        if request.method == "HEAD" or (request.method == "OPTIONS" and status == 200):
            return
        kind = answer.headers.get("content-type", "").partition(";")[0]
        if status >= 400:
            yield from self._complaints_about_problem(request, answer, kind)
        is_for_it = request.head is None and request.method == operation.method and not request.is_astray
        if is_for_it and status not in operation.statuses | _ALWAYS and (operation.id, status) not in _BESIDE:
            yield f"{operation.id} does not list {status}"
        if status < 400 and kind not in _TEXT:
            body = json.loads(answer.body) if answer.body else None
            self.pool.harvest(body, self.random)
            if is_for_it:
                yield from self._description.complaints(operation.id, status, kind, body)

    def _complaints_about_problem(self, request: Request, answer: Answer, kind: str) -> Iterator[str]:
        if kind != "application/problem+json":
            yield f"is {kind}"
            return
        problem = json.loads(answer.body)
        if set(problem) != {"type", "title", "status", "detail", "instance"}:
            yield "lacks something"
        if problem["status"] != answer.status or not problem["title"] or len(problem["detail"]) < 10:
            yield "is no good problem"
        shape = re.sub(r"\d+", "0", problem["detail"])
        self.details[request.operation.id, f"{answer.status} {problem['title']}", shape[:160]] += 1
        if answer.status == 400 and request.head is None and not _names_a_place(request, problem["detail"]):
            yield "does not name a place"

    def _complain(self, request: Request, answer: Answer, complaint: str) -> None:
        sent = request.wire()
        shown = sent if len(sent) < 700 else sent[:600] + b" ... " + sent[-60:]
        self.complaints.append(
            f"{complaint}: {request.operation.id}, {request.spoilt or 'as it should be'}\n"
            f"  sent {shown!r}\n  got {answer.status} {answer.body[:600]!r}"
        )


_OTHER_PLACES: Final = re.compile(
    r"[Bb]ody|JSON|tenant|header|Content-Type|url|HTTP|multipart|\[\]|messageName"
    r"|one of \[|Command '\w+' rejected|The tag |changeset|follow-up date|due date"
    r"|no such property|no file name"
)


def _names_a_place(request: Request, detail: str) -> bool:
    """Whether it says of what in the request it speaks."""
    operation = request.operation
    known = {str(parameter["name"]) for parameter in operation.parameters}
    known.update(re.findall(r'"([^"]+)" ?:', request.body[:10_000].decode("utf-8", "replace")))
    known.update(operation.properties)
    return bool(_OTHER_PLACES.search(detail)) or any(name in detail for name in known)
