"""The scripts of etcd/raft (`tests/data/raft`, with their licence) as commands and what they must print."""

import re
from dataclasses import dataclass
from pathlib import Path

SCRIPTS = Path(__file__).parents[2] / "data" / "raft"

# A word with an optional value: `1`, `v1=true`, `drop=(1,2)`, `cfg=(1, 2)`.
_ARGUMENT = re.compile(r"([^\s=]+)(=(?:\([^)]*\)|\S*))?")


@dataclass(frozen=True, slots=True)
class Command:
    place: str
    name: str
    words: tuple[str, ...]
    options: dict[str, tuple[str, ...]]
    rest: str
    """All that follows the name, as it stands."""
    lines: tuple[str, ...]
    expected: str

    def flag(self, name: str) -> bool:
        return self.options.get(name) == ("true",)

    def numbers(self, name: str) -> tuple[int, ...]:
        return tuple(int(value) for value in self.options.get(name, ()))


def commands_of(path: Path) -> list[Command]:
    """Blocks of a command, its input, `----`, and the output up to an empty line."""
    commands: list[Command] = []
    lines = path.read_text().split("\n")
    position = 0
    while position < len(lines):
        line = lines[position].strip()
        if not line or line.startswith("#"):
            position += 1
            continue
        place = f"{path.name}:{position + 1}"
        rule = lines.index("----", position)
        given = tuple(text for text in lines[position + 1 : rule] if text.strip())
        end = rule + 1
        while end < len(lines) and lines[end].strip():
            end += 1
        commands.append(_command(place, line, given, "\n".join(lines[rule + 1 : end])))
        position = end
    return commands


def _command(place: str, line: str, given: tuple[str, ...], expected: str) -> Command:
    name, _, rest = line.partition(" ")
    words: list[str] = []
    options: dict[str, tuple[str, ...]] = {}
    for word, value in _ARGUMENT.findall(rest):
        if value:
            options[word] = tuple(part.strip() for part in value.strip("=()").split(",") if part.strip())
        else:
            words.append(word)
    return Command(place, name, tuple(words), options, rest, given, expected)
