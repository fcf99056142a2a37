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


@pytest.mark.parametrize("root", ["card", pytest.param("nvme", marks=soak)])
def test_link_lost_later(board, errors, root):
    """As by a bad contact: the disk ends, and who needs it is told."""
    errors.wanted = True
    m = board(**(dict(ON_CARD, disk=NVME) if root == "card" else {}))
    m.sh("dd if=/dev/nvme0n1 of=/dev/null bs=64k count=8 iflag=direct",
         check=True)
    answer = m.qmp("qom-set", path="/machine/pcie", property="x-lost",
                   value=True)
    assert "error" not in answer, answer
    m.expect_bad("nvme0|vfs|ext4|EXT4|fatal")
    if root == "nvme":
        m.line("md5sum /bin/* >/dev/null; dd if=/dev/nvme0n1 of=/dev/null "
               "bs=64k count=1 skip=999 iflag=direct")
        m.expect(r"nvme0: broken: does not answer any more", 30)
        return
    r = m.sh("dd if=/dev/nvme0n1 of=/dev/null bs=64k count=8 skip=64 "
             "iflag=direct", 30)
    # of the read, or already of the open
    assert r.status != 0 and "error" in r.out, r.out
    assert "nvme0: broken: does not answer any more" in m.text()
    assert "fu740-pcie: the link is down, state 0xe" in m.text()
    # not an access more than it took to see it, and nothing waits
    seen = len(errors.lines())
    assert 0 < seen < 50, errors.lines()
    assert m.sh("dd if=/dev/nvme0n1 of=/dev/null bs=64k count=8").status
    m.sh("md5sum /bin/busybox", check=True)
    assert len(errors.lines()) == seen, errors.lines()[seen:]
    m.poweroff()


@soak
def test_speed_up(board):
    m = board(append="pci=gen3")
    assert "link is generation 3, 8 lanes" in m.text()
    m.sh("md5sum /bin/busybox", check=True)
    m.poweroff()


@soak
def test_link_at_the_second_try(board):
    m = board(tail=global_(LINK, 3), append="pci=gen3")
    assert "link is generation 3, 8 lanes" in m.text()
    assert "no link; once more from power-off" in m.text()
    m.sh("md5sum /bin/busybox", check=True)
    m.poweroff()


def test_ports_that_flap(board):
    """The switch's known illness: no link until it is retrained slowly."""
    m = board(tail=global_("asm2824-downstream.x-flaps", "on"))
    assert "link does not settle, retraining" in m.text()
    m.sh("md5sum /bin/busybox", check=True)
    m.poweroff()


@pytest.mark.parametrize("root", ["/dev/nvme0n1p2", "/dev/mmcblk0p4"])
def test_nothing_to_boot_from(board, root):
    m = board(disk="none", root=root, wait_shell=False)
    m.expect_bad(r".*")
    m.expect(r"mmc: no card in the slot", 30)
    m.expect(f'cannot find root device "{root}"', 10)
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


def test_card_put_in_later(board):
    """An empty slot tells by its switch; that switch bounces; then it is a disk."""
    m = board(tail=["-drive", "if=sd,id=slot"])
    assert "mmc: no card in the slot" in m.text()
    assert "mmcblk" not in m.sh("ls /dev").out

    def change(command):
        assert "error" not in m.qmp("human-monitor-command",
                                    **{"command-line": command})
    change(f"change slot {CARD} raw")
    change("eject -f slot")
    m.sh("sleep 1")
    assert "mmcblk" not in m.sh("ls /dev").out
    change(f"change slot {CARD} raw")
    m.expect(r"mmcblk0: 4 partitions", 10)
    m.sh("mkdir -p /mnt/card && mount -o ro /dev/mmcblk0p4 /mnt/card && "
         "md5sum /mnt/card/bin/busybox && umount /mnt/card", check=True)
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
