# SPDX-License-Identifier: MIT
"""tests/board/test_programs.py - what runs on virt, on the board's harts.

The same conformance programs and the same shell as in tests/qemu, where pages fault
for their A and D bits, address spaces have no numbers, reading the time traps and
addresses of fetches come with their upper bits missing: with the root on the NVMe
disk and on the card, under both policies.
"""
import os

import pytest

import firmware
from conftest import CARD, NVME, GuestErrors, rig
from test_shell import *  # noqa: F401,F403 pylint: disable=W,C
from test_utest import run_suite, test_on_ext4, test_on_tmpfs  # noqa: F401

pytestmark = [pytest.mark.antler, pytest.mark.soak]


@pytest.fixture(scope="module",
                params=["remote", "local", "nvme-remote", "nvme-local"])
def config(request):
    """An entry of the card's menu."""
    return request.param


@pytest.fixture
def machine(pool, config, request):
    """From power-on, anew only when it has to be."""
    m = pool.current
    if not (m and pool.key == ("card", config) and m.alive()):
        errors = GuestErrors(os.path.join(rig.LOGS, f"errors-{config}"))
        errors.clear()
        m = pool.start(request.node.name, ("card", config), machine="unmatched",
                       sd=CARD, disk=NVME, wait_shell=False, tail=errors.args())
        m.guest_errors = errors
        firmware.choose(m, config)
        m.wait_shell()
    m.expected_bad = None
    yield m
    if getattr(request.node, "test_failed", False):
        pool.stop()
    elif pool.current is m:
        m.check_log()
        assert not m.guest_errors.lines()
