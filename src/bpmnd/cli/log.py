"""`bpmnd log`: check, read and repair what a node wrote."""

import argparse
import fcntl
import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from bpmnd.cli.errors import CommandError
from bpmnd.cli.settings import Commands

if TYPE_CHECKING:
    from bpmnd.actors.exporters.records import Record
    from bpmnd.cli.head_notes import HeadNote
    from bpmnd.storage.entry import Position
    from bpmnd.storage.verify import VerifyReport


def add_to(commands: Commands) -> None:
    parser = commands.add_parser("log", help="verify, export or repair what a node wrote")
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    verify = actions.add_parser(
        "verify",
        help="whether no event was altered, dropped or reordered",
        description="Check every checksum and every link of the hash chain of all partitions. Names segment,"
        " entry and offset of the first damage; the exit status is then 1. With the note of a head that was"
        " taken earlier, the log must still have it, too: then nothing up to there was altered since.",
    )
    _add_directory(verify)
    verify.add_argument("--json", action="store_true", help="print the result as JSON")
    verify.add_argument("--head", type=Path, metavar="FILE", help="a note that `bpmnd log head` has printed")
    verify.add_argument(
        "--public-key", type=Path, metavar="FILE", help="Ed25519 key (PEM) that the note must be signed with"
    )
    verify.set_defaults(run=_verify)
    head = actions.add_parser(
        "head",
        help="a note of where the log stands, for later",
        description="Print, for every partition, the last position that stands for good: index, term, time"
        " and chain hash. Keep the note where nobody who can write to DIR can: with it `bpmnd log verify"
        " --head` tells whether anything up to there was altered since. The node may run meanwhile.",
    )
    _add_directory(head)
    head.add_argument(
        "--sign", type=Path, metavar="KEYFILE", help="private Ed25519 key (PEM) to sign the note with"
    )
    head.set_defaults(run=_head)
    export = actions.add_parser(
        "export",
        help="every event since the beginning, as JSON lines",
        description="Print every event since the beginning, from archive and log, partition after partition:"
        " one JSON object a line, with Zeebe's value types and intents. The node may run meanwhile; then all"
        " that it had synced at the start is printed.",
    )
    _add_directory(export)
    export.add_argument("--instance", type=int, metavar="KEY", help="only what belongs to a process instance")
    export.add_argument(
        "--with-called", action="store_true", help="of --instance: also what the instances it has called did"
    )
    export.add_argument(
        "--format", choices=("json", "text"), default="json", help="text: an audit trail to read"
    )
    export.set_defaults(run=_export)
    repair = actions.add_parser(
        "repair",
        help="let a damaged node go on with what is proven",
        description="Cut the log of each partition at its first damage, keep a copy of what is cut, and make"
        " the checkpoint anew where it is damaged or does not fit any more. What is cut is lost for the"
        " processes: use it only when no other copy is left. The node must be stopped.",
    )
    _add_directory(repair)
    repair.set_defaults(run=_repair)


def _add_directory(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("directory", type=Path, metavar="DIR", help="data directory of a node")


def _verify(options: argparse.Namespace) -> int:
    from bpmnd.storage.errors import StorageError
    from bpmnd.storage.verify import verify

    if options.public_key is not None and options.head is None:
        raise CommandError("--public-key is for the note of a head: give --head, too")
    partitions = _partitions(options.directory)
    note, noted = _noted(options)
    missing = sorted(noted.keys() - dict(partitions).keys())
    if missing:
        raise CommandError(f"{options.directory} does not hold partition {missing[0]}, which was noted")
    failed = False
    for partition_id, directory in partitions:
        position = noted.get(partition_id)
        try:
            report = verify(directory, running=_is_running(options.directory), noted=position)
        except StorageError as error:
            raise CommandError(f"partition {partition_id}: {error}") from None
        failed = failed or report.damage is not None or report.is_out_of_reach
        if options.json:
            _print_report_json(partition_id, report, position)
        else:
            _print_report(partition_id, report, position)
    if note is not None and not options.json:
        _print_signer(note)
    return 1 if failed else 0


def _noted(options: argparse.Namespace) -> "tuple[HeadNote | None, dict[int, Position]]":
    """The note of a head, and the positions in it, if there is one."""
    from bpmnd.cli.head_notes import read_note
    from bpmnd.storage.entry import Position

    if options.head is None:
        return None, {}
    note = read_note(options.head, options.public_key)
    return note, {head.partition_id: Position(head.index, head.term, head.hash) for head in note.heads}


def _head(options: argparse.Namespace) -> int:
    from bpmnd.actors.exporters.values import moment
    from bpmnd.actors.heads import head_of
    from bpmnd.bpmn.codec import CodecError
    from bpmnd.cli.head_notes import NotedHead, write_note
    from bpmnd.storage.disk import RealDisk
    from bpmnd.storage.errors import StorageError

    heads: list[NotedHead] = []
    for partition_id, directory in _partitions(options.directory):
        try:
            head = head_of(
                RealDisk(), _data_directory(directory), partition_id, running=_is_running(options.directory)
            )
        except (StorageError, CodecError) as error:
            raise CommandError(f"partition {partition_id}: {error}") from None
        if head is None:
            raise CommandError(f"partition {partition_id}: nothing is known to be committed here yet")
        position = head.position
        time = moment(head.time) if head.time else "-"
        heads.append(NotedHead(partition_id, position.index, position.term, time, position.hash))
    noted_at = moment(int(datetime.now(UTC).timestamp() * 1000))
    sys.stdout.write(write_note(noted_at, heads, options.sign))
    return 0


def _repair(options: argparse.Namespace) -> int:
    from bpmnd.cli.repair import repair_partition

    if _is_running(options.directory):
        raise CommandError(f"{options.directory} is in use by a node: stop it first")
    for partition_id, directory in _partitions(options.directory):
        repair_partition(partition_id, directory)
    return 0


def _print_signer(note: "HeadNote") -> None:
    if note.signer is None:
        print(f"the note of {note.noted_at} is not signed: it proves as much as the place it was kept in")
    elif note.signer.is_known:
        print(f"the note of {note.noted_at} was signed with that key")
    else:
        print(
            f"the note of {note.noted_at} was signed with the key {note.signer.public_key}:"
            " whose that is can only be told with --public-key"
        )


def _print_report(partition_id: int, report: "VerifyReport", noted: "Position | None") -> None:
    read = f"{report.segments} segments and {report.archive_files} archive files"
    if report.damage is None:
        proven = f"chain hash {report.last.hash.hex()}"
        print(f"partition {partition_id}: good: {report.entry_count} entries in {read}, {proven}")
    else:
        damage = report.damage
        place = [f"{damage.file}"]
        if damage.index is not None:
            place.append(f"entry {damage.index}")
        if damage.offset is not None:
            place.append(f"offset {damage.offset}")
        print(f"partition {partition_id}: DAMAGED ({damage.kind}) in {', '.join(place)}: {damage.what}")
        print(f"partition {partition_id}: proven up to entry {report.last.index}")
    if noted is not None and report.is_out_of_reach:
        print(f"partition {partition_id}: the noted entry {noted.index} is not kept any more")
    elif noted is not None and report.damage is None:
        print(f"partition {partition_id}: entry {noted.index} and all before it are as they were noted")
    if report.torn is not None:
        print(f"partition {partition_id}: {report.torn}, which is no damage: it was never confirmed")


def _print_report_json(partition_id: int, report: "VerifyReport", noted: "Position | None") -> None:
    import msgspec

    line: dict[str, object] = {
        "partitionId": partition_id,
        "good": report.damage is None,
        "firstEntry": report.head.index + 1,
        "lastEntry": report.last.index,
        "hash": report.last.hash.hex(),
        "segments": report.segments,
        "archiveFiles": report.archive_files,
        "torn": str(report.torn) if report.torn is not None else None,
        "damage": None,
    }
    if report.damage is not None:
        damage = report.damage
        line["damage"] = {
            "kind": damage.kind,
            "segment": str(damage.file),
            "entry": damage.index,
            "offset": damage.offset,
            "what": damage.what,
        }
    if noted is not None:
        # Whether it was found again; null if nobody can tell.
        line["headEntry"] = noted.index
        line["headFound"] = None if report.is_out_of_reach else report.damage is None
    print(msgspec.json.encode(line).decode())


def _export(options: argparse.Namespace) -> int:
    import msgspec

    from bpmnd.actors.exporters.lines import heading, line_of

    out = sys.stdout.buffer
    if options.format == "text":
        out.write(f"{heading()}\n".encode())
    encode = msgspec.json.Encoder().encode
    for record in _records(options):
        line = encode(record) if options.format == "json" else line_of(record).encode()
        out.write(line + b"\n")
    out.flush()
    return 0


def _records(options: argparse.Namespace) -> "Iterator[Record]":
    """The records asked for. Of an instance, only its own partition is read."""
    from bpmnd.actors.exporters.reading import records_in
    from bpmnd.actors.exporters.trail import Trail
    from bpmnd.bpmn.codec import CodecError
    from bpmnd.bpmn.keys import partition_of
    from bpmnd.storage.disk import RealDisk
    from bpmnd.storage.errors import StorageError

    key = options.instance
    partitions = _partitions(options.directory)
    if key is not None:
        partitions = [found for found in partitions if found[0] == partition_of(key)]
        if not partitions:
            raise CommandError(f"{options.directory} does not hold the partition of {key}")
    found = False
    for partition_id, directory in partitions:
        records = records_in(RealDisk(), directory, partition_id, running=_is_running(options.directory))
        try:
            trail = None if key is None else Trail(key, with_called=options.with_called)
            for record in records if trail is None else trail.of(records):
                found = True
                yield record
        except (StorageError, CodecError) as error:
            raise CommandError(f"partition {partition_id}: {error}") from None
    if key is not None and not found:
        raise CommandError(f"{options.directory} holds nothing of a process instance {key}")


def _partitions(directory: Path) -> list[tuple[int, Path]]:
    """The partitions in a data directory, or the one whose own directory this is."""
    if (directory / "log").is_dir() and directory.name.isdecimal():
        return [(int(directory.name), directory)]
    found = [path for path in (directory / "partitions").glob("*") if path.name.isdecimal()]
    if not found:
        raise CommandError(f"{directory} is not the data directory of a node")
    return sorted((int(path.name), path) for path in found)


def _data_directory(partition: Path) -> Path:
    return partition.parent.parent


def _is_running(directory: Path) -> bool:
    """Whether a node has locked the data directory."""
    for place in (directory, directory.parent.parent):
        try:
            lock = os.open(place / "lock", os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(lock)
    return False
