import pytest

from bpmnd.actors.history.compiling import glob_of
from bpmnd.actors.history.folding.incidents import hash_of
from bpmnd.actors.history.rows import ROW_TYPES
from bpmnd.gateway.search.filters import names_like
from bpmnd.storage.history import TABLES


@pytest.mark.parametrize(
    ("text", "code"), [("", 0), ("hello", 99162322), ("polygenelubricants", -(2**31)), ("𝄞", 1772394)]
)
def test_the_hash_of_a_message_is_that_of_java(text: str, code: int) -> None:
    assert hash_of(text) == code


@pytest.mark.parametrize("row_type", ROW_TYPES)
def test_the_fields_of_a_row_are_the_columns_of_its_table(row_type: type) -> None:
    columns = [column.partition(" ")[0] for column in TABLES[row_type.TABLE]]  # type: ignore[attr-defined]
    assert list(row_type.__struct_fields__) == columns  # type: ignore[attr-defined]


def test_every_table_has_rows() -> None:
    assert {row_type.TABLE for row_type in ROW_TYPES} == set(TABLES)


@pytest.mark.parametrize(
    ("like", "glob"),
    [
        ("a*b?", "a*b?"),
        ("a\\*b\\?", "a[*]b[?]"),
        ("[a]", "[[]a]"),
        ("\\[a\\", "[[]a\\"),
        ("\\\\*", "\\*"),
        ("50%_", "50%_"),
    ],
)
def test_a_pattern_of_the_api_becomes_one_of_sqlite(like: str, glob: str) -> None:
    assert glob_of(like) == glob


def test_a_pattern_finds_names_of_an_enumeration() -> None:
    names = ("A_B", "A_C", "B*C")
    assert names_like(names, "A*") == (0, 1)
    assert names_like(names, "?_C") == (1,)
    assert names_like(names, "*\\**") == (2,)
    assert names_like(names, "nothing") == ()
