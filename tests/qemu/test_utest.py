# SPDX-License-Identifier: MIT
"""tests/qemu/test_utest.py - the conformance programs, on each policy.

user/tests/*.c say what Linux does; here they run on tmpfs and on ext4.
"""
import glob
import os
import re

import pytest

from machine import qemu

def suites():
    """The first word of each TEST(suite, name) in user/tests."""
    found = set()
    for path in glob.glob(os.path.join(qemu.TOP, "user/tests/*.c")):
        with open(path, encoding="utf-8") as f:
            found.update(re.findall(r"^TEST\((\w+),", f.read(), re.M))
    return sorted(found)


SUITES = suites()
# They wait, for packets that do not come, in network namespaces of their own.
WAITERS = {"tcpwire", "ip6wire"}
POLICIES = [{"relay": "remote"}, {"relay": "local"}]


@pytest.fixture(scope="module", params=POLICIES, ids=lambda c: c["relay"])
def config(request):
    return dict(request.param, smp=3)


def run_suite(machine, suite, directory, timeout=150):
    """Every line `not ok` of the suite, with the reasons before it."""
    limit = 60 if suite.startswith("bad") else 10
    jobs = 4 if suite.rstrip(".") in WAITERS else 1
    tap = machine.sh(f"utest -j {jobs} -t {limit} -d {directory} {suite} </dev/null", timeout)
    bad, why = [], []
    for line in tap.lines:
        if line.startswith("not ok"):
            bad += [line] + why
        if line.startswith("# ") and ".c:" in line:
            why.append("    " + line)
        elif "ok" in line:
            why = []
    plan = re.search(r"^1\.\.(\d+)$", tap.out, re.M)
    assert plan and int(plan.group(1)) > 0, tap.out
    assert not bad, "\n".join(bad)
    assert tap.status == 0, tap.out


@pytest.mark.parametrize("suite", SUITES)
def test_on_tmpfs(machine, suite):
    run_suite(machine, suite + ".", "/tmp")


@pytest.mark.parametrize("suite", ["files.", "names.", "acl.", "attrs.", "aio.", "procs.permissions",
                                   "procs.exec_script", "mem.file_shared",
                                   "mem.beyond_eof", "model."])
def test_on_ext4(machine, suite):
    machine.sh("mkdir -p /root/t", check=True)
    run_suite(machine, suite, "/root/t")
