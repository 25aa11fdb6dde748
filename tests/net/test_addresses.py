"""
Tests for signalfish.net.addresses.
"""

from ipaddress import IPv4Address, IPv6Address, ip_network

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from signalfish.net.addresses import address_key


class AddressKeyTests(SynchronousTestCase):
    """
    What counts as one address.
    """

    def test_table(self):
        """
        IPv4 counts by address, IPv6 by network of 64 bits, and anything else by its text.
        """
        for host, key in {
            "192.0.2.1": "192.0.2.1",
            "::ffff:192.0.2.1": "192.0.2.1",
            "::ffff:c000:201": "192.0.2.1",
            "2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64",
            "2001:DB8:1:2::": "2001:db8:1:2::/64",
            "fe80::1%eth0": "fe80::/64",
            "::1": "::/64",
            "local": "local",
            "": "",
            "/run/signal.sock": "/run/signal.sock",
        }.items():
            self.assertEqual(key, address_key(host), host)

    @given(st.ip_addresses(v=4))
    def test_ipv4(self, address):
        """
        An IPv4 address is itself, mapped into IPv6 or not.
        """
        self.assertEqual(str(address), address_key(str(address)))
        mapped = IPv6Address((0xFFFF << 32) + int(address))
        self.assertEqual(str(address), address_key(str(mapped)))

    @given(st.ip_addresses(v=6), st.integers(0, 2**64 - 1), st.integers(0, 63))
    def test_ipv6(self, address, host, bit):
        """
        Two IPv6 addresses are the same exactly if their first 64 bits are.
        """
        network = int(address) >> 64
        if not network:  # where the mapped addresses are
            return
        key = address_key(str(address))
        self.assertIn(address, ip_network(key))
        self.assertEqual(key, address_key(str(IPv6Address((network << 64) + host))))
        other = IPv6Address(((network ^ 1 << bit) << 64) + host)
        self.assertNotEqual(key, address_key(str(other)))

    def test_families_differ(self):
        """
        An IPv4 address and the IPv6 address with the same number differ.
        """
        address = IPv4Address("0.0.0.1")
        self.assertNotEqual(address_key(str(address)), address_key(str(IPv6Address(int(address)))))
