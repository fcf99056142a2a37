# SPDX-License-Identifier: MIT
"""tests/board/test_firmware.py - firmware that knows less, or more, than usual."""
import os
import subprocess
import time

import pytest

import firmware
from conftest import HERE, MKBOARD, NVME, OUT

pytestmark = pytest.mark.antler
MKITB = ["/usr/bin/python3", os.path.join(HERE, "../../scripts/mkitb.py")]


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


def test_without_srst(board, card):
    """No reset extension: the PMIC restarts, and the line switches off."""
    image = card("--remove", "/gpio-poweroff", "--remove",
                 "/soc/i2c@10030000/pmic@58")
    m = board(sd=image, disk=NVME, wait_shell=False)
    firmware.choose(m, "nvme-remote")
    m.wait_shell()
    assert "no system reset" in m.text()
    m.line("reboot")
    m.expect(r"U-Boot SPL", 30)
    firmware.choose(m, "nvme-remote")
    m.wait_shell()
    m.poweroff()


def test_clock(board):
    """The time of day comes from the PMIC."""
    m = board()
    guest = int(m.sh("date +%s", check=True).out)
    assert abs(guest - time.time()) < 100
    m.poweroff()
