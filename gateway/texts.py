"""JSON put together from pieces that are ready."""

import msgspec

from bpmnd.bpmn.commands import Variables

json_text = msgspec.json.Encoder().encode
"""The JSON text of a string, or of a list or an object of strings."""


def json_object(variables: Variables) -> bytes:
    """The JSON object of variables, whose values are JSON already."""
    return b"{" + b",".join([json_text(name) + b":" + value for name, value in variables.items()]) + b"}"
