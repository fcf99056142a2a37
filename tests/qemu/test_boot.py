# SPDX-License-Identifier: MIT
"""tests/qemu/test_boot.py - every way to boot: harts, memory, machines, roles.

Each configuration boots to a shell, does a little of everything and powers off.
"""
import gzip
import os
import shutil
import subprocess

import pexpect
import pytest

from conftest import LINUX, OUT
from machine import PROMPT, qemu
from smoke import smoke

antler = pytest.mark.antler

# The same on every kernel: name -> properties.
MACHINES = {
    **{f"{n}-{policy}": dict(smp=n, relay=policy)
       for n in (1, 2, 4, 8) for policy in ("remote", "local")},
    "4-hybrid": dict(smp=4, relay="hybrid"),
    "128M": dict(mem="128M" if not LINUX else "256M"),
    "4G": dict(mem="4G"),
    "qemu10": dict(qemu="10", smp=4),
    "qemu10-svade": dict(qemu="10", cpu="rv64,svade=on"),
    "qemu10-svade-local": dict(qemu="10", cpu="rv64,svade=on", relay="local"),
    "qemu10-aplic": dict(qemu="10", aia="aplic"),
    "qemu10-imsic": dict(qemu="10", aia="aplic-imsic", smp=4),
    "aplic": dict(aia="aplic"),
    "imsic": dict(aia="aplic-imsic"),
}
ANTLER_ONLY = {
    "service-2": dict(smp=4, append="service=2"),
    "service-list": dict(smp=4, append="service=1,2"),
    "service-2-delay": dict(smp=4, append="service=2 relay_delay=1000"),
    "fault-local": dict(append="fault=local"),
    "poll-0": dict(append="poll_us=0"),
    "poll-1000": dict(append="poll_us=1000"),
    "ring-4-wrap": dict(smp=4, append="relay_ring=4 "
                        "relay_index_start=0xfffffff8"),
}
SIFIVE = {
    "sifive_u": dict(machine="sifive_u", smp=4, mem="512M"),
    "sifive_u-1": dict(machine="sifive_u", smp=1, mem="512M"),
    "sifive_u-qemu10": dict(machine="sifive_u", smp=4, mem="1G", qemu="10"),
}


@pytest.mark.parametrize("name", MACHINES)
def test_machine(boot, name):
    m = boot(**MACHINES[name])
    smoke(m)
    m.poweroff()


@antler
@pytest.mark.parametrize("name", ANTLER_ONLY)
def test_arguments(boot, name):
    m = boot(**ANTLER_ONLY[name])
    smoke(m)
    m.poweroff()


@pytest.mark.parametrize("name", SIFIVE)
def test_sifive_u(boot, name):
    """The board's smaller sister: SiFive UART, hart 0 left alone, initrd."""
    m = boot(**SIFIVE[name])
    smoke(m, disk=False)
    # This machine has no way to power off: the kernel stops, QEMU stays.
    m.line("poweroff")
    m.expect(r"Power down|[Pp]ower.?off|halted|[Ss]ystem is going down")


@antler
@pytest.mark.parametrize("smp,arg,roles", [
    (1, "", {"both"}),
    (2, "", {"app", "service"}),
    (4, "service=1", {"app", "service"}),
    (4, "service=3", {"app", "service"}),
])
def test_roles(boot, smp, arg, roles):
    m = boot(smp=smp, append=arg)
    rows = m.relay_status()
    assert len(rows) == smp
    assert {row["role"] for row in rows} == roles
    if smp > 1:
        want = int(arg.split("=")[1]) if arg else 1
        assert sum(row["role"] == "service" for row in rows) == want


@antler
def test_service_list_by_hartid(boot):
    m = boot(smp=4, append="service=1,3")
    rows = m.relay_status()
    assert {row["hartid"] for row in rows if row["role"] == "service"} == \
        {"1", "3"}


@antler
def test_bad_arguments_are_named(boot):
    m = boot(append="relay=sideways service=99 relay_ring=banana mem=no")
    text = m.text()
    assert "sideways" in text and "banana" in text
    smoke(m)


# -- what is missing or broken ---------------------------------------------


@pytest.mark.parametrize("initrd", ["plain", "gzip"])
def test_initrd(boot, tmp_path, initrd):
    path = os.path.join(OUT, "initrd.cpio.gz")
    if initrd == "plain":
        path = str(tmp_path / "initrd.cpio")
        with gzip.open(os.path.join(OUT, "initrd.cpio.gz")) as src, \
                open(path, "wb") as dst:
            shutil.copyfileobj(src, dst)
    m = boot(disk="none", initrd=path)
    smoke(m, disk=False)
    m.poweroff()


def test_rdinit(boot):
    m = boot(disk="none", initrd=os.path.join(OUT, "initrd.cpio.gz"),
             append="rdinit=/bin/sh", wait_shell=False)
    m.expect(r"[/~] # ", 120)


@antler
@pytest.mark.parametrize("damage", ["truncated", "corrupt", "garbage",
                                    "truncated-plain"])
def test_broken_initrd(boot, tmp_path, damage):
    """A message, then power-off or what was unpacked: never a hang."""
    with open(os.path.join(OUT, "initrd.cpio.gz"), "rb") as f:
        blob = bytearray(f.read())
    if damage == "truncated-plain":
        blob = bytearray(gzip.decompress(bytes(blob)))[:300_000]
    elif damage == "truncated":
        blob = blob[:len(blob) // 2]
    elif damage == "corrupt":
        for i in range(1000, len(blob), 997):
            blob[i] ^= 0x55
    else:
        blob = bytearray(os.urandom(65536))
    path = str(tmp_path / "initrd")
    with open(path, "wb") as f:
        f.write(blob)
    m = boot(disk="none", initrd=path, append="panic=-1", wait_shell=False,
             tail=["-no-reboot"])
    m.expect_bad(r".*")
    m.expect(r"(?i)(initrd|cpio|gzip|archive)[^\n]*(corrupt|truncat|bad|inval|"
             r"not |error|short|end|unknown)", 30)
    # Enough of it may be there for a shell, as with Linux; else the end.
    m.proc.expect([PROMPT, pexpect.EOF], timeout=60)


@antler
@pytest.mark.parametrize("append,says", [
    ("root=/dev/vdz", r"vdz"),
    ("root=/dev/vda init=/no/such/init", r"no/such/init|no init"),
])
def test_missing(boot, append, says):
    disk = os.path.join(OUT, "root.ext4")
    m = boot(disk=disk, bare_append=True, wait_shell=False,
             append=f"console=ttyS0 rootfstype=ext4 rw panic=-1 {append}",
             tail=["-no-reboot"])
    m.expect_bad(r".*")
    m.expect(says, 30)
    m.wait_exit(30)
    # What was found instead: the disk that is there.
    if "vdz" in append:
        assert "vda" in m.text().split("vdz", 1)[1]


@antler
def test_no_disk_at_all(boot):
    m = boot(disk="none", append="root=/dev/vda panic=-1", wait_shell=False,
             tail=["-no-reboot"])
    m.expect_bad(r".*")
    m.wait_exit(30)
    assert "root" in m.text()


@antler
@pytest.mark.parametrize("damage", ["superblock", "groups", "zeros"])
def test_broken_filesystem(boot, disk, damage):
    with open(disk, "r+b") as f:
        if damage == "superblock":
            f.seek(1024 + 0x18)
            f.write(b"\xff" * 64)
        elif damage == "groups":
            f.seek(4096)
            f.write(b"\xff" * 4096)
        else:
            f.write(bytes(1 << 20))
    m = boot(disk=disk, append="panic=-1", wait_shell=False,
             tail=["-no-reboot"])
    m.expect_bad(r".*")
    m.expect(r"(?i)ext4|superblock|file ?system", 30)
    m.wait_exit(30)


def test_read_only_root(boot):
    m = boot(rw="ro")
    r = m.sh("touch /root/x")
    assert r.status != 0 and "Read-only" in r.out
    m.sh("ls -l /bin >/dev/null; cat /etc/passwd", check=True)
    m.poweroff()


def test_reboot(boot):
    m = boot()
    m.line("reboot")
    m.expect(r"OpenSBI", 60)
    m.wait_shell(120)
    smoke(m)


@antler
def test_quiet(boot):
    m = boot(append="quiet", wait_shell=False)
    m.wait_shell(60)
    loud = boot()
    assert len(m.text()) < len(loud.text())


def test_boots_from_firmware_of_the_host(boot):
    """OpenSBI by hand instead of -bios default."""
    path = "/usr/lib/riscv64-linux-gnu/opensbi/generic/fw_dynamic.bin"
    if not os.path.exists(path):
        pytest.skip("no opensbi package")
    m = boot(tail=["-bios", path])
    smoke(m)


@antler
def test_u_boot_booti(boot, tmp_path):
    """U-Boot's booti takes build/Image as it takes Linux's."""
    uboot = "/usr/lib/u-boot/qemu-riscv64_smode/uboot.elf"
    if not os.path.exists(uboot):
        pytest.skip("no u-boot-qemu package")
    tail = ["-kernel", uboot]
    # U-Boot is the kernel; Antler and its initrd are put into memory.
    image = os.path.join(OUT, "Image")
    initrd = os.path.join(OUT, "initrd.cpio.gz")
    tail += ["-device", f"loader,file={image},addr=0x84000000,force-raw=on",
             "-device", f"loader,file={initrd},addr=0x88000000,force-raw=on"]
    m = boot(kernel=uboot, disk="none", wait_shell=False, tail=tail[2:])
    m.expect(r"Hit any key to stop autoboot", 60)
    m.send("\n")
    m.expect(r"=> ", 20)
    size = os.path.getsize(initrd)
    m.line("setenv bootargs console=ttyS0")
    m.expect(r"=> ", 20)
    m.line(f"booti 0x84000000 0x88000000:{size:x} ${{fdtcontroladdr}}")
    m.wait_shell(60)
    smoke(m, disk=False)


def test_the_run_line(tmp_path):
    """qemu.py prints what it would run, for both kernels, one difference."""
    lines = []
    for kernel in ("antler", "linux"):
        if kernel == "antler" and not os.path.exists(f"{OUT}/Image"):
            pytest.skip("no kernel yet")
        done = subprocess.run(
            ["/usr/bin/python3", os.path.join(qemu.TOP, "scripts/qemu.py"),
             "line", f"KERNEL={kernel}", f"O={OUT}"], check=True,
            capture_output=True, text=True)
        lines.append(done.stdout.split())
    differ = [w for w in lines[1] if w not in lines[0]]
    assert len(differ) <= 3, differ
