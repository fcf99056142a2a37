# SPDX-License-Identifier: MIT
"""tests/qemu/smoke.py - a little of everything, for each way to boot."""


def smoke(m, disk=True):
    """A little of everything; any failure is the shell's status."""
    assert m.sh("uname -m").out.endswith("riscv64")
    m.sh("ls -l / /bin /proc /dev >/tmp/ls && grep -q busybox /tmp/ls",
         check=True)
    m.sh("for i in 1 2 3 4 5 6 7 8; do (echo $i | cat >/dev/null) & done; "
         "wait", check=True)
    tap = m.sh("utest procs.fork_wait pipes.basic pipes.token threads.mutex "
               "signals.handler mem.fork_cow timing.nanosleep", 60)
    assert tap.status == 0, tap.out
    if disk:
        m.sh("seq 2000 >/root/seq && sync && [ $(wc -l </root/seq) = 2000 ]",
             check=True)
