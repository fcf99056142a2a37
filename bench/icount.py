#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""bench/icount.py - did a call get longer?  Exact counts of instructions.

    icount.py [--update] [--linux] [ROW...]

Runs `lat -c` as the only program of a guest of QEMU 10 with `-icount
shift=0,sleep=off`, where one virtual nanosecond is one instruction of the
machine, for each set-up below, and compares each row with bench/icount.csv.
A row that is more than 3 % longer fails and is named; one that is more than
3 % shorter asks for the table to be brought up to date: `make icount
ICOUNT_ARGS=--update`.  --linux only prints Debian's Linux beside.

The counts do not depend on the host, but on the compiler and on QEMU: the table
says which made it, and with others nothing is compared.

Not here: time (bench.py), what a policy is worth (experiment.py).
"""
import argparse
import csv
import os
import re
import subprocess
import sys
from dataclasses import dataclass

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(TOP, "scripts"))
import qemu  # noqa: E402

OUT = os.environ.get("O") or os.path.join(TOP, "build")
TABLE = os.path.join(TOP, "bench/icount.csv")
ROWS = ("null read1 write1 stat open_close pipe_self yield mmap_fault64 "
        "fork_exit vfork_exec pipe_pong futex_pong nanosleep").split()
TOLERANCE = 0.03
UPDATE = "make icount ICOUNT_ARGS=--update"
LIMIT_S = 120


@dataclass(frozen=True)
class Setup:
    """One guest, all of its rows."""
    relay: str
    smp: int
    append: str = ""
    kernel: str = "antler"

    @property
    def name(self):
        return f"{self.relay or self.kernel}-{self.smp}"


# Two harts: who polls burns instructions for as long as the other one's turn
# lasts, so they sleep at once, and two IPIs and wake-ups are in each call.
SETUPS = [Setup("local", 1), Setup("remote", 1),
          Setup("remote", 2, "poll_us=0")]
LINUX = Setup("", 1, kernel="linux")


class CountError(Exception):
    """The guest printed no counts; carries the end of its console."""


def compilers(path):
    """What built the ELF file at @path, from what -g leaves."""
    with open(path, "rb") as f:
        found = re.findall(rb"GNU C\d* ([\d.]+)", f.read())
    return "gcc " + (" ".join(sorted({c.decode() for c in found})) or "?")


def built_by():
    return compilers(os.path.join(OUT, "antler.elf"))


def guest_of(setup, rows):
    """What differs from boot to boot is taken away: the firmware's random
    seed, the date, and (linux64 -R) addresses chosen at random."""
    words = ["rdinit=/etc/init.d/bench",
             "bench=" + ",".join(["linux64", "-R", "lat", "-c", "-r", "10"] + list(rows)),
             "loglevel=1" if setup.kernel == "linux" else "", setup.append]
    return qemu.Guest(kernel=setup.kernel, smp=setup.smp, qemu="10", out=OUT,
                      relay=setup.relay, icount=True, disk="none",
                      initrd=os.path.join(OUT, "initrd.cpio.gz"),
                      append=" ".join(filter(None, words)),
                      tail=["-no-reboot", "-seed", "1", "-rtc",
                            "base=2026-01-01,clock=vm"])


def run(setup, rows=()):
    """Counts of @setup: {row: instructions}."""
    args = qemu.qemu_args(guest_of(setup, rows), console=[
        "-display", "none", "-monitor", "none", "-serial", "stdio"])
    try:
        done = subprocess.run(args, stdin=subprocess.DEVNULL, text=True,
                              capture_output=True, errors="replace",
                              timeout=LIMIT_S, check=False)
    except subprocess.TimeoutExpired as err:
        raise CountError(f"{setup.name}: no end in {LIMIT_S} s:\n"
                         f"{str(err.stdout)[-1500:]}") from err
    out = done.stdout.replace("\r", "")
    counts = {n: float(v) for n, v in
              re.findall(r"^lat (\w+) ([\d.]+)$", out, re.M)}
    missing = set(rows or ROWS) - set(counts)
    if missing or "bench: status 0" not in out:
        raise CountError(f"{setup.name}: no count of "
                         f"{', '.join(sorted(missing))}:\n{out[-1500:]}"
                         f"{done.stderr[-500:]}")
    return counts


def read_table(path=TABLE):
    """({(relay, harts, row): count}, compiler, major version of QEMU)."""
    head, rows = {}, {}
    with open(path, encoding="ascii") as f:
        for line in f:
            if line.startswith("#"):
                name, _, value = line[1:].partition(":")
                head[name.strip()] = value.strip()
                continue
            row = next(csv.reader([line]))
            if row and row[0] != "relay":
                rows[row[0], int(row[1]), row[2]] = float(row[3])
    return rows, head.get("compiler", ""), head.get("qemu", "")


def write_table(counts, path=TABLE):
    with open(path, "w", newline="", encoding="ascii") as f:
        f.write(f"# compiler: {built_by()}\n# qemu: {qemu_major()}\n")
        w = csv.writer(f, lineterminator="\n")
        w.writerow(["relay", "harts", "row", "instructions"])
        for (relay, smp, row), value in counts.items():
            w.writerow([relay, smp, row, f"{value:.1f}"])


def qemu_major():
    return qemu.qemu_version("10").split(".", maxsplit=1)[0]


def why_not(compiler, version):
    """Why the table does not hold for what is here; "" if it does."""
    if compiler != built_by():
        return f"the table is of {compiler}, the kernel of {built_by()}"
    if version != qemu_major():
        return f"the table is of QEMU {version}, this is {qemu_major()}"
    return ""


def compare(table, counts):
    """(what got longer, what got shorter): lines for a person."""
    longer, shorter = [], []
    for key, now in counts.items():
        was = table.get(key)
        relay, smp, row = key
        text = f"{row:14}{relay:8}{smp} harts  "
        if was is None:
            shorter.append(text + f"{now:10.1f}  is not in the table")
            continue
        text += f"{was:10.1f} -> {now:10.1f}  {now / was - 1:+.1%}"
        if now > was * (1 + TOLERANCE):
            longer.append(text)
        elif now < was * (1 - TOLERANCE):
            shorter.append(text)
    return longer, shorter


def measure(rows=(), setups=None):
    return {(s.relay, s.smp, row): value for s in setups or SETUPS
            for row, value in run(s, rows).items()}


def show(counts, linux):
    head = "".join(f"{s.name:>12}" for s in SETUPS)
    print(f"{'instructions':16}{head}" + (f"{'linux-1':>12}{'remote-1/L':>12}"
                                          if linux else ""))
    for row in [r for r in ROWS if ("local", 1, r) in counts]:
        cells = "".join(f"{counts[s.relay, s.smp, row]:12.1f}"
                        for s in SETUPS)
        if linux:
            cells += f"{linux[row]:12.1f}" \
                     f"{counts['remote', 1, row] / linux[row]:12.2f}"
        print(f"{row:16}{cells}")


def verdict(counts):
    """Compare with the stored table; the exit status."""
    table, compiler, version = read_table()
    reason = why_not(compiler, version)
    if reason:
        print(f"icount: not compared: {reason}")
        return 0
    longer, shorter = compare(table, counts)
    for line in longer:
        print(f"icount: LONGER   {line}")
    for line in shorter:
        print(f"icount: shorter  {line}")
    if shorter:
        print(f"icount: update the table: {UPDATE}")
    if longer:
        print("icount: if that is wanted, say why in the commit, and "
              f"{UPDATE}")
        return 1
    print(f"icount: {len(counts)} counts, none longer than {TABLE[len(TOP)+1:]}"
          f" by more than {TOLERANCE:.0%}")
    return 0


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    p.add_argument("--update", action="store_true", help="write the table")
    p.add_argument("--linux", action="store_true",
                   help="print Debian's Linux beside it")
    p.add_argument("rows", nargs="*", help="only these rows")
    args = p.parse_args()
    if args.update and args.rows:
        p.error("--update writes all rows")
    try:
        counts = measure(args.rows)
        show(counts, run(LINUX, args.rows) if args.linux else None)
    except (CountError, qemu.RigError) as err:
        sys.exit(f"icount: {err}")
    if args.update:
        write_table(counts)
        print(f"icount: written to {TABLE}")
        return 0
    return verdict(counts)


if __name__ == "__main__":
    sys.exit(main())
