# SPDX-License-Identifier: MIT
"""tests/qemu/test_net.py - a network card, and programs that use the network.

The guest is behind QEMU's user network: it gets its address by DHCP as in a plain
run, reaches servers of the test's at 10.0.2.2 (netpeer.py), and is reached through
forwarded ports.  What two guests say to each other goes over a wire of datagrams.
"""
import os
import re
import shutil
import subprocess
import sys
import threading

import pytest

import netpeer
from netcheck import check_card, check_down, connect, forwards, \
    wait_address
from conftest import LINUX, LOGS, make_guest
from machine import Machine, qemu

sys.path.insert(0, os.path.join(qemu.TOP, "scripts"))
import tools  # noqa: E402

antler = pytest.mark.antler
soak = pytest.mark.soak
SMALL_RINGS = "rx_queue_size=256,tx_queue_size=256,mrg_rxbuf=off,csum=off"


@pytest.fixture(scope="module")
def peer():
    p = netpeer.Peer()
    yield p
    p.close()


@pytest.fixture
def guest(boot):
    """boot() of a machine with a card, ports forwarded to @ports, and an address;
    with Debian's programs at /tools if they are wanted."""
    def start(ports=(), programs=False, **kw):
        net, hosts = forwards(*ports)
        if programs:
            kw["tail"] = tools.drive(tools.net_image())
        if LINUX:
            kw["initrd"] = tools.linux_net_initrd()
        m = boot(net=net, **kw)
        m.hosts = hosts
        if programs:
            m.sh(tools.SETUP, check=True)
        wait_address(m)
        return m
    return start


# ---- what is asked of every card

@pytest.mark.parametrize("relay,smp,nic,more", [
    ("remote", 3, "", {"qemu": "10"}),
    ("local", 1, SMALL_RINGS, {}),
    ("remote", 2, "", {"qemu": "10", "aia": "aplic-imsic"}),
    ("local", 3, "vectors=2,event_idx=off", {"aia": "aplic-imsic"}),
    pytest.param("remote", 3, "vectors=0,ctrl_vq=off,indirect_desc=off",
                 {"aia": "aplic-imsic"}, marks=soak),
], ids=["remote", "small", "msix", "vectors", "intx"])
def test_virtio(guest, peer, relay, smp, nic, more):
    m = guest(ports=[7], relay=relay, smp=smp, nic=nic, **more)
    check_card(m, peer)


@antler
@pytest.mark.parametrize("relay,smp", [("remote", 2), ("local", 1)])
def test_gem(guest, peer, relay, smp):
    m = guest(ports=[7], relay=relay, smp=smp, machine="sifive_u")
    check_card(m, peer, 64)
    link = m.sh("cat /sys/class/net/eth0/speed /sys/class/net/eth0/duplex")
    assert link.lines == ["1000", "full"]


def test_nobody_answers(boot):
    """A card on a wire with nobody at its end delays nothing."""
    port = netpeer.forward()
    kw = {"initrd": tools.linux_net_initrd()} if LINUX else {}
    m = boot(net=f"socket,udp=127.0.0.1:{port},localaddr=127.0.0.1:{port + 1}",
             relay="remote", **kw)
    assert m.boot_seconds < (60 if LINUX else 15)
    assert "udhcpc" in m.sh("ps").out
    m.sh("for i in $(seq 100); do ps | grep -q '[u]dhcpc' || break; "
         "usleep 100000; done; ! ps | grep '[u]dhcpc'", 20, check=True)
    assert m.sh("ip route").out == ""


# ---- what may happen to a card

def set_link(m, up):
    assert "return" in m.qmp("set_link", name="net0", up=up)
    m.sh("for i in $(seq 50); do "
         f"[ $(cat /sys/class/net/eth0/carrier) = {int(up)} ] && break; "
         "usleep 100000; done; cat /sys/class/net/eth0/carrier", 10)
    assert m.read_file("/sys/class/net/eth0/carrier").strip() == str(int(up))


def test_link_and_resets(guest, peer):
    m = guest(relay="remote", smp=2)
    set_link(m, False)
    assert m.read_file("/sys/class/net/eth0/operstate").strip() == "down"
    assert m.sh(f"ping -c 1 -W 1 {netpeer.HOST}", 10).status != 0
    set_link(m, True)
    check_down(m, peer, 16)
    # down and up, with what a program asked for in between
    m.sh("ip link set eth0 down; ip link set eth0 up; "
         "ip addr show eth0 | grep -q 10.0.2.15 && "
         "ip route add default via 10.0.2.2", check=True)
    check_down(m, peer, 16)
    if not LINUX:
        own = "/sys/class/net/eth0/device/virtio_net"
        m.sh(f"(for i in 1 2 3 4 5; do usleep 200000; echo 1 >{own}/reset; "
             "done) &")
        check_down(m, peer, 256)
        m.sh("wait")
        assert int(m.read_file(f"{own}/resets")) >= 1
        m.sh(f"echo 1 >{own}/reset; usleep 300000", check=True)
    check_down(m, peer, 16)


# ---- programs

def ssh(m, command, data=b""):
    return subprocess.run(
        ["ssh", "-o", "StrictHostKeyChecking=no", "-o", "LogLevel=ERROR",
         "-o", "UserKnownHostsFile=/dev/null", "-o", "BatchMode=no",
         "-o", "PreferredAuthentications=none,password",
         "-p", str(m.hosts[22]), "root@127.0.0.1", command],
        input=data, capture_output=True, timeout=60, check=False)


def check_ssh(m):
    """dropbear, which lets root in without a password."""
    m.sh("mkdir -p /tools/tmp/k && chroot /tools /usr/bin/dropbearkey -t ed25519 "
         "-f /tmp/k/host >/dev/null 2>&1 && chroot /tools /usr/sbin/dropbear -B "
         "-E -p 22 -r /tmp/k/host 2>/dev/null", 30, check=True)
    with connect(m.hosts[22]) as s:
        assert s.recv(4) == b"SSH-"
    if not shutil.which("ssh"):
        return
    data = netpeer.body(32)
    r = ssh(m, "sha256sum; uname -n; cat /proc/version", data)
    assert r.returncode == 0, r.stderr
    assert r.stdout.split()[0].decode() == netpeer.sha256(data)
    assert b"antler" in r.stdout


def check_redis(m):
    m.sh("chroot /tools /usr/bin/redis-server --daemonize yes --save '' "
         "--bind 0.0.0.0 --protected-mode no --dir /tmp >/dev/null", 30,
         check=True)
    with connect(m.hosts[6379]) as s:
        stream = s.makefile("rb")
        # all at once: answers come while we still send
        s.sendall(b"".join(b"SET k%d %d\r\n" % (i, i) for i in range(5000)))
        assert all(stream.readline() == b"+OK\r\n" for _ in range(5000))
        s.sendall(b"GET k4711\r\n")
        assert stream.readline() == b"$4\r\n"
        assert stream.readline() == b"4711\r\n"


def check_httpd(m):
    m.sh("mkdir -p /tmp/www && cp /bin/busybox /tmp/www && "
         "httpd -p 80 -h /tmp/www", check=True)
    want = m.sh("sha256sum </bin/busybox").out.split()[0]
    results = []

    def get():
        with connect(m.hosts[80]) as s:
            s.sendall(b"GET /busybox HTTP/1.0\r\n\r\n")
            data = b"".join(iter(lambda: s.recv(65536), b""))
        results.append(netpeer.sha256(data.partition(b"\r\n\r\n")[2]))

    threads = [threading.Thread(target=get) for _ in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert results == [want] * 8


def check_many(m, peer):
    """Many connections at once from the guest."""
    r = m.sh(f"for i in $(seq 40); do wget -q -O - {peer.url(2)} | sha256sum & "
             "done; wait", 60)
    want = netpeer.sha256(netpeer.body(2))
    assert len([line for line in r.lines if want in line]) == 40, r.out


@pytest.mark.parametrize("relay", [
    "remote", pytest.param("local", marks=soak)])
def test_programs(guest, peer, relay):
    m = guest(ports=[22, 80, 6379], programs=True, relay=relay, smp=3,
              mem="1G", qemu="10")
    check_ssh(m)
    check_redis(m)
    check_httpd(m)
    check_many(m, peer)
    r = m.sh(f"chroot /tools /usr/bin/curl -sS {peer.url(64)} | sha256sum", 60)
    assert r.out.split()[0] == netpeer.sha256(netpeer.body(64))


# ---- two guests and a wire

@pytest.fixture
def pair(pool):
    """Two machines joined by a wire; the second one is the test's own."""
    made = []
    pool.stop()

    def start(**kw):
        ports = netpeer.forward(), netpeer.forward()
        os.makedirs(LOGS, exist_ok=True)
        for nr, (here, there) in enumerate((ports, ports[::-1])):
            net = f"socket,udp=127.0.0.1:{there},localaddr=127.0.0.1:{here}"
            args = {"tail": tools.drive(tools.net_image()), "net": net,
                    "nic": f"mac=52:54:00:00:00:0{nr + 1}", **kw}
            if LINUX:
                args["initrd"] = tools.linux_net_initrd()
            made.append(Machine(make_guest(**args),
                                os.path.join(LOGS, f"pair-{nr}.log"),
                                wait_shell=False))
        for nr, m in enumerate(made):
            m.wait_shell(120)
            m.sh(tools.SETUP, check=True)
            m.sh(f"killall udhcpc; ip link set eth0 up; "
                 f"ip addr add 10.9.9.{nr + 1}/24 dev eth0; "
                 f"ip addr add fd09::{nr + 1}/64 dev eth0", check=True)
        return made

    yield start
    try:
        for m in made:
            m.check_log()
    finally:
        for m in made:
            m.close()


def iperf(m, server, *args):
    """One run of a server of its own: who comes when it closes its listener is reset."""
    server.sh("while pidof iperf3 >/dev/null; do usleep 50000; done; "
              "chroot /tools /usr/bin/iperf3 -s -1 -D; "
              "until grep -q ':1451 .* 0A ' /proc/net/tcp /proc/net/tcp6; do usleep 50000; done", 30, check=True)
    r = m.sh("chroot /tools /usr/bin/iperf3 -c 10.9.9.2 -t 1 " + " ".join(args),
             30)
    assert r.status == 0, r.out
    return r.out


def test_two_guests(pair):
    a, b = pair(relay="remote", smp=2)
    assert "3 packets received" in a.sh("ping -c 3 -i 0.1 10.9.9.2").out
    a.sh("for i in $(seq 20); do ping -6 -c 1 -W 1 fd09::2 >/dev/null && break; "
         "usleep 200000; done; ping -6 -c 1 fd09::2", 30, check=True)
    assert "52:54:00:00:00:02" in \
        a.sh("chroot /tools /usr/sbin/ip neigh show 10.9.9.2").out
    for args in (["-u", "-b", "2M"], ["-P", "4"], ["-R"]):
        assert re.search(r"[1-9][\d.]* [KM]bits/sec", iperf(a, b, *args))
