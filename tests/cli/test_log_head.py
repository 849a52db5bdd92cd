import base64
import re
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_public_key,
)

from tests.cli.commands import Commands

pytestmark = pytest.mark.end_to_end


@pytest.fixture
def keys(tmp_path: Path) -> tuple[Path, Path]:
    """A private key and its public half, as files."""
    return write_keys(tmp_path / "mine")


def write_keys(path: Path) -> tuple[Path, Path]:
    key = Ed25519PrivateKey.generate()
    private, public = path.with_suffix(".key"), path.with_suffix(".pub")
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return private, public


def noted(bpmnd: Commands, directory: Path, *options: str) -> Path:
    """A note of the head."""
    said = bpmnd("log", "head", str(directory), *options)
    assert said.status == 0, said.err
    return bpmnd.file("head.note", said.out)


def test_a_head_names_the_last_position_with_the_hash_that_an_export_has(bpmnd: Commands) -> None:
    bpmnd.deploy("last")
    bpmnd.start("last")

    lines = noted(bpmnd, bpmnd.node.directory).read_text().splitlines()

    last = bpmnd("log", "export", str(bpmnd.node.directory)).lines()[-1]
    assert lines[0] == "bpmnd log head 1"
    assert lines[1].startswith("noted 2")
    index, _ = last["position"]
    assert re.sub(r"term \d+", "term T", lines[2]) == (
        f"partition 1 index {index} term T time {last['time']} hash {last['hash']}"
    )
    assert len(lines) == 3


def test_what_was_noted_is_found_again_after_more_has_happened(bpmnd: Commands) -> None:
    bpmnd.deploy("noted")
    note = noted(bpmnd, bpmnd.node.directory)
    bpmnd.start("noted")

    said = bpmnd("log", "verify", str(bpmnd.node.directory), "--head", str(note))
    report = bpmnd("log", "verify", str(bpmnd.node.directory), "--head", str(note), "--json").json()

    index = int(note.read_text().split()[9])
    assert said.status == 0
    assert f"partition 1: entry {index} and all before it are as they were noted" in said.out
    assert "is not signed" in said.out
    assert (report["headEntry"], report["headFound"]) == (index, True)
    assert report["lastEntry"] > index


def test_a_log_that_has_another_hash_there_is_not_what_was_noted(bpmnd: Commands) -> None:
    """As one would be that was rewritten from an altered entry on: in itself it is good."""
    note = noted(bpmnd, bpmnd.node.directory)
    note.write_text(note.read_text().replace("hash ", f"hash {'0' * 64} ")[: -len(f" {'0' * 64}\n")])

    said = bpmnd("log", "verify", str(bpmnd.node.directory), "--head", str(note))

    assert said.status == 1
    assert "DAMAGED (chain)" in said.out
    assert f"the hash is not {'0' * 64}, which was noted once" in said.out


def test_a_signed_note_proves_who_has_made_it(bpmnd: Commands, keys: tuple[Path, Path]) -> None:
    private, public = keys
    note = noted(bpmnd, bpmnd.node.directory, "--sign", str(private))

    said = bpmnd("log", "verify", str(bpmnd.node.directory), "--head", str(note), "--public-key", str(public))
    blind = bpmnd("log", "verify", str(bpmnd.node.directory), "--head", str(note))

    assert (said.status, blind.status) == (0, 0)
    assert "was signed with that key" in said.out
    assert "whose that is can only be told with --public-key" in blind.out


def test_a_signature_can_be_checked_without_bpmnd(bpmnd: Commands, keys: tuple[Path, Path]) -> None:
    private, public = keys
    content, _, signed = (
        noted(bpmnd, bpmnd.node.directory, "--sign", str(private)).read_bytes().rpartition(b"signed ")
    )
    key = load_pem_public_key(public.read_bytes())
    assert isinstance(key, Ed25519PublicKey)
    key.verify(base64.b64decode(signed.split()[2]), content)


def test_an_altered_note_is_refused(bpmnd: Commands, keys: tuple[Path, Path]) -> None:
    note = noted(bpmnd, bpmnd.node.directory, "--sign", str(keys[0]))
    note.write_text(note.read_text().replace("term ", "term 1"))
    said = bpmnd("log", "verify", str(bpmnd.node.directory), "--head", str(note))
    assert said.status == 1
    assert "it was altered since" in said.err


def test_a_note_that_somebody_else_has_signed_is_refused(
    bpmnd: Commands, keys: tuple[Path, Path], tmp_path: Path
) -> None:
    note = noted(bpmnd, bpmnd.node.directory, "--sign", str(keys[0]))
    _, other = write_keys(tmp_path / "other")
    said = bpmnd("log", "verify", str(bpmnd.node.directory), "--head", str(note), "--public-key", str(other))
    assert said.status == 1
    assert "not signed by the key that is expected" in said.err


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("", "is no note of a head"),
        ("something else\n", "is no note of a head"),
        ("bpmnd log head 1\nnoted now\npartition one\n", "has a line that cannot be read: 'partition one'"),
    ],
)
def test_what_is_no_note_is_refused(bpmnd: Commands, content: str, complaint: str) -> None:
    note = bpmnd.file("head.note", content)
    said = bpmnd("log", "verify", str(bpmnd.node.directory), "--head", str(note))
    assert said.status == 1
    assert complaint in said.err


def test_a_note_of_a_partition_that_is_not_here_proves_nothing(bpmnd: Commands) -> None:
    note = noted(bpmnd, bpmnd.node.directory)
    note.write_text(note.read_text().replace("partition 1", "partition 2"))
    said = bpmnd("log", "verify", str(bpmnd.node.directory), "--head", str(note))
    assert said.status == 1
    assert "does not hold partition 2" in said.err


def test_an_unsigned_note_does_not_do_where_a_key_is_expected(
    bpmnd: Commands, keys: tuple[Path, Path]
) -> None:
    note = noted(bpmnd, bpmnd.node.directory)
    said = bpmnd(
        "log", "verify", str(bpmnd.node.directory), "--head", str(note), "--public-key", str(keys[1])
    )
    assert said.status == 1
    assert "is not signed" in said.err
