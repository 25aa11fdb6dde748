"""
Tests for how the server is started, configured and stopped.
"""

import json
import os
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from twisted.trial.unittest import SkipTest, SynchronousTestCase
from websockets.exceptions import InvalidStatus

from tests.integration.harness import (
    LOOPBACK,
    TIMEOUT,
    Client,
    RawClient,
    Server,
    environment,
    twistd,
)


class CommandLineTestCase(SynchronousTestCase):
    """
    Tests that start servers of their own.
    """

    def setUp(self):
        """
        Make a directory with a short name, fit for UNIX sockets.
        """
        directory = tempfile.TemporaryDirectory(prefix="signalfish-")
        self.addCleanup(directory.cleanup)
        self.directory = Path(directory.name)

    def file(self, name, content):
        """
        The path of a new file.
        """
        path = self.directory / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)

    def start(self, *arguments, settings=None, **variables):
        """
        Start a server that will stop without complaints.
        """
        server = Server(settings, arguments or ("--listen", LOOPBACK), variables)
        self.addCleanup(server.stop)
        return server

    def client(self, server, path="/v2/ws", host="127.0.0.1"):
        """
        A client that is connected.
        """
        client = Client(server.url(path, host))
        self.addCleanup(client.close)
        return client

    def fail_to_start(self, *arguments, **variables):
        """
        A server that could not start.
        """
        ended = subprocess.run(
            twistd(*(arguments or ("--listen", LOOPBACK))),
            cwd=self.directory,
            env=environment(**variables),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=TIMEOUT,
            text=True,
            check=False,
        )
        self.assertNotIn("Traceback", ended.stdout + ended.stderr)
        self.assertNotIn("Serving", ended.stdout)
        return ended

    def complaint(self, *arguments, **variables):
        """
        The one line with which a server says why it cannot start.
        """
        ended = self.fail_to_start(*arguments, **variables)
        self.assertEqual((1, ""), (ended.returncode, ended.stdout))
        self.assertRegex(ended.stderr, r"\Asignalfish: .+\n\Z")
        return ended.stderr


class ComplaintTests(CommandLineTestCase):
    """
    What cannot work stops the start, with one line that says what it is.
    """

    def test_bad_option(self):
        """
        An unknown option is named, after the known ones.
        """
        # This is the doing of twistd, which ends with status 0 in its older releases.
        lines = self.fail_to_start("--no-such-option").stdout.splitlines()
        self.assertIn("option --no-such-option not recognized", lines[-1])

    def test_bad_endpoints(self):
        """
        Whatever cannot be listened on is named.
        """
        for option, value in (
            ("--listen", "carrier-pigeon:3536"),
            ("--listen", "ssl:0:privateKey=/nonexistent/key.pem"),
            ("--port", "70000"),
        ):
            self.assertIn(value, self.complaint(option, value))

    def test_bad_endpoint_port(self):
        """
        A port that does not exist is refused in endpoint strings too.
        """
        ended = self.fail_to_start("--listen", "tcp:99999")
        lines = [line for line in (ended.stdout + ended.stderr).splitlines() if "99999" in line]
        self.assertEqual((1, 1), (ended.returncode, len(lines)), ended)
        self.assertIn("signalfish: cannot listen on tcp:99999: ", lines[0])
        self.assertNotIn("Traceback", ended.stdout + ended.stderr)

    def test_port_in_use(self):
        """
        If something else uses the port, the one line says so.
        """
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = other.getsockname()[1]
            ended = self.fail_to_start("--listen", f"tcp:{port}:interface=127.0.0.1")
        self.assertEqual(1, ended.returncode)
        lines = [line for line in (ended.stdout + ended.stderr).splitlines() if str(port) in line]
        self.assertEqual(1, len(lines), ended)
        self.assertIn(f"signalfish: cannot listen on tcp:{port}:interface=127.0.0.1: ", lines[0])

    def test_bad_files(self):
        """
        A file that cannot be read is named.
        """
        for path in (
            str(self.directory / "missing.json"),
            self.file("latin.json", b'{"\xe9": 1}'),
            self.file("broken.toml", "port = "),
        ):
            self.assertIn(path, self.complaint("--config", path))

    def test_bad_keys(self):
        """
        A key that is unknown, or has a value that is not allowed, is named.
        """
        for content, key in (
            ('{"server": {"max_room": 3}}', "server.max_room"),
            ('{"server": {"max_rooms": "many"}}', "server.max_rooms"),
            ('{"server": {"default_max_players": 200}}', "server.default_max_players"),
        ):
            complaint = self.complaint("--config", self.file("settings.json", content))
            self.assertIn(f"signalfish: {key}: ", complaint)

    def test_bad_value_is_named(self):
        """
        Besides the key, the value is named.
        """
        path = self.file("settings.json", '{"server": {"max_rooms": "many"}}')
        self.assertIn("many", self.complaint("--config", path))

    def test_bad_environment(self):
        """
        The environment is checked like a file.
        """
        complaint = self.complaint(SIGNAL_FISH__SERVER__MAX_ROOMS="many")
        self.assertIn("server.max_rooms: ", complaint)


class ConfigurationTests(CommandLineTestCase):
    """
    Where settings come from.
    """

    def code(self, server):
        """
        The code of a new room, which shows the prefix that was configured.
        """
        return self.client(server).join("Mira")["room_code"]

    def test_json(self):
        """
        A JSON file is read.
        """
        path = self.file("my.json", '{"server": {"room_code_prefix": "JSN"}}')
        self.assertEqual("JSN", self.code(self.start("-l", LOOPBACK, "-c", path))[:3])

    def test_toml(self):
        """
        A TOML file is read.
        """
        path = self.file("my.toml", '[server]\nroom_code_prefix = "TML"\n')
        self.assertEqual("TML", self.code(self.start("-l", LOOPBACK, "-c", path))[:3])

    def test_environment(self):
        """
        Environment variables are read, and win over a file.
        """
        server = self.start(
            settings={"server": {"room_code_prefix": "JSN", "default_max_players": 3}},
            SIGNAL_FISH__SERVER__ROOM_CODE_PREFIX="ENV",
            SIGNAL_FISH__PROTOCOL__PLAYER_NAME_VALIDATION__ALLOW_SPACES="false",
        )
        client = self.client(server)
        client.send("JoinRoom", game_name=client.GAME, player_name="Mira Mara")
        client.expect("RoomJoinFailed", error_code="INVALID_PLAYER_NAME")
        room = client.join("Mira")
        self.assertEqual(("ENV", 3), (room["room_code"][:3], room["max_players"]))

    def test_start_rule(self):
        """
        An operator can let players start games themselves.
        """
        server = self.start(settings={"server": {"start_rule": "explicit"}})
        client = self.client(server)
        client.join("Mira", max_players=1)
        client.expect("LobbyStateChanged", lobby_state="lobby", all_ready=False)
        client.send("PlayerReady")
        client.expect("LobbyStateChanged", lobby_state="lobby", all_ready=True)
        client.expect_nothing()
        client.send("StartGame")
        client.expect("GameStarting")
        client.send("StartGame")
        client.expect("Error", error_code="INVALID_ROOM_STATE")

    def test_port_option(self):
        """
        The port of the command line wins over the others, and 0 is any port.
        """
        self.start("--port", "0", SIGNAL_FISH__PORT="1")

    def test_port_setting(self):
        """
        Without options, the port is that of the settings.
        """
        self.start("--config", self.file("my.json", '{"port": 0}'))


class OldConfigurationTests(CommandLineTestCase):
    """
    Servers that are configured as the public server is.
    """

    def test_file(self):
        """
        What means nothing is logged once, and the server serves.
        """
        server = self.start(
            settings={
                "server": {"heartbeat_throttle_secs": 30, "room_code_prefix": "OLD"},
                "coordination": {"membership_snapshot_interval_secs": 30},
                "security": {"transport": {"tls": {"enabled": False}}},
                "websocket": {"enable_batching": False},
            }
        )
        self.assertEqual("OLD", self.client(server).join("Mira")["room_code"][:3])
        lines = [line for line in server.log.splitlines() if "mean nothing" in line]
        self.assertEqual(1, len(lines), server.log)
        names = "coordination, server.heartbeat_throttle_secs, websocket.enable_batching"
        self.assertTrue(lines[0].endswith(names), lines[0])

    def test_environment(self):
        """
        The environment may name a file, and hold more.
        """
        server = self.start(
            SIGNAL_FISH_CONFIG_PATH=self.file(
                "my.json", '{"server": {"room_code_prefix": "A", "default_max_players": 3}}'
            ),
            SIGNAL_FISH_CONFIG_JSON='{"server": {"room_code_prefix": "B"}}',
        )
        room = self.client(server).join("Mira")
        self.assertEqual(("B", 3), (room["room_code"][0], room["max_players"]))

    def test_metrics_token(self):
        """
        A token protects the metrics, and the log says so without it.
        """
        server = self.start(SIGNAL_FISH__SECURITY__METRICS_AUTH_TOKEN="s3cret")
        for path in ("/metrics", "/v2/metrics/prom"):
            response, body = server.request("GET", path)
            self.assertEqual((401, b""), (response.status, body))
            response, body = server.request("GET", path, {"Authorization": "Bearer s3cret"})
            self.assertEqual(200, response.status)
        self.assertIn("the metrics need a token", server.log)
        self.assertNotIn("s3cret", server.log)

    def test_relied_upon(self):
        """
        Protection that there would not be stops the start.
        """
        for key, tree in (
            ("security.transport.tls.enabled", {"transport": {"tls": {"enabled": True}}}),
            ("security.require_metrics_auth", {"require_metrics_auth": True}),
        ):
            path = self.file("my.json", json.dumps({"security": tree}))
            self.assertIn(f"signalfish: {key}: ", self.complaint("--config", path))


class ShowTests(CommandLineTestCase):
    """
    Options that only look at the configuration.
    """

    def show(self, *arguments, **variables):
        """
        What is printed, if all is well.
        """
        ended = self.fail_to_start(*arguments, **variables)
        self.assertEqual((0, ""), (ended.returncode, ended.stderr))
        return ended.stdout

    def test_check(self):
        """
        A good configuration is good; a file that is not read is named.
        """
        self.file("config.json", "{}")
        lines = self.show("--check-config").splitlines()
        self.assertTrue(lines[0].startswith("config.json in the working directory is not read"))
        self.assertEqual("The configuration is good", lines[-1])

    def test_check_bad(self):
        """
        A bad one is one line.
        """
        complaint = self.complaint("--check-config", SIGNAL_FISH__PORT="x")
        self.assertIn("signalfish: port: ", complaint)

    def test_print(self):
        """
        What is printed can be the configuration of a server, and has no secrets.
        """
        printed = self.show(
            "--print-config",
            SIGNAL_FISH__SECURITY__METRICS_AUTH_TOKEN="s3cret",
            SIGNAL_FISH__SERVER__ROOM_CODE_PREFIX="PRN",
        )
        self.assertNotIn("s3cret", printed)
        path = self.file("printed.json", printed)
        arguments = ("-l", LOOPBACK, "-c", path)
        self.assertIn("put the secret in its place", self.complaint(*arguments))
        server = self.start(*arguments, SIGNAL_FISH__SECURITY__METRICS_AUTH_TOKEN="s3cret")
        self.assertEqual("PRN", self.client(server).join("Mira")["room_code"][:3])

    def test_beside_server(self):
        """
        A configuration can be checked where a server runs.
        """
        (self.directory / "twistd.pid").write_text(str(os.getppid()))
        ended = subprocess.run(
            [arg for arg in twistd("--check-config") if not arg.startswith("--pidfile")],
            cwd=self.directory,
            env=environment(),
            capture_output=True,
            timeout=TIMEOUT,
            text=True,
            check=False,
        )
        self.assertEqual((0, ""), (ended.returncode, ended.stderr))


class ListeningTests(CommandLineTestCase):
    """
    Where the server can be reached.
    """

    def test_both_families(self):
        """
        By default, the server can be reached by IPv4 and by IPv6.
        """
        server = self.start("--port", "0")
        self.client(server).expect_nothing()
        try:
            socket.create_server(("::1", 0), family=socket.AF_INET6).close()
        except OSError:
            raise SkipTest("this machine has no IPv6") from None
        self.client(server, host="[::1]").expect_nothing()

    def test_several_endpoints(self):
        """
        The server can listen on several endpoints, and leaves nothing behind.
        """
        path = self.directory / "socket"
        server = Server(None, ("--listen", LOOPBACK, "--listen", f"unix:{path}"))
        self.addCleanup(server.kill)
        self.client(server).expect_nothing()
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(TIMEOUT)
            client.connect(str(path))
            client.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            answer = b"".join(iter(lambda: client.recv(4096), b""))
        self.assertTrue(answer.startswith(b"HTTP/1.1 200 OK\r\n"), answer)
        self.assertTrue(answer.endswith(b"\r\n\r\nOK"), answer)
        server.stop()
        self.assertFalse(path.exists())

    def test_says_what_is_open(self):
        """
        The log says once what the server lets everybody do.
        """
        server = self.start()
        lines = [line for line in server.log.splitlines() if "Open to everybody" in line]
        self.assertEqual(1, len(lines), server.log)


class ShutdownTests(CommandLineTestCase):
    """
    How the server stops.
    """

    def test_clients_are_told(self):
        """
        Clients are closed with a code that says why, and are not told of each other's end.
        """
        server = Server()
        self.addCleanup(server.kill)
        mira, oskar = self.client(server), self.client(server)
        code = mira.join("Mira")["room_code"]
        oskar.join("Oskar", room_code=code)
        mira.expect("PlayerJoined")
        server.terminate()
        for client in (mira, oskar):
            client.expect_close(4000, "server_shutdown")
        server.wait()

    def test_drain(self):
        """
        Until its clients have left, a server that stops goes on with what there is.
        """
        server = Server(variables={"SIGNAL_FISH__SERVER__DRAIN_GRACE_SECS": "60"})
        self.addCleanup(server.kill)
        mira, oskar = self.client(server, "/v3/ws"), self.client(server)
        code = mira.join("Mira")["room_code"]
        mira.expect("LobbyStateChanged")
        self.assertEqual((200, 200), self.statuses(server, "/readyz", "/livez"))
        server.terminate()
        warning = mira.expect("GoingAway", retry_after_secs=60)
        self.assertTrue(50 < warning["deadline_ms"] / 1000 - time.time() <= 60, warning)
        self.assertEqual((503, 200), self.statuses(server, "/readyz", "/livez"))
        with self.assertRaises(InvalidStatus) as raised:
            self.client(server)
        self.assertEqual(503, raised.exception.response.status_code)
        oskar.send("JoinRoom", game_name="reef-racers", player_name="Oskar")
        oskar.expect("RoomJoinFailed", error_code="SERVER_DRAINING")
        oskar.join("Oskar", room_code=code)
        mira.expect("PlayerJoined")
        mira.send("GameData", data="bye")
        oskar.expect("GameData", data="bye")
        mira.close()
        oskar.expect("PlayerLeft")
        oskar.close()
        server.wait()

    def test_impatience(self):
        """
        A second signal does not wait for the clients.
        """
        server = Server(variables={"SIGNAL_FISH__SERVER__DRAIN_GRACE_SECS": "60"})
        self.addCleanup(server.kill)
        mira = self.client(server, "/v3/ws")
        mira.join("Mira")
        mira.expect("LobbyStateChanged")
        server.terminate()
        mira.expect("GoingAway")
        server.terminate()
        mira.expect_close(4000, "server_shutdown")
        server.wait()

    def statuses(self, server, *paths):
        """
        The statuses of some pages.
        """
        return tuple(server.request("GET", path)[0].status for path in paths)

    def test_deaf_clients(self):
        """
        Clients that do not answer do not hold the server up.
        """
        server = Server()
        self.addCleanup(server.kill)
        deaf = RawClient(server.port)
        self.addCleanup(deaf.close)
        unfinished = RawClient(server.port, upgrade=False)
        self.addCleanup(unfinished.close)
        server.terminate()
        server.wait()
        deaf.expect_close(4000, "server_shutdown")
