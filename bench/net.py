#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""bench/net.py - the network: Antler beside Debian's Linux, over QEMU's virtio card.

    net.py [--quick] [--rounds 3] [--qemu 10|host] [--smp 3] [--aia aplic-imsic]
           [--only REGEX]       the rows that match it
           [--systems remote,local,linux]

One machine of each system stays, and they take turns.  The other end is servers in
this process behind QEMU's user network, which is a TCP of its own: what is measured
is the guest's way to the card and back, and slirp's share is in all of it.  Each row
is the best of --rounds; ratios of one run mean something, figures of two do not.

    down, up    64 MiB by HTTP to and from the guest, one connection and four
    ping        the middle of 100 round trips of ICMP, by the guest's ping
    echo        1000 round trips of a byte by TCP to a program in the guest: the
                median, seen from here
    accept      connections to the guest one after another, an echo in each
    redis       5000 GETs one after another of a redis in the guest
"""
import argparse
import os
import re
import socket
import statistics
import sys
import time

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(TOP, "tests/qemu"))
sys.path.insert(0, os.path.join(TOP, "scripts"))
import netpeer  # noqa: E402
import tools  # noqa: E402
from machine import GuestError, Machine, qemu  # noqa: E402

OUT = os.environ.get("O") or os.path.join(TOP, "build")
PORTS = {"echo": 7, "redis": 6379}
MIB = 16        # blocks of netpeer's


def start(system, args):
    linux = system == "linux"
    hosts = {name: netpeer.forward() for name in PORTS}
    net = "user" + "".join(f",hostfwd=tcp:127.0.0.1:{hosts[name]}-:{port}"
                           for name, port in PORTS.items())
    guest = qemu.Guest(kernel="linux" if linux else "antler", smp=args.smp,
                       qemu=args.qemu, out=OUT, snapshot=True, mem="1G",
                       aia=args.aia, net=net,
                       initrd=tools.linux_net_initrd() if linux else "",
                       tail=tools.drive(tools.net_image()),
                       append="quiet" if linux else f"relay={system}")
    os.makedirs(os.path.join(OUT, "bench"), exist_ok=True)
    m = Machine(guest, os.path.join(OUT, "bench", f"net-{system}.log"),
                boot_timeout=180)
    m.hosts = hosts
    m.sh(tools.SETUP, check=True)
    m.sh("for i in $(seq 100); do ip route | grep -q ^default && break; "
         "usleep 100000; done; ip route | grep -q ^default", 20, check=True)
    m.sh("chroot /tools /usr/bin/redis-server --daemonize yes --save '' "
         "--bind 0.0.0.0 --protected-mode no --dir /tmp >/dev/null; "
         "(chroot /tools /usr/bin/socat TCP-LISTEN:7,fork,nodelay,reuseaddr "
         "EXEC:/bin/cat,nofork </dev/null >/dev/null 2>&1 &)")
    m.sh("sleep 1")
    return m


def timed(m, command, what):
    begin = time.monotonic()
    if m.sh(command, 300).status:
        raise GuestError(f"{what} failed")
    return time.monotonic() - begin


# ---- rows: (m, peer, mib) -> a figure

def down(m, peer, mib, nr=1):
    each = mib * MIB // nr
    t = timed(m, f"for i in $(seq {nr}); do wget -q -O /dev/null "
              f"{peer.url(each)} & done; wait", "wget")
    return mib / t


def up(m, peer, mib, nr=1):
    size = (mib << 20) // nr
    head = f"PUT / HTTP/1.0\\r\\nContent-Length: {size}\\r\\n\\r\\n"
    t = timed(m, f"for i in $(seq {nr}); do {{ printf '{head}'; "
              f"dd if=/dev/zero bs=64k count={size >> 16} 2>/dev/null; }} | nc {netpeer.HOST} "
              f"{peer.http_port} >/dev/null & done; wait", "nc")
    return mib / t


def ping(m, _peer, _mib):
    out = m.sh(f"ping -c 100 -i 0.01 {netpeer.HOST}", 60).out
    times = [float(t) for t in re.findall(r"time=([\d.]+)", out)]
    return statistics.median(times) * 1000


def connect(m, name):
    s = socket.create_connection(("127.0.0.1", m.hosts[name]), 30)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return s


def echo(m, _peer, mib):
    times = []
    with connect(m, "echo") as s:
        for _ in range(1000 if mib > 16 else 300):
            begin = time.monotonic()
            s.sendall(b"x")
            if s.recv(1) != b"x":
                raise GuestError("no echo")
            times.append(time.monotonic() - begin)
    return statistics.median(times) * 1e6


def accept(m, _peer, _mib):
    begin, nr = time.monotonic(), 20
    for _ in range(nr):
        with connect(m, "echo") as s:
            s.sendall(b"x")
            if s.recv(1) != b"x":
                raise GuestError("no echo")
    return nr / (time.monotonic() - begin)


def redis(m, _peer, mib):
    nr = 5000 if mib > 16 else 1000
    with connect(m, "redis") as s:
        stream = s.makefile("rb")
        s.sendall(b"SET k 4711\r\n")
        stream.readline()
        begin = time.monotonic()
        for _ in range(nr):
            s.sendall(b"GET k\r\n")
            if stream.readline() + stream.readline() != b"$4\r\n4711\r\n":
                raise GuestError("redis says something else")
        return nr / (time.monotonic() - begin)


# name, unit, more is better, the measurement
ROWS = [
    ("down, 1 connection", "MiB/s", True, down),
    ("down, 4 connections", "MiB/s", True, lambda *a: down(*a, nr=4)),
    ("up, 1 connection", "MiB/s", True, up),
    ("up, 4 connections", "MiB/s", True, lambda *a: up(*a, nr=4)),
    ("ping", "us", False, ping),
    ("echo", "us", False, echo),
    ("accept", "1/s", True, accept),
    ("redis", "1/s", True, redis),
]


def show(name, unit, more, best, systems):
    """A line; ratios are how many times as good as Linux."""
    line = f"{name:<22}{unit:>6}"
    for system in systems:
        line += f"{best[system]:>10.1f}" if system in best else f"{'-':>10}"
    for system in systems:
        if system != "linux" and system in best and "linux" in best:
            ratio = best[system] / best["linux"]
            line += f"{ratio if more else 1 / ratio:>10.2f}"
    print(line, flush=True)


def measure(machines, peer, args):
    better = {True: max, False: min}
    for name, unit, more, fn in ROWS:
        if not re.search(args.only, name):
            continue
        best = {}
        for _ in range(args.rounds):
            for system, m in machines.items():
                try:
                    v = fn(m, peer, args.mib)
                except (OSError, GuestError, statistics.StatisticsError) as e:
                    print(f"{system}: {name}: {str(e).splitlines()[0]}",
                          file=sys.stderr)
                    continue
                best[system] = better[more](best.get(system, v), v)
        show(name, unit, more, best, list(machines))


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--quick", action="store_true")
    p.add_argument("--rounds", type=int, default=0)
    p.add_argument("--qemu", default="10")
    p.add_argument("--smp", type=int, default=3)
    p.add_argument("--aia", default="")
    p.add_argument("--only", default="")
    p.add_argument("--systems", default="remote,local,linux")
    args = p.parse_args()
    args.mib = 16 if args.quick else 64
    args.rounds = args.rounds or (1 if args.quick else 3)
    peer, machines = netpeer.Peer(), {}
    try:
        for system in args.systems.split(","):
            machines[system] = start(system, args)
        print(f"{'':<28}" + "".join(f"{s:>10}" for s in machines) +
              "".join(f"{s + '/l':>10}" for s in machines if s != "linux"))
        measure(machines, peer, args)
    finally:
        for m in machines.values():
            m.close()
        peer.close()


if __name__ == "__main__":
    main()
