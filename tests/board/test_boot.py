# SPDX-License-Identifier: MIT
"""tests/board/test_boot.py - from the board's own boot chain to a shell.

The small set is what `make test` runs; what takes longer is marked soak.
"""
import os
import subprocess

import pytest

import firmware
from conftest import CARD, FLASH, HERE, NVME
from smoke import smoke

pytestmark = pytest.mark.antler
soak = pytest.mark.soak


def check_board(m, root, messages):
    """What has to be true however it was booted."""
    text = m.text()
    assert "hart 0 " not in text
    rows = m.relay_status()
    assert sorted(int(row["hartid"]) for row in rows) == [1, 2, 3, 4]
    assert m.sh("grep ' / ' /proc/mounts").out.split()[0] == root
    irqs = m.interrupts()
    if messages and "nvme" in root:
        assert irqs.get("SiFive PLIC 56 dwc-msi", 0) > 0, irqs
    elif "nvme" in root:
        assert not any("MSI" in name for name in irqs), irqs


# What we assume of the board and the model does not have.
NOT_ON_THE_MODEL = {"cycles count at the cores' clock", "rdtime traps"}


def check_report(log):
    """The report that a user would send us."""
    done = subprocess.run([os.path.join(HERE, "../../scripts/board-report"),
                           log], capture_output=True, text=True, check=False)
    verdicts = [line for line in done.stdout.split("\n\n")[0].split("\n")]
    bad = {line[10:].split(":")[0] for line in verdicts
           if not line.startswith("met ")}
    assert bad <= NOT_ON_THE_MODEL, done.stdout
    assert " 0 of trouble" in done.stdout, done.stdout


# --- directly: PCIe untouched by anybody before us

@pytest.mark.parametrize("relay,append,options,messages", [
    ("remote", "", "", True),
    ("local", "pci=nomsi", "pcie-switch=off", False),
    pytest.param("remote", "pci=nomsi", "", False, marks=soak),
    pytest.param("local", "pci=gen3", "pcie-switch=off", True, marks=soak),
    pytest.param("hybrid", "pci=gen2 service=2", "", True, marks=soak),
])
def test_direct(board, relay, append, options, messages):
    m = board(relay=relay, append=append, options=options)
    check_board(m, "/dev/nvme0n1p2", messages)
    smoke(m)
    m.poweroff()


# --- from power-on: ROM, SPL, OpenSBI, U-Boot, and what U-Boot left of PCIe

def boot_entry(m, label, root):
    """The menu's entry @label from here on, to its shell."""
    firmware.choose(m, label)
    m.wait_shell()
    check_board(m, root, True)
    assert f"relay={label.rpartition('-')[2]}" in m.read_file("/proc/cmdline")


def test_card(board):
    """The card as dd would write it, its menu; and once more by the PMIC."""
    m = board(sd=CARD, disk=NVME, wait_shell=False)
    boot_entry(m, "remote", "/dev/mmcblk0p4")
    smoke(m)
    m.line("reboot")
    m.expect(r"U-Boot SPL", 30)
    boot_entry(m, "nvme-local", "/dev/nvme0n1p2")
    smoke(m)
    m.poweroff()


@pytest.mark.parametrize("label,root", [
    ("nvme-remote", "/dev/nvme0n1p2"),
    pytest.param("nvme-hybrid", "/dev/nvme0n1p2", marks=soak),
    pytest.param("local", "/dev/mmcblk0p4", marks=soak),
])
def test_report(board, label, root):
    """One boot, and what a user would send us of it."""
    m = board(sd=CARD, disk=NVME, wait_shell=False)
    boot_entry(m, label, root)
    m.poweroff()
    check_report(m.log_path)


def test_flash_and_nvme(board):
    """No card: SPL and U-Boot from the flash, all the rest from the disk."""
    m = board(flash=FLASH, disk=NVME, wait_shell=False)
    firmware.choose(m, "remote")
    m.expect(r"mmc: no card in the slot", 30)
    m.wait_shell()
    check_board(m, "/dev/nvme0n1p2", True)
    m.poweroff()


@soak
def test_ten_boots(board):
    """From power-on, one after another; whichever hart comes first."""
    harts = set()
    for _ in range(10):
        m = board(sd=CARD, disk=NVME, wait_shell=False)
        firmware.choose(m, "nvme-remote")
        m.wait_shell()
        harts.add(m.expect_in_log(r"boot hart (\d)")[1])
        m.sh("md5sum /bin/busybox", check=True)
        m.poweroff()
    assert len(harts) > 1, harts


@soak
@pytest.mark.parametrize("relay", ["remote", "local"])
def test_each_boot_hart(board, relay):
    """The firmware's lottery, until every U74 has won."""
    harts = set()
    for _ in range(40):
        m = board(relay=relay)
        harts.add(m.expect_in_log(r"boot hart (\d)")[1])
        check_board(m, "/dev/nvme0n1p2", True)
        m.poweroff()
        if len(harts) == 4:
            return
    pytest.fail(f"only harts {harts} in 40 boots")


def test_slots_in_reset_at_the_end(board, errors):
    """Whoever comes next, U-Boot or nobody, finds PCIe quiet."""
    errors.wanted = True
    m = board(tail=["-trace", "fu740_pcie_mgmt_write"])
    m.poweroff()
    assert errors.lines()[-1].startswith("fu740_pcie_mgmt_write 0x0 = 0x0")
