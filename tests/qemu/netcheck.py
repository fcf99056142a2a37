# SPDX-License-Identifier: MIT
"""tests/qemu/netcheck.py - what is asked of every network card.

The guest @m is behind QEMU's user network with m.hosts, {its port: the host's}; the
servers that it talks to are those of a netpeer.Peer.
"""
import os
import re
import socket
import threading
import time

import netpeer


def wait_address(m):
    """Its init has asked for one."""
    m.sh("for i in $(seq 100); do ip route | grep -q ^default && break; "
         "usleep 100000; done; ip route | grep -q ^default", 20, check=True)


def forwards(*ports):
    """What -netdev takes to forward to @ports of the guest, and m.hosts."""
    hosts = {port: netpeer.forward() for port in ports}
    return "user" + "".join(f",hostfwd=tcp:127.0.0.1:{h}-:{g}"
                            for g, h in hosts.items()), hosts


def check_address(m):
    assert "inet 10.0.2.15/24" in m.sh("ip addr show eth0").out
    assert m.read_file("/etc/resolv.conf").strip() == "nameserver 10.0.2.3"
    ping = m.sh(f"ping -c 3 -i 0.1 {netpeer.HOST}", 10)
    assert "3 packets received" in ping.out, ping.out


def check_down(m, peer, nr=64):
    """Bytes to the guest; messages of the kernel may stand between."""
    out = m.sh(f"wget -q -O - {peer.url(nr)} | sha256sum", 60).out
    assert netpeer.sha256(netpeer.body(nr)) in out, out


def check_up(m, peer, nr=64):
    """Bytes from the guest."""
    m.sh(f"wget -q -O /tmp/body {peer.url(nr)}", 60, check=True)
    size = nr * 65536
    r = m.sh("{ printf 'PUT / HTTP/1.0\\r\\nContent-Length: " f"{size}"
             "\\r\\n\\r\\n'; cat /tmp/body; } | "
             f"nc {netpeer.HOST} {peer.http_port} | tail -n 1; rm /tmp/body",
             60)
    assert r.out.strip() == netpeer.sha256(netpeer.body(nr)), r.out


def check_in(m, port):
    """A connection from outside, to the guest's busybox."""
    m.sh(f"nc -l -p {port} -e cat >/dev/null 2>&1 &")
    data = os.urandom(300000)
    echo = b""
    with connect(m.hosts[port]) as s:
        sender = threading.Thread(target=s.sendall, args=(data,))
        sender.start()
        while len(echo) < len(data):
            piece = s.recv(65536)
            assert piece, len(echo)
            echo += piece
        sender.join()
    assert echo == data


def connect(port, tries=50):
    """QEMU accepts at once and drops who finds nobody in the guest."""
    for _ in range(tries):
        s = socket.create_connection(("127.0.0.1", port), 10)
        s.settimeout(0.1)
        try:
            if s.recv(1, socket.MSG_PEEK):
                return settled(s)
        except TimeoutError:
            return settled(s)
        except OSError:
            pass
        s.close()
        time.sleep(0.1)
    raise AssertionError(f"nobody answers at port {port}")


def settled(s):
    s.settimeout(30)
    return s


def check_udp(m, peer):
    """Five that talk at the same time, by Debian's bash."""
    if m.sh("[ -x /debian/bin/bash ]").status:
        return
    talk = (f"exec 3<>/dev/udp/{netpeer.HOST}/{peer.udp_port}; echo hello $0 >&3;"
            " timeout 5 dd bs=2048 count=1 <&3 2>/dev/null")
    r = m.sh("for i in 1 2 3 4 5; do "
             f"chroot /debian /bin/bash -c '{talk}' $i & done; wait", 20)
    assert sorted(re.findall(r"hello \d", r.out)) == \
        [f"hello {i}" for i in range(1, 6)], r.out


def check_errors(m):
    for name in "rx_errors", "tx_errors", "rx_dropped", "tx_dropped":
        path = f"/sys/class/net/eth0/statistics/{name}"
        assert m.read_file(path).strip() == "0", name


def check_card(m, peer, nr=64):
    check_address(m)
    check_down(m, peer, nr)
    check_up(m, peer, nr)
    check_in(m, 7)
    check_udp(m, peer)
    check_errors(m)
