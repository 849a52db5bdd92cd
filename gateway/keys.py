"""Keys in paths and bodies: decimal strings on the outside, 64-bit integers inside."""

import re

from bpmnd.gateway.errors import bad_request

_KEY = re.compile(r"-?[0-9]{1,24}", re.ASCII)
_KEY_MAX = 2**63 - 1


def key_in_path(text: str, name: str) -> int:
    """The key in a path; 400 when it is no number, or none of 64 bits."""
    key = _key_of(text)
    if key is None:
        raise bad_request(f"Failed to convert '{name}' with value: '{text}'")
    return key


def key_in_body(text: str, name: str) -> int:
    """The key in a property of a body."""
    key = _key_of(text)
    if key is None:
        raise bad_request(f"Request property [{name}] cannot be parsed: '{text}' is not a key")
    return key


def _key_of(text: str) -> int | None:
    if _KEY.fullmatch(text) is None:
        return None
    key = int(text)
    return key if -_KEY_MAX <= key <= _KEY_MAX else None
