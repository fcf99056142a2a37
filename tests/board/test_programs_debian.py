# SPDX-License-Identifier: MIT
"""tests/board/test_programs_debian.py - Debian's programs, on the board's harts.

The tests of tests/qemu/test_debian.py from power-on, on an NVMe disk that has room
for them.
"""
import os
import subprocess

import pytest

import test_debian
from conftest import MKBOARD, OUT, from_power_on
from test_debian import *  # noqa: F401,F403 pylint: disable=W,C

pytestmark = [pytest.mark.antler, pytest.mark.soak]


@pytest.fixture(scope="session")
def disk(tmp_path_factory):
    path = str(tmp_path_factory.mktemp("debian") / "disk")
    subprocess.run(MKBOARD + ["nvme", path, "--size", "1024", "--debian",
                              "--user", os.path.join(OUT, "user"),
                              "--kernel", os.path.join(OUT, "Image")],
                   check=True)
    return path


@pytest.fixture(scope="module", params=["nvme-remote", "nvme-local"])
def config(request):
    return request.param


@pytest.fixture
def machine(pool, config, disk, request):
    yield from from_power_on(pool, config, disk, request)


def test_the_same_as_on_virt():
    for name, value in vars(test_debian).items():
        assert not name.startswith("test_") or globals()[name] is value, name
