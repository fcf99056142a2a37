# SPDX-License-Identifier: MIT
"""tests/qemu/test_robust.py - hostile programs and exhausted memory.

The kernel must live, say what it did, and give everything back.
"""
import re

import pytest

from conftest import LINUX

CONFIGS = [dict(relay="remote", smp=4), dict(relay="local", smp=2),
           dict(relay="remote", smp=4, append="service=2")]
if LINUX:
    CONFIGS = CONFIGS[:1]


def free_kib(m):
    m.sh("sync; echo 3 >/proc/sys/vm/drop_caches 2>/dev/null; sleep 0.2")
    text = m.read_file("/proc/meminfo")
    free = int(re.search(r"MemFree:\s+(\d+)", text).group(1))
    cached = re.search(r"^Cached:\s+(\d+)", text, re.M)
    return free + (int(cached.group(1)) if cached else 0)


def still_well(m):
    tap = m.sh("utest procs.fork_wait pipes.basic threads.mutex "
               "</dev/null", 60)
    assert tap.status == 0, tap.out


@pytest.mark.parametrize("nr", range(len(CONFIGS)))
def test_fuzz(boot, nr):
    m = boot(**CONFIGS[nr])
    m.sh("fuzz -t 2 >/dev/null", 60)
    before = free_kib(m)
    r = m.sh(f"fuzz -t 20 -s {nr + 1}", 90)
    assert r.status == 0, r.out
    assert "lost child" not in r.out
    still_well(m)
    m.sh("rm -rf /tmp/fuzz")
    lost = before - free_kib(m)
    assert lost < 32 << 10, f"{lost} KiB are gone"


@pytest.mark.parametrize("relay", ["remote", "local"])
def test_fuzz_namespaces(boot, relay):
    """Roots of namespaces of their own, with two threads: all of them end."""
    m = boot(relay=relay, smp=2)
    r = m.sh("fuzz -n -t 8", 90)
    assert "lost child" not in r.out
    m.sh("killall -9 fuzz; sleep 3")
    assert "fuzz" not in m.sh("ps | grep -v grep | grep -o fuzz").out
    still_well(m)


@pytest.mark.soak
@pytest.mark.parametrize("how", ["", "-n"])
def test_fuzz_long(boot, how):
    m = boot(**CONFIGS[0])
    assert m.sh(f"fuzz {how} -t 600 -j 8", 900).status == 0
    still_well(m)


def test_out_of_memory(boot):
    """One process takes all: it dies, with a message, and the shell lives."""
    m = boot(mem="256M", smp=2)
    r = m.sh("sh -c 'tail /dev/zero'; echo rc=$?", 120)
    assert "rc=137" in r.out or "rc=1" in r.out, r.out
    still_well(m)
    assert re.search(r"(?i)out of memory|oom|cannot allocate", m.text())


def test_out_of_memory_many(boot):
    m = boot(mem="256M", smp=4)
    m.sh("for i in 1 2 3 4 5 6; do (tail /dev/zero) & done; wait", 180)
    still_well(m)


def test_tmpfs_does_not_take_the_machine(boot):
    m = boot(mem="256M", smp=2)
    m.sh("dd if=/dev/zero of=/tmp/fill bs=1M count=400 2>&1", 120)
    m.sh("rm -f /tmp/fill", check=True)
    still_well(m)


def test_too_many_processes(boot):
    """A fork bomb under a limit: EAGAIN, and then all is well again."""
    m = boot(smp=2)
    m.sh("su -s /bin/sh nobody -c 'ulimit -u 50; "
         "for i in $(seq 80); do sleep 3 & done; wait' 2>/dev/null", 60)
    still_well(m)


def test_memory_comes_back(boot):
    """Thousands of processes and files leave nothing behind."""
    m = boot(smp=4)
    work = ("for i in $(seq 300); do /bin/true; done; "
            "for i in $(seq 100); do echo x | cat | cat >/dev/null; done; "
            "cp -r /etc /tmp/e; rm -r /tmp/e; utest mem </dev/null >/dev/null;"
            " utest threads </dev/null >/dev/null")
    m.sh(work, 120)
    before = free_kib(m)
    m.sh(work, 120)
    m.sh(work, 120)
    lost = before - free_kib(m)
    assert lost < 4 << 10, f"{lost} KiB are gone"


def test_broken_programs(boot):
    """Programs cut, flipped and made of noise: an errno or a signal."""
    m = boot(smp=2)
    m.sh("cd /tmp; for n in 1 16 63 64 100 500 4096 5000 100000; do "
         "head -c $n /bin/busybox >p; chmod +x p; ./p true; done; cd; true",
         60)
    m.sh("cd /tmp; head -c 65536 /dev/urandom >p; chmod +x p; ./p; "
         "(printf '\\177ELF\\2\\1\\1'; head -c 500 /dev/urandom) >p; ./p; "
         "for i in $(seq 16 4 120); do cp /bin/busybox p; "
         "printf '\\377\\377\\377\\177' | dd of=p bs=1 seek=$i conv=notrunc "
         "2>/dev/null; timeout 5 ./p true; done; cd; true", 120)
    m.sh("printf '#!/tmp/a\\n' >/tmp/b; printf '#!/tmp/b\\n' >/tmp/a; "
         "chmod +x /tmp/a /tmp/b; /tmp/a; true")
    still_well(m)


def test_init_cannot_be_killed(boot):
    m = boot(smp=2)
    m.sh("kill -9 1; kill -SEGV 1; kill -TERM -1; sleep 0.2; true")
    m.sh("true")
    still_well(m)


def test_console_flood(boot):
    """A megabyte of output, then input is still heard."""
    m = boot(smp=2)
    r = m.sh("seq 20000 | tail -c 60000", 120)
    assert r.out.endswith("20000")
    m.line("yes")
    m.expect(r"y\r*\ny\r*\ny", 10)
    m.send("\x03")
    m.sh("true", 20, check=True)
