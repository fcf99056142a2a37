# SPDX-License-Identifier: MIT
"""tests/board/firmware.py - talking to U-Boot on the console."""

BOOT = 60       # from power-on to what is waited for


def prompt(m, timeout=BOOT):
    """Stop U-Boot before it boots anything."""
    m.expect(r"Hit any key to stop autoboot", timeout)
    m.send("\n")
    m.expect(r"=> ", 20)


def command(m, text, timeout=20):
    """One command; returns what it printed."""
    m.line(text)
    m.expect(r"=> ", timeout)
    return m.proc.before


def choose(m, label, timeout=BOOT):
    """Pick an entry of the extlinux menu by its label."""
    m.expect(rf"(\d+):\s+{label}: [^\r\n]*\r*\n", timeout)
    number = m.proc.match.group(1)
    m.expect(r"Enter choice: ", 20)
    m.line(number)
    m.expect(r"Starting kernel", 30)
