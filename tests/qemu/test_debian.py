# SPDX-License-Identifier: MIT
"""tests/qemu/test_debian.py - Debian's own dynamic riscv64 programs.

/debian holds trixie's bash, coreutils, procps and python3 with glibc, unpacked
and otherwise untouched.
"""
import pytest


@pytest.fixture(scope="module", params=[{"relay": "remote"},
                                        {"relay": "local"}],
                ids=lambda c: c["relay"])
def config(request):
    return dict(request.param, smp=4)


@pytest.fixture
def debian(machine):
    machine.sh("[ -d /debian/proc/1 ] || { mount -t proc proc /debian/proc; "
               "mount -t devtmpfs devtmpfs /debian/dev; }", check=True)

    def run(command, timeout=60):
        return machine.sh(f"chroot /debian {command}", timeout)
    return run


@pytest.mark.parametrize("command,want", [
    ("/bin/bash -c 'echo $((6*7)) $BASH_VERSION'", "42 5."),
    ("/bin/bash -c 'a=(1 2 3); echo ${#a[@]} ${a[*]}'", "3 1 2 3"),
    ("/bin/bash -c 'sleep 0.2 & wait; echo waited'", "waited"),
    ("/bin/bash -c 'coproc cat; echo hi >&${COPROC[1]}; "
     "read x <&${COPROC[0]}; echo got $x'", "got hi"),
    ("/bin/bash -c 'cat <(echo process) <(echo substitution)'",
     "process\nsubstitution"),
    ("/bin/ls -la --color=never /", "etc"),
    ("/usr/bin/stat -c %F /etc", "directory"),
    ("/usr/bin/sort --parallel=4 /etc/passwd", "root"),
    ("/usr/bin/sha256sum /bin/bash", "/bin/bash"),
    ("/usr/bin/find /etc -name passwd", "/etc/passwd"),
    ("/usr/bin/grep -c root /etc/passwd", "1"),
    ("/usr/bin/sed -n 1p /etc/passwd", "root"),
    ("/usr/bin/seq -s, 1 10", "1,2,3,4,5,6,7,8,9,10"),
    ("/usr/bin/timeout 0.5 /usr/bin/sleep 10; echo $?", "124"),
    ("/usr/bin/env LD_SHOW_AUXV=1 /bin/true", "AT_PAGESZ"),
    ("/usr/bin/ps -ef", "init"),
    ("/usr/bin/free", "Mem:"),
    ("/usr/bin/nproc", ""),
    ("/usr/bin/python3 -c 'print(sum(range(1000)))'", "499500"),
    ("/usr/bin/python3 -c 'import threading; l=[]; "
     "t=[threading.Thread(target=l.append,args=(i,)) for i in range(20)]; "
     "[x.start() for x in t]; [x.join() for x in t]; print(len(l))'", "20"),
    ("/usr/bin/python3 -c 'import os,sys; p=os.fork(); "
     "p or os._exit(7); print(os.waitstatus_to_exitcode("
     "os.waitpid(p,0)[1]))'", "7"),
    ("/usr/bin/python3 -c 'import math; print(round(math.sin(1),6))'",
     "0.841471"),
])
def test_command(debian, command, want):
    r = debian(command)
    assert want in r.out
    assert "error" not in r.out.lower() or "error" in want


def test_loopback_server(debian):
    """A server and its client, in one program that the image does have."""
    r = debian("/usr/bin/python3 -c 'import socket,os; s=socket.socket(); "
               "s.bind((\"127.0.0.1\",0)); s.listen(); p=os.fork(); "
               "a=s.getsockname()\nif not p:\n c=socket.create_connection(a);"
               " c.sendall(b\"ping\"*5000); c.shutdown(1);"
               " os._exit(c.recv(9)!=b\"pong\")\nc=s.accept()[0]; n=0\n"
               "while b:=c.recv(9999): n+=len(b)\n"
               "c.sendall(b\"pong\"); print(n, os.waitpid(p,0)[1])'")
    assert "20000 0" in r.out
