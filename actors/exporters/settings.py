"""The settings of an exporter of one's own, read strictly."""

import difflib
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

S = TypeVar("S", bound=msgspec.Struct)


def settings_as(kind: type[S], settings: Mapping[str, Any]) -> S:
    """From the configuration, where numbers may be text. Raises ValueError that names what is wrong."""
    names = kind.__struct_fields__
    for name in settings:
        if name not in names:
            nearest = difflib.get_close_matches(name, names, n=1, cutoff=0.0)
            raise ValueError(
                f"unknown setting '{name}'" + (f"; the nearest is '{nearest[0]}'" if nearest else "")
            )
    try:
        return msgspec.convert(dict(settings), kind, strict=False)
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from None
