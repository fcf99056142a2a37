# SPDX-License-Identifier: MIT
"""tests/qemu/machine.py - a booted guest that tests can talk to.

A Machine is one QEMU with its console on a pexpect session.  `sh` runs a
command in the guest's shell and returns what it printed and its status.  The
whole console is kept in a log file; a line there that looks like a bug of the
kernel fails the test that closes or checks the machine, unless it said before
that it expects one.

Not here: QEMU command lines (scripts/qemu.py), fixtures (conftest.py).
"""
import json
import os
import re
import signal
import socket
import sys
import tempfile
import time
from dataclasses import dataclass

import pexpect

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../../scripts"))
import qemu  # noqa: E402

PROMPT = r"antler:[^\r\n]*[#$] "
BAD_LINE = re.compile(
    r"\bBUG\b|[Kk]ernel panic|\bpanic(:|\b(?!=))|KASSERT|assert(ion)? failed"
    r"|Oops|general protection|stack smashing|watchdog: ", re.M)
# What is no news of a bug although BAD_LINE finds it.
HARMLESS = re.compile(r"[Cc]ommand line|panic=|panic_on|# .*\.c:\d+"
                      r"|Linux version|lockup detector|NMI watchdog")
END_OF_PANIC = r"---\[ end (of panic|Kernel panic)[^\r\n]*"
SCALE = float(os.environ.get("TIMEOUT_SCALE", "1"))


@dataclass
class Result:
    """What a command in the guest printed, and its exit status."""
    out: str
    status: int

    @property
    def lines(self):
        return [line for line in self.out.split("\n") if line]


class GuestError(AssertionError):
    """The guest did not do what was waited for; carries the log's tail."""


class Machine:
    def __init__(self, guest, log_path, wait_shell=True, boot_timeout=60):
        self.guest = guest
        self.tty = "/dev/" + qemu.uart_of(guest)
        self.log_path = log_path
        self.expected_bad = None
        self.serial = 0
        self.broken = False
        # Short: the name of a socket has 107 bytes at most.
        self.qmp_path = tempfile.mktemp(prefix="antler-", suffix=".qmp")
        args = qemu.qemu_args(guest, console=[
            "-display", "none", "-chardev", "stdio,id=con0,signal=off",
            "-serial", "chardev:con0",
            "-qmp", f"unix:{self.qmp_path},server=on,wait=off"])
        self.args = args
        self.started = time.monotonic()
        self.log = open(log_path, "w", encoding="utf-8", errors="replace")
        self.log.write("$ " + " ".join(args) + "\n")
        self.proc = pexpect.spawn(args[0], args[1:], encoding="utf-8",
                                  codec_errors="replace", echo=False,
                                  timeout=60, dimensions=(24, 200))
        self.proc.delaybeforesend = None
        self.proc.logfile_read = self.log
        self.boot_seconds = None
        if wait_shell:
            self.wait_shell(boot_timeout)

    # -- talking ----------------------------------------------------------

    def wait_shell(self, timeout=60):
        self.expect(PROMPT, timeout)
        self.boot_seconds = time.monotonic() - self.started

    def expect(self, pattern, timeout=30):
        """Wait for @pattern on the console; returns the match."""
        wanted = [pattern] if self.expected_bad else [pattern, END_OF_PANIC]
        try:
            if self.proc.expect(wanted, timeout=timeout * SCALE):
                self._fail(f"a panic while waiting for {pattern!r}")
        except pexpect.TIMEOUT:
            self._fail(f"no {pattern!r} within {timeout} s")
        except pexpect.EOF:
            self._fail(f"QEMU ended while waiting for {pattern!r}")
        return self.proc.match

    def send(self, text):
        self.proc.send(text)

    def line(self, text):
        self.proc.send(text + "\n")

    def sh(self, command, timeout=30, check=False):
        """Run @command in the guest's shell."""
        self.serial += 1
        tag = f"{self.serial}"
        end = "" if command.endswith("&") else ";"
        self.line(f"printf '\\n@%s@\\n' b{tag}; {command}{end} "
                  f"printf '\\n@%s%d@\\n' e{tag}= $?")
        self.expect(f"\n@b{tag}@\r*\n", timeout)
        self.expect(f"\n@e{tag}=(\\d+)@\r*\n", timeout)
        status = int(self.proc.match.group(1))
        out = self.proc.before.replace("\r", "")
        self.expect(PROMPT, 10)
        out = out.replace("\x1b[6n", "").rstrip("\n")
        if check and status != 0:
            self._fail(f"{command!r} gave {status}:\n{out}")
        return Result(out, status)

    def read_file(self, path, timeout=30):
        return self.sh(f"cat {path}", timeout, check=True).out

    def table(self, path):
        """A file of words in columns, as a list of lists."""
        return [line.split() for line in self.read_file(path).splitlines()
                if line.strip()]

    # -- counters ---------------------------------------------------------

    def interrupts(self):
        """/proc/interrupts: {name: sum over harts}."""
        rows = {}
        for words in self.table("/proc/interrupts")[1:]:
            counts = []
            for word in words[1:]:
                if not word.isdigit():
                    break
                counts.append(int(word))
            rows[words[0].rstrip(":")] = sum(counts)
            rows[" ".join(words[1 + len(counts):])] = sum(counts)
        return rows

    def relay_status(self):
        """/proc/relay/status: a dict for each hart, by its header line."""
        head, *rows = self.table("/proc/relay/status")
        head = [word.lstrip("#") for word in head if word != "#"]
        return [dict(zip(head, row)) for row in rows]

    def relay_sum(self, column, role=None):
        return sum(int(row[column]) for row in self.relay_status()
                   if role is None or role in row["role"])

    # -- life -------------------------------------------------------------

    def alive(self):
        return self.proc.isalive() and not self.broken

    def poweroff(self, timeout=30):
        """Through the guest's init; returns when QEMU has ended."""
        self.line("poweroff")
        self.wait_exit(timeout)

    def wait_exit(self, timeout=30):
        try:
            self.proc.expect(pexpect.EOF, timeout=timeout * SCALE)
        except pexpect.TIMEOUT:
            self._fail(f"QEMU still runs after {timeout} s")
        self.proc.close()
        return self.proc.exitstatus

    def qmp(self, command, **arguments):
        """One command to QEMU's monitor."""
        with socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(10)
            sock.connect(self.qmp_path)
            stream = sock.makefile("rw")
            stream.readline()
            for cmd, arg in (("qmp_capabilities", {}), (command, arguments)):
                stream.write(json.dumps({"execute": cmd, "arguments": arg}))
                stream.flush()
                while True:
                    answer = json.loads(stream.readline())
                    if "return" in answer or "error" in answer:
                        break
        return answer

    def host_cpu_seconds(self):
        """CPU time that this QEMU has used on the host."""
        with open(f"/proc/{self.proc.pid}/stat", encoding="ascii") as f:
            fields = f.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def close(self):
        """End QEMU without ceremony; idempotent."""
        if self.proc.isalive():
            self.proc.kill(signal.SIGKILL)
            self.proc.wait()
        self.proc.close(force=True)
        self.log.close()
        if os.path.exists(self.qmp_path):
            os.unlink(self.qmp_path)

    # -- judging ----------------------------------------------------------

    def text(self):
        if not self.log.closed:
            self.log.flush()
        with open(self.log_path, encoding="utf-8", errors="replace") as f:
            return f.read().replace("\r", "")

    def expect_in_log(self, pattern):
        """The match of @pattern in what was printed so far."""
        m = re.search(pattern, self.text())
        if not m:
            self._fail(f"no {pattern!r} on the console")
        return m

    def expect_bad(self, pattern):
        """Lines that match @pattern are wanted by this test."""
        self.expected_bad = re.compile(pattern)

    def bad_lines(self):
        return [line for line in self.text().splitlines()[1:]
                if BAD_LINE.search(line) and not HARMLESS.search(line) and
                not (self.expected_bad and self.expected_bad.search(line))]

    def check_log(self):
        bad = self.bad_lines()
        if bad:
            self.broken = True
            raise GuestError("the console speaks of a bug:\n  " +
                             "\n  ".join(bad[:10]) + "\n" + self.tail())

    def tail(self, lines=60):
        return (f"--- end of {self.log_path} ---\n" +
                "\n".join(self.text().splitlines()[-lines:]) + "\n---")

    def _fail(self, why):
        self.broken = True
        raise GuestError(f"{why}\n{self.tail()}")
