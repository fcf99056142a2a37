# SPDX-License-Identifier: MIT
"""tests/qemu/test_nvme.py - NVMe as QEMU makes it: interrupts of each kind,
polling, block sizes, namespaces, errors, time-outs, resets, programs' commands.

The controller's own lies are the host tests' business (tests/host/nvme_test.c).
"""
import hashlib
import os
import re
import struct
import subprocess

import pytest

from conftest import LINUX, OUT, e2fsck

pytestmark = [pytest.mark.antler,
              pytest.mark.skipif(LINUX, reason="its initrd has no nvme")]

STATS = "/sys/class/nvme/nvme0/stats"
LOST = "an interrupt was lost"

# Several readers of the raw disk beside writers of files.
LOAD = ("cd /root; for i in 1 2 3 4; do dd if=/dev/nvme0n1 of=/dev/null bs=64k "
        "count=300 skip=$((i * 1200)) 2>/dev/null & done; "
        "for i in 1 2 3; do (dd if=/dev/urandom of=f$i bs=64k count=80 "
        "2>/dev/null; sync; md5sum f$i >s$i) & done; wait; cat s1 s2 s3; cd")


def stats(m):
    """{word of the first line: n}, {queue: {column: text}}"""
    first, head, *rows = m.read_file(STATS).splitlines()
    words = first.split()
    total = {k: int(v) for k, v in zip(words[::2], words[1::2])}
    return total, {int(r.split()[0]): dict(zip(head.split(), r.split()))
                   for r in rows}


def files(lines):
    """The lines of md5sum among what the guest printed."""
    return [line for line in lines if re.match(r"[0-9a-f]{32}  ", line)]


def blank(path, mib):
    with open(path, "wb") as f:
        f.truncate(mib << 20)
    return str(path)


def noise(path, mib):
    with open(path, "wb") as f:
        f.write(os.urandom(mib << 20))
    return str(path)


def md5_of(path, at=0, size=-1):
    with open(path, "rb") as f:
        f.seek(at)
        return hashlib.md5(f.read(size)).hexdigest()


def drive(path, name, *device):
    """-drive and the -device that uses it, by `drive=name`."""
    return ["-drive", f"file={path},if=none,id={name},format=raw",
            "-device", ",".join(device) + f",drive={name}"]


def check_on_host(disk, sums):
    """The file system is clean and the files are what the guest wrote."""
    status, out = e2fsck(disk)
    assert status == 0, out
    for line in sums:
        md5, name = line.split()
        dump = subprocess.run(
            ["/usr/sbin/debugfs", "-R", f"cat /root/{name}", disk],
            capture_output=True, check=True).stdout
        assert hashlib.md5(dump).hexdigest() == md5, name


# -- interrupts and polling ---------------------------------------------------

KINDS = {
    "intx": (dict(), "INTx, irq"),
    "intx-10": (dict(qemu="10"), "INTx, irq"),
    "intx-local": (dict(relay="local"), "INTx, irq"),
    "msix": (dict(qemu="10", aia="aplic-imsic", append="service=2"),
             "MSI-X, irq"),
    "poll": (dict(append="nvme.mode=poll"), "INTx, poll"),
    "hybrid": (dict(append="nvme.mode=hybrid"), "INTx, hybrid"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_root(boot, disk, kind):
    """Root on NVMe, several readers and writers, no interrupt lost.

    QEMU's PLIC hears rising edges only.  A driver that does not look again
    after its doorbell loses interrupts within a second of this.
    """
    config, says = KINDS[kind]
    m = boot(blk="nvme", disk=disk, snapshot=False, smp=4, **config)
    assert says in m.sh("dmesg | grep nvme0:").out
    sums = files(m.sh(LOAD, 120, check=True).lines)
    _, queue = stats(m)
    assert sum(int(q["commands"]) for q in queue.values()) > 300
    if "irq" in says:
        assert int(queue[1]["polls"]) == 0
    else:
        assert int(queue[1]["hits"]) > 100
    if kind == "msix":
        # a queue and a vector for each service hart
        assert int(queue[1]["interrupts"]) and int(queue[2]["interrupts"])
    m.sh("sync", check=True)
    m.poweroff()
    # under relay=local the hart that looks is not the one that is told
    assert kind == "intx-local" or LOST not in m.text()
    check_on_host(disk, sums)


def test_poll_queues(boot):
    """nvme.poll_queues=1 of two: the first polls, the second does not."""
    m = boot(blk="nvme", qemu="10", aia="aplic-imsic", smp=4,
             append="service=2 nvme.poll_queues=1")
    m.sh(LOAD, 120, check=True)
    _, queue = stats(m)
    assert queue[1]["mode"] == "poll" and queue[2]["mode"] == "irq"
    assert queue[1]["interrupts"] == "0"


def test_polled_interrupts_are_wanted(boot):
    """What a poller has taken was no stray interrupt, however often."""
    m = boot(blk="nvme", qemu="10", aia="aplic-imsic", smp=2)
    m.sh("echo 1 >/sys/block/nvme0n1/queue/io_poll; "
         "dd if=/dev/nvme0n1 of=/dev/null bs=4k count=4000 iflag=direct",
         120, check=True)
    _, queue = stats(m)
    assert int(queue[1]["hits"]) > 1000, queue
    assert int(queue[1]["lost"]) == 0, queue
    assert "nobody wanted" not in m.sh("dmesg").out


def test_mode_and_reset_under_load(boot, disk):
    """Modes change and the controller is reset while files are written."""
    m = boot(blk="nvme", disk=disk, snapshot=False, smp=4)
    ctrl = "/sys/class/nvme/nvme0"
    # A reset that forgets completions leaves QEMU's pin up: then all are lost.
    changes = (f"(for n in poll hybrid irq poll irq; do sleep 0.2; "
               f"echo $n >{ctrl}/mode || echo no $n; "
               f"echo 1 >{ctrl}/reset_controller || echo no reset; done) & ")
    sums = files(m.sh(changes + LOAD, 120, check=True).lines)
    assert len(sums) == 3, sums
    total, _ = stats(m)
    assert total["resets"] == 5 and total["timeouts"] == 0
    # who waits for a bio may look himself
    m.sh(f"echo irq >{ctrl}/mode; echo 1 >/sys/block/nvme0n1/queue/io_poll",
         check=True)
    before = int(stats(m)[1][1]["hits"])
    m.sh("dd if=/dev/nvme0n1 of=/dev/null bs=4k count=200 skip=9999 "
         "iflag=direct", check=True)
    assert int(stats(m)[1][1]["hits"]) > before
    assert m.sh(f"echo loud >{ctrl}/mode").status != 0
    m.sh("sync", check=True)
    m.poweroff()
    assert LOST not in m.text()
    check_on_host(disk, sums)


# -- disks --------------------------------------------------------------------


def test_root_on_a_partition(boot, tmp_path):
    """root=/dev/nvme0n1p2, found in an MBR."""
    path = str(tmp_path / "parts")
    root = os.path.join(OUT, "root.ext4")
    size = os.path.getsize(root)
    start = 8192
    entry = struct.Struct("<B3sB3sII")
    table = entry.pack(0, b"\0\0\0", 0x83, b"\0\0\0", 2048, 2048) + \
        entry.pack(0, b"\0\0\0", 0x83, b"\0\0\0", start, size // 512)
    with open(path, "wb") as f:
        f.write(bytes(446) + table + bytes(32) + b"\x55\xaa")
        f.truncate(start * 512 + size)
    subprocess.run(["dd", f"if={root}", f"of={path}", "bs=1M", "conv=notrunc,"
                    "sparse", f"seek={start * 512 >> 20}"], check=True,
                   capture_output=True)
    m = boot(blk="nvme", disk=path, root="/dev/nvme0n1p2")
    assert "nvme0n1p1" in m.sh("ls /dev").out
    assert "/dev/nvme0n1p2 / ext4" in m.read_file("/proc/mounts")
    m.sh("echo x >/root/x && sync", check=True)
    m.poweroff()


def test_namespaces_and_controllers(boot, tmp_path):
    """512 and 4096-byte blocks as two namespaces, and a second controller."""
    small = noise(tmp_path / "small", 8)
    large = blank(tmp_path / "large", 64)
    other = noise(tmp_path / "other", 8)
    subprocess.run(["/usr/sbin/mkfs.ext4", "-q", "-F", "-b", "4096", "-O",
                    "^orphan_file,^metadata_csum_seed", large], check=True)
    tail = ["-device", "nvme,id=c0,serial=c0"]
    tail += drive(small, "d1", "nvme-ns", "bus=c0", "nsid=1")
    tail += drive(large, "d2", "nvme-ns", "bus=c0", "nsid=5",
                  "logical_block_size=4096", "physical_block_size=4096")
    tail += drive(other, "d3", "nvme", "serial=c1", "max_ioqpairs=1", "mdts=1")
    m = boot(smp=4, tail=tail)
    sizes = m.sh("cat /sys/block/nvme*/queue/logical_block_size "
                 "/sys/block/nvme*/nsid").lines
    assert sizes == ["512", "4096", "512", "1", "5", "1"]
    sums = m.sh("for d in nvme0n1 nvme1n1; do md5sum </dev/$d & done; wait",
                60).lines
    assert sorted(s.split()[0] for s in sums) == \
        sorted((md5_of(small), md5_of(other)))
    m.sh("mount -t ext4 /dev/nvme0n2 /mnt && dd if=/dev/urandom of=/mnt/f "
         "bs=1001 count=5000 2>/dev/null && mkdir /mnt/d && "
         "cp /bin/busybox /mnt/d", 60, check=True)
    md5 = m.sh("md5sum /mnt/f; umount /mnt", check=True).out.split()[0]
    # blocks of 4096 are written whole, also through the raw device
    m.sh("printf here | dd of=/dev/nvme0n1 bs=1 seek=70000 conv=notrunc "
         "2>/dev/null && sync", check=True)
    m.poweroff()
    status, out = e2fsck(large)
    assert status == 0, out
    dump = subprocess.run(["/usr/sbin/debugfs", "-R", "cat /f", large],
                          capture_output=True, check=True).stdout
    assert hashlib.md5(dump).hexdigest() == md5
    with open(small, "rb") as f:
        f.seek(70000)
        assert f.read(4) == b"here"


# -- errors -------------------------------------------------------------------

BLKDEBUG = """\
[inject-error]
event = "none"
iotype = "{iotype}"
errno = "5"
{where}
"""


@pytest.mark.parametrize("iotype", ["read", "write", "flush"])
def test_injected_errors(boot, tmp_path, iotype):
    """EIO reaches the program, the rest of the disk works on."""
    path = noise(tmp_path / "bad", 4)
    conf = tmp_path / "debug.conf"
    conf.write_text(BLKDEBUG.format(
        iotype=iotype,
        where="" if iotype == "flush" else 'sector = "2048"'))
    m = boot(tail=[
        "-drive", f"driver=blkdebug,config={conf},image.driver=file,"
        f"image.filename={path},if=none,id=d1",
        "-device", "nvme,serial=bad,drive=d1"])
    dd = "dd {} bs=4096 count=2 conv=notrunc,fsync"
    if iotype == "read":
        r = m.sh(dd.format("if=/dev/nvme0n1 of=/tmp/x skip=255"))
    else:
        r = m.sh(dd.format("if=/bin/busybox of=/dev/nvme0n1 seek=255"))
    assert r.status != 0 and "I/O error" in r.out, r.out
    m.sh("dd if=/dev/nvme0n1 bs=4096 count=64 2>/dev/null | md5sum",
         check=True)
    m.sh("md5sum /bin/busybox", check=True)
    assert m.read_file("/sys/class/nvme/nvme0/state") == "live"


def test_slow_device(boot, tmp_path):
    """Commands that take longer than their time: aborted, the controller
    reset, done again - and right in the end."""
    path = noise(tmp_path / "slow", 2)
    m = boot(append="nvme_core.io_timeout=1", smp=2, tail=[
        "-drive", f"file={path},if=none,id=d1,format=raw,"
        "throttling.iops-total=2",
        "-device", "nvme,serial=slow,drive=d1"])
    r = m.sh("for i in 0 1 2 3 4 5 6 7; do dd if=/dev/nvme0n1 bs=128k count=1 "
             "skip=$i 2>/dev/null >/tmp/p$i & done; wait; cat /tmp/p? | md5sum",
             150, check=True)
    assert r.lines[-1].split()[0] == md5_of(path, 0, 1 << 20)
    total, _ = stats(m)
    assert total["timeouts"] > 0 and total["aborts"] > 0
    assert m.read_file("/sys/class/nvme/nvme0/state") == "live"


# -- a boot loader before us --------------------------------------------------


def test_found_enabled(boot):
    """As boot loaders leave it: enabled, its queues in memory that is ours now.

    Debian's U-Boot for this machine has no NVMe driver, so its commands do by
    hand what one would.
    """
    uboot = "/usr/lib/u-boot/qemu-riscv64_smode/uboot.elf"
    if not os.path.exists(uboot):
        pytest.skip("no u-boot-qemu package")
    image = os.path.join(OUT, "Image")
    root = os.path.join(OUT, "root.ext4")
    m = boot(kernel=uboot, disk="none", wait_shell=False, tail=[
        "-device", f"loader,file={image},addr=0x84000000,force-raw=on",
        "-drive", f"file={root},if=none,id=d0,format=raw,snapshot=on",
        "-device", "nvme,serial=u,drive=d0"])
    m.expect(r"Hit any key to stop autoboot", 60)
    m.send("\n")
    m.expect(r"=> ", 20)

    def command(text, pattern=r"=> "):
        m.line(text)
        match = m.expect(pattern, 20)
        if pattern != r"=> ":
            m.expect(r"=> ", 20)
        return match

    command("pci enum")
    bar = int(command("pci display.l 0.1.0 10 1",
                      r"00000010: ([0-9a-f]{8})").group(1), 16) & ~0xf
    command("pci write.w 0.1.0 4 6")
    for reg, value in ((0x24, 0x1f001f), (0x28, 0x90000000), (0x2c, 0),
                       (0x30, 0x90001000), (0x34, 0), (0x14, 0x460001)):
        command(f"mw.l {bar + reg:x} {value:x}")
    command(f"md.l {bar + 0x1c:x} 1", r": 00000001")
    command("setenv bootargs console=ttyS0 root=/dev/nvme0n1 rw "
            "rootfstype=ext4")
    m.line("booti 0x84000000 - ${fdtcontroladdr}")
    m.wait_shell(60)
    m.sh("md5sum /bin/busybox", check=True)
    m.poweroff()


# -- programs -----------------------------------------------------------------

# Linux's ioctls, as Debian's python3 in the guest issues them.
IOCTLS = r'''
import array, errno, fcntl, os, struct
CMD = "<BBHIIIQQIIIIIIIIII"     # struct nvme_passthru_cmd
def cmd(fd, nr, op, nsid, buf, cdw10, cdw11=0, cdw12=0, length=None, addr=None,
        flags=0):
    a = array.array("B", buf)
    p = a.buffer_info()[0] if addr is None else addr
    n = len(buf) if length is None else length
    c = bytearray(struct.pack(CMD, op, flags, 0, nsid, 0, 0, 0, p, 0, n,
                              cdw10, cdw11, cdw12, 0, 0, 0, 0, 0))
    if nr == 0x47:
        c += bytes(8)
    try:
        r = fcntl.ioctl(fd, 0xc0004e00 | len(c) << 16 | nr, c)
    except OSError as e:
        r = -e.errno
    return r, bytes(a), c
ctrl, ns = open("/dev/nvme0"), open("/dev/nvme0n1")
print("id", fcntl.ioctl(ns, 0x4e40))
r, b, _ = cmd(ctrl, 0x41, 6, 0, bytes(4096), 1)
print("ctrl", r, b[24:38].decode())
r, b, _ = cmd(ns, 0x47, 6, 1, bytes(4096), 0)
print("ns64", r, struct.unpack_from("<Q", b)[0])
r, b, _ = cmd(ctrl, 0x41, 2, 0xffffffff, bytes(512), 2 | 127 << 16)
print("smart", r, struct.unpack_from("<H", b, 1)[0] > 200)
print("flush", cmd(ns, 0x43, 0, 1, b"", 0)[0])
r, b, _ = cmd(ns, 0x43, 2, 1, bytes(1024), 8, 0, 1)
print("read", r, b == open("/dev/nvme0n1", "rb").read(5120)[4096:])
io = array.array("B", bytes(1024))
n = fcntl.ioctl(ns, 0x40304e42, bytearray(struct.pack(
    "<BBHHHQQQIIHHI", 2, 0, 0, 1, 0, 0, io.buffer_info()[0], 8, 0, 0, 0, 0, 0)))
print("submit", n, bytes(io) == b)
def errno_of(*a, **k):
    r = cmd(*a, **k)[0]
    return errno.errorcode.get(-r, r) if r < 0 else r
print("short", errno_of(ctrl, 0x41, 6, 0, bytes(512), 1))
print("long", errno_of(ctrl, 0x41, 6, 0, b"", 1, length=0x7fffffff))
print("fault", errno_of(ctrl, 0x41, 6, 0, b"", 1, length=4096, addr=8))
print("fault2", errno_of(ns, 0x43, 1, 1, b"", 0, length=512, addr=1 << 40))
print("flags", errno_of(ctrl, 0x41, 6, 0, bytes(4096), 1, flags=1))
print("queue", errno_of(ctrl, 0x41, 0, 0, b"", 1))
print("nsid", errno_of(ns, 0x43, 0, 9, b"", 0))
print("opcode", cmd(ctrl, 0x41, 0x7f, 0, b"", 0)[0] & 0x7ff)
print("range", cmd(ns, 0x43, 2, 1, bytes(512), 0xffffffff, 0xff)[0] & 0x7ff)
print("reset", fcntl.ioctl(ctrl, 0x4e44), fcntl.ioctl(ctrl, 0x4e46))
try:
    fcntl.ioctl(ctrl, 0x4e99)
except OSError as e:
    print("none", errno.errorcode[e.errno])
os.setuid(65534)
print("user", errno_of(ctrl, 0x41, 6, 0, bytes(4096), 1))
'''
ANSWERS = {
    "id": "1", "ctrl": "0 QEMU NVMe Ctrl", "ns64": "0 2097152",
    "smart": "0 True", "flush": "0", "read": "0 True", "submit": "0 True",
    "short": "EINVAL",
    "long": "EINVAL", "fault": "EFAULT", "fault2": "EFAULT",
    "flags": "EINVAL", "queue": "EINVAL", "nsid": "EINVAL", "opcode": "1",
    "range": "128", "reset": "0 0", "none": "ENOTTY", "user": "EACCES",
}


def test_ioctls(boot, tmp_path):
    script = tmp_path / "script"
    script.write_bytes(IOCTLS.encode().ljust(8192, b"\n"))
    m = boot(blk="nvme", tail=drive(script, "s", "virtio-blk-pci",
                                    "disable-legacy=on"))
    m.sh("mount -t devtmpfs dev /debian/dev; cat /dev/vda >/debian/tmp/i.py",
         check=True)
    r = m.sh("chroot /debian /usr/bin/python3 /tmp/i.py", 60)
    got = dict(line.split(" ", 1) for line in r.lines if " " in line)
    assert got == ANSWERS, r.out
    m.sh("md5sum /bin/busybox", check=True)
    names = m.sh("ls /sys/class/nvme/nvme0 /sys/class/nvme-subsystem/"
                 "nvme-subsys0").out.split()
    assert {"model", "subsysnqn", "nvme0n1", "nvme0", "transport",
            "address"} <= set(names)
    assert re.search(r"nqn\.", m.read_file("/sys/class/nvme/nvme0/subsysnqn"))
