#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Fail when an #include points the wrong way.

A layer may include itself and what its row allows.  Includes are written in
angle brackets from the root of the tree, so the first path element names the
layer.  Anything else must be one of the compiler's own freestanding headers.
"""
import pathlib
import re
import sys

ALLOWED = {
    "lib":      set(),
    "arch":     {"lib"},
    "kernel":   {"arch", "lib"},
    "sbi":      {"kernel", "arch", "lib"},
    "drivers":  {"kernel", "arch", "lib"},
    "fs":       {"kernel", "arch", "lib"},
    "net":      {"kernel", "arch", "lib"},
    "syscall":  {"fs", "net", "kernel", "arch", "lib"},
    "platform": {"drivers", "sbi", "kernel", "arch", "lib"},
    "user":     set(),
}
ALLOWED["tests"] = set(ALLOWED)

# Peers inside drivers/ may not know each other, but for the buses.
BUSES = {"pci", "virtio"}
# What a freestanding compiler brings.
FREESTANDING = {"stdarg.h", "stdbool.h", "stddef.h", "stdint.h"}
# Not part of the kernel but made into a header: offsets for the assembly.
BUILD_TOOLS = {"arch/riscv/asm_offsets.c"}
GENERATED = {"asm_offsets.h"}
# These run on the host (lib/ in its tests), where there is a libc.
HOSTED = {"lib", "user", "tests"}

INC = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]')


def complaint(root, rel, bracket, path):
    """Why the file rel may not include path; None when it may."""
    layer, to = rel.parts[0], pathlib.PurePath(path).parts
    if layer in HOSTED and not (root / path).exists():
        return None     # libc has a net/ too
    if to[0] not in ALLOWED:
        if layer in HOSTED or path in FREESTANDING | GENERATED:
            return None
        return f"{path} is neither ours, from the root, nor freestanding"
    if bracket == '"' and layer not in HOSTED:
        return f'write <{path}>'
    if to[0] != layer and to[0] not in ALLOWED[layer]:
        return f"{layer} may not know {to[0]}"
    if layer == to[0] == "drivers" and len(to) > 2 \
            and to[1] != rel.parts[1] and to[1] not in BUSES:
        return f"drivers/{rel.parts[1]} may not know drivers/{to[1]}"
    return None


def main(root):
    bad = files = 0
    for layer in ALLOWED:
        for f in sorted((root / layer).rglob("*.[chS]")):
            rel = f.relative_to(root)
            if str(rel) in BUILD_TOOLS:
                continue
            files += 1
            for no, line in enumerate(f.read_text().splitlines(), 1):
                m = INC.match(line)
                why = m and complaint(root, rel, m[1], m[2])
                if why:
                    print(f"{rel}:{no}: {why}")
                    bad += 1
    print(f"layers: {files} files, {bad} wrong includes")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")))
