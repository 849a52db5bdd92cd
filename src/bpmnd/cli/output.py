"""How results look on stdout."""

from collections.abc import Sequence

from bpmnd.cli.errors import CommandError


def print_json(text: bytes, *, indent: int = 2) -> None:
    """JSON for people; numbers keep their digits."""
    import msgspec

    print(msgspec.json.format(text, indent=indent).decode())


def print_table(rows: Sequence[Sequence[object]]) -> None:
    """Rows under a heading, columns as wide as they need."""
    texts = [[str(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    for row in texts:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def json_object(text: str, where: str) -> "dict[str, object]":
    """The object that stands in a text, its values untouched; `@FILE` stands for what the file holds."""
    import msgspec

    if text.startswith("@"):
        try:
            with open(text[1:], encoding="utf-8") as file:
                text = file.read()
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"{where}: {error}", 2) from None
    try:
        return dict(msgspec.json.decode(text.encode(), type=dict[str, msgspec.Raw]))
    except (msgspec.DecodeError, UnicodeEncodeError) as error:
        raise CommandError(f"{where}: expected a JSON object: {error}", 2) from None
