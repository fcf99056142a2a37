# SPDX-License-Identifier: MIT
"""tests/qemu/test_powercut.py - some cuts of the power, and Linux beside us.

`make powercut N=500' does it for longer; powercut.py says what is done.
"""
import os

import pytest

from conftest import OUT, qemu
from powercut import Powercut, keep

pytestmark = [pytest.mark.antler]
linux_image = os.path.join(qemu.GUEST, "linux/Image")


@pytest.fixture
def powercut(tmp_path, pool):
    """powercut(seed, *kernels): its rounds; what fails is kept."""
    made = []
    pool.stop()

    def start(seed, *kernels):
        made.append(Powercut(str(tmp_path), seed, kernels, OUT))
        return made[0]

    yield start
    for p in made:
        p.close()


def rounds(p, nr):
    try:
        for _ in range(nr):
            print(p.one())
    except Exception as e:
        keep(p, os.path.join(OUT, "powercut-failed"), e)
        raise


def test_powercut(powercut):
    """Ten, on both kinds of disks and two volumes."""
    p = powercut(0x1000, "antler")
    rounds(p, 10)
    assert p.promises > 10 and p.round == 10


@pytest.mark.skipif(not os.path.exists(linux_image), reason="no Linux here")
def test_linux_replays_our_journal(powercut):
    p = powercut(0x2000, "antler")
    rounds(p, 1)
    assert sum(p.promise[1]) > 0
    p.replay_by("linux")


@pytest.mark.skipif(not os.path.exists(linux_image), reason="no Linux here")
def test_we_replay_linuxs_journal(powercut):
    p = powercut(0x3000, "linux")
    rounds(p, 1)
    assert sum(p.promise[1]) > 0
    p.replay_by("antler")
