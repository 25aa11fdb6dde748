"""
What differs between protocol versions, said once where a field is declared and applied here.

A server message is declared as the superset of all versions; :func:`project` takes away what
one version does not have.
"""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple, get_args, get_type_hints

from msgspec import UNSET, Meta, Struct
from msgspec.structs import replace


def since(version: int) -> Meta:
    """
    Mark a field that exists from this protocol version on.
    """
    return Meta(extra={"first": version}, extra_json_schema={"x-since": version})


def until(version: int, *, afterwards: object = UNSET) -> Meta:
    """
    Mark a field that exists up to this protocol version.

    :param afterwards: the value that later versions carry instead; by default none.
    """
    mark = {"x-until": version} | ({} if afterwards is UNSET else {"x-afterwards": afterwards})
    return Meta(extra={"last": version, "afterwards": afterwards}, extra_json_schema=mark)


class _Plan(NamedTuple):
    fixed: dict[str, object]
    nested: tuple[str, ...]


def project(value: Any, version: int) -> Any:
    """
    The value as one protocol version knows it; the value itself if nothing differs.
    """
    if isinstance(value, tuple):
        return tuple(project(item, version) for item in value)
    if not isinstance(value, Struct):
        return value
    plan = _plan(type(value), version)
    if not plan.fixed and not plan.nested:
        return value
    changes = dict(plan.fixed)
    for name in plan.nested:
        changes[name] = project(getattr(value, name), version)
    return replace(value, **changes)


@cache
def _plan(struct: type[Struct], version: int) -> _Plan:
    fixed: dict[str, object] = {}
    nested = []
    for name, hint in get_type_hints(struct, include_extras=True).items():
        for mark in _marks(hint):
            if not mark.get("first", 0) <= version <= mark.get("last", version):
                fixed[name] = mark.get("afterwards", UNSET)
        if name not in fixed and _may_differ(hint, version):
            nested.append(name)
    return _Plan(fixed, tuple(nested))


def _marks(hint: Any) -> list[dict[str, Any]]:
    metadata = getattr(hint, "__metadata__", ())
    return [meta.extra for meta in metadata if isinstance(meta, Meta) and meta.extra]


def _may_differ(hint: Any, version: int) -> bool:
    if hint is Any:
        return True
    if isinstance(hint, type) and issubclass(hint, Struct):
        plan = _plan(hint, version)
        return bool(plan.fixed or plan.nested)
    return any(_may_differ(part, version) for part in get_args(hint))
