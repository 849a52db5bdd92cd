"""Notes of heads: a few lines of text that prove, kept elsewhere, what a log had in it at a time.

A note may be signed with Ed25519. What is signed are its bytes before the line with the signature, so that it
can be checked without bpmnd, too. See docs/audit.md.
"""

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, final

from bpmnd.cli.errors import CommandError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

_TITLE: Final = "bpmnd log head 1"
_HEAD: Final = re.compile(
    r"partition ([1-9][0-9]{0,5}) index ([0-9]{1,19}) term ([0-9]{1,19}) time (\S+) hash ([0-9a-f]{64})"
)
_SIGNED: Final = re.compile(r"signed ed25519 ([A-Za-z0-9+/=]+) ([A-Za-z0-9+/=]+)")
_NOTE_SIZE_MAX: Final = 1 << 20


@final
@dataclass(frozen=True, slots=True)
class NotedHead:
    """A position of one partition. `time` is that of the log there, `-` if nothing had happened yet."""

    partition_id: int
    index: int
    term: int
    time: str
    hash: bytes


@final
@dataclass(frozen=True, slots=True)
class Signer:
    """Whose key has signed a note: the raw key, as base64. `is_known`: it is the one that was expected."""

    public_key: str
    is_known: bool


@final
@dataclass(frozen=True, slots=True)
class HeadNote:
    noted_at: str
    heads: Sequence[NotedHead]
    signer: Signer | None


def write_note(noted_at: str, heads: Sequence[NotedHead], key_file: Path | None) -> str:
    """The text of a note, signed if there is a key. Raises CommandError."""
    lines = [_TITLE, f"noted {noted_at}"]
    lines += [
        f"partition {head.partition_id} index {head.index} term {head.term} time {head.time}"
        f" hash {head.hash.hex()}"
        for head in heads
    ]
    text = "\n".join(lines) + "\n"
    if key_file is None:
        return text
    key = _private_key(key_file)
    signature = base64.b64encode(key.sign(text.encode())).decode()
    return f"{text}signed ed25519 {_text_of(key.public_key())} {signature}\n"


def read_note(path: Path, public_key_file: Path | None) -> HeadNote:
    """Read a note and check its signature: that of a public key, if one is expected. Raises CommandError."""
    try:
        with path.open("rb") as file:
            content = file.read(_NOTE_SIZE_MAX)
        text = content.decode("ascii")
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise CommandError(f"{path} is no note of a head") from None
    lines = text.splitlines(keepends=True)
    signature = _SIGNED.fullmatch(lines[-1].rstrip("\n")) if lines else None
    signed = lines[:-1] if signature is not None else lines
    if len(signed) < 2 or signed[0] != f"{_TITLE}\n" or not signed[1].startswith("noted "):
        raise CommandError(f"{path} is no note of a head")
    heads = [_head_in(path, line) for line in signed[2:]]
    signer = None
    if signature is not None:
        expected = _public_key(public_key_file) if public_key_file is not None else None
        signer = _check(path, "".join(signed).encode(), signature[1], signature[2], expected)
    elif public_key_file is not None:
        raise CommandError(f"{path} is not signed")
    return HeadNote(signed[1].removeprefix("noted ").rstrip("\n"), heads, signer)


def _head_in(path: Path, line: str) -> NotedHead:
    found = _HEAD.fullmatch(line.rstrip("\n"))
    if found is None:
        raise CommandError(f"{path} has a line that cannot be read: {line.strip()!r}")
    partition_id, index, term, time, hash = found.groups()
    return NotedHead(int(partition_id), int(index), int(term), time, bytes.fromhex(hash))


def _check(
    path: Path, content: bytes, key: str, signature: str, expected: "Ed25519PublicKey | None"
) -> Signer:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        own = Ed25519PublicKey.from_public_bytes(base64.b64decode(key, validate=True))
        (expected or own).verify(base64.b64decode(signature, validate=True), content)
    except (binascii.Error, ValueError, InvalidSignature):
        by = "" if expected is None else " by the key that is expected"
        raise CommandError(f"{path}: this was not signed{by}, or it was altered since") from None
    return Signer(key, is_known=expected is not None)


def _private_key(path: Path) -> "Ed25519PrivateKey":
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(_content(path), None)
    except (ValueError, TypeError):
        raise CommandError(f"{path} is no private key in PEM without a password") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise CommandError(f"{path} is no Ed25519 key")
    return key


def _public_key(path: Path) -> "Ed25519PublicKey":
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        key = load_pem_public_key(_content(path))
    except ValueError:
        raise CommandError(f"{path} is no public key in PEM") from None
    if not isinstance(key, Ed25519PublicKey):
        raise CommandError(f"{path} is no Ed25519 key")
    return key


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}") from None


def _text_of(key: "Ed25519PublicKey") -> str:
    return base64.b64encode(key.public_bytes_raw()).decode()
