# SPDX-License-Identifier: MIT
"""tests/qemu/conftest.py - fixtures: machines shared between tests or not.

Only one QEMU runs at a time.  `machine` is the shared guest of a test module's
configuration and survives from test to test; `boot` starts one for the test
alone.  TEST_KERNEL=linux runs what is not marked `antler` against Debian's
Linux: that is how the tests themselves are tested.
"""
import os
import re
import shutil
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.dirname(__file__))
from machine import Machine, qemu  # noqa: E402

KERNEL = os.environ.get("TEST_KERNEL", "antler")
LINUX = KERNEL == "linux"
OUT = os.environ.get("O") or os.path.join(qemu.TOP, "build")
LOGS = os.path.join(OUT, "test-logs")


def pytest_configure(config):
    for mark in ("antler: about what only Antler has",
                 "linux_slow: takes too long on Linux to be worth it",
                 "soak: minutes of load, run by `make soak`"):
        config.addinivalue_line("markers", mark)


def pytest_collection_modifyitems(items):
    for item in items:
        if LINUX and item.get_closest_marker("antler"):
            item.add_marker(pytest.mark.skip(reason="Antler's own"))
        if item.get_closest_marker("soak") and not os.environ.get("SOAK"):
            item.add_marker(pytest.mark.skip(reason="run by make soak"))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    if outcome.get_result().failed:
        item.test_failed = True


def make_guest(**kw):
    """A Guest from keyword arguments of the tests."""
    append = kw.pop("append", "")
    if LINUX:
        kw.pop("relay", None)
        append = "loglevel=4 " + append
    guest = qemu.Guest(kernel=KERNEL, out=OUT, append=append.strip())
    guest.snapshot = True
    guest.smp = 2
    for name, value in kw.items():
        if not hasattr(guest, name):
            raise TypeError(f"no such property of a guest: {name}")
        setattr(guest, name, value)
    return guest


class Pool:
    """At most one live machine, and what it was made for."""

    def __init__(self):
        self.current = None
        self.key = None
        self.nr = 0

    def start(self, name, key=None, wait_shell=True, boot_timeout=None,
              **kw):
        self.stop()
        self.nr += 1
        os.makedirs(LOGS, exist_ok=True)
        safe = re.sub(r"[^\w.-]+", "_", name)[-80:]
        log = os.path.join(LOGS, f"{self.nr:03d}-{safe}.log")
        limit = boot_timeout or (120 if LINUX else 60)
        # The object is known before it boots, so that a failed boot is ended.
        self.current = Machine(make_guest(**kw), log, wait_shell=False)
        self.key = key
        if wait_shell:
            self.current.wait_shell(limit)
        return self.current

    def get(self, name, **kw):
        key = repr(sorted(kw.items()))
        if self.current and self.key == key and self.current.alive():
            return self.current
        return self.start(name, key, **kw)

    def stop(self):
        if self.current:
            self.current.close()
        self.current = self.key = None


@pytest.fixture(scope="session")
def pool():
    p = Pool()
    yield p
    p.stop()


@pytest.fixture
def boot(pool, request):
    """boot(**properties) -> Machine, for this test alone."""
    made = []

    def start(**kw):
        for m in made:
            m.check_log()
        m = pool.start(request.node.name, **kw)
        made.append(m)
        return m

    yield start
    try:
        for m in made:
            m.check_log()
    finally:
        pool.stop()


@pytest.fixture(scope="module")
def config():
    """Properties of the module's machine; modules override this."""
    return {}


@pytest.fixture
def machine(pool, config, request):
    """The module's machine, booted anew only when it has to be."""
    m = pool.get(request.node.name, **config)
    m.expected_bad = None
    yield m
    if getattr(request.node, "test_failed", False):
        pool.stop()         # nobody knows in what state it is
    elif pool.current is m:
        m.check_log()


@pytest.fixture
def disk(tmp_path):
    """A private copy of the root image; e2fsck -fn looks at it later."""
    path = str(tmp_path / "disk.ext4")
    subprocess.run(["cp", "--sparse=always", os.path.join(OUT, "root.ext4"),
                    path], check=True)
    yield path
    if os.path.exists(path):
        os.unlink(path)


def e2fsck(path):
    """Read-only check; returns (status, output)."""
    tool = shutil.which("e2fsck", path=os.environ["PATH"] + ":/usr/sbin:/sbin")
    done = subprocess.run([tool, "-fn", path], capture_output=True, text=True,
                          check=False)
    return done.returncode, done.stdout + done.stderr
