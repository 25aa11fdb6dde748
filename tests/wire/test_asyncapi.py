"""
Tests for ``docs/protocol/signalfish.asyncapi.yaml``: it is well-formed and agrees with the code.

Whatever it lacks, a failure shows as YAML, to be completed with descriptions.
"""

import json
import re
from itertools import product
from typing import get_args

import yaml
from hypothesis import given
from jsonschema import Draft7Validator
from twisted.trial.unittest import SynchronousTestCase

from signalfish.rooms.replay import _REPLAYED
from signalfish.wire import operations
from signalfish.wire.binding import Proof
from signalfish.wire.codec import decode_text
from signalfish.wire.errors import CloseCode
from signalfish.wire.gamedata import BinaryData, Origin, TextData
from signalfish.wire.outgoing import encode
from signalfish.wire.types import DeliveryClass, Encoding, Form
from tests.fakes import seen
from tests.strategies import examples, server_messages
from tests.wire.asyncapi import (
    TO_CLIENT,
    TO_SERVER,
    VERSIONS,
    document,
    in_version,
    messages,
    objections,
    resolved,
)
from tests.wire.declared import (
    ANSWERS,
    FROM_CLIENT,
    KINDS,
    NEWER_FROM_CLIENT,
    RESULTS,
    SERVER,
    SPLICED,
    alternatives,
    declared_schema,
    differences,
)
from tests.wire.shapes import MEMBERS
from tests.wire.test_outgoing import filled

# The objects of AsyncAPI 3.0 that the document has, with their fields; ! marks required ones.
OBJECTS = {
    "document": "asyncapi! id info! servers defaultContentType channels operations components",
    "info": "title! version! description termsOfService contact license tags externalDocs",
    "server": """
        host! protocol! protocolVersion pathname description title summary variables security tags
        externalDocs bindings
    """,
    "channel": """
        address messages title summary description servers parameters tags externalDocs bindings
    """,
    "operation": """
        action! channel! title summary description security tags externalDocs bindings traits
        messages reply
    """,
    "message": """
        headers payload correlationId contentType name title summary description tags externalDocs
        bindings examples traits
    """,
    "example": "headers payload name summary",
    "components": "schemas messages",
    "schema": """
        type format description properties required items enum const allOf oneOf discriminator
        minimum maximum pattern additionalProperties
    """,
}


def parts():
    """
    Every object of the document whose fields are known, with its kind and its place.
    """
    root = document()
    yield "document", "", root
    yield "info", "info", root["info"]
    yield "components", "components", root["components"]
    for kind in ("server", "channel", "operation"):
        for name, part in root[f"{kind}s"].items():
            yield kind, f"{kind}s/{name}", part
    for name, part in root["components"]["messages"].items():
        yield "message", name, part
        yield from (("example", name, example) for example in part.get("examples", ()))
        yield from schemas(part["payload"], name)
    for name, part in root["components"]["schemas"].items():
        yield from schemas(part, name)


def schemas(schema, place):
    """
    A schema and those inside of it that have no component of their own.
    """
    if "$ref" in schema:
        return
    yield "schema", place, schema
    for name, member in schema.get("properties", {}).items():
        yield from schemas(member, f"{place}/{name}")
    for inner in (*schema.get("oneOf", ()), *schema.get("allOf", ())):
        yield from schemas(inner, place)
    if "items" in schema:
        yield from schemas(schema["items"], f"{place}/[]")


def references(node):
    """
    Everything that a part of the document refers to.
    """
    if isinstance(node, dict):
        if "$ref" in node:
            yield node["$ref"]
        node = node.values()
    elif not isinstance(node, list):
        return
    for inner in node:
        yield from references(inner)


class StructureTests(SynchronousTestCase):
    """
    It is an AsyncAPI 3.0 document, as far as that shows without a network.
    """

    def test_fields(self):
        """
        Objects have the fields that AsyncAPI knows, and extensions.
        """
        self.assertEqual("3.0.0", document()["asyncapi"])
        for kind, place, part in parts():
            fields = OBJECTS[kind].split()
            unknown = {key for key in part if not re.fullmatch(r"x-[\w.-]+", key)}
            self.assertEqual(set(), unknown - {field.rstrip("!") for field in fields}, place)
            needed = {field[:-1] for field in fields if field.endswith("!")}
            self.assertEqual(set(), needed - set(part), place)

    def test_names(self):
        """
        Components have names that can be referred to.
        """
        names = [*document()["components"]["messages"], *document()["components"]["schemas"]]
        self.assertEqual([], [name for name in names if not re.fullmatch(r"[\w.-]+", name)])

    def test_references(self):
        """
        References lead to something, and nothing has only a reference beside other fields.
        """
        targets = set(references(document()))
        for target in targets:
            resolved({"$ref": target})
        shared = {f"#/components/schemas/{name}" for name in document()["components"]["schemas"]}
        self.assertEqual(set(), shared - targets)

    def test_operations(self):
        """
        Operations are about messages of their channel.
        """
        for name, operation in document()["operations"].items():
            self.assertIn(operation["action"], (TO_SERVER, TO_CLIENT), name)
            channel = resolved(operation["channel"])
            listed = {target.rpartition("/")[2] for target in references(operation["messages"])}
            self.assertEqual(set(), listed - set(channel["messages"]), name)

    def test_schemas(self):
        """
        All schemas are JSON Schema, of all versions and of each.
        """
        for part in (document(), *(in_version(document(), version) for version in VERSIONS)):
            for message in part["components"]["messages"].values():
                Draft7Validator.check_schema(message["payload"])
            for schema in part["components"]["schemas"].values():
                Draft7Validator.check_schema(schema)

    def test_described(self):
        """
        Every message, schema and member says what it means, unless what it refers to does.
        """
        for kind, place, part in parts():
            if kind == "message":
                self.assertTrue(part["summary"], place)
            for name, member in part.get("properties", {}).items() if kind == "schema" else ():
                plain = {"const", "$ref"} & set(member) or name == "data"
                self.assertTrue(plain or member.get("description"), f"{place}/{name}")
        for name, schema in document()["components"]["schemas"].items():
            self.assertTrue(schema["description"], name)
            self.assertEqual(schema.get("enum", []), list(schema.get("x-enumDescriptions", ())))


def wanted_lists():
    """
    The end of the document as it follows from the components: who sends what in which version.
    """
    components = document()["components"]["messages"]
    channels, actions = {}, {}
    for channel, version in (("v2", 2), ("ws", 2), ("v3", 3)):
        names = [name for name in components if components[name].get("x-since", 2) <= version]
        channels[channel] = {name: {"$ref": f"#/components/messages/{name}"} for name in names}
        for operation, action in (("fromClient", TO_SERVER), ("toClient", TO_CLIENT)):
            actions[f"{channel}.{operation}"] = [
                {"$ref": f"#/channels/{channel}/messages/{name}"}
                for name in names
                if SPLICED.get(name, TO_SERVER if name in FROM_CLIENT else TO_CLIENT) == action
            ]
    return channels, actions


class DeclarationTests(SynchronousTestCase):
    """
    It says what the declarations of ``signalfish.wire`` say, no less and no more.
    """

    def check(self, components, kinds, *, sent):
        """
        Components of these names are there and agree with what is declared.
        """
        for name, kind in kinds.items():
            declared = declared_schema(kind)
            if name not in components:
                missing = {name: {"summary": kind.__doc__.strip(), "payload": declared}}
                if getattr(kind, "first_version", 2) > 2:
                    missing[name]["x-since"] = kind.first_version
                self.fail(f"the document lacks\n{yaml.safe_dump(missing)}")
            told = components[name].get("payload", components[name])
            if lines := list(differences(told, declared, name, sent=sent)):
                self.fail("\n".join(lines))

    def test_client(self):
        """
        Clients may send what is declared.
        """
        self.check(document()["components"]["messages"], FROM_CLIENT, sent=False)
        moderation = {kind.__name__: kind for kind in get_args(operations.Moderation)}
        self.check(document()["components"]["schemas"], moderation, sent=False)
        self.check(document()["components"]["schemas"], {"Proof": Proof}, sent=False)

    def test_server(self):
        """
        The server sends what is declared.
        """
        self.check(document()["components"]["messages"], SERVER, sent=True)
        self.check(document()["components"]["schemas"], RESULTS, sent=True)

    def test_versions(self):
        """
        Messages exist since the version that is declared.
        """
        components = document()["components"]["messages"]
        since = dict.fromkeys(components, 2) | dict.fromkeys(NEWER_FROM_CLIENT, 3)
        since |= {name: kind.first_version for name, kind in SERVER.items()}
        told = {name: component.get("x-since", 2) for name, component in components.items()}
        self.assertEqual(since, told)

    def test_nothing_else(self):
        """
        There is no message that is not declared.
        """
        told = set(document()["components"]["messages"])
        self.assertEqual({*FROM_CLIENT, *SERVER, *SPLICED}, told)

    def test_lists(self):
        """
        Channels and operations list exactly the messages of their version and direction.
        """
        channels, actions = wanted_lists()
        pasted = yaml.safe_dump([channels, actions], sort_keys=False, default_flow_style=None)
        told = {name: channel["messages"] for name, channel in document()["channels"].items()}
        self.assertEqual(channels, told, f"the end of the document has to be\n{pasted}")
        told = {name: each["messages"] for name, each in document()["operations"].items()}
        self.assertEqual(actions, told, f"the end of the document has to be\n{pasted}")

    def test_inside(self):
        """
        Messages inside messages are those that the code puts there.
        """
        components = document()["components"]["messages"]
        members = components["Reconnected"]["payload"]["properties"]["data"]["properties"]
        missed = alternatives(members["missed_events"]["items"], resolved)
        self.assertEqual({kind.__name__ for kind in _REPLAYED}, set(missed))
        members = components["RoomOperationResult"]["payload"]["properties"]["data"]["properties"]
        self.assertEqual(ANSWERS, set(alternatives(members["result"], resolved)))

    def test_close_codes(self):
        """
        The close codes are those of the server.
        """
        told = document()["x-close-codes"]
        self.assertEqual([str(code.value) for code in CloseCode], list(told))

    def test_order(self):
        """
        Members are in the order in which the server sends them.
        """
        for version in VERSIONS:
            for name, component in messages(TO_CLIENT, version).items():
                payload = document()["components"]["messages"][component]["payload"]
                payload = in_version(payload, version)["properties"]
                members = list(payload["data"]["properties"]) if "data" in payload else []
                if component not in SPLICED:
                    expected = [member.rstrip("?") for member in MEMBERS[version][name]]
                    self.assertEqual(expected, members, name)


class ExampleTests(SynchronousTestCase):
    """
    Its examples are messages.
    """

    def shown(self, action):
        """
        The examples of a direction with the versions that they are for.
        """
        for version in VERSIONS:
            for name in messages(action, version).values():
                component = document()["components"]["messages"][name]
                shown = [
                    example["payload"]
                    for example in component.get("examples", ())
                    if example.get("name", f"v{version}") == f"v{version}"
                ]
                self.assertTrue(shown or "Binary" in name, f"no example of {name} in v{version}")
                yield from product(shown, [version])

    def test_valid(self):
        """
        Every message has an example in each of its versions, which fits its schema.
        """
        for action in (TO_SERVER, TO_CLIENT):
            for example, version in self.shown(action):
                self.assertEqual([], objections(example, action, version))

    def test_understood(self):
        """
        The server understands the examples of what clients send.
        """
        for example, _ in self.shown(TO_SERVER):
            decoded = decode_text(json.dumps(example).encode(), 65536)
            self.assertEqual(example["type"], type(decoded).__name__)


class EncodingTests(SynchronousTestCase):
    """
    What the server writes fits.
    """

    def check(self, message, version):
        """
        A message as one version has it fits; its ids are no ids.
        """
        told = json.loads(encode(message, version))
        self.assertEqual([], objections(told, TO_CLIENT, version, checks_formats=False))

    def test_complete(self):
        """
        With everything there is to say, messages of all versions fit, but for what is inside them.
        """
        for kind, version in product(KINDS, VERSIONS):
            if kind.first_version <= version:
                self.check(filled(kind), version)

    @examples(150)
    @given(server_messages(KINDS))
    def test_any(self, message):
        """
        With less to say they fit, too.
        """
        for version in VERSIONS:
            if message.first_version <= version:
                self.check(message, version)

    def test_spliced(self):
        """
        Game data has the described members, in their order, and its values fit.
        """
        origin = Origin("5f0c1d9e-7a64-4b0e-9c35-2d8e41b7a6f3", 1)
        text = TextData(origin, 7, b"null", DeliveryClass.LATEST, 0)
        binary = BinaryData(origin, 7, b"\x01", Encoding.MESSAGE_PACK)
        for version in VERSIONS:
            components = in_version(document()["components"], version)["messages"]
            told = seen(text, Form(version, Encoding.JSON))
            message = {"type": told.type, "data": told.data}
            self.assertEqual([], objections(message, TO_CLIENT, version))
            schema = components["GameData"]["payload"]["properties"]["data"]
            self.assertEqual(list(schema["properties"]), list(told.data))
            told = seen(binary, Form(version, Encoding.MESSAGE_PACK))
            schema = components["BinaryGameData"]["payload"]
            self.assertEqual(list(schema["properties"]), list(told.data))
            self.assertEqual(set(schema["required"]), set(told.data))
            self.assertEqual(schema["properties"]["encoding"]["const"], told.data["encoding"])
