# SPDX-License-Identifier: MIT
"""tests/qemu/test_shell.py - the shell as its user meets it: keys and jobs."""
import time

import pytest


@pytest.fixture(scope="module", params=[{"relay": "remote"},
                                        {"relay": "local"}],
                ids=lambda c: c["relay"])
def config(request):
    return dict(request.param, smp=4)


def settle():
    time.sleep(0.4)


def test_interrupt(machine):
    machine.line("sleep 100")
    settle()
    machine.send("\x03")
    machine.line("echo rc=$?")
    machine.expect(r"rc=130", 10)


def test_interrupt_of_a_spinning_program(machine):
    machine.line("while :; do :; done")
    settle()
    machine.send("\x03")
    machine.sh("true", check=True)
    machine.line("yes >/dev/null")
    settle()
    machine.send("\x03")
    machine.line("echo rc=$?")
    machine.expect(r"rc=130", 10)


def test_quit(machine):
    machine.line("sleep 100")
    settle()
    machine.send("\x1c")
    machine.line("echo rc=$?")
    machine.expect(r"rc=131", 10)


def test_stop_background_foreground(machine):
    machine.line("sleep 100")
    settle()
    machine.send("\x1a")
    machine.expect(r"Stopped", 10)
    assert "Stopped" in machine.sh("jobs").out
    machine.line("bg")
    settle()
    out = machine.sh("jobs").out
    assert "sleep 100" in out and "Stopped" not in out
    machine.line("fg")
    settle()
    machine.send("\x03")
    machine.line("echo rc=$?")
    machine.expect(r"rc=130", 10)
    assert "sleep" not in machine.sh("jobs").out


def test_stopped_pipeline(machine):
    machine.line("sleep 100 | cat")
    settle()
    machine.send("\x1a")
    machine.expect(r"Stopped", 10)
    machine.sh("kill %1; kill -CONT %1; wait")
    assert machine.sh("ps | grep -c '[s]leep 100'").out.strip() == "0"


def test_end_of_file(machine):
    machine.line("cat >/tmp/typed")
    settle()
    machine.send("one\ntwo\n\x04")
    assert machine.sh("cat /tmp/typed").out == "one\ntwo"


def test_end_of_file_ends_the_shell(machine):
    pid = machine.sh("echo $$").out
    machine.send("\x04")
    machine.wait_shell(20)
    assert machine.sh("echo $$").out != pid


def test_erase_and_kill_line(machine):
    machine.line("cat >/tmp/typed")
    settle()
    machine.send("abX\x7fc\n")
    machine.send("gone\x15kept\n\x04")
    assert machine.sh("cat /tmp/typed").out == "abc\nkept"


def test_window_size(machine):
    machine.sh("stty rows 37 cols 123", check=True)
    assert machine.sh("stty size").out == "37 123"
    machine.sh("stty rows 24 cols 80", check=True)


def test_winch_signal(machine):
    out = machine.sh("sh -c 'trap \"echo winch\" WINCH; stty rows 30; "
                     "sleep 1; stty rows 24; sleep 1'").out
    assert "winch" in out


def test_background_read_stops(machine):
    # /dev/console itself never stops a reader, on Linux either.
    machine.line(f"cat <{machine.tty} &")
    settle()
    assert "Stopped" in machine.sh("jobs; true").out
    machine.sh("kill -9 %1; wait")


def test_tty_names(machine):
    # Linux's console was opened before this /dev was there: "not a tty".
    assert machine.sh("tty").out in ("/dev/console", machine.tty,
                                     "not a tty")
    assert "speed" in machine.sh("stty -a").out


def test_long_line(machine):
    text = "x" * 3000
    machine.line("stty -echo; cat >/tmp/typed; stty echo")
    settle()
    machine.send(text + "\n\x04")
    settle()
    assert machine.sh("wc -c </tmp/typed").out.strip() == "3001"


def test_type_ahead(machine):
    machine.line("sleep 1")
    machine.line("echo typed-ahead-$((1+1))")
    machine.expect(r"typed-ahead-2", 10)


@pytest.mark.parametrize("command,want", [
    ("echo $((6 * 7))", "42"),
    ("seq 10000 | sort -rn | head -n 1", "10000"),
    ("yes | head -c 200000 | wc -c", "200000"),
    ("x=$(echo in $(echo deep)); echo $x", "in deep"),
    ("n=0; for i in $(seq 100); do n=$((n + $(echo 1))); done; echo $n",
     "100"),
    ("tar -C / -cf - etc | tar -tf - | grep -c passwd", "1"),
    ("cp /bin/busybox /tmp/bb && cmp /bin/busybox /tmp/bb && echo same",
     "same"),
    ("gzip -c /bin/busybox | gunzip | cmp - /bin/busybox && echo same",
     "same"),
    ("dd if=/dev/zero bs=64k count=64 2>/dev/null | wc -c", "4194304"),
    ("find /usr/share/many -type f | wc -l", "400"),
    ("awk 'BEGIN { for (i = 0; i < 1000; i++) s += i; print s }'", "499500"),
    ("echo hello | sed s/l/L/g", "heLLo"),
    ("su -s /bin/sh nobody -c 'id -u'", "65534"),
    ("(sleep 1; echo late) & wait; echo done", "late\ndone"),
    ("trap 'echo trapped' USR1; kill -USR1 $$; trap - USR1", "trapped"),
    ("timeout 1 sleep 10; echo $?", "Terminated\n143"),
    ("sh -c 'kill -9 $$'; echo $?", "Killed\n137"),
    ("printf '#!/bin/sh\\necho from-script $1\\n' >/tmp/s; "
     "chmod +x /tmp/s; /tmp/s arg", "from-script arg"),
    ("mkfifo /tmp/ff; echo via >/tmp/ff & cat /tmp/ff; rm /tmp/ff", "via"),
    ("echo $(hostname)", "antler"),
    ("printf 'a\\nb\\n' | while read x; do echo [$x]; done", "[a]\n[b]"),
    ("cd /tmp && mkdir -p a/b/c && cd a/b/c && pwd; cd", "/tmp/a/b/c"),
    ("test -c /dev/null && test -d /proc/self && echo ok", "ok"),
    ("env -i /bin/sh -c 'echo $PWD'", "/root"),
])
def test_command(machine, command, want):
    assert machine.sh(command, 60).out == want


@pytest.mark.parametrize("command,has", [
    ("ps", "init"),
    ("ps -o pid,ppid,stat,args", "sh"),
    ("top -b -n 1", "CPU"),
    ("free", "Mem"),
    ("mount", " / "),
    ("uptime", "load average"),
    ("df", "/"),
    ("dmesg | head -n 5", ""),
    ("cat /proc/interrupts", "CPU0"),
    ("cat /proc/self/maps", "[stack]"),
    ("cat /proc/self/status", "State"),
    ("cat /proc/meminfo", "MemFree"),
    ("cat /proc/cpuinfo", "hart"),
    ("cat /proc/stat", "cpu"),
    ("cat /proc/loadavg", "."),
    ("cat /proc/version", " "),
    ("cat /proc/cmdline", "root=/dev/"),
    ("cat /proc/mounts", "ext4"),
    ("cat /proc/filesystems", "ext4"),
    ("cat /proc/uptime", "."),
    ("ls -l /proc/self/fd", "0 ->"),
    ("ls /sys", ""),
    ("cd /sys/devices/system/cpu/cpu0/topology; cat thread_siblings "
     "core_siblings core_siblings_list", "1\n"),
    ("grep -c '^kmalloc-128 .* 32 *1 : tunables' /proc/slabinfo", "1"),
    ("ls -l /dev", "null"),
    ("id", "uid=0"),
    ("date", "20"),
    ("nproc", ""),
    ("cat /proc/1/cmdline | tr '\\0' ' '", "init"),
    ("ls -l /proc/1/exe", "busybox"),
])
def test_reports(machine, command, has):
    r = machine.sh(command)
    assert r.status == 0, r.out
    assert has in r.out


@pytest.mark.antler
def test_rtc(machine):
    """The clock is the host's; it can be set, and CLOCK_REALTIME is another."""
    since = "/sys/class/rtc/rtc0/since_epoch"
    if "unmatched" in machine.text().lower():
        pytest.skip("the board's clock is its PMIC's, and not shown")
    host = int(machine.read_file(since))
    assert abs(host - time.time()) < 60
    machine.sh("hwclock -u -w", check=True)
    assert "rtc" in machine.sh("ls /sys/class/rtc/", check=True).out
    machine.sh("date -u -s '2031-02-28 23:59:58'; hwclock -u -w; sleep 3; "
               f"date -u -s @{host}", check=True)
    assert machine.read_file("/sys/class/rtc/rtc0/date") == "2031-03-01"
    assert abs(int(machine.sh("date +%s").out) - host) < 60
    machine.sh("hwclock -u -w", check=True)
    assert abs(int(machine.read_file(since)) - host) < 60


@pytest.mark.parametrize("command,has", [
    ("su nobody -s /bin/sh -c 'unshare -Ur id -u'", "0"),
    ("unshare -Urpf --mount-proc sh -c 'echo $$; ls -d /proc/[0-9]*'", "1\n/proc/1"),
    ("unshare -Urm sh -c 'mount -t tmpfs x /mnt && touch /mnt/f && ls /mnt'; ls /mnt", "f"),
    ("unshare -u sh -c 'hostname inner; hostname'", "inner"),
    ("unshare -mp -f sh -c 'sleep 100 & sleep 100 & exit 3'; echo ended $?", "ended 3"),
    ("unshare -u sh -c 'hostname there; sleep 100' & sleep 0.3; "
     "nsenter -t $! -u hostname; kill $!", "there"),
])
def test_namespaces(machine, command, has):
    r = machine.sh(command)
    assert has in r.out
