#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""scripts/mkitb.py - u-boot.itb for the HiFive Unmatched with another device tree.

    mkitb.py OUT --pmu                  with the U74's events for OpenSBI
    mkitb.py OUT --remove /soc/.../x    without a node
    mkitb.py OUT --hide SRST            OpenSBI without one of its extensions

OpenSBI knows which hardware events there are from a riscv,pmu node in the tree that
it is given, which is the one in this file and not the kernel's.  The board's has
none, so out of the box only cycles, instructions and firmware's own events can be
counted.  Takes Debian's u-boot.itb apart (dumpimage), changes the tree (dtc) and
puts it together again (mkimage).

An extension is hidden by changing the number under which OpenSBI finds it: for tests
of a kernel on firmware that knows less.

The encoding of the events is that of the U74 core complex manual: class in 7:0, the
events of the class as bits above.  Two counters, 3 and 4, can count them.
"""
import argparse
import os
import re
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from mkimage import CACHE, replace_file, tool  # noqa: E402

COUNTERS = 0x18
# SBI event -> mhpmevent [SBI 2.0, 11.2 and 11.3]
EVENTS = {
    0x00003: 0x1801,    # cache references: I$ or D$ busy
    0x00004: 0x302,     # cache misses: I$ or D$
    0x00005: 0x4000,    # branches
    0x00006: 0x6001,    # branch misses: direction or target
    0x10001: 0x202,     # L1D read misses: D$ miss or I/O access
    0x10002: 0x402,     # L1D write accesses: write-backs
    0x10009: 0x102,     # L1I read misses
    0x10011: 0x2002,    # last level: shared TLB misses
    0x10019: 0x1002,    # DTLB read misses
    0x10021: 0x802,     # ITLB read misses
}
# Raw events: value, and the bits of an event that must equal it: any of the
# class's, and no other.
RAW = [(0x0, 0xfffffffffc0000ff), (0x1, 0xfffffffffff800ff),
       (0x2, 0xffffffffffffe0ff)]

EXPERIMENTAL = 0x08000000   # to 0x08ffffff [SBI 2.0, 18]: nobody asks for those

FIT = """\
/dts-v1/;
/ {{
	description = "Configuration to load OpenSBI before U-Boot";
	#address-cells = <2>;
	images {{
		uboot {{
			description = "U-Boot";
			type = "standalone";
			os = "U-Boot";
			arch = "riscv";
			compression = "none";
			load = <0x0 0x80200000>;
			data = /incbin/("{top}/uboot");
		}};
		opensbi {{
			description = "OpenSBI fw_dynamic Firmware";
			type = "firmware";
			os = "opensbi";
			arch = "riscv";
			compression = "none";
			load = <0x0 0x80000000>;
			entry = <0x0 0x80000000>;
			data = /incbin/("{top}/opensbi");
		}};
		fdt-1 {{
			description = "hifive-unmatched-a00";
			type = "flat_dt";
			compression = "none";
			data = /incbin/("{top}/fdt-1");
		}};
	}};
	configurations {{
		default = "conf-1";
		conf-1 {{
			description = "hifive-unmatched-a00";
			firmware = "opensbi";
			loadables = "uboot";
			fdt = "fdt-1";
		}};
	}};
}};
"""


def cells(*values):
    return " ".join(f"{v:#x}" for v in values)


def pmu_node():
    lines = ["/ {", "\tpmu {", '\t\tcompatible = "riscv,pmu";']
    table = "\n\t\t\t".join(cells(e, 0, v) for e, v in EVENTS.items())
    lines.append(f"\t\triscv,event-to-mhpmevent = <{table}>;")
    table = "\n\t\t\t".join(cells(e, e, COUNTERS) for e in EVENTS)
    lines.append(f"\t\triscv,event-to-mhpmcounters = <{table}>;")
    table = "\n\t\t\t".join(cells(0, v, m >> 32, m & 0xffffffff, COUNTERS)
                            for v, m in RAW)
    lines.append(f"\t\triscv,raw-event-to-mhpmcounters = <{table}>;")
    return "\n".join(lines + ["\t};", "};", ""])


def run(*args):
    return subprocess.run(args, check=True, capture_output=True,
                          text=True).stdout


def take_apart(itb, top):
    """The images of the FIT as files of their names."""
    listing = run(tool("dumpimage"), "-l", itb)
    images = re.findall(r"Image (\d+) \((\S+)\)", listing)
    if sorted(name for _, name in images) != ["fdt-1", "opensbi", "uboot"]:
        sys.exit(f"mkitb: {itb} has other images than expected: {images}")
    for number, name in images:     # a FIT is a flat_dt to this tool
        run(tool("dumpimage"), "-T", "flat_dt", "-p", number, "-o",
            os.path.join(top, name), itb)


def hide(path, name):
    """In the program @path the extension @name is found no more."""
    with open(path, "rb") as f:
        program = f.read()
    number = int.from_bytes(name.encode(), "big")
    row = struct.pack("<QQ", number, number)        # from, to
    other = EXPERIMENTAL | number & 0xffffff
    nowhere = struct.pack("<QQ", other, other)
    if program.count(row) != 1:
        sys.exit(f"mkitb: no extension {name} in {path}, or not as expected")
    with open(path, "wb") as f:
        f.write(program.replace(row, nowhere))


def change_tree(path, args):
    for node in args.remove:
        run(tool("fdtput"), "-r", path, node)
    source = run(tool("dtc"), "-q", "-I", "dtb", "-O", "dts", path)
    if args.pmu:
        source += pmu_node()
    subprocess.run([tool("dtc"), "-q", "-I", "dts", "-O", "dtb", "-o", path],
                   input=source, check=True, text=True)


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("out")
    p.add_argument("--itb", help="the u-boot.itb to begin with",
                   default=os.path.join(CACHE, "u-boot/unmatched/u-boot.itb"))
    p.add_argument("--pmu", action="store_true", help="add the PMU's node")
    p.add_argument("--remove", action="append", default=[], metavar="NODE",
                   help="remove a node, by its path")
    p.add_argument("--hide", action="append", default=[], metavar="EXTENSION",
                   help="PMU, SRST, DBCN, ...")
    args = p.parse_args()
    if not os.path.exists(args.itb):
        sys.exit(f"mkitb: no {args.itb}: run scripts/fetch-guests u-boot")
    with tempfile.TemporaryDirectory(prefix="antler-") as top:
        take_apart(args.itb, top)
        change_tree(os.path.join(top, "fdt-1"), args)
        for name in args.hide:
            hide(os.path.join(top, "opensbi"), name)
        its = os.path.join(top, "its")
        with open(its, "w", encoding="ascii") as f:
            f.write(FIT.format(top=top))
        replace_file(args.out, lambda tmp: run(tool("mkimage"), "-f", its,
                                               tmp))


if __name__ == "__main__":
    main()
