# SPDX-License-Identifier: MIT
"""tests/board/test_firmware.py - firmware that knows less, or more, than usual."""
import os
import re
import shutil
import subprocess

import pytest

import firmware
import mkitb
from conftest import HERE, MKBOARD, NVME, OUT
from machine import qemu

pytestmark = pytest.mark.antler
MKITB = ["/usr/bin/python3", os.path.join(HERE, "../../scripts/mkitb.py")]


SRST, PMU, DBCN = "SRST", "PMU", "DBCN"
EVENTS = "0x3 0x4 0x5 0x6 0x10001 0x10009 0x10019 0x10021"


@pytest.fixture
def card(tmp_path):
    """card(arguments of mkitb) -> a card with that firmware."""
    def make(*args):
        itb, image = str(tmp_path / "itb"), str(tmp_path / "card")
        subprocess.run(MKITB + [itb, *args], check=True)
        subprocess.run(MKBOARD + ["sdcard", image, "--itb", itb, "--size",
                                  "256", "--kernel",
                                  os.path.join(OUT, "Image")], check=True)
        return image
    return make


def start(m):
    firmware.choose(m, "nvme-remote")
    m.wait_shell()


def test_knows_little(board, tmp_path):
    """No reset, counters or console: switched off by the tree's line."""
    path = str(tmp_path / "opensbi")
    shutil.copy(qemu.opensbi_path(), path)
    for name in (SRST, PMU, DBCN):
        mkitb.hide(path, name)
    m = board(tail=["-bios", path])
    text = m.text()
    assert "no system reset extension" in text
    assert "unmatched: firmware has no counters" in text
    m.sh("md5sum /bin/busybox", check=True)
    m.poweroff()


def test_knows_events(board, card):
    """riscv,pmu in firmware's tree; without SRST the PMIC restarts."""
    m = board(sd=card("--pmu", "--hide", SRST), disk=NVME, wait_shell=False)
    start(m)
    assert f"unmatched: events of firmware's tree: {EVENTS}\n" in m.text()
    m.line("reboot")
    m.expect(r"U-Boot SPL", 30)


@pytest.mark.soak
def test_perf(board, card, tmp_path):
    """docs/unmatched.md, "Hardware counters": Debian's perf and the U74's events.

    The model's counters take the events, and count none of them.
    """
    disk = str(tmp_path / "disk")
    subprocess.run(MKBOARD + ["nvme", disk, "--size", "1024", "--debian",
                              "--user", os.path.join(OUT, "user"),
                              "--kernel", os.path.join(OUT, "Image")],
                   check=True)
    m = board(sd=card("--pmu"), disk=disk, wait_shell=False)
    start(m)
    m.sh("cd /debian && mount -t proc proc proc && mount -t sysfs sysfs sys && "
         "mount -t devtmpfs devtmpfs dev && mount -t tmpfs tmpfs tmp",
         check=True)
    out = m.sh("chroot /debian perf stat -e cycles,instructions,r202,r2001,"
               "branch-misses,L1-dcache-load-misses,dTLB-load-misses ls / 2>&1",
               90, check=True).out
    assert "not supported" not in out and "not counted" not in out, out
    for event in ("r202", "r2001", "branch-misses", "dTLB-load-misses"):
        assert re.search(rf"^\s*\d+\s+{event}\b", out, re.M), out
    for event in ("cycles", "instructions"):
        assert int(re.search(rf"^\s*(\d+)\s+{event}\b", out, re.M)[1]) > 0
    # an event that no class has
    out = m.sh("chroot /debian perf stat -e r7 true 2>&1", 60).out
    assert "not supported" in out, out
    m.sh("hartstat 1 1", check=True)
    m.poweroff()


@pytest.mark.soak
def test_without_srst(board, card):
    """Nor in its tree: the PMIC restarts, and the board's line switches off."""
    image = card("--remove", "/gpio-poweroff", "--remove",
                 "/soc/i2c@10030000/pmic@58")
    m = board(sd=image, disk=NVME, wait_shell=False)
    start(m)
    assert "no system reset" in m.text()
    m.line("reboot")
    m.expect(r"U-Boot SPL", 30)
    start(m)
    m.poweroff()
