# SPDX-License-Identifier: MIT
"""tests/board/conftest.py - fixtures: the HiFive Unmatched as a machine.

The rig is that of tests/qemu.  What a test boots here is the model of the board,
started directly (the kernel and a device tree where U-Boot would have put them,
PCIe still in reset) or from power-on, by a card or a flash image.  Accesses that the
model calls the guest's errors fail the test.
"""
import importlib.util
import os
import re
import sys

import pytest

import firmware

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../qemu"))
pytest.register_assert_rewrite("test_shell", "test_utest", "test_debian")
_spec = importlib.util.spec_from_file_location(
    "rig", os.path.join(HERE, "../qemu/conftest.py"))
rig = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(rig)

pool, boot = rig.pool, rig.boot
pytest_configure = rig.pytest_configure
pytest_collection_modifyitems = rig.pytest_collection_modifyitems
pytest_runtest_makereport = rig.pytest_runtest_makereport
OUT = rig.OUT
CARD = os.path.join(OUT, "antler-unmatched.img")
NVME = os.path.join(OUT, "antler-nvme.img")
FLASH = os.path.join(OUT, "antler-flash.img")
UBOOT = os.path.join(rig.qemu.CACHE, "u-boot")
MKBOARD = ["/usr/bin/python3",
           os.path.join(HERE, "../../scripts/mkboard.py")]

# What firmware does: U-Boot, to the selects of its SPI controllers.
NOT_OURS = re.compile(r"sifive_spi_write: invalid csdef ffffffff$")


class GuestErrors:
    """What the model complains about, in a file."""

    def __init__(self, path):
        self.path = path

    def lines(self):
        if not os.path.exists(self.path):
            return []
        with open(self.path, encoding="utf-8", errors="replace") as f:
            return [line.rstrip() for line in f
                    if line.strip() and not NOT_OURS.match(line.rstrip())]

    def clear(self):
        if os.path.exists(self.path):
            os.unlink(self.path)

    def args(self):
        return ["-d", "guest_errors", "-D", self.path]


@pytest.fixture
def errors(tmp_path):
    """Complaints of the model; a test that wants some reads them itself."""
    e = GuestErrors(str(tmp_path / "guest-errors"))
    e.wanted = False
    yield e
    if not e.wanted:
        assert not e.lines()


def from_power_on(pool, config, disk, request):
    """The card's menu entry @config, for fixtures `machine`: anew only when it has
    to be."""
    m = pool.current
    if not (m and pool.key == (config, disk) and m.alive()):
        complaints = GuestErrors(os.path.join(rig.LOGS, f"errors-{config}"))
        complaints.clear()
        m = pool.start(request.node.name, (config, disk), machine="unmatched",
                       sd=CARD, disk=disk, wait_shell=False,
                       tail=complaints.args())
        m.guest_errors = complaints
        firmware.choose(m, config)
        m.wait_shell()
    m.expected_bad = None
    yield m
    if getattr(request.node, "test_failed", False):
        pool.stop()
    elif pool.current is m:
        m.check_log()
        assert not m.guest_errors.lines()


@pytest.fixture
def board(boot, errors):
    """board(**properties) -> the machine, at its shell.

    direct: although there is a card; the root is on the NVMe disk then, too.
    """
    def start(tail=(), direct=False, **kw):
        chain = not direct and (kw.get("sd") or kw.get("flash"))
        kw.setdefault("disk", "none" if chain or kw.get("root") else NVME)
        if not chain:
            kw.setdefault("root", "/dev/nvme0n1p2")
        if direct:
            kw["direct"] = True
        return boot(machine="unmatched", mem=kw.pop("mem", "1G"),
                    tail=errors.args() + list(tail), **kw)
    return start
