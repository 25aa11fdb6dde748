"""
The AsyncAPI document, read as somebody would who writes a client of one protocol version.
"""

from functools import cache
from pathlib import Path

import yaml
from jsonschema import Draft7Validator, FormatChecker

PATH = Path(__file__).parents[2] / "docs" / "protocol" / "signalfish.asyncapi.yaml"
VERSIONS = (2, 3)
TO_SERVER, TO_CLIENT = "receive", "send"  # AsyncAPI takes the place of the server
BINARY = "binary"

_formats = FormatChecker(["uuid"])


class _Loader(yaml.SafeLoader):
    """
    A loader that does not let one key hide another.
    """

    def construct_mapping(self, node, deep=False):
        """
        A mapping, each key of which is there once.
        """
        keys = [key.value for key, _ in node.value]
        if len(keys) > len(set(keys)):
            raise AssertionError(f"repeated keys {node.start_mark}")
        return super().construct_mapping(node, deep)


@cache
def document():
    """
    The document, not to be changed.
    """
    return yaml.load(PATH.read_text(), _Loader)


def resolved(node):
    """
    A node itself, or the one that it refers to.
    """
    while "$ref" in node:
        target = document()
        for key in node["$ref"].removeprefix("#/").split("/"):
            target = target[key]
        node = target
    return node


@cache
def messages(action, version):
    """
    The components of the messages that a version has in one direction, by the ``type`` on the wire.
    """
    found = {}
    for operation in document()["operations"].values():
        channel = operation["channel"]["$ref"]
        if operation["action"] == action and channel == f"#/channels/v{version}":
            for reference in operation["messages"]:
                name = reference["$ref"].rpartition("/")[2]
                payload = document()["components"]["messages"][name]["payload"]
                tag = payload.get("properties", {}).get("type", {"const": BINARY})
                found[tag["const"]] = name
    return found


def in_version(node, version):
    """
    A part of the document without what a version does not have, and closed to anything else.
    """
    if isinstance(node, list):
        return [in_version(item, version) for item in node]
    if not isinstance(node, dict):
        return node
    node = {key: in_version(value, version) for key, value in node.items()}
    if isinstance(members := node.get("properties"), dict):
        present = {name: _member(member, version) for name, member in members.items()}
        present = {name: member for name, member in present.items() if member is not None}
        newly = [name for name in present if present[name].get("x-required")]
        node |= {"properties": present, "required": [*node.get("required", ()), *newly]}
        node["additionalProperties"] = False
    return node


def _member(member, version):
    if version < member.get("x-since", 0):
        return None
    if version > member.get("x-until", version):
        return {"const": member["x-afterwards"]} if "x-afterwards" in member else None
    return member


@cache
def _validator(component, version, checks_formats):
    schema = {
        "$ref": f"#/components/messages/{component}/payload",
        "components": in_version(document()["components"], version),
    }
    return Draft7Validator(schema, format_checker=_formats if checks_formats else None)


def objections(message, action, version, *, checks_formats=True):
    """
    What the document has against a message, as readable lines.

    :param message: the decoded text of a message.
    :param checks_formats: whether ids have to be ids.
    """
    component = messages(action, version).get(message["type"])
    if component is None:
        return [f"version {version} has no {message['type']} in this direction"]
    return [
        f"{message['type']} {error.json_path}: {error.message}"
        for error in _validator(component, version, checks_formats).iter_errors(message)
    ]
