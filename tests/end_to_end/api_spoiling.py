"""What is wrong with a request: values, names, bytes and heads that no good client sends."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, final

from tests.end_to_end.api_nonsense import (
    ACCEPTED,
    ARGUMENTS,
    CHUNKS,
    CONTENT_TYPES,
    ENCODINGS,
    FORM_FAULTS,
    HEADERS,
    HEADS,
    LENGTHS,
    METHODS,
    SEGMENTS,
    VALUES,
)
from tests.end_to_end.api_requests import (
    Operation,
    Pairs,
    Request,
    Writer,
    is_array,
    is_object,
    text_of,
)


@final
@dataclass(frozen=True, slots=True)
class Spoiler:
    """Makes of a request one that has something wrong with it."""

    writer: Writer

    def request(self, operation: Operation) -> Request:
        random, request = self.writer.random, self.writer.request(operation)
        ways: list[Callable[[Request], Request]] = [self._head, self._path]
        if operation.body is not None:
            ways = [self._body] * 14 + [self._bytes] * 3 + ways
        if operation.is_form:
            ways = [self._form] * 14 + [self._bytes] * 14 + ways
        if any(one["in"] == "query" for one in operation.parameters):
            ways += [self._query] * 4
        return random.choice(ways)(request)

    def _body(self, request: Request) -> Request:
        random, body = self.writer.random, self.writer.body(request.operation)
        places = list(_places(body))
        if not places or random.random() < 0.05:
            name, nasty = random.choice(("unknown", "$or", "")), random.choice(VALUES)
            if not is_object(body) or random.random() < 0.5:
                return replace(self.writer.with_body(request, nasty), spoilt=f"body is {_short(nasty)}")
            return replace(self.writer.with_body(request, body | {name: nasty}), spoilt=f"body has {name}")
        holder, key = random.choice(places)
        name = key if isinstance(key, str) else ""
        match random.choice(("replace", "replace", "replace", "remove", "add", "twice")):
            case "remove":
                del holder[key]
                spoilt = f"no {key}"
            case "add" if is_object(holder):
                name = random.choice(("unknown", "", "$eq", "Type", "__proto__", "x" * 5000))
                holder[name] = random.choice(VALUES)
                spoilt = f"{name[:20]} beside {key}"
            case "twice" if is_object(holder):
                nasty = random.choice(VALUES)
                twice = Pairs((*holder.items(), (key, nasty)))
                return replace(
                    self.writer.with_body(request, _with(body, holder, twice)),
                    spoilt=f"{key} comes twice, as {_short(nasty)}",
                )
            case _:
                holder[key] = nasty = random.choice(VALUES)
                spoilt = f"{key} is {_short(nasty)}"
        return replace(self.writer.with_body(request, body), spoilt=spoilt)

    def _bytes(self, request: Request) -> Request:
        """The text of the body with bytes that are changed, left out or put in."""
        random, body = self.writer.random, bytearray(request.body or b"{}")
        for _ in range(random.randrange(1, 4)):
            at = random.randrange(len(body) + 1)
            match random.randrange(4):
                case 0:
                    del body[at : at + random.randrange(1, 5)]
                case 1:
                    body[at:at] = random.choice(
                        (b"\xff", b"\x00", b'"', b"{", b"}", b"[", b",", b"\\", b"\\u")
                    )
                case 2:
                    body[at : at + 1] = bytes((random.randrange(256),))
                case _:
                    del body[at:]
        return replace(request, body=bytes(body), spoilt="bytes of the body")

    def _form(self, request: Request) -> Request:
        random = self.writer.random
        old, new = random.choice(FORM_FAULTS)
        count = random.choice((1, -1))
        return replace(request, body=request.body.replace(old, new, count), spoilt=f"{old!r} is {new[:20]!r}")

    def _query(self, request: Request) -> Request:
        random = self.writer.random
        names = [one["name"] for one in request.operation.parameters if one["in"] == "query"]
        name, path = random.choice(names), request.target.partition("?")[0]
        value = random.choice(ARGUMENTS)
        rest = request.target.partition("?")[2].replace(f"{name}=", "other=")
        return replace(request, target=f"{path}?{name}={value}&{rest}", spoilt=f"{name} is {value[:40]}")

    def _path(self, request: Request) -> Request:
        random = self.writer.random
        segments = request.target.partition("?")[0].split("/")
        at = random.randrange(2, len(segments))
        segments[at] = random.choice(SEGMENTS)
        return replace(
            request, target="/".join(segments), spoilt=f"segment {at} is {segments[at][:30]}", is_astray=True
        )

    def _head(self, request: Request) -> Request:
        random, length = self.writer.random, b"Content-Length: %d\r\n" % len(request.body)
        if random.random() < 0.2:
            method = random.choice(("PUT", "POST", "GET", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE", "X"))
            return replace(request, method=method, spoilt=f"method {method}")
        if random.random() < 0.2:
            key = random.choice(("", "a b", "x" * 300, "é", "k", "\x7f", "k\r\nIdempotency-Key: l"))
            headers = (*request.headers, ("Idempotency-Key", key))
            return replace(request, headers=headers, spoilt=f"idempotency key {key!r:.30}")
        line = f"{request.method} {request.target} HTTP/1.1\r\nHost: localhost\r\n".encode()
        start = line + b"Content-Type: application/json\r\n"
        whole = {
            "content type": line + f"Content-Type: {random.choice(CONTENT_TYPES)}\r\n".encode() + length,
            "accept": start + f"Accept: {random.choice(ACCEPTED)}\r\n".encode() + length,
            "encoding": start + b"Content-Encoding: " + random.choice(ENCODINGS) + b"\r\n" + length,
            "long header": line + b"X-Long: " + b"x" * random.choice((8000, 9000, 100_000)) + b"\r\n",
            "many headers": line + b"X: y\r\n" * random.choice((100, 40_000)),
        }
        cut = {
            "short": start + b"Content-Length: %d\r\n\r\n" % (len(request.body) + 10),
            "length": start + b"Content-Length: " + random.choice(LENGTHS) + b"\r\n\r\n",
            "chunks": start + b"Transfer-Encoding: chunked\r\n\r\n" + random.choice(CHUNKS),
            "odd header": line + random.choice(HEADERS) + b"\r\n",
            "method": random.choice(METHODS) + b" /v2 HTTP/1.1\r\nHost: x\r\n\r\n",
            "request line": random.choice(HEADS),
        }
        name = random.choice((*whole, *cut))
        if name in whole:
            body = request.body if b"Content-Length" in whole[name] else b""
            return replace(request, head=whole[name] + b"\r\n", body=body, spoilt=name)
        return replace(request, head=cut[name], spoilt=name, ends=True)


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every (object, name) and (array, index) in a value."""
    items: list[tuple[Any, Any]] = []
    if is_object(value):
        items += value.items()
    elif is_array(value):
        items += enumerate(value)
    for key, inner in items:
        yield value, key
        yield from _places(inner)


def _with(value: Any, holder: Any, other: Any) -> Any:
    """The value with another in the place of one of its parts."""
    if value is holder:
        return other
    if is_object(value):
        return {name: _with(inner, holder, other) for name, inner in value.items()}
    if is_array(value):
        return [_with(inner, holder, other) for inner in value]
    return value


def _short(value: Any) -> str:
    return text_of(value)[:40].decode("utf-8", "replace")
