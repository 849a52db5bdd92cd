"""The bounds of an expression, in what it may hold and in what it may do."""

from typing import Final

TEXT_SIZE_MAX: Final = 64 * 1024

# Brackets and operators within each other. Parser, compiler and closures need up to three frames a level, so
# that this many fit into Python's stack of a thousand.
NESTING_MAX: Final = 200

# A step is an iteration, an element of a list, a comparison within lists or 16 characters of a string: some
# tenths of a microsecond.
STEPS_MAX: Final = 100_000
CHARACTERS_PER_STEP: Final = 16

# How deep functions may call each other, counted in levels of their bodies.
CALL_NESTING_MAX: Final = 150
VALUE_NESTING_MAX: Final = 150

# What a result may hold: its elements and entries, and the characters of its strings.
RESULT_SIZE_MAX: Final = 8 * 1024 * 1024

WARNINGS_MAX: Final = 20
