"""Who is at the other end: what two nodes tell each other, in HTTP headers, before anything else."""

import base64
import binascii
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, final
from urllib.parse import quote, unquote

from bpmnd.cluster.errors import RefusedError

PROTOCOL_VERSION: Final = 1
NODE_MAX: Final = (1 << 31) - 1
INCARNATION_MAX: Final = (1 << 64) - 1
EXTRA_SIZE_MAX: Final = 4 << 10
REASON_LENGTH_MAX: Final = 500

REASON: Final = "Bpmnd-Reason"
_VERSION: Final = "Bpmnd-Version"
_CLUSTER: Final = "Bpmnd-Cluster"
_NODE: Final = "Bpmnd-Node"
_INCARNATION: Final = "Bpmnd-Incarnation"
_SESSION: Final = "Bpmnd-Session"
_EXTRA: Final = "Bpmnd-Extra"

_CLUSTER_FORM: Final = re.compile(r"[A-Za-z0-9._-]{0,64}")
_TOKEN_FORM: Final = re.compile(r"[0-9a-f]{16}")
_NUMBER_FORM: Final = re.compile(r"[0-9]{1,20}")


@final
@dataclass(frozen=True, slots=True)
class Hello:
    """A node as it presents itself. `cluster` is empty as long as it belongs to none."""

    node: int
    incarnation: int
    cluster: str = ""
    extra: bytes = b""

    def __post_init__(self) -> None:
        if not 0 <= self.node <= NODE_MAX:
            raise ValueError(f"{self.node} is no node id")
        if not 0 <= self.incarnation <= INCARNATION_MAX:
            raise ValueError(f"{self.incarnation} is no incarnation")
        if not _CLUSTER_FORM.fullmatch(self.cluster):
            raise ValueError("a cluster id has at most 64 letters, digits, dots, dashes and underscores")
        if len(self.extra) > EXTRA_SIZE_MAX:
            raise ValueError(f"{len(self.extra)} bytes are more than a hello may carry")


def new_token() -> str:
    """Names one process of a node, or one connection."""
    return secrets.token_hex(8)


def is_token(text: str) -> bool:
    return _TOKEN_FORM.fullmatch(text) is not None


def headers_of(hello: Hello, session: str) -> dict[str, str]:
    """What a node says of itself. `session` is drawn anew whenever its process starts."""
    return {
        _VERSION: str(PROTOCOL_VERSION),
        _CLUSTER: hello.cluster,
        _NODE: str(hello.node),
        _INCARNATION: str(hello.incarnation),
        _SESSION: session,
        _EXTRA: base64.b64encode(hello.extra).decode(),
    }


def hello_of(headers: Mapping[str, str]) -> tuple[Hello, str]:
    """The node that says this of itself, and its session. Raises RefusedError."""
    version = headers.get(_VERSION, "none")
    if version != str(PROTOCOL_VERSION):
        raise RefusedError(f"protocol version {version[:20]} is not {PROTOCOL_VERSION}")
    session = headers.get(_SESSION, "")
    if not is_token(session):
        raise RefusedError("malformed hello: no session")
    try:
        hello = Hello(
            _number(headers, _NODE),
            _number(headers, _INCARNATION),
            headers.get(_CLUSTER, ""),
            base64.b64decode(headers.get(_EXTRA, ""), validate=True),
        )
    except (binascii.Error, ValueError) as error:
        raise RefusedError(f"malformed hello: {error}") from None
    return hello, session


def _number(headers: Mapping[str, str], name: str) -> int:
    text = headers.get(name, "")
    if not _NUMBER_FORM.fullmatch(text):
        raise ValueError(f"{name} is no number")
    return int(text)


def reason_header(reason: str) -> dict[str, str]:
    """A refusal as a header, which knows ASCII only."""
    return {REASON: quote(reason[:REASON_LENGTH_MAX], safe=" :,;()'/")}


def reason_of(headers: Mapping[str, str]) -> str:
    return unquote(headers.get(REASON, ""))[:REASON_LENGTH_MAX]
