"""
The reference of all settings, from their declarations.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from enum import Enum
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from attrs import Attribute, fields, frozen
from msgspec import Meta

from signalfish.config.declaring import MEANING, SECRET, UNIT
from signalfish.config.legacy import IGNORED, REFUSED
from signalfish.config.schema import section_of
from signalfish.config.sections import Settings

_ENOUGH = 10**9  # a limit that only keeps arithmetic sane, and is told nobody
_MEBIBYTE = 1 << 20
_HEAD = """\
.. list-table::
   :header-rows: 1
   :widths: 34 16 18 32

"""


@frozen
class Key:
    """
    What there is to say of one setting.

    :ivar default: as JSON, but texts without quotes; empty for nothing.
    :ivar allowed: unit and range in words; empty if the type says it all.
    """

    name: str
    default: str
    allowed: str
    meaning: str
    is_secret: bool


def entries(section: type = Settings, path: str = "") -> Iterator[Key]:
    """
    All settings of a section and those below, in the order of their declarations.
    """
    hints = get_type_hints(section, include_extras=True)
    for attribute in fields(section):
        inner = section_of(hints[attribute.name])
        if inner is not None:
            yield from entries(inner, f"{path}{attribute.name}.")
        else:
            yield _key(attribute, hints[attribute.name], path)


def table() -> str:
    """
    All settings as a reStructuredText table.
    """
    rows = [("Key", "Default", "Unit and range", "Meaning")]
    for key in entries():
        default = key.default and f"``{key.default}``"
        rows.append((f"``{key.name}``", default, key.allowed, key.meaning))
    return _HEAD + "\n".join(map(_row, rows)) + "\n"


def ignored() -> str:
    """
    The settings that mean nothing, as one line of reStructuredText.
    """
    return ", ".join(f"``{key}``" for key in sorted(IGNORED)) + "\n"


def refused() -> str:
    """
    The settings that must be off, with the reason, as a reStructuredText list.
    """
    return "".join(f"* ``{key}``: {reason}\n" for key, reason in sorted(REFUSED.items()))


def _row(cells: Sequence[str]) -> str:
    first, *others = (f"- {cell}".rstrip() for cell in cells)
    return "\n".join([f"   * {first}", *(f"     {cell}" for cell in others)])


def _key(attribute: Attribute[Any], hint: Any, path: str) -> Key:
    about = attribute.metadata
    default: Any = attribute.default
    if hasattr(default, "factory"):
        default = default.factory()
    unit, _, remark = about[UNIT].partition("; ")
    allowed = ", ".join(filter(None, (unit, _range(hint))))
    return Key(
        path + attribute.name,
        _plain(default),
        "; ".join(filter(None, (allowed, remark))),
        about[MEANING],
        about[SECRET],
    )


def _plain(value: Any) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value) if value not in ((), {}) else ""


def _range(hint: Any) -> str:
    """
    What values of a type are allowed, as far as it is not obvious.
    """
    if isinstance(hint, type) and issubclass(hint, Enum):
        return ", ".join(f"``{member.value}``" for member in hint)
    annotated = (part for part in (hint, *get_args(hint)) if get_origin(part) is Annotated)
    for part in annotated:
        return _limits(next(meta for meta in part.__metadata__ if isinstance(meta, Meta)))
    return ""


def _limits(meta: Meta) -> str:
    least, most = meta.ge, meta.le if (meta.le or 0) < _ENOUGH else None
    if meta.gt is not None:
        return f"above {meta.gt}"
    if most is not None:
        return f"{_size(least)} to {_size(most)}"
    return f"at least {_size(least)}" if least else ""


def _size(number: float | None) -> str:
    if number and number % _MEBIBYTE == 0:
        return f"{int(number) // _MEBIBYTE} MiB"
    return str(number)
