# SPDX-License-Identifier: MIT
"""tests/qemu/test_systemd.py - Debian's systemd, unmodified, as init.

A disk of trixie's packages (scripts/fetch-systemd, made once by scripts/tools.py)
is booted with relay=remote up to a reboot through systemd; in the soak once more,
with relay=local, so that the second boot finds what the first one left, up to a
poweroff.  Both end with a file system that e2fsck has nothing to say about.
"""
import subprocess

import pytest

import tools
from conftest import e2fsck

SERVICE = ("[Service]\\nExecStart=/usr/bin/sleep 1000\\nRestart=always\\n"
           "RestartSec=100ms\\n")
SANDBOX = ("PrivateTmp=yes ProtectSystem=strict DynamicUser=yes TasksMax=9 "
           "MemoryMax=64M PrivateDevices=yes ProtectHome=yes "
           "PrivateNetwork=yes ProtectKernelTunables=yes "
           "ProtectControlGroups=yes NoNewPrivileges=yes "
           "RestrictAddressFamilies=AF_UNIX SystemCallFilter=@system-service "
           "MemoryDenyWriteExecute=yes ProtectProc=invisible "
           "ProtectHostname=yes RestrictNamespaces=yes PrivateUsers=yes "
           "StateDirectory=box LimitNOFILE=77 UMask=0027").split()

BOOTS = []      # those of the disk so far


@pytest.fixture(scope="module")
def root_disk(tmp_path_factory):
    """A copy that both boots write to."""
    path = str(tmp_path_factory.mktemp("systemd") / "disk.ext4")
    subprocess.run(["cp", "--sparse=always", tools.systemd_image(), path],
                   check=True)
    return path


@pytest.fixture(scope="module", params=[
    "remote", pytest.param("local", marks=pytest.mark.soak)])
def system(request, pool, root_disk):
    """The machine, with root logged in on its console."""
    m = pool.start(f"systemd-{request.param}", relay=request.param, smp=3,
                   mem="1G", disk=root_disk, snapshot=False,
                   append="init=/sbin/init quiet", tail=["-no-reboot"],
                   wait_shell=False)
    BOOTS.append(m)
    m.expect("antler login: ", 120)
    m.line("root")
    m.expect(r"root@antler:[^\r\n]*# ", 60)
    m.line("stty -echo; export TERM=dumb SYSTEMD_PAGER= SYSTEMD_COLORS=0 "
           "PS1='antler:# '")
    m.wait_shell()
    yield m
    pool.stop()


def run_in_unit(m, command, *properties):
    """Run @command in a transient service, and wait for it."""
    words = " ".join(f"-p {p}" for p in properties)
    return m.sh(f"systemd-run -q --wait --pipe {words} /bin/sh -c '{command}'",
                60)


def test_nothing_failed(system):
    assert system.sh("systemctl is-system-running --wait", 60).out == "running"
    assert system.sh("systemctl --failed --plain --no-legend").out == ""
    assert "degraded" not in system.sh("systemctl status --no-pager").out


def test_journal(system):
    """The kernel's messages, init's, and what a program says."""
    kernel = system.sh("journalctl -b -k -o cat | head -n 40").out
    assert "antler" in kernel.lower()
    system.sh("echo from a test | systemd-cat -t marker; logger -t marker two")
    system.sh("journalctl --sync", check=True)
    said = system.sh("journalctl -b -t marker -o cat").lines
    assert said == ["from a test", "two"]
    assert system.sh("journalctl --verify 2>&1").status == 0
    boots = system.sh("journalctl --list-boots | grep -c '^ *-*[0-9]'").out
    assert int(boots) == len(BOOTS)


def test_service(system):
    """Start, restart of what was killed, stop."""
    system.sh(f"printf '{SERVICE}' >/etc/systemd/system/napping.service && "
              "systemctl daemon-reload && systemctl start napping", check=True)
    assert system.sh("systemctl is-active napping").out == "active"
    assert "sleep 1000" in system.sh("systemd-cgls -u napping.service").out
    system.sh("systemctl kill -s KILL napping; sleep 1")
    shown = system.sh("systemctl show -p NRestarts,ActiveState napping").out
    assert "NRestarts=1" in shown and "ActiveState=active" in shown
    system.sh("systemctl stop napping", check=True)
    assert system.sh("systemctl is-active napping").out == "inactive"
    assert system.sh("pgrep -f 'sleep 1000'").out == ""
    assert not system.sh("ls -d /sys/fs/cgroup/system.slice/napping.service "
                         "2>/dev/null").out


def test_status_of_transient_unit(system):
    assert run_in_unit(system, "exit 7").status == 7
    assert run_in_unit(system, "kill -9 $$$$").status != 0
    assert run_in_unit(system, "sleep 60", "RuntimeMaxSec=1").status != 0


def test_sandbox(system):
    """What systemd promises to a service, looked at from within."""
    inside = ("id -u; umask; ulimit -n; ls -A /tmp; ls /home 2>&1; "
              "touch /etc/x /usr/x 2>&1; touch /tmp/mine $STATE_DIRECTORY/st; "
              "ls /dev/vda 2>&1; cat /sys/fs/cgroup$(cut -d: -f3 "
              "/proc/self/cgroup)/pids.max; grep -E \"NoNew|Seccomp:\" "
              "/proc/self/status; ls -d /proc/1 2>&1; "
              "for i in 1 2 3 4 5 6 7 8 9 10; do sleep 1 & done 2>&1; wait")
    r = run_in_unit(system, inside, *SANDBOX)
    lines = r.lines
    assert int(lines[0]) >= 61184 and lines[1:3] == ["0027", "77"], r.out
    assert r.out.count("Read-only file system") == 2, r.out
    assert "/dev/vda': No such" in r.out and "\n9\n" in r.out, r.out
    assert "NoNewPrivs:\t1" in r.out and "Seccomp:\t2" in r.out, r.out
    assert "/proc/1': No such" in r.out, r.out
    assert "fork" in r.out.lower(), r.out
    assert system.sh("ls -d /tmp/mine").status != 0
    assert system.sh("ls /var/lib/private/box/st").status == 0


OWN = "/sys/fs/cgroup$(cut -d: -f3 /proc/self/cgroup)"


def test_limits(system):
    """Memory, CPU time and CPUs of a unit."""
    eats = "head -c 100M /dev/zero | tail -c 100M | wc -c"
    r = system.sh("systemd-run --wait -p MemoryMax=24M -p OOMPolicy=kill "
                  f"/bin/sh -c '{eats}' 2>&1", 60)
    assert r.status != 0 and "oom-kill" in r.out, r.out
    r = run_in_unit(system, f"cat {OWN}/memory.max {OWN}/memory.high",
                    "MemoryMax=24M", "MemoryHigh=20M")
    assert r.lines == ["25165824", "20971520"], r.out
    r = run_in_unit(system, "timeout 2 sh -c \"while :; do :; done\"; "
                    f"cat {OWN}/cpu.stat {OWN}/cpu.weight",
                    "CPUQuota=20%", "CPUWeight=50")
    words = r.out.split()
    used = int(words[words.index("usage_usec") + 1])
    assert used < 900000 and words[-1] == "50", r.out
    assert int(words[words.index("nr_throttled") + 1]) > 3, r.out
    r = run_in_unit(system, f"nproc; cat {OWN}/cpuset.cpus.effective",
                    "AllowedCPUs=1")
    assert r.lines == ["1", "1"], r.out


def test_activation(system):
    """A service that its socket, a timer and a path start."""
    system.sh("cd /run/systemd/system; printf '[Socket]\\nListenStream="
              "/run/echo.sock\\nAccept=yes\\n' >echo.socket; "
              "printf '[Service]\\nExecStart=/bin/cat\\nStandardInput=socket\\n'"
              " >echo@.service; printf '[Path]\\nPathExists=/run/there\\n'"
              " >there.path; printf '[Service]\\nType=oneshot\\nExecStart="
              "/bin/mv /run/there /run/seen\\n' >there.service; cd; "
              "systemctl daemon-reload", check=True)
    system.sh("systemctl start echo.socket there.path", check=True)
    system.sh("touch /run/there; systemd-run -q --on-active=100ms "
              "--timer-property=AccuracySec=10ms touch /run/rang", check=True)
    system.sh("for i in 1 2 3 4 5 6 7 8 9; do [ -e /run/seen ] && "
              "[ -e /run/rang ] && break; sleep 0.5; done")
    assert system.sh("ls /run/seen /run/rang").status == 0
    system.sh("systemctl stop echo.socket there.path", check=True)


def test_devices(system):
    """What udev makes of what the kernel says of the disk."""
    system.sh("udevadm settle", check=True)
    told = system.sh("udevadm info /dev/vda").out
    assert "ID_FS_TYPE=ext4" in told and "DEVTYPE=disk" in told
    assert system.sh("readlink -f /dev/disk/by-uuid/*").out == "/dev/vda"


def test_session(system):
    """logind and the user's own systemd."""
    assert "root" in system.sh("loginctl list-sessions --no-legend").out
    assert system.sh("systemctl --user is-system-running --wait",
                     60).out == "running"
    assert "Linux" in system.sh("hostnamectl", 60).out


def test_the_end(system, root_disk):
    """The first boot ends by a reboot, the second by a poweroff."""
    first = system.guest.relay == "remote"
    system.check_log()
    system.line("systemctl " + ("reboot" if first else "poweroff"))
    assert system.wait_exit(60) == 0
    system.check_log()
    status, said = e2fsck(root_disk)
    assert status == 0, said
