"""Requests made at random of the API's description: as it says, and spoilt in one place or another."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Any, Final, TypeGuard, final
from urllib.parse import quote, urlencode

_METHODS: Final = ("get", "put", "post", "delete", "patch")
_VALID: Final = {
    "tenantId": ("<default>",),
    "tenantIds": ("<default>",),
    "expression": ("=1", "=a.b", "=a + 1"),
}
_WORDS: Final = ("a", "order", "work", "Grüße", "x y", "$key", "=1", "null", "😀", "VALUE_2")
_ALSO: Final = {"id": "globalListenerId"}
"""Parameters that are named otherwise where their values are found."""
BOUNDARY: Final = "boundary-of-a-form"
_PART: Final = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="resources"; filename="{{}}"\r\n\r\n'
_POOL_MAX: Final = 60
_DEPTH_MAX: Final = 5


@dataclass(frozen=True, slots=True)
class Raw:
    """JSON text that is sent as it is, however wrong."""

    text: bytes


@dataclass(frozen=True, slots=True)
class Pairs:
    """An object in which a name may come twice."""

    pairs: tuple[tuple[str, Any], ...]


@final
@dataclass(frozen=True, slots=True)
class Operation:
    """One of the description."""

    id: str
    method: str
    template: str
    description: Mapping[str, Any]
    parameters: Sequence[Mapping[str, Any]]
    body: Mapping[str, Any] | None
    """The schema of its JSON body."""
    properties: frozenset[str]
    """All names in that."""

    @property
    def statuses(self) -> set[int]:
        return {int(status) for status in self.description["responses"] if status.isdigit()}

    @property
    def is_form(self) -> bool:
        return "multipart/form-data" in self.description.get("requestBody", {}).get("content", {})


@final
@dataclass(frozen=True, slots=True)
class Request:
    """What is sent. `spoilt` says what is wrong with it; empty: nothing, by the description."""

    operation: Operation
    method: str
    target: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    spoilt: str = ""
    is_astray: bool = False
    """Whether it may come to another operation."""
    head: bytes | None = None
    """All that is sent before the body, if it is not as usual."""
    ends: bool = False
    """Whether the client says no more afterwards."""

    def wire(self) -> bytes:
        if self.head is not None:
            return self.head + self.body
        lines = [f"{self.method} {self.target} HTTP/1.1", "Host: localhost"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        if self.body or self.method not in ("GET", "DELETE", "HEAD"):
            lines.append(f"Content-Length: {len(self.body)}")
        return "\r\n".join(lines).encode("utf-8", "surrogateescape") + b"\r\n\r\n" + self.body


@final
class Api:
    """The description: its operations, and its schemas with their references followed."""

    def __init__(self, path: Path) -> None:
        self._file: dict[str, Any] = json.loads(path.read_text())
        self.operations: Final = list(self._operations())

    def resolved(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        while "$ref" in schema:
            found: Any = self._file
            for name in schema["$ref"].split("/")[1:]:
                found = found[name]
            schema = found
        return schema

    def flat(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        """The schema of a value that is no object, with what its parts say."""
        schema = self.resolved(schema)
        for part in schema.get("allOf", ()):
            schema = {**self.flat(part), **schema}
        return schema

    def properties(self, schema: Mapping[str, Any]) -> tuple[dict[str, Any], set[str]]:
        """All properties of an object and of its parts, and which of them are required."""
        schema = self.resolved(schema)
        properties, required = dict(schema.get("properties", {})), set[str](schema.get("required", ()))
        for part in schema.get("allOf", ()):
            more, needed = self.properties(part)
            properties |= more
            required |= needed
        return properties, required

    def _names(self, schema: Mapping[str, Any], depth: int = 0) -> set[str]:
        """The names of all properties in a value, some levels deep."""
        schema = self.resolved(schema)
        names = set[str](schema.get("properties", {}))
        inner = [*schema.get("properties", {}).values(), *schema.get("allOf", ()), *schema.get("oneOf", ())]
        inner += [schema["items"]] if "items" in schema else []
        for part in inner if depth < _DEPTH_MAX else ():
            names |= self._names(part, depth + 1)
        return names

    def _operations(self) -> Iterator[Operation]:
        for template, at in self._file["paths"].items():
            for method in at.keys() & set(_METHODS):
                described = at[method]
                content = self.resolved(described.get("requestBody", {})).get("content", {})
                body = content.get("application/json", {}).get("schema")
                yield Operation(
                    described["operationId"],
                    method.upper(),
                    template,
                    described,
                    [
                        self.resolved(one)
                        for one in (*at.get("parameters", ()), *described.get("parameters", ()))
                    ],
                    body,
                    frozenset(self._names(body) if body is not None else ()),
                )


@final
class Pool:
    """Real values, by the names that properties and parameters have, as answers told them."""

    def __init__(self) -> None:
        self._values: dict[str, list[Any]] = {}

    def add(self, name: str, value: Any, random: Random) -> None:
        values = self._values.setdefault(name, [])
        if value in values:
            return
        if len(values) < _POOL_MAX:
            values.append(value)
        else:
            values[random.randrange(_POOL_MAX)] = value

    def harvest(self, value: Any, random: Random, name: str = "") -> None:
        """Everything that an answer tells."""
        if is_object(value):
            for key, inner in value.items():
                self.harvest(inner, random, str(key))
        elif is_array(value):
            for inner in value[:20]:
                self.harvest(inner, random, name)
        elif isinstance(value, str | int) and not isinstance(value, bool):
            self.add({"endCursor": "after", "startCursor": "before"}.get(name, name), value, random)

    def one(self, name: str, random: Random) -> Any:
        values = self._values.get(name)
        return random.choice(values) if values else None


@final
@dataclass(frozen=True, slots=True)
class Writer:
    """Makes requests that are as the description has them, of values that are real if there are such."""

    api: Api
    random: Random
    pool: Pool = field(default_factory=Pool)
    files: Mapping[str, bytes] = field(default_factory=dict[str, bytes])
    """What may be deployed."""

    def request(self, operation: Operation) -> Request:
        random = self.random
        target = self._path(operation)
        query = [
            (one["name"], str(self.value(one["schema"], one["name"])))
            for one in operation.parameters
            if one["in"] == "query" and (one.get("required") or random.random() < 0.5)
        ]
        if query:
            target += "?" + urlencode(query)
        made = Request(operation, operation.method, target)
        if operation.is_form:
            names = [name for name in self.files if random.random() < 0.2] or ["note.txt"]
            return self.with_form(made, {name: self.files[name] for name in names})
        if operation.body is None:
            return made
        return self.with_body(made, self.body(operation))

    def with_body(self, request: Request, body: Any) -> Request:
        headers = (("Content-Type", "application/json"),)
        return replace(request, headers=headers, body=text_of(body))

    def with_form(self, request: Request, files: Mapping[str, bytes]) -> Request:
        headers = (("Content-Type", f"multipart/form-data; boundary={BOUNDARY}"),)
        return replace(request, headers=headers, body=form_of(files))

    def body(self, operation: Operation) -> Any:
        assert operation.body is not None, f"{operation.id} has no JSON body"
        body = self.value(operation.body, "")
        if is_object(body):
            if operation.id == "activateJobs":
                body |= {"requestTimeout": -1, "timeout": 3_600_000, "maxJobsToActivate": 2}
            if "requestTimeout" in body:
                body["requestTimeout"] = -1 if operation.id == "activateJobs" else 1
            if operation.id in ("correlateMessage", "publishMessage") and self.random.random() < 0.7:
                body |= {"name": self.pool.one("messageName", self.random) or "go", "correlationKey": "key"}
            if "timeToLive" in body:
                body["timeToLive"] = self.random.choice((0, 3_600_000))
        return body

    def value(self, schema: Mapping[str, Any], name: str, depth: int = 0) -> Any:
        random, schema = self.random, self.api.flat(schema)
        if name in ("variables", "variable") and schema.get("type") == "object":
            return {random.choice(_WORDS): self._anything() for _ in range(random.randrange(4))}
        if "oneOf" in schema and not schema.get("properties"):
            return self.value(random.choice(schema["oneOf"]), name, depth)
        if schema.get("type") == "string" or "enum" in schema:
            return self._text(schema, name)
        kind = schema.get("type")
        if kind == "array":
            count = random.choice((0, 1, 1, 1, 2)) if depth < _DEPTH_MAX else 0
            return [self.value(schema["items"], name, depth + 1) for _ in range(count)]
        if kind == "boolean":
            return random.random() < 0.5
        if kind in ("integer", "number"):
            return self._integer(schema, name)
        if kind == "object" or "properties" in schema or "allOf" in schema:
            return self._object(schema, name, depth)
        return self._anything()

    def _object(self, schema: Mapping[str, Any], name: str, depth: int) -> dict[str, Any]:
        random = self.random
        properties, required = self.api.properties(schema)
        share = 0.0 if depth >= _DEPTH_MAX else random.choice((0.1, 0.3, 0.7))
        chosen = [one for one in properties if one in required or random.random() < share]
        made = {
            one: self.value(properties[one], name if one.startswith("$") else one, depth + 1)
            for one in chosen
        }
        for part in schema.get("oneOf", ()):
            inner = self.value(part, name, depth)
            if is_object(inner):
                made |= inner
            break
        return made

    def _path(self, operation: Operation) -> str:
        schemas = {one["name"]: one["schema"] for one in operation.parameters if one["in"] == "path"}

        def argument(found: re.Match[str]) -> str:
            value = self.pool.one(_ALSO.get(found[1], found[1]), self.random)
            if value is None or self.random.random() < 0.1:
                value = self.value(schemas[found[1]], "")
            return quote(str(value), safe="")

        return "/v2" + re.sub(r"\{(\w+)\}", argument, operation.template)

    def _text(self, schema: Mapping[str, Any], name: str) -> str:
        random = self.random
        if "enum" in schema:
            return str(random.choice(schema["enum"]))
        known = None if name in _VALID else self.pool.one(name, random)
        if known is not None and random.random() < 0.85:
            return str(known)
        if name in _VALID:
            return random.choice(_VALID[name])
        if schema.get("format") == "date-time":
            return f"20{random.randrange(10, 60)}-0{random.randrange(1, 10)}-11T10:00:00Z"
        pattern = schema.get("pattern", "")
        if "[0-9]+" in pattern:
            return str((random.randrange(1, 4) << 51) + random.randrange(500))
        return random.choice(("a", "order", "work") if pattern else _WORDS)

    def _integer(self, schema: Mapping[str, Any], name: str) -> int:
        known = self.pool.one(name, self.random)
        if isinstance(known, int) and self.random.random() < 0.5:
            return known
        low = int(schema.get("minimum", 0))
        return self.random.choice((low, low + 1, low + 7, int(schema.get("maximum", 1000))))

    def _anything(self) -> Any:
        return self.random.choice(
            (None, True, 0, -3, 1.5, 10**18, "", "text", "ä😀", [], [1, [2]], {}, {"a": {"b": None}})
        )


def form_of(files: Mapping[str, bytes]) -> bytes:
    """The files as parts of a form."""
    parts = [_PART.format(name).encode() + content + b"\r\n" for name, content in files.items()]
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


def is_object(value: Any) -> TypeGuard[dict[str, Any]]:
    return isinstance(value, dict)


def is_array(value: Any) -> TypeGuard[list[Any]]:
    return isinstance(value, list)


def text_of(value: Any) -> bytes:
    """The JSON text of a value, also of one that is not quite JSON."""
    if isinstance(value, Raw):
        return value.text
    if isinstance(value, Pairs):
        return b"{" + b",".join(text_of(name) + b":" + text_of(inner) for name, inner in value.pairs) + b"}"
    if is_object(value):
        return text_of(Pairs(tuple(value.items())))
    if is_array(value):
        return b"[" + b",".join(map(text_of, value)) + b"]"
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")
