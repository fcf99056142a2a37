#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""bench/path.py - the path of one call through the kernel, by symbol.

    path.py [ROW] [INSTRUCTIONS]

Boots QEMU 10 with one hart under -icount, lets `lat -c ROW` (null) run for ever,
and logs each instruction for half a second: one line for each stretch in a
function, of the call whose length is the most frequent one, or INSTRUCTIONS.
"""
import bisect
import collections
import os
import re
import subprocess
import sys
import time

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(TOP, "tests/qemu"))
from machine import Machine, qemu  # noqa: E402

OUT = os.environ.get("O") or os.path.join(TOP, "build")
KERNEL = 1 << 63


def record(row, log):
    """Program counters of half a second."""
    guest = qemu.Guest(smp=1, qemu="10", out=OUT, disk="none", icount=True,
                       initrd=os.path.join(OUT, "initrd.cpio.gz"),
                       append="rdinit=/etc/init.d/bench bench=lat,-c,-r,"
                       f"9000000,{row}", tail=["-D", log])
    m = Machine(guest, log + ".console", wait_shell=False)
    try:
        m.expect("bench: lat", 60)
        time.sleep(1)
        for command in ("one-insn-per-tb on", "log exec,nochain"):
            m.qmp("human-monitor-command", **{"command-line": command})
        time.sleep(0.5)
        m.qmp("human-monitor-command", **{"command-line": "log none"})
    finally:
        m.close()
    with open(log, encoding="ascii", errors="replace") as f:
        return [int(pc, 16) for pc in
                re.findall(r"\[[0-9a-f]+/([0-9a-f]{16})/", f.read())]


def symbols():
    """(addresses, names) of the kernel's functions."""
    out = subprocess.run(["nm", "-n", os.path.join(OUT, "antler.elf")],
                         capture_output=True, text=True, check=True).stdout
    found = [(int(a, 16), n) for a, t, n in
             (line.split()[:3] for line in out.splitlines()) if t in "tT"]
    return [a for a, _ in found], [n for _, n in found]


def stretches(path, addresses, names):
    """[[function, instructions]] in order."""
    found = []
    for pc in path:
        name = names[bisect.bisect(addresses, pc) - 1] if pc & KERNEL \
            else "(program)"
        if found and found[-1][0] == name:
            found[-1][1] += 1
        else:
            found.append([name, 1])
    return found


def main():
    row = sys.argv[1] if len(sys.argv) > 1 else "null"
    os.makedirs(os.path.join(OUT, "bench"), exist_ok=True)
    pcs = record(row, os.path.join(OUT, "bench/path.log"))
    addresses, names = symbols()
    entry = addresses[names.index("trap_entry")]
    traps = [i for i, pc in enumerate(pcs) if pc == entry]
    calls = [pcs[a:b] for a, b in zip(traps, traps[1:])]
    if not calls:
        sys.exit(f"path: no call of {row} was seen")
    lengths = collections.Counter(map(len, calls))
    wanted = int(sys.argv[2]) if len(sys.argv) > 2 else \
        lengths.most_common(1)[0][0]
    print(f"{len(calls)} traps; instructions (times): " + "  ".join(
        f"{n} ({times})" for n, times in lengths.most_common(4)))
    for path in calls:
        if len(path) == wanted:
            for name, count in stretches(path, addresses, names):
                print(f"{count:6} {name}")
            return


if __name__ == "__main__":
    main()
