#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""scripts/qemu.py - the one place that makes QEMU command lines.

    qemu.py run|gdb [NAME=value ...]     boot, console on this terminal
    qemu.py line [NAME=value ...]        only print the command

    KERNEL=antler|linux|PATH  SMP=4  MEM=512M  RELAY=remote|local|hybrid
    DISK=PATH|none  INITRD=PATH  APPEND="more arguments"
    BLK=virtio|nvme  NVME=PATH (a second disk, on an NVMe controller)
    NET=user[,hostfwd=tcp::2222-:22]|none|WHAT (anything -netdev takes)
    NIC="vectors=0,mrg_rxbuf=off" (properties of the card)
    MACHINE=virt|sifive_u|unmatched  SD=CARD  FLASH=IMAGE
    QEMU=host|10|board|PATH  CPU=rv64,svade=on  AIA=none|aplic|aplic-imsic
    O=build  ICOUNT=1  SNAPSHOT=1 (leave the disk as it was)  TAIL="-d int"

`make run`, the tests and the benchmarks all come here, for Antler and for
Debian's Linux alike: the kernel is swapped and nothing else, but that Linux
gets an initrd with the modules which it needs to mount an ext4 root.

The unmatched machine wants the QEMU of tests/board, and its disk is an NVMe one.
With a card or a flash image it boots from that as the board does from power-on,
and the kernel, its arguments and the device tree are what is found there.

A machine that is run has QEMU's own network unless it is told otherwise; others, as
those of the tests, have none unless they are given one.  The card is a virtio one, or
the GEM that SiFive's machines have.

Not here: images (mkimage.py), talking to the guest (tests/qemu/machine.py).
"""
import glob
import os
import platform
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass, field

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from mkimage import CACHE, GUEST  # noqa: E402

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
QEMU10 = os.path.join(CACHE, "qemu10")
BOARD_MODEL = os.path.join(CACHE, "board-model")
UNMATCHED_DTB = os.path.join(GUEST, "linux/hifive-unmatched-a00.dtb")
BINARY = "qemu-system-riscv64"


class RigError(Exception):
    """Something that scripts/setup or make should have made is not there."""


@dataclass
class Guest:
    """All that decides a QEMU command line."""
    kernel: str = "antler"
    smp: int = 4
    mem: str = "512M"
    relay: str = ""
    disk: str = "default"
    initrd: str = ""
    append: str = ""
    machine: str = "virt"
    qemu: str = "host"
    cpu: str = ""
    aia: str = ""
    out: str = field(default_factory=lambda: os.environ.get("O") or
                     os.path.join(TOP, "build"))
    icount: bool = False
    snapshot: bool = False
    blk: str = ""                   # what the root disk is attached to
    nvme: str = ""
    net: str = ""                   # what -netdev takes, or none
    nic: str = ""                   # properties of a virtio card
    root: str = ""                  # the disk as a whole
    rw: str = "rw"
    sd: str = ""                    # image of the card in the slot
    direct: bool = False            # although there is one
    flash: str = ""                 # image of the SPI flash, to boot from
    dtb: str = ""                   # another device tree (unmatched)
    options: str = ""               # more of -machine, with commas
    bare_append: bool = False       # `append` is the whole command line
    tail: list = field(default_factory=list)


def qemu_prefix(which):
    """Command and arguments that start the QEMU called @which."""
    if which in ("", "host"):
        path = shutil.which(BINARY)
        if not path:
            raise RigError(f"{BINARY} is missing: run scripts/setup")
        return [path]
    if which == "board":
        path = os.path.join(BOARD_MODEL, BINARY)
        if not os.path.exists(path):
            raise RigError("run scripts/fetch-guests board-model first")
        return [path]
    if which != "10":
        return [which]
    if host_is_qemu10():
        return [shutil.which(BINARY)]
    loaders = glob.glob(f"{QEMU10}/usr/lib*/ld-linux-*.so.*")
    if not loaders:
        raise RigError("QEMU 10 is missing: run scripts/setup")
    # Its own loader and libraries: no chroot and so no root.
    libs = f"{QEMU10}/usr/lib/{platform.machine()}-linux-gnu"
    return [loaders[0], "--library-path", f"{libs}:{QEMU10}/usr/lib",
            f"{QEMU10}/usr/bin/{BINARY}", "-L", f"{QEMU10}/usr/share/qemu"]


def qemu_version(which):
    out = subprocess.run(qemu_prefix(which) + ["--version"], check=True,
                         capture_output=True, text=True).stdout
    return out.split("version", 1)[1].split()[0].split("(")[0]


def host_is_qemu10():
    path = shutil.which(BINARY)
    return bool(path) and int(subprocess.run(
        [path, "--version"], capture_output=True, text=True
    ).stdout.split("version", 1)[1].split(".")[0]) >= 10


def kernel_path(guest):
    path = {"antler": os.path.join(guest.out, "Image"),
            "linux": os.path.join(GUEST, "linux/Image")}.get(
                guest.kernel, guest.kernel)
    if not os.path.exists(path):
        raise RigError(f"no kernel {path}: run make, or scripts/setup")
    return path


def is_linux(guest):
    return guest.kernel == "linux"


def is_unmatched(guest):
    return guest.machine == "unmatched"


def from_power_on(guest):
    """Does it find its kernel by itself?"""
    return guest.machine in ("unmatched", "sifive_u") and \
        not guest.direct and bool(guest.sd or guest.flash)


def opensbi_path():
    """OpenSBI as Debian 13 has it; the host's may be older."""
    name = "usr/lib/riscv64-linux-gnu/opensbi/generic/fw_dynamic.bin"
    for top in (QEMU10, "/"):
        if os.path.exists(os.path.join(top, name)):
            return os.path.join(top, name)
    raise RigError("no OpenSBI: run scripts/setup")


def disk_path(guest):
    if guest.disk == "none" or not guest.disk:
        return ""
    if guest.disk != "default":
        return guest.disk
    if guest.machine == "sifive_u" or from_power_on(guest):
        return ""
    return os.path.join(guest.out, "root.ext4")


# BLK= -> name of the first disk, QEMU's device
BLK = {"virtio": ("/dev/vda", "virtio-blk-pci,disable-legacy=on"),
       "nvme": ("/dev/nvme0n1", "nvme,serial=antler{nr}")}


def blk_kind(blk):
    if blk not in BLK:
        raise RigError(f"BLK={blk}: one of {', '.join(BLK)}")
    return BLK[blk]


def blk_of(guest):
    return guest.blk or ("nvme" if is_unmatched(guest) else "virtio")


def disk_args(guest, path, nr, blk):
    """A disk and what it is attached to."""
    snap = ",snapshot=on" if guest.snapshot else ""
    device = blk_kind(blk)[1].format(nr=nr)
    return ["-drive", f"file={path},if=none,id=disk{nr},format=raw{snap}",
            "-device", f"{device},drive=disk{nr}"]


def net_args(guest):
    """The network card and what it is plugged into."""
    if guest.net in ("", "none"):
        return ["-nic", "none"] if guest.machine != "virt" else []
    if guest.machine != "virt":
        return ["-nic", guest.net]
    nic = f",{guest.nic}" if guest.nic else ""
    # QEMU 10 runs from where it finds no ROM of its own
    return ["-netdev", f"{guest.net},id=net0",
            "-device", f"virtio-net-pci,netdev=net0,romfile={nic}"]


def initrd_path(guest, disk):
    if guest.initrd:
        return guest.initrd if guest.initrd != "none" else ""
    if disk:
        return os.path.join(guest.out, "linux-initrd.cpio.gz") \
            if is_linux(guest) else ""
    if guest.disk == "none" or from_power_on(guest):
        return ""
    return os.path.join(guest.out, "initrd.cpio.gz")


def uart_of(guest):
    """The name of the console below /dev."""
    return "ttyS0" if guest.machine == "virt" else "ttySIF0"


def command_line(guest, disk):
    """The kernel's arguments; Linux is given no relay=."""
    if guest.bare_append:
        return guest.append
    words = []
    if disk or guest.root:
        root = guest.root or blk_kind(blk_of(guest))[0]
        words += [f"root={root}", "rootfstype=ext4", guest.rw]
    words.append(f"console={uart_of(guest)}")
    if guest.relay and not is_linux(guest):
        words.append(f"relay={guest.relay}")
    if guest.append:
        words.append(guest.append)
    return " ".join(words)


def machine_args(guest):
    """-machine, -cpu and -smp; hart 0 of sifive_u is not for us."""
    name, smp, mem = guest.machine, guest.smp, guest.mem
    if guest.aia and guest.aia != "none":
        name += f",aia={guest.aia}"
    if guest.machine == "sifive_u":
        smp += 1
    if is_unmatched(guest):
        name, smp = "hifive-unmatched", 5
    if from_power_on(guest):
        name += ",msel=" + ("6" if guest.flash else "11")
        # as the first stages have it
        mem = "16G" if is_unmatched(guest) else "8G"
    name += f",{guest.options}" if guest.options else ""
    args = ["-machine", name, "-smp", str(smp), "-m", mem]
    if guest.cpu:
        args += ["-cpu", guest.cpu]
    if guest.icount:
        args += ["-icount", "shift=0,sleep=off"]
    return args


def qemu_args(guest, console=("-nographic",)):
    """The whole command, as a list."""
    disk = disk_path(guest)
    initrd = initrd_path(guest, disk)
    for path in filter(None, (disk, initrd, guest.nvme)):
        if not os.path.exists(path):
            raise RigError(f"no image {path}: run make image")
    which = guest.qemu
    if is_unmatched(guest) and which in ("", "host"):
        which = "board"
    args = qemu_prefix(which) + machine_args(guest) + list(console)
    if not from_power_on(guest):
        args += ["-kernel", kernel_path(guest),
                 "-append", command_line(guest, disk)]
        if is_unmatched(guest):
            args += ["-bios", opensbi_path(), "-dtb", guest.dtb or UNMATCHED_DTB]
    if initrd:
        args += ["-initrd", initrd]
    snap = ",snapshot=on" if guest.snapshot else ""
    for path, kind in ((guest.sd, "sd"), (guest.flash, "mtd")):
        if path:
            args += ["-drive", f"file={path},if={kind},format=raw{snap}"]
    if disk:
        args += disk_args(guest, disk, 0, blk_of(guest))
    if guest.nvme:
        args += disk_args(guest, guest.nvme, 1, "nvme")
    return args + net_args(guest) + guest.tail


def guest_from_words(words):
    """NAME=value words over the environment's values of the same names."""
    names = {"KERNEL": "kernel", "SMP": "smp", "MEM": "mem", "RELAY": "relay",
             "DISK": "disk", "INITRD": "initrd", "APPEND": "append",
             "MACHINE": "machine", "QEMU": "qemu", "CPU": "cpu", "AIA": "aia",
             "O": "out", "ICOUNT": "icount", "SNAPSHOT": "snapshot",
             "BLK": "blk", "NVME": "nvme", "TAIL": "tail", "SD": "sd",
             "FLASH": "flash", "NET": "net", "NIC": "nic"}
    given = {n: os.environ[n] for n in names if os.environ.get(n)}
    for word in words:
        name, eq, value = word.partition("=")
        if name not in names or not eq:
            raise RigError(f"not a variable of {sys.argv[0]}: {word}")
        if value:
            given[name] = value
    guest = Guest(net="user")
    for name, value in given.items():
        kind = type(getattr(guest, names[name]))
        if kind is bool:
            value = value not in ("", "0", "n", "no")
        elif kind is list:
            value = shlex.split(value)
        else:
            value = kind(value)
        setattr(guest, names[name], value)
    return guest


def main():
    if len(sys.argv) < 2 or sys.argv[1] not in ("run", "gdb", "line"):
        sys.exit(__doc__)
    try:
        guest = guest_from_words(sys.argv[2:])
        if sys.argv[1] == "gdb":
            guest.tail = guest.tail + ["-s", "-S"]
        args = qemu_args(guest)
    except RigError as err:
        sys.exit(f"qemu: {err}")
    if sys.argv[1] == "line":
        print(shlex.join(args))
        return
    print("qemu: " + shlex.join(args))
    print("qemu: Ctrl-A X ends it", flush=True)
    os.execvp(args[0], args)


if __name__ == "__main__":
    main()
