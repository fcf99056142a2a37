# SPDX-License-Identifier: MIT
"""tests/board/test_sisters.py - the same boot paths on machines that QEMU has anyway.

sifive_u is the Unmatched's predecessor: the same kinds of UART, clocks, SPI and card
slot, another chip.  The virt machine with Debian's U-Boot finds its kernel by the
same menu, script and image.
"""
import os
import subprocess

import pytest

import firmware
from conftest import MKBOARD, OUT, UBOOT
from smoke import smoke

pytestmark = pytest.mark.antler
soak = pytest.mark.soak
VIRT_UBOOT = "/usr/lib/u-boot/qemu-riscv64_smode/uboot.elf"
KERNEL = ["--kernel", os.path.join(OUT, "Image")]
ARGS = "console=ttyS0 rootfstype=ext4 rw root=/dev/vda2"
SCRIPT = f"""\
setenv bootargs {ARGS} script
load $devtype $devnum:$distro_bootpart $kernel_addr_r Image
booti $kernel_addr_r - $fdtcontroladdr"""


def make(*args):
    subprocess.run(MKBOARD + list(args), check=True)


@soak
def test_sifive_u(boot, tmp_path):
    """SPL of the Unleashed, OpenSBI, U-Boot, the card's menu, root on the card.

    Not with plain QEMU, whose card answers U-Boot no CMD9 and CMD10 in SPI mode.
    """
    card = str(tmp_path / "card")
    make("sdcard", card, "--board", "unleashed", "--size", "256",
         "--user", os.path.join(OUT, "user"), *KERNEL)
    m = boot(machine="sifive_u", smp=4, mem="8G", disk="none", qemu="board",
             sd=card, wait_shell=False,
             tail=["-bios", os.path.join(UBOOT, "unleashed/u-boot-spl.bin")])
    firmware.choose(m, "remote", 90)
    m.wait_shell(90)
    assert m.sh("grep ' / ' /proc/mounts").out.startswith("/dev/mmcblk0p4 ")
    assert len(m.relay_status()) == 4
    smoke(m)
    # nothing on this machine can switch it off
    m.line("poweroff")
    m.expect(r"no way to power off this machine", 30)


@pytest.fixture(scope="module")
def disk(tmp_path_factory):
    """disk(with a menu) for virt: virtio, as U-Boot and we can both read it."""
    top = tmp_path_factory.mktemp("virt")
    script, fit = str(top / "script"), str(top / "fit")
    make("script", script, "--text", SCRIPT)
    make("fit", fit, "--board", "virt", *KERNEL)
    common = ["--board", "virt", "--size", "256", "--add",
              f"antler.itb={fit}", *KERNEL]
    made = {}
    for menu in (True, False):
        made[menu] = str(top / f"disk{menu}")
        make("nvme", made[menu], "--console", "ttyS0", "--root", "/dev/vda2",
             *common, *([] if menu else ["--no-extlinux", "--add",
                                         f"boot.scr={script}"]))
    return made


def virt(boot, image):
    if not os.path.exists(VIRT_UBOOT):
        pytest.skip("no u-boot-qemu package")
    return boot(kernel=VIRT_UBOOT, disk=image, wait_shell=False)


def test_virt_menu(boot, disk):
    m = virt(boot, disk[True])
    firmware.choose(m, "local")
    m.wait_shell()
    assert "relay=local" in m.read_file("/proc/cmdline")
    m.poweroff()


@soak
def test_virt_script(boot, disk):
    m = virt(boot, disk[False])
    m.expect(r"Starting kernel", firmware.BOOT)
    m.wait_shell()
    assert "script" in m.read_file("/proc/cmdline")
    m.poweroff()


@soak
def test_virt_fit(boot, disk):
    m = virt(boot, disk[False])
    firmware.prompt(m)
    firmware.command(m, f"setenv bootargs {ARGS} fit")
    firmware.command(m, "virtio scan")
    firmware.command(m, "load virtio 0:1 0x90000000 antler.itb")
    m.line("bootm 0x90000000 - $fdtcontroladdr")
    m.wait_shell()
    assert " fit" in m.read_file("/proc/cmdline")
    m.poweroff()
