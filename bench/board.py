#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""bench/board.py - the model of the HiFive Unmatched: Antler beside Debian's Linux.

    board.py [--quick] [--passes 2] [--systems linux,antler-remote] [--resume]

From power-on, by SPL, OpenSBI and U-Boot in the flash: one NVMe disk, whose menu has
both kernels and whose root is that of both.  What is measured is the time from power-on and
from the kernel's start to the shell's prompt, and reading and writing the disk by
dd, past the page cache and through it.  Antler runs under both policies.

A model says nothing about the board's speed: only ratios of one run mean something.
Each figure is the best of --passes boots.  Linux is Debian's kernel with an initrd
that has the modules of NVMe and ext4.

Each boot's figures are in build/bench/board.json at once; --resume takes from there
what an earlier run, of the same kernels and with the same --mib, has measured.
"""
import argparse
import json
import os
import re
import subprocess
import sys
import time

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
for folder in ("tests/qemu", "tests/board", "scripts"):
    sys.path.insert(0, os.path.join(TOP, folder))
import firmware  # noqa: E402
from machine import Machine, qemu  # noqa: E402

OUT = os.environ.get("O") or os.path.join(TOP, "build")
BENCH = os.path.join(OUT, "bench")
ROWS = os.path.join(BENCH, "board.json")
FLASH = os.path.join(OUT, "antler-flash.img")
SYSTEMS = ["linux", "antler-remote", "antler-local"]
ARGS = "console=ttySIF0 root=/dev/nvme0n1p2 rootfstype=ext4 rw"
# name, dd's arguments; every read is of a place that nobody has read before
DISK = [
    ("read 4 KiB, direct", "if=/dev/nvme0n1 of=/dev/null bs=4k iflag=direct "
     "count={small} skip=1000"),
    ("read 128 KiB, direct", "if=/dev/nvme0n1 of=/dev/null bs=128k "
     "iflag=direct count={big} skip=640"),
    ("read 128 KiB, cached", "if=/dev/nvme0n1 of=/dev/null bs=128k "
     "count={big} skip=1600"),
    ("write 128 KiB, synced", "if=/dev/zero of=/root/big bs=128k "
     "count={big} conv=fsync"),
]


def run(*args):
    subprocess.run(args, check=True, cwd=TOP)


def make_disk():
    """Both kernels and one menu."""
    os.makedirs(BENCH, exist_ok=True)
    disk, conf, initrd = (os.path.join(BENCH, n)
                          for n in ("board-disk", "extlinux.conf", "initrd.gz"))
    modules = subprocess.run(
        [os.path.join(TOP, "scripts/fetch-linux-nvme")], check=True,
        capture_output=True, text=True).stdout.split()[-1]
    run("/usr/bin/python3", "scripts/mkimage.py", "linux-initrd", initrd,
        "--modules", modules)
    with open(conf, "w", encoding="ascii") as f:
        f.write("menu title bench\ntimeout 30\ndefault linux\n")
        for name in SYSTEMS:
            linux = name == "linux"
            f.write(f"label {name}\n\tmenu label {name}: .\n"
                    f"\tkernel /{'Linux' if linux else 'Image'}\n"
                    "\tfdt /hifive-unmatched-a00.dtb\n" +
                    ("\tinitrd /initrd.gz\n" if linux else "") +
                    f"\tappend {ARGS} "
                    f"{'quiet' if linux else 'relay=' + name[7:]}\n")
    run("/usr/bin/python3", "scripts/mkboard.py", "nvme", disk, "--kernel",
        os.path.join(OUT, "Image"), "--no-extlinux",
        "--add", f"Linux={os.path.join(qemu.GUEST, 'linux/Image')}",
        "--add", f"initrd.gz={initrd}", "--add", f"extlinux/extlinux.conf={conf}")
    return disk


def seconds_of(m, command):
    out = m.sh(f"echo 3 >/proc/sys/vm/drop_caches; time dd {command} 2>&1",
               120, check=True).out
    minutes, seconds = re.search(r"real\s+(\d+)m\s*([\d.]+)s", out).groups()
    return int(minutes) * 60 + float(seconds)


def measure(disk, system, args):
    guest = qemu.Guest(machine="unmatched", flash=FLASH, disk=disk, out=OUT,
                       snapshot=True)
    m = Machine(guest, os.path.join(BENCH, f"board-{system}.log"),
                wait_shell=False)
    try:
        firmware.choose(m, system, 90)
        began = time.monotonic()
        m.wait_shell(180)
        row = {"kernel's start to prompt": time.monotonic() - began,
               "power-on to prompt": m.boot_seconds}
        for name, text in DISK:
            row[name] = seconds_of(m, text.format(big=args.mib * 8,
                                                  small=args.mib * 32))
        m.check_log()
    finally:
        m.close()
    return row


def what_is_measured(args):
    """Rows of another key are of no use to this run."""
    images = [os.path.join(OUT, "Image"), os.path.join(qemu.GUEST, "linux/Image"),
              os.path.join(qemu.BOARD_MODEL, qemu.BINARY)]
    return [args.mib] + [os.stat(path).st_mtime for path in images]


def load_rows(args):
    """{"pass system": figures} of this run's earlier part."""
    if not args.resume or not os.path.exists(ROWS):
        return {}
    with open(ROWS, encoding="ascii") as f:
        saved = json.load(f)
    return saved["rows"] if saved["of"] == what_is_measured(args) else {}


def save_rows(args, rows):
    with open(ROWS + ".new", "w", encoding="ascii") as f:
        json.dump({"of": what_is_measured(args), "rows": rows}, f, indent=1)
    os.replace(ROWS + ".new", ROWS)


def best_of(rows, systems, passes):
    """{what: {system: seconds}}"""
    best = {}
    for number in range(passes):
        for system in systems:
            for name, seconds in rows[f"{number + 1} {system}"].items():
                of = best.setdefault(name, {})
                of[system] = min(seconds, of.get(system, seconds))
    return best


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--passes", type=int, default=2)
    p.add_argument("--mib", type=int, default=100, help="for each dd")
    p.add_argument("--quick", action="store_true", help="one pass of 25 MiB")
    p.add_argument("--systems", default=",".join(SYSTEMS))
    p.add_argument("--resume", action="store_true",
                   help="go on where an earlier run was ended")
    args = p.parse_args()
    if args.quick:
        args.passes, args.mib = 1, 25
    systems = args.systems.split(",")
    disk, done = make_disk(), load_rows(args)
    for number in range(args.passes):
        for system in systems:
            key = f"{number + 1} {system}"
            if key in done:
                continue
            print(f"# pass {key} ...", file=sys.stderr, flush=True)
            done[key] = measure(disk, system, args)
            save_rows(args, done)
    best = best_of(done, systems, args.passes)
    print(f"{'seconds':26}" + "".join(f"{s:>15}" for s in systems) +
          f"   : {systems[0]}")
    for name, rows in best.items():
        print(f"{name:26}" + "".join(f"{rows[s]:15.2f}" for s in systems) +
              "  " + "".join(f"{rows[s] / rows[systems[0]]:6.2f}"
                             for s in systems[1:]))


if __name__ == "__main__":
    main()
