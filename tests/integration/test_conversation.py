"""
Tests for whole conversations of clients that use the websockets library.
"""

import uuid

import msgpack

from tests.integration.harness import ServerTestCase

VERSIONS = ("protocol_version", "min_protocol_version", "max_protocol_version")


class HandshakeTests(ServerTestCase):
    """
    How a conversation begins.
    """

    def test_no_extension(self):
        """
        The handshake selects neither an extension nor a subprotocol.
        """
        headers = self.client().response.headers
        self.assertNotIn("Sec-WebSocket-Extensions", headers)
        self.assertNotIn("Sec-WebSocket-Protocol", headers)

    def test_both_paths(self):
        """
        /ws and /v2/ws lead into the same rooms.
        """
        alice = self.client("/ws")
        code = alice.join("Alice")["room_code"]
        self.client("/v2/ws").join("Bob", room_code=code)
        alice.expect("PlayerJoined")

    def test_asking_for_version_3(self):
        """
        A client that asks for protocol version 3 gets it on any endpoint.
        """
        info = self.client().authenticate(protocol_version=3)
        self.assertEqual((3, 2, 3), tuple(info[key] for key in VERSIONS))
        self.assertIn("spectator_relay", info["capabilities"])

    def test_asking_for_no_version(self):
        """
        A client that asks for no version gets version 2, and is told so by what is missing.
        """
        client = self.client()
        info = client.authenticate(platform="lua", sdk_version="2.4.0")
        self.assertEqual(
            {
                "platform": "lua",
                "sdk_version": "2.4.0",
                "capabilities": ["reconnection", "spectator-mode", "rate-limits-v2"],
                "game_data_formats": ["json", "message_pack"],
                "player_name_rules": {
                    "max_length": 32,
                    "min_length": 1,
                    "allow_unicode_alphanumeric": True,
                    "allow_spaces": True,
                    "allow_leading_trailing_whitespace": False,
                    "allowed_symbols": ["-", "_"],
                },
            },
            info,
        )

    def test_version_too_low(self):
        """
        A client that asks for protocol version 1 is refused for good.
        """
        client = self.client()
        client.send("Authenticate", app_id="moth-chess", protocol_version=1)
        client.expect("AuthenticationError", error_code="UNSUPPORTED_PROTOCOL_VERSION")
        client.expect_close(1000, "unregistered")

    def test_late_authentication(self):
        """
        Authenticate comes first or not at all.
        """
        client = self.client()
        client.expect_nothing()
        client.send("Authenticate", app_id="moth-chess")
        client.expect("Error", error_code="INVALID_INPUT")
        client.expect_nothing()

    def test_unsupported_format(self):
        """
        A format that is not offered is refused before Authenticated, and JSON is used.
        """
        client = self.client()
        client.send("Authenticate", app_id="moth-chess", game_data_format="protobuf")
        client.expect("Error", error_code="UNSUPPORTED_GAME_DATA_FORMAT")
        client.expect("Authenticated", app_name="default")
        client.expect("ProtocolInfo")
        client.join("Mira")
        client.send_raw(b"\x01")
        client.expect("Error", error_code="INVALID_INPUT")

    def test_ping(self):
        """
        WebSocket pings and application pings are answered, before and in rooms.
        """
        client = self.client()
        client.ping()
        client.expect_nothing()
        client.join("Mira")
        client.ping()
        client.expect_nothing()


class GameTests(ServerTestCase):
    """
    Games, from the lobby to the end.
    """

    def test_started_by_a_player(self):
        """
        Three players in a room for eight start by StartGame; one has authenticated.
        """
        mira, oskar, pia = players = [self.client() for _ in range(3)]
        mira.authenticate()
        room = mira.join("Mira")
        self.assertEqual((8, True, "waiting"), room_terms(room))
        self.assertNotIn("reconnection_token", room)
        oskar.join("Oskar", room_code=room["room_code"].lower())
        mira.expect("PlayerJoined")
        pia.join("Pia", room_code=room["room_code"])
        mira.expect("PlayerJoined")
        self.assertEqual("Pia", oskar.expect("PlayerJoined")["player"]["name"])
        self.assertEqual(
            ["Mira", "Oskar", "Pia"], [player["name"] for player in pia.room["current_players"]]
        )

        here = {"type": "direct", "host": "2001:db8:77::9", "port": 40417}
        mira.send("ProvideConnectionInfo", connection_info=here)
        ready = []
        for player in players:
            mira.send("StartGame")
            mira.expect("Error", error_code="GAME_START_NOT_READY")
            player.send("PlayerReady")
            ready.append(player.room["player_id"])
            for member in players:
                member.expect(
                    "LobbyStateChanged",
                    lobby_state="waiting",
                    ready_players=ready,
                    all_ready=len(ready) == 3,
                )
        pia.send("StartGame")
        pia.expect("Error", error_code="GAME_START_FORBIDDEN")
        mira.send("StartGame")
        for member in players:
            entries = member.expect("GameStarting")["peer_connections"]
            self.assertEqual(ready, [entry["player_id"] for entry in entries])
            self.assertEqual([True, False, False], [entry["is_authority"] for entry in entries])
            self.assertEqual(here, entries[0]["connection_info"])
            self.assertNotIn("connection_info", entries[1])

        pia.send("StartGame")
        pia.expect_nothing()
        pia.send("PlayerReady")
        pia.expect("Error", error_code="INVALID_ROOM_STATE")
        late = self.client()
        late.join("Late", room_code=room["room_code"])
        self.assertEqual("finalized", late.room["lobby_state"])
        self.assertEqual(here, late.room["current_players"][0]["connection_info"])
        for member in players:
            member.expect("PlayerJoined")

    def test_opaque_data(self):
        """
        Game data arrives as it was sent, byte by byte, in order, and not at its sender.
        """
        alice, bob = self.playing_pair()
        values = (
            '{"pos": [18.50, -2e1, 1E2], "a":1 ,"a":2, "\\u00e9": "é\\/"}',
            "null",
            '" "',
            "18446744073709551616",
            "-0",
        )
        for value in values:
            alice.send_raw('{"type":"GameData","data":{"data":' + value + "}}")
        for value in values:
            self.assertIn(f'"data":{value}}}', bob.receive_text())
        alice.expect_nothing()

    def test_two_rooms(self):
        """
        Rooms of the same code in different games have nothing to do with each other.
        """
        alice = self.seat("Alice", room_code="MEETUP")
        other = self.seat("Alice", room_code="meetup", game_name="moth-chess")
        self.assertNotEqual(alice.room["room_id"], other.room["room_id"])
        other.send("GameData", data="check")
        other.expect_nothing()
        alice.expect_nothing()

    def test_authority(self):
        """
        The authority hands its role over.
        """
        alice, bob = self.pair()
        bob.send("AuthorityRequest", become_authority=True)
        bob.expect("AuthorityResponse", granted=False, error_code="AUTHORITY_CONFLICT")
        alice.send("AuthorityRequest", become_authority=False)
        alice.expect("AuthorityResponse", granted=True, reason=None)
        for player in (alice, bob):
            player.expect("AuthorityChanged", authority_player=None, you_are_authority=False)
        bob.send("AuthorityRequest", become_authority=True)
        bob.expect("AuthorityResponse", granted=True)
        heir = bob.room["player_id"]
        bob.expect("AuthorityChanged", authority_player=heir, you_are_authority=True)
        alice.expect("AuthorityChanged", authority_player=heir, you_are_authority=False)

    def test_leaving(self):
        """
        Who leaves is told so and stays connected; the others are told who, and what changed.
        """
        alice, bob = self.pair()
        bob.send("PlayerReady")
        for player in (alice, bob):
            player.expect("LobbyStateChanged", all_ready=False)
        alice.send("LeaveRoom")
        alice.expect("RoomLeft")
        bob.expect("PlayerLeft", player_id=alice.room["player_id"])
        bob.expect("AuthorityChanged", authority_player=None)
        bob.expect("LobbyStateChanged", lobby_state="waiting", ready_players=[], all_ready=False)
        alice.send("LeaveRoom")
        alice.expect("Error", error_code="NOT_IN_ROOM")
        again = alice.join("Alice", room_code=bob.room["room_code"])
        self.assertFalse(again["is_authority"])


class SpectatorTests(ServerTestCase):
    """
    Those who only watch.
    """

    def watch(self, code):
        """
        Somebody who watches a room.
        """
        juno = self.client()
        juno.send(
            "JoinAsSpectator", game_name=juno.GAME, room_code=code.lower(), spectator_name="Juno"
        )
        juno.room = juno.expect("SpectatorJoined", room_code=code, reason="joined")
        return juno

    def test_game(self):
        """
        A spectator sees the whole game, but not how the players reach each other.
        """
        alice, bob = self.pair()
        juno = self.watch(alice.room["room_code"])
        self.assertEqual("lobby", juno.room["lobby_state"])
        for player in (alice, bob):
            entry = player.expect("NewSpectatorJoined")["spectator"]
            self.assertEqual((juno.room["spectator_id"], "Juno"), (entry["id"], entry["name"]))
        info = {"type": "custom", "data": {"lobby": "steam"}}
        alice.send("ProvideConnectionInfo", connection_info=info)
        members = (alice, bob, juno)
        for player in (alice, bob):
            player.send("PlayerReady")
            for member in members:
                member.expect("LobbyStateChanged", all_ready=player is bob)
        for member in members:
            [entry, _] = member.expect("GameStarting")["peer_connections"]
            self.assertEqual(None if member is juno else info, entry.get("connection_info"))
        alice.send("GameData", data="honk")
        for member in (bob, juno):
            member.expect("GameData", from_player=alice.room["player_id"], data="honk")
        bob.send("LeaveRoom")
        bob.expect("RoomLeft")
        for member in (alice, juno):
            member.expect("PlayerLeft", player_id=bob.room["player_id"])

    def test_leaving(self):
        """
        The players are told that the spectator has gone.
        """
        alice = self.seat("Alice")
        juno = self.watch(alice.room["room_code"])
        alice.expect("NewSpectatorJoined")
        juno.send("LeaveSpectator")
        juno.expect("SpectatorLeft", reason="voluntary_leave", current_spectators=[])
        alice.expect("SpectatorDisconnected", reason="voluntary_leave", current_spectators=[])
        self.watch(alice.room["room_code"]).lose()
        alice.expect("NewSpectatorJoined")
        alice.expect("SpectatorDisconnected", reason="disconnected", current_spectators=[])

    def test_only_watching(self):
        """
        A spectator cannot do what players do.
        """
        alice = self.seat("Alice")
        juno = self.watch(alice.room["room_code"])
        alice.expect("NewSpectatorJoined")
        juno.send("GameData", data="boo")
        juno.expect("Error", error_code="SPECTATOR_NOT_ALLOWED")
        juno.send("PlayerReady")
        juno.expect("Error", error_code="SPECTATOR_NOT_ALLOWED")
        juno.send("StartGame")
        juno.expect("Error", error_code="SPECTATOR_NOT_ALLOWED")
        juno.send("AuthorityRequest", become_authority=True)
        juno.expect("AuthorityResponse", granted=False, error_code="SPECTATOR_NOT_ALLOWED")
        juno.send("JoinRoom", game_name=juno.GAME, player_name="Juno")
        juno.expect("RoomJoinFailed", error_code="ALREADY_IN_ROOM")
        juno.send("LeaveRoom")
        juno.expect("Error", error_code="NOT_IN_ROOM")
        alice.expect_nothing()

    def test_no_such_room(self):
        """
        A spectator does not create rooms.
        """
        juno = self.client()
        juno.send("JoinAsSpectator", game_name=juno.GAME, room_code="NOROOM", spectator_name="Juno")
        juno.expect("SpectatorJoinFailed", error_code="ROOM_NOT_FOUND")


class ReconnectionTests(ServerTestCase):
    """
    Players who come back.
    """

    def test_replay(self):
        """
        A player gets its seat back, and what it missed.
        """
        alice, bob = self.playing_pair()
        alice_id = alice.room["player_id"]
        alice.lose()
        bob.expect("PlayerLeft", player_id=alice_id)
        bob.expect("AuthorityChanged", authority_player=None)
        thief = self.client()
        thief.send(
            "JoinRoom", game_name=bob.GAME, player_name="Pia", room_code=bob.room["room_code"]
        )
        thief.expect("RoomJoinFailed", error_code="ROOM_FULL")
        bob.send("GameData", data={"lap": 2})
        bob.send("GameData", data={"lap": 3})
        bob.send("LeaveRoom")
        bob.expect("RoomLeft")

        returned = self.client()
        snapshot = returned.reconnect(alice.room)
        self.assertEqual(alice_id, snapshot["player_id"])
        self.assertEqual("finalized", snapshot["lobby_state"])
        self.assertEqual(["Alice"], [player["name"] for player in snapshot["current_players"]])
        self.assertEqual([alice_id], snapshot["ready_players"])
        self.assertNotIn("reconnection_token", snapshot)
        self.assertEqual(["PlayerLeft"], [event["type"] for event in snapshot["missed_events"]])
        returned.expect("GameData", from_player=bob.room["player_id"], data={"lap": 2})
        returned.expect("GameData", from_player=bob.room["player_id"], data={"lap": 3})
        returned.expect("AuthorityChanged", authority_player=alice_id, you_are_authority=True)
        returned.expect_nothing()

    def test_what_others_see(self):
        """
        A return looks like a join to others, with a word more.
        """
        alice, bob = self.playing_pair()
        alice.lose()
        bob.expect("PlayerLeft")
        bob.expect("AuthorityChanged", authority_player=None)
        self.client().reconnect(alice.room)
        entry = bob.expect("PlayerJoined")["player"]
        self.assertEqual(
            (alice.room["player_id"], True, False),
            (entry["id"], entry["is_ready"], entry["is_authority"]),
        )
        bob.expect("PlayerReconnected", player_id=entry["id"], player=entry)
        bob.expect("AuthorityChanged", authority_player=entry["id"])
        bob.expect_nothing()

    def test_takeover(self):
        """
        A token wins over a connection that seems to live, but only once in a while.
        """
        alice, bob = self.playing_pair()
        second = self.client()
        second.reconnect(alice.room)
        second.expect("AuthorityChanged", you_are_authority=True)
        alice.expect_close(4008, "superseded")
        alice_id = alice.room["player_id"]
        bob.expect("PlayerLeft", player_id=alice_id)
        bob.expect("AuthorityChanged", authority_player=None)
        bob.expect("PlayerJoined")
        bob.expect("PlayerReconnected", player_id=alice_id)
        bob.expect("AuthorityChanged", authority_player=alice_id)
        second.send("GameData", data=1)
        bob.expect("GameData", from_player=alice_id, data=1)

        third = self.client()
        third.send(
            "Reconnect",
            player_id=alice_id,
            room_id=alice.room["room_id"],
            auth_token=alice.room["reconnection_token"],
        )
        third.expect("ReconnectionFailed", error_code="PLAYER_ALREADY_CONNECTED")
        second.expect_nothing()

    def test_wrong_claims(self):
        """
        Wrong ids and tokens change nothing.
        """
        alice = self.seat("Alice")
        other = str(uuid.uuid4())
        client = self.client()
        right = {
            "player_id": alice.room["player_id"],
            "room_id": alice.room["room_id"],
            "auth_token": alice.room["reconnection_token"],
        }
        for wrong, code in (
            ({"player_id": other}, "RECONNECTION_FAILED"),
            ({"room_id": other}, "RECONNECTION_TOKEN_INVALID"),
            ({"auth_token": other}, "RECONNECTION_TOKEN_INVALID"),
            ({"auth_token": "é"}, "RECONNECTION_TOKEN_INVALID"),
        ):
            client.send("Reconnect", **{**right, **wrong})
            client.expect("ReconnectionFailed", error_code=code)
        alice.expect_nothing()
        client.send("Reconnect", **right)
        client.expect("Reconnected")

    def test_no_return(self):
        """
        Who left has no seat to come back to.
        """
        alice = self.seat("Alice")
        alice.send("LeaveRoom")
        alice.expect("RoomLeft")
        client = self.client()
        client.send(
            "Reconnect",
            player_id=alice.room["player_id"],
            room_id=alice.room["room_id"],
            auth_token=alice.room["reconnection_token"],
        )
        client.expect("ReconnectionFailed", error_code="RECONNECTION_FAILED")

    def test_token_on_request(self):
        """
        A client that authenticates gets a token if it asks for one.
        """
        client = self.client()
        client.authenticate(requested_capabilities=["reconnection_token", "teleportation"])
        self.assertIn("reconnection_token", client.join("Mira"))

    def test_name_instead_of_token(self):
        """
        A client that forgot its token gets in again under its name.
        """
        alice, bob = self.playing_pair()
        alice.lose()
        bob.expect("PlayerLeft")
        bob.expect("AuthorityChanged")
        again = self.seat("Alice", room_code=bob.room["room_code"])
        self.assertNotEqual(alice.room["player_id"], again.room["player_id"])
        bob.expect("PlayerJoined")


class MessagePackTests(ServerTestCase):
    """
    Game data in two formats.
    """

    def players(self):
        """
        Two players with MessagePack, and one with JSON.
        """
        packer, other, plain = self.client(), self.client(), self.client()
        for client in (packer, other):
            client.authenticate(game_data_format="message_pack")
        code = packer.join("Packer")["room_code"]
        other.join("Other", room_code=code)
        packer.expect("PlayerJoined")
        plain.join("Plain", room_code=code)
        for client in (packer, other):
            client.expect("PlayerJoined")
        return packer, other, plain

    def test_binary(self):
        """
        Binary data reaches MessagePack clients in an envelope, and JSON clients as JSON.
        """
        packer, other, plain = self.players()
        value = {"lap": 3, "boost": True, "pos": [18.5, -20], "none": None}
        payload = msgpack.packb(value)
        packer.send_raw(payload)
        sender = packer.room["player_id"]
        envelope = other.receive()
        self.assertEqual(
            {
                "from_player": uuid.UUID(sender).bytes,
                "encoding": "message_pack",
                "payload": payload,
            },
            msgpack.unpackb(envelope),
        )
        self.assertEqual(["from_player", "encoding", "payload"], list(msgpack.unpackb(envelope)))
        plain.expect("GameData", from_player=sender, data=value)

    def test_text(self):
        """
        Text data reaches everybody as text, in order with binary data.
        """
        packer, other, plain = self.players()
        packer.send("GameData", data=[1.0, "é"])
        packer.send_raw(msgpack.packb(2))
        for client in (other, plain):
            client.expect("GameData", data=[1.0, "é"])
        self.assertIsInstance(other.receive(), bytes)
        plain.expect("GameData", data=2)
        plain.send("GameData", data="hi")
        for client in (packer, other):
            client.expect("GameData", from_player=plain.room["player_id"], data="hi")

    def test_inconvertible(self):
        """
        What JSON cannot say reaches MessagePack clients; JSON clients are told, once per second.
        """
        packer, other, plain = self.players()
        for payload in (msgpack.packb(b"raw"), msgpack.packb({1: 2}), b""):
            packer.send_raw(payload)
            self.assertEqual(payload, msgpack.unpackb(other.receive())["payload"])
        notice = plain.expect("Error", error_code="UNSUPPORTED_GAME_DATA_FORMAT")
        self.assertIn(packer.room["player_id"], notice["message"])
        plain.expect_nothing()
        packer.expect_nothing()

    def test_not_agreed(self):
        """
        A client that did not choose MessagePack cannot send it.
        """
        packer, _, plain = self.players()
        plain.send_raw(msgpack.packb(1))
        plain.expect("Error", error_code="INVALID_INPUT")
        packer.expect_nothing()

    def test_replay(self):
        """
        Missed binary data is replayed in the format of the new connection.
        """
        packer, other, plain = self.players()
        room = plain.room
        plain.lose()
        for client in (packer, other):
            client.expect("PlayerLeft")
        packer.send_raw(msgpack.packb({"lap": 4}))
        other.receive()
        returned = self.client()
        returned.authenticate(game_data_format="message_pack")
        returned.reconnect(room)
        self.assertEqual(
            {"lap": 4}, msgpack.unpackb(msgpack.unpackb(returned.receive())["payload"])
        )


class AccessTests(ServerTestCase):
    """
    Getting into rooms, or not.
    """

    def refused(self, code, client=None, **fields):
        """
        A join that is refused with a code.
        """
        client = client or self.client()
        client.send("JoinRoom", **{"game_name": client.GAME, "player_name": "Oskar", **fields})
        return client.expect("RoomJoinFailed", error_code=code)

    def test_password(self):
        """
        A sealed room opens for those who know the password, and all others learn little.
        """
        mira = self.seat("Mira", password="blue lamp")
        code = mira.room["room_code"]
        naive = self.client()
        reason = self.refused("ROOM_NOT_FOUND", naive, room_code=code)["reason"]
        for wrong in ("blue", "Blue lamp", "blue lamp "):
            again = self.refused("PASSWORD_REQUIRED", room_code=code, password=wrong)["reason"]
            self.assertEqual(reason, again)
        self.refused("PASSWORD_REQUIRED", naive, room_code=code, join_only=True)
        self.refused("PASSWORD_REQUIRED", naive, room_code=code)
        naive.join("Oskar", room_code=code, password="blue lamp")
        mira.expect("PlayerJoined")
        juno = self.client()
        request = {"game_name": juno.GAME, "room_code": code, "spectator_name": "Juno"}
        juno.send("JoinAsSpectator", **request)
        juno.expect("SpectatorJoinFailed", error_code="ROOM_NOT_FOUND")
        juno.send("JoinAsSpectator", **request, password="blue lamp")
        juno.expect("SpectatorJoined")

    def test_superfluous_password(self):
        """
        A password for an open room is refused.
        """
        code = self.seat("Mira").room["room_code"]
        self.refused("PASSWORD_REQUIRED", room_code=code, password="x")

    def test_return_without_password(self):
        """
        A token opens a sealed room.
        """
        mira = self.seat("Mira", password="blue lamp")
        mira.lose()
        self.client().reconnect(mira.room)

    def test_join_only(self):
        """
        A client that only wants to join does not create a room.
        """
        self.refused("ROOM_NOT_FOUND", room_code="ZZZZZZ", join_only=True)
        self.refused("INVALID_INPUT", join_only=True)
        code = self.seat("Mira").room["room_code"]
        self.seat("Oskar", room_code=code, join_only=True)

    def test_bad_requests(self):
        """
        Each thing that can be wrong with a join has its code.
        """
        code = self.seat("Mira", max_players=2).room["room_code"]
        client = self.client()
        self.refused("INVALID_GAME_NAME", client, game_name="reef/racers")
        self.refused("INVALID_PLAYER_NAME", client, player_name=" Mira")
        self.refused("INVALID_MAX_PLAYERS", client, max_players=101)
        self.refused("INVALID_MAX_PLAYERS", client, max_players=0)
        self.refused("INVALID_ROOM_CODE", client, room_code="K7M")
        self.refused("INVALID_PLAYER_NAME", client, room_code=code, player_name="MIRA")
        self.seat("Oskar", room_code=code)
        self.refused("ROOM_FULL", client, room_code=code, player_name="Pia")
        client.join("Pia")
        self.refused("ALREADY_IN_ROOM", client)


def room_terms(room):
    """
    What a creator wants to know of its room.
    """
    return room["max_players"], room["is_authority"], room["lobby_state"]
