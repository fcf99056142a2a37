# SPDX-License-Identifier: MIT
"""tests/board/test_errata.py - bugs of the FU740 that arch/riscv/errata.h lists."""
import os
import re
import subprocess
import time

import pytest

from conftest import OUT

pytestmark = pytest.mark.antler
FLUSH_ALL = 0x12000073      # sfence.vma zero, zero


def test_cip_1200():
    """Every sfence.vma of the kernel is the one without operands."""
    out = subprocess.run(
        ["riscv64-linux-gnu-objdump", "-d", "-M", "no-aliases",
         os.path.join(OUT, "antler.elf")], check=True, capture_output=True,
        text=True).stdout
    found = [int(word, 16) for word in
             re.findall(r":\t([0-9a-f]{8}) +\tsfence\.vma", out)]
    assert len(found) > 3
    assert set(found) == {FLUSH_ALL}
    assert not re.search(r"\t(sinval|hfence)\.", out)


def disassembly(function):
    return subprocess.run(
        ["riscv64-linux-gnu-objdump", "-d", "-M", "no-aliases",
         f"--disassemble={function}", os.path.join(OUT, "antler.elf")],
        check=True, capture_output=True, text=True).stdout


def test_locks_order_registers():
    """A lock's holder has written his registers when the next one has it."""
    assert re.search(r"\tfence\s+iorw,w\b", disassembly("spin_unlock"))


@pytest.mark.parametrize("entry", ["start_boot", "secondary_start"])
def test_entries_forget_instructions(entry):
    """Where the kernel is U-Boot was: no hart may have old lines of its cache."""
    assert re.search(r"\tfence\.i\b", disassembly(entry))


def test_harts(board):
    """CIP-453, A and D bits, no ASIDs: the programs that know.  And the clock."""
    m = board()
    assert re.search(r"errata CIP-453 CIP-1200", m.text())
    tap = m.sh("utest -t 20 signals. mem. threads. </dev/null", 120)
    assert "not ok" not in tap.out, tap.out
    assert tap.status == 0, tap.out
    # of firmware, that the board has: see test_firmware.py
    assert "unmatched: events of firmware's tree: none\n" in m.text()
    guest = int(m.sh("date +%s", check=True).out)   # from the PMIC
    assert abs(guest - time.time()) < 100
    m.poweroff()
