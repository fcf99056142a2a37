# SPDX-License-Identifier: MIT
"""tests/qemu/test_icount.py - no call needs more instructions than it did.

bench/icount.py has the set-ups, bench/icount.csv the counts.
"""
import os
import sys

import pytest
from machine import qemu

sys.path.insert(0, os.path.join(qemu.TOP, "bench"))
import icount  # noqa: E402

pytestmark = pytest.mark.antler


@pytest.fixture(scope="module")
def table():
    rows, compiler, version = icount.read_table()
    reason = icount.why_not(compiler, version)
    if reason:
        pytest.skip(reason)
    return rows


@pytest.mark.parametrize("setup", icount.SETUPS, ids=lambda s: s.name)
def test_no_call_got_longer(pool, table, setup):
    pool.stop()
    counts = icount.measure(setups=[setup])
    longer, shorter = icount.compare(table, counts)
    for line in shorter:
        print(f"{line}: {icount.UPDATE}")
    assert not longer, "\n".join(["longer:"] + longer)


def test_gate_can_fail():
    key = ("local", 1, "null")
    assert icount.compare({key: 400.0}, {key: 411.0}) == ([], [])
    longer, shorter = icount.compare({key: 400.0}, {key: 413.0})
    assert "null" in longer[0] and "+3.2%" in longer[0] and not shorter
    longer, shorter = icount.compare({key: 400.0}, {key: 387.0})
    assert not longer and "-3.2%" in shorter[0]
    assert "not in the table" in icount.compare({}, {key: 1.0})[1][0]


def test_table_of_another_compiler_is_no_verdict():
    assert "kernel of" in icount.why_not("gcc 1.0",
                                         icount.qemu_major())
    assert "QEMU" in icount.why_not(icount.built_by(), "1")
