# SPDX-License-Identifier: MIT
"""tests/board/test_faults.py - links, disks and cards that are not as they should be.

Whatever is wrong there is a message, and what can still be done is done.
"""
import pytest

from conftest import CARD, NVME

pytestmark = pytest.mark.antler
soak = pytest.mark.soak
LINK = "fu740-pcie-host.x-link"
ON_CARD = dict(sd=CARD, direct=True, root="/dev/mmcblk0p4")


def global_(name, value):
    return ["-global", f"{name}={value}"]


def test_no_link(board):
    """The root is on the card, so nothing of PCIe is missed."""
    m = board(tail=global_(LINK, 1), **ON_CARD)
    text = m.text()
    assert "no link; once more from power-off" in text
    assert "no PCI on this machine" in text
    assert "nvme" not in m.sh("ls /dev").out
    m.poweroff()


def test_link_lost_at_speed_up(board):
    m = board(tail=global_(LINK, 2), append="pci=gen3")
    assert "link lost at the change to generation 3" in m.text()
    assert "link is generation 1, 8 lanes" in m.text()
    m.sh("md5sum /bin/busybox", check=True)
    m.poweroff()


@soak
def test_speed_up(board):
    m = board(append="pci=gen3")
    assert "link is generation 3, 8 lanes" in m.text()
    m.sh("md5sum /bin/busybox", check=True)
    m.poweroff()


@soak
def test_link_at_the_second_try(board):
    m = board(tail=global_(LINK, 3))
    assert "no link; once more from power-off" in m.text()
    m.sh("md5sum /bin/busybox", check=True)
    m.poweroff()


def test_ports_that_flap(board):
    """The switch's known illness: no link until it is retrained slowly."""
    m = board(tail=global_("asm2824-downstream.x-flaps", "on"))
    assert "link does not settle, retraining" in m.text()
    m.sh("md5sum /bin/busybox", check=True)
    m.poweroff()


def test_nothing_to_boot_from(board):
    m = board(disk="none", root="/dev/nvme0n1p2", wait_shell=False)
    m.expect_bad(r".*")
    m.expect(r"mmc: no card in the slot", 30)
    m.expect(r'cannot find root device "/dev/nvme0n1p2"', 10)
    m.expect(r"no block devices at all", 10)
    m.expect(r"fatal: no root file system", 10)


def test_card_with_wrong_checksums(board):
    """Both ways, and often enough that the card is initialised again."""
    m = board(tail=global_("ssi-sd.x-read-errors", 4) +
              global_("ssi-sd.x-write-errors", 4), **ON_CARD)
    assert m.text().count("wrong checksum at sector") == 8
    m.sh("dd if=/dev/urandom of=/root/x bs=64k count=16 && sync && "
         "md5sum /root/x >/root/sum && md5sum -c /root/sum", check=True)
    m.poweroff()


def test_card_pulled(board):
    """The disk is at its end, and the machine is not."""
    m = board(sd=CARD, direct=True)
    m.sh("dd if=/dev/mmcblk0p4 of=/dev/null bs=64k count=8", check=True)
    assert "error" not in m.qmp("human-monitor-command",
                                **{"command-line": "eject -f sd0"})
    m.expect_bad("mmcblk0")
    r = m.sh("dd if=/dev/mmcblk0p4 of=/dev/null bs=64k count=8 skip=64", 60)
    assert r.status != 0 and "I/O error" in r.out
    r = m.sh("dd if=/dev/mmcblk0p4 of=/dev/null bs=64k count=8 skip=96", 10)
    assert r.status != 0
    assert "the card does not come back" in m.text()
    m.sh("md5sum /bin/busybox", check=True)
    m.poweroff()


@soak
def test_big_card(board, tmp_path):
    """Beyond 2 GB: addresses are blocks."""
    image = tmp_path / "card"
    with open(image, "wb") as f, open(CARD, "rb") as src:
        f.write(src.read())
        f.truncate(4 << 30)
    m = board(sd=str(image), direct=True, root="/dev/mmcblk0p4")
    assert "mmcblk0: SDHC card" in m.text()
    m.sh("dd if=/dev/zero bs=512 count=1 of=/dev/mmcblk0 seek=8388600 && "
         "dd if=/dev/mmcblk0 bs=512 count=1 skip=8388600 of=/dev/null",
         check=True)
    m.poweroff()


@soak
def test_both_disks(board):
    """A copy from one to the other and back, under both policies."""
    m = board(sd=CARD, direct=True, disk=NVME)
    m.sh("mkdir -p /mnt/card && mount /dev/mmcblk0p4 /mnt/card", check=True)
    for policy in ("local", "remote"):
        m.sh(f"echo relay={policy} >/proc/relay/policy", check=True)
        m.sh("dd if=/dev/urandom of=/root/a bs=64k count=64 2>/dev/null; "
             "cp /root/a /mnt/card/b && sync && cmp /root/a /mnt/card/b",
             60, check=True)
    m.sh("umount /mnt/card", check=True)
    m.poweroff()
