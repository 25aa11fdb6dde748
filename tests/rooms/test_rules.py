"""
Tests for signalfish.rooms.rules.
"""

from twisted.trial.unittest import SynchronousTestCase

from signalfish.rooms.rules import (
    StartRule,
    check_authority,
    check_start,
    next_state,
    rule_in_force,
    starts_by_itself,
)
from signalfish.wire.errors import ErrorCode, Refusal
from signalfish.wire.types import LobbyState

AUTOMATIC, EXPLICIT, BY_PROTOCOL = StartRule.AUTOMATIC, StartRule.EXPLICIT, StartRule.BY_PROTOCOL
WAITING, LOBBY, FINALIZED = LobbyState.WAITING, LobbyState.LOBBY, LobbyState.FINALIZED


class RuleInForceTests(SynchronousTestCase):
    def test_configured(self):
        """
        A configured rule holds whoever is seated.
        """
        for rule in (AUTOMATIC, EXPLICIT):
            for versions in ([2], [3], [3, 2]):
                self.assertEqual(rule_in_force(rule, versions), rule)

    def test_by_protocol(self):
        """
        By protocol, one seated player of version 3 makes the rule explicit.
        """
        table = {
            (2,): AUTOMATIC,
            (2, 2): AUTOMATIC,
            (3,): EXPLICIT,
            (2, 3): EXPLICIT,
            (3, 2, 2): EXPLICIT,
        }
        for versions, expected in table.items():
            self.assertEqual(rule_in_force(BY_PROTOCOL, list(versions)), expected, versions)


class NextStateTests(SynchronousTestCase):
    def test_table(self):
        """
        The state follows from the rule, the old state, the players and the capacity.
        """
        table = [
            (AUTOMATIC, WAITING, 1, 2, WAITING),
            (AUTOMATIC, WAITING, 2, 2, LOBBY),
            (AUTOMATIC, WAITING, 1, 1, LOBBY),
            (AUTOMATIC, LOBBY, 2, 2, LOBBY),
            (AUTOMATIC, LOBBY, 1, 2, WAITING),
            (AUTOMATIC, LOBBY, 0, 1, WAITING),
            (AUTOMATIC, FINALIZED, 2, 2, FINALIZED),
            (AUTOMATIC, FINALIZED, 0, 2, FINALIZED),
            (EXPLICIT, WAITING, 1, 4, LOBBY),
            (EXPLICIT, WAITING, 1, 1, LOBBY),
            (EXPLICIT, LOBBY, 1, 4, LOBBY),
            (EXPLICIT, LOBBY, 4, 4, LOBBY),
            (EXPLICIT, FINALIZED, 1, 4, FINALIZED),
            (EXPLICIT, FINALIZED, 0, 4, FINALIZED),
        ]
        for rule, state, players, capacity, expected in table:
            self.assertEqual(
                next_state(rule, state, players, capacity),
                expected,
                (rule, state, players, capacity),
            )


class StartsByItselfTests(SynchronousTestCase):
    def test_only_full_and_ready(self):
        """
        Only an automatic room that is full and ready starts by itself.
        """
        starting = [
            (rule, state, all_ready)
            for rule in (AUTOMATIC, EXPLICIT)
            for state in LobbyState
            for all_ready in (False, True)
            if starts_by_itself(rule, state, all_ready=all_ready)
        ]
        self.assertEqual(starting, [(AUTOMATIC, LOBBY, True)])


class CheckStartTests(SynchronousTestCase):
    def refusal(self, authority, *, all_ready):
        """
        Why Ann may not start.
        """
        try:
            check_start(authority=authority, player="ann", all_ready=all_ready)
        except Refusal as refusal:
            return refusal.code
        return None

    def test_table(self):
        """
        The authority may start, or anybody if there is none, and only if everybody is ready.
        """
        forbidden, unready = ErrorCode.GAME_START_FORBIDDEN, ErrorCode.GAME_START_NOT_READY
        self.assertIsNone(self.refusal(None, all_ready=True))
        self.assertIsNone(self.refusal("ann", all_ready=True))
        self.assertEqual(self.refusal("bea", all_ready=True), forbidden)
        self.assertEqual(self.refusal(None, all_ready=False), unready)
        self.assertEqual(self.refusal("ann", all_ready=False), unready)
        self.assertEqual(self.refusal("bea", all_ready=False), forbidden)


class CheckAuthorityTests(SynchronousTestCase):
    def refusal(self, authority, *, claim, supported=True):
        """
        Why Ann may not have her wish.
        """
        try:
            check_authority(supported=supported, authority=authority, player="ann", claim=claim)
        except Refusal as refusal:
            return refusal.code
        return None

    def test_claim(self):
        """
        Only a vacant authority can be claimed, even by who has it.
        """
        self.assertIsNone(self.refusal(None, claim=True))
        self.assertEqual(self.refusal("bea", claim=True), ErrorCode.AUTHORITY_CONFLICT)
        self.assertEqual(self.refusal("ann", claim=True), ErrorCode.AUTHORITY_CONFLICT)

    def test_release(self):
        """
        Only who has the authority can give it up.
        """
        self.assertIsNone(self.refusal("ann", claim=False))
        self.assertEqual(self.refusal("bea", claim=False), ErrorCode.AUTHORITY_DENIED)
        self.assertEqual(self.refusal(None, claim=False), ErrorCode.AUTHORITY_DENIED)

    def test_unsupported(self):
        """
        Where there is no authority, nothing about it can be asked.
        """
        for authority in (None, "ann"):
            for claim in (True, False):
                self.assertEqual(
                    self.refusal(authority, claim=claim, supported=False),
                    ErrorCode.AUTHORITY_NOT_SUPPORTED,
                )
