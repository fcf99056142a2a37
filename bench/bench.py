#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""bench/bench.py - Antler beside Debian's Linux: one QEMU, one disk, one run.

    bench.py [--quick] [--passes 3] [--smp 2] [--qemu 10[,host]] [--no-icount]
             [--only NAME,..]

--qemu 10,host prints the table of the machine's own QEMU after that of QEMU 10.

Boots Linux, Antler `remote` and Antler `local` one after the other on the same
QEMU line and the same image, runs the same static programs, and prints a table
in nanoseconds with ratios: how a row compares with Linux's, and whether the
figure that the project promises is reached: at most half of Linux's time, and at
most its instructions, which bench/icount.py counts exactly.  Everything also goes
to $O/bench/*.csv.

Timings on a shared host are noisy, and drift: each row is the best of five
rounds of the best of --passes boots, the systems taking turns, and only ratios
of one run mean something.
"""
import argparse
import csv
import os
import platform
import re
import sys
import time

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(TOP, "tests/qemu"))
sys.path.insert(0, os.path.join(TOP, "bench"))
import icount  # noqa: E402
from machine import GuestError, Machine, qemu  # noqa: E402

OUT = os.environ.get("O") or os.path.join(TOP, "build")
LABELS = {
    "null": "null call (getppid)", "read1": "read 1 byte",
    "write1": "write 1 byte", "stat": "stat", "open_close": "open + close",
    "pipe_self": "pipe to self", "yield": "sched_yield",
    "mmap_fault64": "mmap, 64 faults, munmap", "fork_exit": "fork + exit",
    "vfork_exec": "vfork + exec", "pipe_pong": "pipe ping-pong",
    "futex_pong": "futex ping-pong", "nanosleep": "nanosleep(1 ns)",
    "null_asleep": "null call, both asleep", "ls_400": "ls -l of 400 files", "boot_ms": "boot to shell, ms",
    "kernel_kib": "kernel memory, KiB",
}
SYSTEMS = [("linux", {}), ("remote", {"relay": "remote"}),
           ("local", {"relay": "local"})]


def host_cpu():
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as f:
        found = re.search(r"model name\s*:\s*(.*)", f.read())
    return found.group(1).strip() if found else platform.machine()


def start(system, props, args, **kw):
    guest = qemu.Guest(kernel="linux" if system == "linux" else "antler",
                       smp=args.smp, qemu=args.qemu, out=OUT, snapshot=True,
                       append="quiet" if system == "linux" else "",
                       relay=props.get("relay", ""), mem="1G")
    for name, value in kw.items():
        setattr(guest, name, value)
    os.makedirs(os.path.join(OUT, "bench"), exist_ok=True)
    log = os.path.join(OUT, "bench", f"{system}.log")
    return Machine(guest, log, wait_shell=False)


def boot_ms(m):
    """From the firmware's hand-over to the prompt, on the host's clock."""
    m.expect(r"Boot HART MEDELEG[^\n]*\n", 60)
    handed = time.monotonic()
    m.wait_shell(180)
    return (time.monotonic() - handed) * 1000


def kernel_kib(m):
    """Memory that the kernel keeps, at the first prompt."""
    text = m.read_file("/proc/meminfo")
    value = {k: int(v) for k, v in re.findall(r"^(\w+):\s+(\d+) kB", text,
                                              re.M)}
    return (value["MemTotal"] - value["MemFree"] - value.get("Cached", 0) -
            value.get("Buffers", 0) - value.get("AnonPages", 0))


def ls_400(m, rounds):
    """ns of a warm `ls -l`, best of some; the clock has 10 ms."""
    loop = "ls -l /usr/share/many >/dev/null"
    m.sh(loop, check=True)
    times = []
    for _ in range(rounds):
        out = m.sh("t0=$(cut -d' ' -f1 /proc/uptime); i=0; "
                   f"while [ $i -lt 50 ]; do {loop}; i=$((i+1)); done; "
                   "echo $t0 $(cut -d' ' -f1 /proc/uptime)", 120).out.split()
        times.append((float(out[1]) - float(out[0])) * 1e9 / 50)
    return min(times)


def null_asleep(m):
    """A null call that finds its service hart asleep, and whose completion
    finds its application hart asleep."""
    m.sh("echo poll_us=0 >/proc/relay/policy", check=True)
    out = m.sh("lat -q null", 300, check=True).out
    m.sh("echo poll_us=100 >/proc/relay/policy", check=True)
    return float(re.search(r"^lat null (\d+)", out, re.M)[1])


def timers_during_ls(m):
    """Timer interrupts that application harts took in one warm `ls -l`."""
    m.sh("ls -l /usr/share/many >/dev/null; sleep 1")
    before = m.relay_sum("timer", "app")
    m.sh("ls -l /usr/share/many >/dev/null")
    return m.relay_sum("timer", "app") - before


def floor(m):
    """/proc/relay/floor, the best of five readings."""
    best = {}
    for _ in range(5):
        for name, value in m.table("/proc/relay/floor"):
            if value.isdigit():
                best[name] = min(best.get(name, 1 << 62), int(value))
    return best


def latencies(m, args):
    names = " ".join(args.only.split(",")) if args.only else ""
    quick = "-q -r 3" if args.quick else ""
    out = m.sh(f"lat {quick} {names}", 900, check=True).out
    return {name: float(ns) for name, ns in
            re.findall(r"^lat (\w+) (\d+)", out, re.M)}


def measure(system, props, args):
    """One guest, all rows."""
    m = start(system, props, args)
    try:
        row = {"boot_ms": boot_ms(m), "kernel_kib": kernel_kib(m)}
        row.update(latencies(m, args))
        row["ls_400"] = ls_400(m, 2 if args.quick else 5)
        if system != "linux":
            row.update({f"floor_{k}": v for k, v in floor(m).items()})
            row["ls_timers"] = timers_during_ls(m)
        if system == "remote":
            row["null_asleep"] = null_asleep(m)
        m.check_log()
    finally:
        m.close()
    return row


def best(row, found):
    """Keep in @row the lower value of each name."""
    for name, value in found.items():
        row[name] = min(value, row.get(name, value))


def instructions(args):
    """{system: {row: instructions}} of one hart, by bench/icount.py.

    One hart, because with more the polling ones take their turns too; there
    `remote` and `local` run the same code but for the choice."""
    rows = args.only.split(",") if args.only else ()
    found = {}
    for system in args.systems.split(","):
        setup = icount.LINUX if system == "linux" else \
            icount.Setup(system, 1)
        try:
            found[system] = icount.run(setup, rows)
        except icount.CountError as err:
            print(f"bench: icount: {err}", file=sys.stderr)
    return found


def verdict(ok):
    return "reached" if ok else "MISSED"


def relayed(boots, local_null):
    """Remote null call / (local + h), h of the same boot: where the host puts
    its threads decides both."""
    return min((row["null"] / (local_null + row["floor_h_ns"])
                for row in boots if "floor_h_ns" in row), default=None)


def goals(rows, boots):
    """(text, value, limit) of the figures that the project promises."""
    remote, local, linux = rows["remote"], rows["local"], rows["linux"]
    ratio_h = relayed(boots["remote"], local["null"])
    out = [("local null / Linux null", local["null"] / linux["null"], 0.5)]
    if ratio_h:
        out.append(("remote null / (local null + h)", ratio_h, 1.25))
    w = remote.get("floor_w_ns")
    if w and "null_asleep" in remote:
        out.append(("two wake-ups of sleepers / (local null + 2 w)",
                    remote["null_asleep"] / (local["null"] + 2 * w), 1.5))
    for name in icount.ROWS:
        if name in remote and name in linux:
            out.append((f"remote {LABELS[name]} / Linux",
                        remote[name] / linux[name], 0.5))
    out.append(("ls -l: remote / local", remote["ls_400"] / local["ls_400"],
                1.05))
    out.append(("ls -l: timer interrupts", remote.get("ls_timers", -1), 0))
    out.append(("boot to shell / Linux", remote["boot_ms"] / linux["boot_ms"],
                0.1))
    return out


def print_table(rows, counts, args):
    """Time of each row, and of the thirteen their instructions too."""
    print(f"\nhost      {host_cpu()}, {os.cpu_count()} CPUs")
    print(f"qemu      {qemu.qemu_version(args.qemu)}, {args.smp} harts, "
          "same disk image; ns, best of five")
    if counts:
        print("          instructions on one hart of QEMU 10 (-icount)")
    print(f"\n{'':24}{'Linux':>11}{'remote':>11}{'local':>11}"
          f"{'remote/L':>10}{'rem/local':>10}" +
          (f"{'Linux':>11}{'remote':>9}{'remote/L':>10}" if counts else ""))
    for name, label in LABELS.items():
        values = [rows.get(s, {}).get(name) for s, _ in SYSTEMS]
        if not any(v is not None for v in values):
            continue
        cells = "".join(f"{v:11.0f}" if v is not None else f"{'-':>11}"
                        for v in values)
        print(f"{label:24}{cells}{ratio(values[1], values[0]):>10}"
              f"{ratio(values[1], values[2]):>10}" + counted(counts, name))
    for system, row in rows.items():
        found = {k[6:]: v for k, v in row.items() if k.startswith("floor_")}
        if found:
            print(f"floor ({system:6})           " +
                  "  ".join(f"{k} {v}" for k, v in found.items()))


def counted(counts, name):
    """The columns of instructions, of a row that has them."""
    linux, remote = (counts.get(s, {}).get(name) for s in ("linux", "remote"))
    if linux is None or remote is None:
        return ""
    return f"{linux:11.0f}{remote:9.0f}{ratio(remote, linux):>10}"


def ratio(a, b):
    return f"{a / b:.2f}" if a is not None and b else "-"


def print_goals(rows, boots, counts):
    if not {"linux", "remote", "local"} <= set(rows):
        return
    print("\nfigures promised")
    found = goals(rows, boots) if "null" in rows["remote"] else []
    for name, value in counts.get("remote", {}).items():
        if name in counts.get("linux", {}):
            found.append((f"instructions of {LABELS[name]} / Linux",
                          value / counts["linux"][name], 1.0))
    for text, value, limit in found:
        print(f"  {text:44}{value:9.2f}  at most {limit:<5} "
              f"{verdict(0 <= value <= limit)}")


def write_csv(rows, counts, args):
    which = "" if args.qemu == "10" else f"-{os.path.basename(args.qemu)}"
    path = os.path.join(OUT, "bench", f"latency{which}.csv")
    for system, found in counts.items():
        if system in rows:
            rows[system].update({f"icount_{k}": v for k, v in found.items()})
    names = sorted({n for row in rows.values() for n in row})
    with open(path, "w", newline="", encoding="ascii") as f:
        w = csv.writer(f)
        w.writerow(["system", "qemu", "smp", "host"] + names)
        for system, row in rows.items():
            w.writerow([system, qemu.qemu_version(args.qemu), args.smp,
                        host_cpu()] + [row.get(n, "") for n in names])
    print(f"\nwritten to {path}")


def all_passes(chosen, args):
    """(best rows, all boots' rows) by system, the systems in turns."""
    rows, boots = {}, {}
    for number in range(1 if args.quick else args.passes):
        for system, props in chosen:
            print(f"# pass {number + 1}: {system}, QEMU {args.qemu} ...",
                  file=sys.stderr, flush=True)
            try:
                row = measure(system, props, args)
                boots.setdefault(system, []).append(row)
                best(rows.setdefault(system, {}), row)
            except (GuestError, qemu.RigError) as err:
                print(f"bench: {system}: {err}", file=sys.stderr)
    return rows, boots


def arguments():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--quick", action="store_true")
    p.add_argument("--passes", type=int, default=3)
    p.add_argument("--smp", type=int, default=2)
    p.add_argument("--qemu", default="10")
    p.add_argument("--no-icount", action="store_true")
    p.add_argument("--only", default="", help="rows of lat, with commas")
    p.add_argument("--systems", default="linux,remote,local")
    return p.parse_args()


def main():
    args = arguments()
    chosen = [s for s in SYSTEMS if s[0] in args.systems.split(",")]
    counts = {} if args.no_icount else instructions(args)
    complete = True
    for args.qemu in args.qemu.split(","):
        rows, boots = all_passes(chosen, args)
        print_table(rows, counts, args)
        print_goals(rows, boots, counts)
        write_csv(rows, counts, args)
        complete = complete and len(rows) == len(chosen)
    return 0 if complete else 1


if __name__ == "__main__":
    sys.exit(main())
