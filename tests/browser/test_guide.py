"""
Tests for the program that the guide to WebRTC builds, as a reader would run it.
"""

import re
from pathlib import Path

from tests.browser.harness import BrowserTestCase

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "guides" / "relay-to-peer-to-peer.rst"
_CODE = re.compile(r"^\.\. code-block:: javascript\n\n((?:   .*\n|\n)+)", re.MULTILINE)
_BEGIN = "\nopen();\n"

# What the test sees of a player, whose program is all in one function.
_PLAYER = """
function player(server, name, code) {
    const heard = [];
    const received = (from, value) => heard.push(room.players.get(from).name + " " + value);
    %s
    on.Error = ({ message }) => heard.push(message);
    on.LobbyStateChanged = ({ all_ready }) => { room.ready = all_ready; };
    open();
    return { room, heard, send, tell: (value) => tell(value), lose: () => socket.close(), %s };
}
"""
_PEERS = """
place, plan: () => plan,
channels: () => [...peers.values()].filter((it) => it.channel.readyState === "open").length
"""
_SCRIPT = """
const [server, done] = arguments;
async function until(condition) {
    while (!condition()) {
        await new Promise((resolve) => setTimeout(resolve, 20));
    }
}
async function seated(name, code) {
    const one = player(server, name, code);
    await until(() => one.room.code);
    return one;
}
async function started(...players) {
    players.forEach(({ send }) => send("PlayerReady"));
    await until(() => players[0].room.ready);
    players[0].send("StartGame");
    await until(() => players.every(({ plan }) => plan()));
}
const heard = (one, what) => until(() => one.heard.includes(what));
async function meshed(...players) {
    await until(() => players.every(({ channels }) => channels() === players.length - 1));
}
async function test() { %s }
test().then(done, (error) => done(String(error)));
"""


def player(steps=None):
    """
    The function that runs the first steps of the guide, all of them by default.
    """
    code = [
        re.sub("^   ", "", block, flags=re.MULTILINE) for block in _CODE.findall(GUIDE.read_text())
    ]
    program = "\n".join(code[:steps])
    if program.count(_BEGIN) != 1:
        raise AssertionError("the guide begins the program elsewhere")
    return _PLAYER % (program.replace(_BEGIN, "\n"), _PEERS if steps is None else "")


class GuideTests(BrowserTestCase):
    """
    Several players in one page.
    """

    def play(self, test, program):
        """
        The result of a test in a page.
        """
        tab = self.visitor(self.browser(), "nobody")
        server = self.server.url("")
        return tab.front().execute_async_script(program + _SCRIPT % test, server)

    def test_relay(self):
        """
        The program of the beginning plays over the relay.
        """
        test = """
            const ann = await seated("Ann");
            const bob = await seated("Bob", ann.room.code);
            bob.tell("hello");
            await heard(ann, "Bob hello");
            return ann.heard;
        """
        self.assertEqual(["Bob hello"], self.play(test, player(1)))
        self.assertEqual(1, self.relayed())

    def test_mesh(self):
        """
        Players connect, also to a late one and to one who comes back; nothing is relayed.
        """
        test = """
            const ann = await seated("Ann");
            const bob = await seated("Bob", ann.room.code);
            await started(ann, bob);
            await meshed(ann, bob);
            ann.tell("hello");
            await heard(bob, "Ann hello");
            const cy = await seated("Cy", ann.room.code);
            await meshed(ann, bob, cy);
            cy.tell("late");
            await heard(ann, "Cy late");
            const before = ann.plan();
            bob.lose();
            await until(() => ann.plan() !== before);
            await meshed(ann, bob, cy);
            bob.tell("back");
            await heard(ann, "Bob back");
            await heard(cy, "Bob back");
            return [ann.heard, bob.heard, cy.heard];
        """
        self.assertEqual(
            [["Cy late", "Bob back"], ["Ann hello", "Cy late"], ["Bob back"]],
            self.play(test, player()),
        )
        self.assertEqual(0, self.relayed())

    def test_no_way(self):
        """
        Players who cannot connect play over the relay.
        """
        test = """
            const ann = await seated("Ann");
            const bob = await seated("Bob", ann.room.code);
            await started(ann, bob);
            ann.tell("hello");
            await heard(bob, "Ann hello");
            ann.place("here");
            await heard(bob, "Ann here");
            return [ann.plan().transport, ann.channels(), bob.heard];
        """
        no_way = "iceTransportPolicy: 'relay', iceServers: ice_servers ?? []"
        program = player().replace("iceServers: ice_servers ?? []", no_way)
        self.assertIn(no_way, program)
        self.assertEqual(["webrtc", 0, ["Ann hello", "Ann here"]], self.play(test, program))
        self.assertEqual(2, self.relayed())
