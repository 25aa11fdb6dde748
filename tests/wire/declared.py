"""
What ``signalfish.wire`` declares, as JSON Schema, and how the AsyncAPI document differs from it.
"""

import json
import pkgutil
from importlib import import_module
from typing import get_args

import msgspec
import yaml

from signalfish import wire
from signalfish.wire import operations
from signalfish.wire.binding import Proof
from signalfish.wire.server import ServerMessage
from tests.wire.asyncapi import TO_CLIENT, TO_SERVER, resolved

for module in pkgutil.iter_modules(wire.__path__):
    import_module(f"{wire.__name__}.{module.name}")  # so that every message is known

CLIENT = {kind.__name__: kind for kind in get_args(operations.AnyText)}
SERVER = {kind.__name__: kind for kind in ServerMessage.__subclasses__()}
SPLICED = {"SendBinaryGameData": TO_SERVER, "GameData": TO_CLIENT, "BinaryGameData": TO_CLIENT}
"""
What is no message of JSON, or is never one object here.
"""

KINDS = [kind for kind in SERVER.values() if kind is not operations.RoomOperationResult]
"""
The server's messages that samples can be made of, because they carry no others but events.
"""

FROM_CLIENT = {
    f"Send{name}" if name in {*SERVER, *SPLICED} else name: kind for name, kind in CLIENT.items()
}
"""
The client's messages by the names of their components.
"""

RESULTS = {
    kind.__name__: kind
    for kind in vars(operations).values()
    if getattr(kind, "__module__", "") == operations.__name__
    and isinstance(kind, type)
    and kind.__struct_config__.frozen
    and not issubclass(kind, ServerMessage)
}
"""
What comes of a moderation, inside of a RoomOperationResult.
"""

ANSWERS = {
    *RESULTS,
    *("RoomJoined", "RoomJoinFailed", "RoomLeft", "Reconnected", "ReconnectionFailed"),
    *("SpectatorJoined", "SpectatorJoinFailed", "SpectatorLeft"),
}
"""
Everything that can come of an operation.
"""

NEWER_FROM_CLIENT = {"SendSignal", "TransportStatus", "RoomOperation"}
"""
What only clients of version 3 have a use for; the server decodes it from all.
"""

_PLAIN = [*CLIENT.values(), *get_args(operations.Moderation), Proof]  # declared as they are sent
_KINDS = [*_PLAIN, *SERVER.values(), *RESULTS.values()]
_REFERENCES, _STRUCTS = msgspec.json.schema_components(
    _KINDS, ref_template="#/components/schemas/{name}"
)
_STRUCTS = json.loads(json.dumps(_STRUCTS))  # as YAML has it, without tuples
for _struct in _STRUCTS.values():
    if _struct.get("properties", {}).get("data", {}).get("default", "") is None:
        del _struct["properties"]["data"]  # which may be there, with nothing in it
# It stays raw at first, so that its size can be measured.
_STRUCTS["OwnConnection"]["properties"] = {
    "connection_info": _STRUCTS["PeerConnection"]["properties"]["connection_info"]
}
DECLARED = {
    kind: _STRUCTS[reference["$ref"].rpartition("/")[2]]
    for kind, reference in zip(_KINDS, _REFERENCES, strict=True)
}


def declared_schema(kind):
    """
    The schema of what is declared, in its envelope if it is a message.
    """
    schema = DECLARED[kind]
    if kind in _PLAIN:
        return schema
    envelope = {"type": {"enum": [kind.__name__]}, "data": schema}
    if not schema["properties"]:
        del envelope["data"]
    return {"type": "object", "required": list(envelope), "properties": envelope}


def declared_part(schema):
    """
    A declared schema itself, or the one that it refers to.
    """
    return _STRUCTS[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema


def alternatives(schema, find):
    """
    The schemas of which a value has to fit one, by something that tells them apart.
    """
    schema = find(schema)
    if "allOf" in schema:
        (inner,) = schema["allOf"]
        return alternatives(inner, find)
    kinds = schema.get("type")
    if isinstance(kinds, list):
        return {kind: {**schema, "type": kind} for kind in kinds}
    branches = schema.get("anyOf", schema.get("oneOf"))
    if branches is None:
        tag = schema.get("properties", {}).get("type", {})
        names = [tag["const"]] if "const" in tag else tag.get("enum")
        return {names[0] if names else kinds or ("string" if "enum" in schema else "any"): schema}
    return {name: one for each in branches for name, one in alternatives(each, find).items()}


def differences(told, declared, place, *, sent, skips_null=False):
    """
    Where the document says something else than a declaration, as readable lines.

    :param sent: whether the server sends it, and so all that has a default. Of that, the document
        may tell the format and the least number, which are no matter of the declaration.
    :param skips_null: whether null need not be mentioned, because all that is optional may be null.
    """
    allowed, wanted = alternatives(told, resolved), alternatives(declared, declared_part)
    if declared_part(declared).get("title") == "Envelope":
        return
    if skips_null and "null" not in allowed:
        wanted.pop("null", None)
    if set(allowed) != set(wanted):
        yield f"{place}: is {sorted(allowed)}, declared {sorted(wanted)}"
    for name in set(allowed) & set(wanted):
        yield from _differences(allowed[name], wanted[name], place, sent=sent)


def _differences(told, declared, place, *, sent):
    tokens = [told["const"]] if "const" in told else told.get("enum", [])
    if set(tokens) != set(declared.get("enum", [])):
        yield f"{place}: is one of {tokens}, declared {declared.get('enum')}"
    for limit in ("minimum", "maximum", "pattern", "format"):
        wanted = declared.get(limit)
        wanted = wanted.replace(r"\Z", "$") if limit == "pattern" and wanted else wanted
        says_more = sent and wanted is None and limit in ("minimum", "format")
        if told.get(limit) != wanted and not says_more:
            yield f"{place}: {limit} is {told.get(limit)}, declared {wanted}"
    if "items" in declared:
        yield from differences(told["items"], declared["items"], f"{place}/[]", sent=sent)
    members, wanted = told.get("properties", {}), declared.get("properties", {})
    for name in set(members) - set(wanted):
        yield f"{place}/{name}: is not declared"
    for name in set(wanted) - set(members):
        yield f"{place}: lacks\n{yaml.safe_dump({name: wanted[name]})}"
    for name in set(wanted) & set(members):
        inside = f"{place}/{name}"
        always = name in declared["required"] or (sent and "default" in wanted[name])
        yield from _presence(name, told, wanted[name], inside, always=always)
        is_sent = sent and name != "connection_info"  # which says what clients have to send
        skips_null = not is_sent and not always
        yield from differences(
            members[name], wanted[name], inside, sent=is_sent, skips_null=skips_null
        )


def _presence(name, told, declared, place, *, always):
    member = told["properties"][name]
    for mark in ("x-since", "x-until", "x-afterwards"):
        if member.get(mark) != declared.get(mark):
            yield f"{place}: {mark} is {member.get(mark)}, declared {declared.get(mark)}"
    newer = "x-since" in declared
    if (name in told.get("required", ())) is not (always and not newer):
        yield f"{place}: {'has to be' if always and not newer else 'may not be'} required"
    if member.get("x-required", False) is not (always and newer):
        yield f"{place}: x-required has to be {always and newer}"
