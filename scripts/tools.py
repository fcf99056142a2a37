#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""scripts/tools.py - ext4 images of Debian's riscv64 programs for the guest.

    tools.py            disk tools: make it if need be, print its path
    tools.py systemd    a root disk that systemd boots (scripts/fetch-systemd)
    tools.py net        programs for networks (scripts/fetch-net)
    tools.py programs   a compiler, a debugger, servers ... (scripts/fetch-programs)

The tools come from scripts/fetch-tools (or the directory that $TOOLS names) and
run in a chroot: `drive()` gives the QEMU arguments of one more disk, `SETUP` the
shell commands that make it ready at /tools, `run()` wraps a command.
"""
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from mkimage import CACHE, EXT4_FEATURES, mke2fs  # noqa: E402

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
OUT = os.environ.get("O") or os.path.join(TOP, "build")
SIZE = "512M"
SERIAL = "tools"

# The disk is found by its serial number: its letter depends on the others.
SETUP = (
    "[ -d /tools/proc/1 ] || { mkdir -p /tools; for d in /sys/block/vd*; do "
    f"[ \"$(cat $d/serial)\" = {SERIAL} ] && "
    "mount -t ext4 -o ro /dev/${d##*/} /tools; done; "
    "mount -t proc proc /tools/proc; mount -t sysfs sysfs /tools/sys; "
    "mount -t devtmpfs devtmpfs /tools/dev; "
    "mount -t tmpfs tmpfs /tools/tmp; [ -d /tools/proc/1 ]; }")


def source():
    """Directory of the unpacked packages, fetched if need be."""
    given = os.environ.get("TOOLS")
    if given:
        return given
    subprocess.run([os.path.join(TOP, "scripts/fetch-tools")], check=True)
    return os.path.join(CACHE, "tools")


def image():
    """Path of the image; made when the programs are newer."""
    return image_of(source(), os.path.join(OUT, "tools.ext4"), SIZE)


def systemd_image():
    """Path of the root disk with systemd, fetched and made if need be."""
    subprocess.run([os.path.join(TOP, "scripts/fetch-systemd")], check=True,
                   stdout=sys.stderr)
    return image_of(os.path.join(CACHE, "systemd"),
                    os.path.join(OUT, "systemd.ext4"), SIZE, EXT4_FEATURES)


def net_image():
    """Path of the image of programs for networks, fetched and made if need be."""
    subprocess.run([os.path.join(TOP, "scripts/fetch-net")], check=True,
                   stdout=sys.stderr)
    return image_of(os.path.join(CACHE, "net"), os.path.join(OUT, "net.ext4"),
                    "160M")


def programs_image(fetch=True):
    """Path of the image of programs to work with, made if need be, and fetched
    unless what is there will do."""
    if fetch:
        subprocess.run([os.path.join(TOP, "scripts/fetch-programs")],
                       check=True, stdout=sys.stderr)
    return image_of(os.path.join(CACHE, "programs"),
                    os.path.join(OUT, "programs.ext4"), "768M")


def linux_net_initrd():
    """Debian's Linux with the modules for a network card."""
    net_image()
    path = os.path.join(OUT, "linux-net-initrd.cpio.gz")
    if not os.path.exists(path):
        subprocess.run([sys.executable, os.path.join(TOP, "scripts/mkimage.py"),
                        "linux-initrd", path, "--modules",
                        os.path.join(CACHE, "linux-net")], check=True)
    return path


def image_of(root, path, size, features=EXT4_FEATURES + ",^has_journal"):
    """@path, an ext4 of the unpacked packages in @root."""
    stamp = os.path.join(root, ".stamp")
    newest = os.path.getmtime(stamp if os.path.exists(stamp) else root)
    if os.path.exists(path) and os.path.getmtime(path) >= newest:
        return path
    os.makedirs(os.path.dirname(path), exist_ok=True)
    part = path + ".part"
    if os.path.exists(part):
        os.unlink(part)
    mke2fs(root, "-O", features, "-d", root, part, size)
    os.replace(part, path)
    return path


def drive(path=""):
    """One more disk: the tools, or another image of this kind."""
    return ["-drive", f"file={path or image()},if=none,id=tools,format=raw,"
            "snapshot=on",
            "-device", "virtio-blk-pci,drive=tools,disable-legacy=on,"
            f"serial={SERIAL}"]


def run(command):
    """The guest's command that runs @command of Debian's."""
    return f"chroot /tools {command}"


if __name__ == "__main__":
    print({"systemd": systemd_image, "net": net_image,
           "programs": programs_image}.get("".join(sys.argv[1:]), image)())
