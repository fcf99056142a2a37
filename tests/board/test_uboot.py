# SPDX-License-Identifier: MIT
"""tests/board/test_uboot.py - the ways to start a kernel from U-Boot by hand.

One machine, which is restarted for each way: so restarting is tested too.
"""
import os
import subprocess

import pytest

import firmware
from conftest import MKBOARD, NVME, OUT
from smoke import smoke

pytestmark = pytest.mark.antler
DTB = "hifive-unmatched-a00.dtb"
ARGS = "console=ttySIF0 rootfstype=ext4 rw root=/dev/nvme0n1p2"
SCRIPT = f"""\
setenv bootargs {ARGS} relay=local script
load $devtype $devnum:$distro_bootpart $kernel_addr_r Image
load $devtype $devnum:$distro_bootpart $fdt_addr_r {DTB}
booti $kernel_addr_r - $fdt_addr_r"""

# What to type at the prompt; the arguments that the kernel then has.
WAYS = {
    "booti": ([f"setenv bootargs {ARGS}",
               "load mmc 0:3 $kernel_addr_r Image",
               f"load mmc 0:3 $fdt_addr_r {DTB}",
               "booti $kernel_addr_r - $fdt_addr_r"], "rw root="),
    # PCIe's windows are smaller in this tree, and the S7 is "okay" in it
    "booti-own-tree": ([f"setenv bootargs {ARGS} owntree",
                        "load mmc 0:3 $kernel_addr_r Image",
                        "booti $kernel_addr_r - $fdtcontroladdr"],
                       "owntree"),
    # the tree where it is: across two large pages, at no round address; and
    # memory, the kernel's .bss too, as full of rubbish as after power-on
    "booti-in-place": ([f"setenv bootargs {ARGS} inplace",
                        "mw.l 0x80200000 0xa5a5a5a5 0x4000000",
                        "setenv fdt_high 0xffffffffffffffff",
                        "load mmc 0:3 $kernel_addr_r Image",
                        f"load mmc 0:3 0x8d9ff008 {DTB}",
                        "booti $kernel_addr_r - 0x8d9ff008"], "inplace"),
    "bootm-fit": ([f"setenv bootargs {ARGS} fit",
                   "load mmc 0:3 0x90000000 antler.itb",
                   "bootm 0x90000000"], "fit"),
    "script": (["load mmc 0:3 $scriptaddr boot.scr",
                "setenv devtype mmc; setenv devnum 0; "
                "setenv distro_bootpart 3",
                "source $scriptaddr"], "script"),
}


@pytest.fixture(scope="module")
def card(tmp_path_factory):
    """A card without a menu, but with a script and a FIT image."""
    top = tmp_path_factory.mktemp("card")
    image, fit, script = (str(top / n) for n in ("card", "fit", "script"))
    kernel = ["--kernel", os.path.join(OUT, "Image")]
    for args in (["fit", fit] + kernel, ["script", script, "--text", SCRIPT],
                 ["sdcard", image] + kernel +
                 ["--no-extlinux", "--size", "256", "--add",
                  f"antler.itb={fit}", "--add", f"boot.scr={script}"]):
        subprocess.run(MKBOARD + args, check=True)
    return image


def start(m, way):
    commands, word = WAYS[way]
    firmware.prompt(m)
    for text in commands[:-1]:
        firmware.command(m, text, 60)
    m.line(commands[-1])
    m.expect(r"Starting kernel", 30)
    m.wait_shell()
    assert word in m.read_file("/proc/cmdline")
    if way == "booti-in-place":
        assert "device tree at 0x8d9ff008" in m.text()


@pytest.mark.parametrize("ways", [
    ("booti-own-tree", "bootm-fit"),
    pytest.param(("booti", "script", "booti-in-place"), marks=pytest.mark.soak),
])
def test_by_hand(board, card, ways):
    m = board(sd=card, disk=NVME, wait_shell=False)
    for way in ways[:-1]:
        start(m, way)
        m.line("reboot")
    start(m, ways[-1])
    smoke(m)
    m.poweroff()


@pytest.mark.soak
def test_script_found(board, card):
    """boot.scr, by U-Boot itself."""
    m = board(sd=card, disk=NVME, wait_shell=False)
    m.expect(r"Starting kernel", firmware.BOOT)
    m.wait_shell()
    assert "script" in m.read_file("/proc/cmdline")
    smoke(m)
    m.poweroff()


@pytest.mark.soak
def test_tftp(board, card):
    """The loop for changing kernels, as docs/unmatched.md has it."""
    m = board(sd=card, disk=NVME, wait_shell=False,
              tail=["-nic", f"user,tftp={OUT}"])
    firmware.prompt(m)
    firmware.command(m, f"setenv bootargs {ARGS} tftp")
    firmware.command(m, "setenv autoload no; dhcp; setenv serverip 10.0.2.2",
                     60)
    m.line("tftpboot ${kernel_addr_r} Image && "
           "booti ${kernel_addr_r} - ${fdtcontroladdr}")
    m.expect(r"Starting kernel", 60)
    m.wait_shell()
    assert "tftp" in m.read_file("/proc/cmdline")
    m.poweroff()
