# SPDX-License-Identifier: MIT
"""tests/board/test_programs.py - what runs on virt, on the board's harts.

The same conformance programs and the same shell as in tests/qemu (Debian's programs:
test_programs_debian.py), where pages fault for their A and D bits, address spaces
have no numbers, reading the time traps and addresses of fetches come with their
upper bits missing: with the root on the NVMe disk and on the card, under both
policies.
"""
import pytest

import test_shell
import test_utest
from conftest import NVME, from_power_on
from test_shell import *  # noqa: F401,F403 pylint: disable=W,C
from test_utest import *  # noqa: F401,F403 pylint: disable=W,C

pytestmark = [pytest.mark.antler, pytest.mark.soak]


@pytest.fixture(scope="module",
                params=["remote", "local", "nvme-remote", "nvme-local"])
def config(request):
    """An entry of the card's menu."""
    return request.param


@pytest.fixture
def machine(pool, config, request):
    yield from from_power_on(pool, config, NVME, request)


def test_the_same_as_on_virt():
    """Whatever is added there runs here."""
    for module in (test_shell, test_utest):
        for name, value in vars(module).items():
            assert not name.startswith("test_") or globals()[name] is value, name
