#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every fence has a name, and every name has two ends.

A file declares its edges in the ORDERING block of its banner:

     * ORDERING
     *   NAME  what comes before what

A name is declared once; elsewhere an ORDERING block refers to it as "NAME  of
<file>" or "NAME  see <file>".  At the code each end is a comment "NAME
(acquire)", "(release)", "(full)", or "(dependency)" for a load through the
pointer just loaded.  An acquire wants a release and a full end another full
end somewhere in the tree.  An edge whose other end is hardware says "device"
in the comment.

Raw fences and the compiler's atomics are for arch/ and lib/atomic.h only.

With --list: print the edges as a table in Markdown.
"""
import collections
import pathlib
import re
import sys

LAYERS = ["lib", "arch", "kernel", "sbi", "drivers", "fs", "net", "syscall",
          "platform"]
EDGE = re.compile(r"^ \* {2,4}([A-Z][A-Z0-9_]+)\s{2,}(\S.*)")
REFERENCE = re.compile(r"(of|see)\s+\S*\.[ch]\b")
END = re.compile(r"\b([A-Z][A-Z0-9_]+) \((acquire|release|full|dependency)\b[^)]*\)"
                 r"(.*)")
FENCE = re.compile(r"\b(load_acquire|store_release(?:_io)?|smp_mb|dma_rmb|dma_wmb"
                   r"|dma_mb|io_mb)\(")
RAW = re.compile(r"\b__(?:atomic|sync)_\w+\s*\(")
ASM_FENCE = re.compile(r'"[^"]*\b(?:fence|fence\.tso)\b[^"]*"')
NEAR = 5    # lines above a fence in which its name may stand


def primitives(rel):
    """Where the verbs themselves are made."""
    return rel == "lib/atomic.h" or re.match(r"arch/\w+/(mmio|barrier)\.h", rel)


def in_ordering_block(inside, line):
    if re.match(r"^ \* ORDERING\b", line):
        return True
    if line.startswith(" */") or re.match(r"^ \* \S", line):
        return False
    return inside


class Tree:
    def __init__(self):
        self.decl = {}                              # name -> (place, text)
        self.ends = collections.defaultdict(list)   # name -> [(side, place)]
        self.bad = []

    def read(self, rel, lines):
        inside = False
        for no, line in enumerate(lines, 1):
            place = f"{rel}:{no}"
            inside = in_ordering_block(inside, line)
            if inside:
                self.declare(place, EDGE.match(line))
                continue
            for m in END.finditer(line):
                side = "device" if "device" in m[3] else m[2]
                side = "acquire" if side == "dependency" else side
                self.ends[m[1]].append((side, place))
                if "with itself" in m[3]:   # the same read-modify-write
                    self.ends[m[1]].append((side, place))
            if FENCE.search(line) and not re.match(r"^\s*(#\s*define|\*|/\*)",
                                                   line):
                near = "\n".join(lines[max(0, no - 1 - NEAR):no])
                if not END.search(near):
                    self.bad.append(f"{place}: fence without a named edge")
            if not rel.startswith("arch/"):
                self.check_raw(place, line, lines[max(0, no - 4):no])

    def declare(self, place, m):
        if not m or REFERENCE.match(m[2]):
            return
        if m[1] in self.decl:
            self.bad.append(f"{place}: edge {m[1]} is declared in "
                            f"{self.decl[m[1]][0]} already")
        self.decl[m[1]] = (place, m[2])

    def check_raw(self, place, line, above):
        if RAW.search(line):
            self.bad.append(f"{place}: use lib/atomic.h")
        if ASM_FENCE.search(line) and "asm" in " ".join(above):
            self.bad.append(f"{place}: raw fence outside of arch/")

    def check_edges(self):
        for name, (place, _) in self.decl.items():
            sides = [s for s, _ in self.ends[name]]
            whole = "device" in sides or sides.count("full") >= 2 \
                or {"acquire", "release"} <= set(sides) \
                or ("full" in sides and {"acquire", "release"} & set(sides))
            if not whole:
                self.bad.append(f"{place}: edge {name} has the ends "
                                f"{sorted(sides) or 'none'}")
        for name, ends in self.ends.items():
            if name not in self.decl:
                self.bad.append(f"{ends[0][1]}: edge {name} is declared in "
                                "no ORDERING block")

    def table(self):
        print("| Edge | Declared in | Orders | Ends |")
        print("|---|---|---|---|")
        for name, (place, text) in sorted(self.decl.items()):
            ends = ", ".join(f"{s} {p.rsplit(':', 1)[0]}"
                             for s, p in self.ends[name])
            print(f"| {name} | {place.rsplit(':', 1)[0]} | {text} | {ends} |")


def main(args):
    listing = "--list" in args
    roots = [a for a in args if not a.startswith("--")]
    root = pathlib.Path(roots[0] if roots else ".")
    tree = Tree()
    for layer in LAYERS:
        for f in sorted((root / layer).rglob("*.[ch]")):
            rel = str(f.relative_to(root))
            if not primitives(rel):
                tree.read(rel, f.read_text().splitlines())
    tree.check_edges()
    if listing:
        tree.table()
    for line in tree.bad:
        print(line, file=sys.stderr if listing else sys.stdout)
    if not listing:
        print(f"ordering: {len(tree.decl)} edges, {len(tree.bad)} complaints")
    return 1 if tree.bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
