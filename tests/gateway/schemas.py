"""Checks an answer against the API description: as much of JSON schema as that file uses."""

import json
import os
import re
from pathlib import Path
from typing import Any

_DEFAULT = Path(__file__).parents[3] / "shared" / "api" / "rest-api-v2.json"
API_FILE = Path(os.environ.get("BPMND_API_FILE", _DEFAULT))
_TYPES: dict[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
}


class ApiDescription:
    """The operations and schemas of the file."""

    def __init__(self, path: Path) -> None:
        self._file: dict[str, Any] = json.loads(path.read_text())
        self._operations: dict[str, Any] = {}
        for methods in self._file["paths"].values():
            for method in methods.keys() & {"get", "put", "post", "delete", "patch"}:
                self._operations[methods[method]["operationId"]] = methods[method]

    def complaints(self, operation: str, status: int, content_type: str, body: Any) -> list[str]:
        """What an answer has that it should not, or lacks."""
        answers = self._resolved(self._operations[operation]["responses"])
        if str(status) not in answers:
            return [f"{operation} does not answer {status}"]
        content = self._resolved(answers[str(status)]).get("content")
        if content is None:
            # The description is silent about some problems; a success without content has none.
            return [] if body is None or status >= 400 else [f"{operation} {status} has no body"]
        if content_type not in content:
            return [f"{operation} {status} answers {list(content)}, not {content_type}"]
        return self._check(content[content_type]["schema"], body, "$")

    def _resolved(self, schema: dict[str, Any]) -> dict[str, Any]:
        while "$ref" in schema:
            found: Any = self._file
            for name in schema["$ref"].split("/")[1:]:
                found = found[name]
            schema = found
        return schema

    def _names(self, schema: dict[str, Any]) -> set[str]:
        """The properties that it has, those of its parts too."""
        schema = self._resolved(schema)
        return {*schema.get("properties", {})}.union(*map(self._names, schema.get("allOf", ())))

    def _check(
        self, reference: dict[str, Any], value: Any, at: str, known: frozenset[str] = frozenset()
    ) -> list[str]:
        """`known` are the properties of what this is a part of."""
        schema = self._resolved(reference)
        if (schema.get("nullable") or reference.get("nullable")) and value in (None,):
            return []
        known = known.union(self._names(schema))
        complaints = [c for part in schema.get("allOf", ()) for c in self._check(part, value, at, known)]
        if "oneOf" in schema:
            fitting = [part for part in schema["oneOf"] if not self._check(part, value, at)]
            # Which kind of key a text is, its pattern does not tell.
            fits = len(fitting) == 1 or (fitting and self._is_a("string", value))
            complaints += [] if fits else [f"{at} fits {len(fitting)} variants"]
        kind = schema.get("type")
        if kind is not None and not self._is_a(kind, value):
            return [*complaints, f"{at} is {value!r}, not {kind}"]
        if "enum" in schema and value not in schema["enum"]:
            complaints.append(f"{at} is {value!r}, not one of {schema['enum']}")
        if kind == "string":
            complaints += self._check_text(schema, value, at)
        if kind == "array":
            complaints += [
                c for n, item in enumerate(value) for c in self._check(schema["items"], item, f"{at}[{n}]")
            ]
        if kind == "object":
            complaints += self._check_object(schema, value, at, known)
        return complaints

    def _is_a(self, kind: str, value: Any) -> bool:
        return isinstance(value, _TYPES[kind]) and (kind == "boolean" or not isinstance(value, bool))

    def _check_text(self, schema: dict[str, Any], value: str, at: str) -> list[str]:
        complaints: list[str] = []
        if not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value)):
            complaints.append(f"{at} has {len(value)} characters")
        pattern = schema.get("pattern", "").replace(r"\p{L}", "A-Za-z").replace(r"\p{N}", "0-9")
        if re.search(pattern, value) is None:
            complaints.append(f"{at} is {value!r}, which does not match {pattern}")
        return complaints

    def _check_object(
        self, schema: dict[str, Any], value: dict[str, Any], at: str, known: frozenset[str]
    ) -> list[str]:
        properties: dict[str, Any] = schema.get("properties", {})
        complaints = [f"{at} lacks {name}" for name in schema.get("required", ()) if name not in value]
        if properties and schema.get("additionalProperties") is not True:
            complaints += [
                f"{at} has {name}" for name in value if name not in properties and name not in known
            ]
        for name in properties.keys() & value.keys():
            complaints += self._check(properties[name], value[name], f"{at}.{name}")
        return complaints
