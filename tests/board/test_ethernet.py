# SPDX-License-Identifier: MIT
"""tests/board/test_ethernet.py - the board's Ethernet: the GEM and its PHY.

An address by DHCP, bytes both ways, connections in and out: tests/qemu/netcheck.py.
"""
import pytest

import netpeer
from netcheck import check_card, forwards, wait_address

pytestmark = pytest.mark.antler


@pytest.mark.parametrize("relay", [
    "remote", pytest.param("local", marks=pytest.mark.soak)])
def test_ethernet(board, relay):
    peer = netpeer.Peer()
    net, hosts = forwards(7)
    try:
        m = board(relay=relay, net=net)
        m.hosts = hosts
        wait_address(m)
        check_card(m, peer)
        assert "eth0: link is up, 1000 Mbit/s, full duplex" in m.sh("dmesg").out
    finally:
        peer.close()
