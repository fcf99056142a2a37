#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""scripts/mkboard.py - disks for the HiFive Unmatched, ready for dd.

    mkboard.py sdcard OUT --kernel Image    whole card: from SPL to root
    mkboard.py nvme OUT --kernel Image      disk for the M.2 slot
    mkboard.py spiflash OUT                 the board's 32 MiB of SPI flash
    mkboard.py boot-tree DIR --kernel Image what the boot partition has, as files
    mkboard.py fit OUT --kernel Image       kernel and device tree for bootm
    mkboard.py script OUT --text COMMANDS   boot.scr of U-Boot commands

A card's partitions: SPL (where the boot ROM looks for it by type), U-Boot with
OpenSBI (where SPL looks for it by sector), a FAT file system with the kernel, the
device tree and extlinux/extlinux.conf, and an ext4 root.  --board unleashed makes
the same for its predecessor, which QEMU has as sifive_u.  --itb takes another
U-Boot (scripts/mkitb.py makes them).

Everything comes from scripts/fetch-guests and from make; nothing is mounted and
nobody needs to be root.
"""
import argparse
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from mkimage import (CACHE, GUEST, full_tree, replace_file, tool,  # noqa: E402
                     write_ext4)

SECTOR = 512
MIB = 1 << 20
# Types by which boot ROM and U-Boot know their partitions.
SPL_TYPE = "5B193300-FC78-40CD-8002-E86C45580B47"
UBOOT_TYPE = "2E54B353-1271-4842-806F-E436D6AF6985"
BOOT_TYPE = "EBD0A0A2-B9E5-4433-87C0-68B6B72699C7"
ROOT_TYPE = "72EC70A6-CF74-40E6-BD49-4BDA08E8F224"   # root, riscv64

SPL_SECTOR = 34             # on a card: right behind the partition table
ITB_SECTOR = 2082           # CONFIG_SYS_MMCSD_RAW_MODE_U_BOOT_SECTOR
FLASH_SPL_SECTOR = 40       # 4 KiB sectors of flash
FLASH_ITB = 0x105000        # u-boot,spl-payload-offset
FLASH_SIZE = 32 * MIB

BOOT_START = 8 * MIB
BOOT_SIZE = 64 * MIB
DTB = {"unmatched": "hifive-unmatched-a00.dtb"}
KERNEL_ADDR = 0x80200000    # where bootm puts a kernel

# The first is what boots when nobody chooses.
MENU = [
    ("remote", "system calls on the service hart", "relay=remote"),
    ("local", "system calls where they trap", "relay=local"),
    ("hybrid", "some here, some there", "relay=hybrid"),
]
ROOTS = {"sdcard": [("", "/dev/mmcblk0p4"), ("nvme-", "/dev/nvme0n1p2")],
         "nvme": [("", "/dev/nvme0n1p2"), ("card-", "/dev/mmcblk0p4")]}


def extlinux(kind, dtb, args):
    """The menu as U-Boot reads it."""
    common = f"console={args.console} rootfstype=ext4 rw"
    roots = [("", args.root)] if args.root else ROOTS[kind]
    lines = ["menu title Antler", "timeout 30", "default remote", ""]
    for prefix, root in roots:
        for label, text, words in MENU:
            lines += [f"label {prefix}{label}",
                      f"\tmenu label {prefix}{label}: {text}, root {root}",
                      "\tkernel /Image"]
            if dtb:
                lines.append(f"\tfdt /{dtb}")
            lines += [f"\tappend {common} root={root} {words}", ""]
    return "\n".join(lines)


def firmware(board, itb):
    base = os.path.join(CACHE, "u-boot", board)
    spl = os.path.join(base, "u-boot-spl.bin")
    itb = itb or os.path.join(base, "u-boot.itb")
    for path in (spl, itb):
        if not os.path.exists(path):
            sys.exit(f"mkboard: no {path}: run scripts/fetch-guests u-boot")
    return spl, itb


def device_tree(args):
    """The one for the kernel; None: it takes U-Boot's."""
    if args.dtb or args.board not in DTB:
        return args.dtb if args.dtb != "none" else None
    path = os.path.join(GUEST, "linux", DTB[args.board])
    if not os.path.exists(path):
        sys.exit(f"mkboard: no {path}: run scripts/fetch-guests guest")
    return path


def boot_files(kind, args):
    """What is in the boot partition: name -> path or text."""
    dtb = device_tree(args)
    files = {"Image": args.kernel}
    if dtb:
        files[os.path.basename(dtb)] = dtb
    if not args.no_extlinux:
        files["extlinux/extlinux.conf"] = extlinux(
            kind, os.path.basename(dtb) if dtb else None, args).encode()
    for spec in args.add:
        name, _, path = spec.partition("=")
        files[name] = path
    return files


def stage_boot(files, top):
    for name, source in files.items():
        dst = os.path.join(top, name)
        os.makedirs(os.path.dirname(dst), exist_ok=True)
        data = source
        if not isinstance(source, bytes):
            with open(source, "rb") as f:
                data = f.read()
        with open(dst, "wb") as f:
            f.write(data)


def put(image, offset, path):
    """Copy a file into the image; holes stay holes."""
    with open(path, "rb") as src, open(image, "r+b") as dst:
        pos, end = 0, os.fstat(src.fileno()).st_size
        while pos < end:
            try:
                pos = os.lseek(src.fileno(), pos, os.SEEK_DATA)
            except OSError:
                break
            hole = os.lseek(src.fileno(), pos, os.SEEK_HOLE)
            os.lseek(src.fileno(), pos, os.SEEK_SET)
            dst.seek(offset + pos)
            while pos < hole:
                data = os.read(src.fileno(), min(MIB, hole - pos))
                dst.write(data)
                pos += len(data)


def partition(image, parts):
    """@parts: (first sector, last sector, type, name, bootable)."""
    args = [tool("sgdisk"), "--clear", "--set-alignment=1"]
    for nr, (first, last, kind, name, bootable) in enumerate(parts, 1):
        args += [f"--new={nr}:{first}:{last}", f"--typecode={nr}:{kind}",
                 f"--change-name={nr}:{name}"]
        if bootable:        # "legacy BIOS bootable": U-Boot looks there first
            args.append(f"--attributes={nr}:set:2")
    subprocess.run(args + [image], check=True, stdout=subprocess.DEVNULL)


def write_fat(image, offset, size, files):
    """A FAT file system inside of the image."""
    where = f"{image}@@{offset}"
    env = dict(os.environ, MTOOLS_SKIP_CHECK="1")
    with tempfile.TemporaryDirectory(prefix="antler-") as top:
        stage_boot(files, top)
        # geometry only matters to programs that still ask a disk for it
        subprocess.run([tool("mformat"), "-i", where, "-v", "ANTLERBOOT",
                        "-T", str(size // SECTOR), "-h", "64", "-s", "32",
                        "::"], check=True, env=env)
        names = [os.path.join(top, n) for n in sorted(os.listdir(top))]
        subprocess.run([tool("mcopy"), "-i", where, "-s", "-Q", *names, "::"],
                       check=True, env=env)


def write_root(image, offset, size, args):
    with tempfile.TemporaryDirectory(prefix="antler-") as top:
        path = os.path.join(top, "root.ext4")
        write_ext4(full_tree(args.user, args.debian), path, size // MIB, [])
        put(image, offset, path)


def make_disk(kind, out, args):
    size = args.size * MIB
    boot_last = (BOOT_START + BOOT_SIZE) // SECTOR - 1
    root_start = BOOT_START + BOOT_SIZE
    root_size = (size - root_start - MIB) // MIB * MIB
    root_last = (root_start + root_size) // SECTOR - 1
    parts = [(BOOT_START // SECTOR, boot_last, BOOT_TYPE, "boot", True),
             (root_start // SECTOR, root_last, ROOT_TYPE, "root", False)]

    def make(tmp):
        with open(tmp, "wb") as f:
            f.truncate(size)
        if kind == "sdcard":
            spl, itb = firmware(args.board, args.itb)
            partition(tmp, [
                (SPL_SECTOR, ITB_SECTOR - 1, SPL_TYPE, "spl", False),
                (ITB_SECTOR, BOOT_START // SECTOR - 1, UBOOT_TYPE, "u-boot",
                 False)] + parts)
            put(tmp, SPL_SECTOR * SECTOR, spl)
            put(tmp, ITB_SECTOR * SECTOR, itb)
        else:
            partition(tmp, parts)
        write_fat(tmp, BOOT_START, BOOT_SIZE, boot_files(kind, args))
        write_root(tmp, root_start, root_size, args)
    replace_file(out, make)


def make_flash(out, args):
    spl, itb = firmware(args.board, args.itb)
    itb_sector = FLASH_ITB // SECTOR
    last = itb_sector + (os.path.getsize(itb) + SECTOR - 1) // SECTOR - 1

    def make(tmp):
        with open(tmp, "wb") as f:
            f.truncate(FLASH_SIZE)
        partition(tmp, [
            (FLASH_SPL_SECTOR, itb_sector - 1, SPL_TYPE, "spl", False),
            (itb_sector, last, UBOOT_TYPE, "u-boot", False)])
        put(tmp, FLASH_SPL_SECTOR * SECTOR, spl)
        put(tmp, FLASH_ITB, itb)
    replace_file(out, make)


def make_fit(out, args):
    """Both in one file, which bootm checks and puts where they belong."""
    addr = hex(KERNEL_ADDR)
    dtb = device_tree(args)
    replace_file(out, lambda tmp: subprocess.run(
        [tool("mkimage"), "-f", "auto", "-A", "riscv", "-O", "linux", "-T",
         "kernel", "-C", "none", "-a", addr, "-e", addr, "-n", "antler", "-d",
         args.kernel] + (["-b", dtb] if dtb else []) + [tmp], check=True,
        stdout=subprocess.DEVNULL))


def make_script(out, args):
    with tempfile.NamedTemporaryFile("w") as f:
        f.write(args.text + "\n")
        f.flush()
        replace_file(out, lambda tmp: subprocess.run(
            [tool("mkimage"), "-A", "riscv", "-T", "script", "-C", "none",
             "-d", f.name, tmp], check=True, stdout=subprocess.DEVNULL))


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("kind", choices=["sdcard", "nvme", "spiflash", "boot-tree",
                                    "fit", "script"])
    p.add_argument("out")
    p.add_argument("--kernel", help="build/Image")
    p.add_argument("--user", help="directory of our own riscv64 programs")
    p.add_argument("--board", default="unmatched",
                   choices=["unmatched", "unleashed", "virt"])
    p.add_argument("--itb", help="another u-boot.itb")
    p.add_argument("--dtb", help="another device tree for the kernel, or "
                   "none: U-Boot's")
    p.add_argument("--root", help="the only root in the menu")
    p.add_argument("--console", default="ttySIF0")
    p.add_argument("--text", help="commands of the script")
    p.add_argument("--size", type=int, default=512,
                   help="MiB; QEMU wants a power of two for a card")
    p.add_argument("--debian", action="store_true",
                   help="Debian's userland below /debian too")
    p.add_argument("--no-extlinux", action="store_true",
                   help="no extlinux.conf")
    p.add_argument("--add", action="append", default=[], metavar="NAME=PATH",
                   help="another file for the boot partition")
    args = p.parse_args()
    if args.kind == "spiflash":
        make_flash(args.out, args)
        return
    if args.kind == "script":
        make_script(args.out, args)
        return
    if not args.kernel:
        p.error("--kernel is needed")
    if args.kind == "fit":
        make_fit(args.out, args)
    elif args.kind == "boot-tree":
        stage_boot(boot_files("sdcard", args), args.out)
    else:
        make_disk(args.kind, args.out, args)


if __name__ == "__main__":
    main()
