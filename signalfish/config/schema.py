"""
What there can be at which place of a tree of settings.
"""

from __future__ import annotations

from typing import Any, get_args, get_type_hints

from attrs import has

from signalfish.config.sections import Settings


def hint_at(key: str) -> Any:
    """
    The type of what is at a dotted key; None if nothing can be there.
    """
    hint: Any = Settings
    for name in key.split("."):
        section = section_of(hint)
        hint = get_type_hints(section).get(name) if section else None
    return hint


def section_at(key: str) -> type | None:
    """
    The section at a dotted key; None if there is none.
    """
    return section_of(hint_at(key))


def section_of(hint: Any) -> type | None:
    """
    The section that an annotation stands for, which may be optional; None if it is a value.
    """
    return next((part for part in (hint, *get_args(hint)) if has(part)), None)
