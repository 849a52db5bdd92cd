"""`bpmnd log repair`: let a damaged partition go on with what is proven, by explicit wish of its operator."""

from pathlib import Path

from bpmnd.cli.errors import CommandError


def repair_partition(partition_id: int, directory: Path) -> None:
    """Cut the log at its damage, and make the checkpoint anew if it does not fit or is damaged itself."""
    from bpmnd.bpmn.codec import CodecError
    from bpmnd.storage.errors import StorageError
    from bpmnd.storage.repair import repair

    try:
        while (report := repair(directory)) is not None:
            print(f"partition {partition_id}: cut at {report.damage}")
            print(f"partition {partition_id}: a copy of what was there is in {report.kept_in}")
        _mend_checkpoint(partition_id, directory)
    except (StorageError, CodecError) as error:
        raise CommandError(f"partition {partition_id}: {error}") from None


def _mend_checkpoint(partition_id: int, directory: Path) -> None:
    from bpmnd.actors.rebuild import rebuild_checkpoint
    from bpmnd.storage.checkpoint import CheckpointStores
    from bpmnd.storage.disk import RealDisk
    from bpmnd.storage.errors import DamageError, GapError
    from bpmnd.storage.partition import open_partition_storage
    from bpmnd.storage.writer import InlineWriter

    disk = RealDisk()
    try:
        storage = open_partition_storage(
            disk,
            CheckpointStores(),
            directory,
            writer=InlineWriter(),
            post=lambda work: work(),
            then=lambda _: None,
        )
    except (DamageError, GapError) as error:
        kept_in = directory / "cut-checkpoint"
        if kept_in.exists():
            raise CommandError(f"{kept_in} is in the way: an earlier repair left it") from None
        print(f"partition {partition_id}: {error}")
        last = rebuild_checkpoint(disk, directory, partition_id, kept_in)
        print(f"partition {partition_id}: the checkpoint was made anew up to entry {last.index}")
        return
    storage.log.close()
    storage.store.close()
    print(f"partition {partition_id}: log and checkpoint fit together")
