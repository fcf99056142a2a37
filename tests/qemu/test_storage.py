# SPDX-License-Identifier: MIT
"""tests/qemu/test_storage.py - disks below the file systems: buses, queues, blocks.

What is on them is test_fs.py's.  The programs of Debian that look at disks come
from scripts/tools.py.
"""
import hashlib
import os
import re
import subprocess
import sys
import time

import pytest

from conftest import LINUX
from machine import qemu

sys.path.insert(0, os.path.join(qemu.TOP, "scripts"))
import tools  # noqa: E402

antler = pytest.mark.antler
MIB = 1 << 20


def disk_args(path, name="d1", props="", drive=""):
    """QEMU arguments of one more virtio disk; the guest's vdb if alone."""
    return ["-drive", f"file={path},if=none,id={name},format=raw{drive}",
            "-device", f"virtio-blk-pci,drive={name},disable-legacy=on{props}"]


def blank(tmp_path, size=64 * MIB, name="disk"):
    path = str(tmp_path / name)
    with open(path, "wb") as f:
        f.truncate(size)
    return path


@pytest.fixture
def tooled(boot):
    """boot() with Debian's disk tools at /tools."""
    def start(tail, **kw):
        m = boot(tail=tail + tools.drive(), **kw)
        m.sh(tools.SETUP, check=True)
        m.tool = lambda cmd, timeout=60: m.sh(tools.run(cmd), timeout)
        return m
    return start


# -- queues and features ---------------------------------------------------

# QEMU has no queues of less than four; vring_test.c has.
QUEUES = ["queue-size=4", "queue-size=16,seg-max-adjust=off",
          "queue-size=256,num-queues=2", "queue-size=1024,num-queues=4",
          "indirect_desc=off", "event_idx=off",
          "indirect_desc=off,event_idx=off,queue-size=8", "packed=on"]


def check_disk(m, path, dev="/dev/vdb"):
    """Write, read past the cache, ask for it at depth 32, and look from outside."""
    r = m.sh(f"UTEST_DISK={dev} utest -t 60 disk.direct disk.zero_range "
             "disk.aio_depth </dev/null", 180)
    assert r.status == 0 and "# 0 failed" in r.out, r.out
    m.sh(f"dd if=/bin/busybox of={dev} bs=64k seek=16 2>/dev/null && sync",
         60, check=True)
    md5 = m.sh("md5sum </bin/busybox").out.split()[0]
    size = int(m.sh("stat -c %s /bin/busybox").out)
    with open(path, "rb") as f:
        f.seek(16 * 65536)
        assert hashlib.md5(f.read(size)).hexdigest() == md5


@pytest.mark.parametrize("props", QUEUES)
def test_queues(boot, tmp_path, props):
    path = blank(tmp_path)
    m = boot(tail=disk_args(path, props="," + props), smp=4)
    check_disk(m, path)


@antler
@pytest.mark.parametrize("service,aia,queues", [(2, "aplic-imsic", 4),
                                                (2, "none", 2),
                                                (1, "aplic-imsic", 4)])
def test_queue_per_service_hart(boot, tmp_path, service, aia, queues):
    """As many queues as service harts; with messages each on its own hart."""
    path = blank(tmp_path)
    m = boot(tail=disk_args(path, props=f",num-queues={queues}"), smp=4,
             append=f"service={service}", qemu="10", aia=aia)
    assert int(m.read_file("/sys/block/vdb/queue/nr_hw_queues")) == service
    m.sh("for i in 1 2 3 4; do dd if=/dev/vdb of=/dev/null bs=64k count=200 "
         "iflag=direct 2>/dev/null & done; wait", 60, check=True)
    check_disk(m, path)
    if aia == "none" or service == 1:
        return
    name = os.path.basename(m.sh("readlink -f /sys/block/vdb/device/..").out)
    rows = [w for w in m.table("/proc/interrupts") if w[-1] == name]
    taken = [[int(n) for n in w[1:5]] for w in rows]
    busy = [row for row in taken if sum(row)]
    assert len(busy) == 2, taken
    # Service harts are numbered behind the application harts.
    assert sorted(row.index(max(row)) for row in busy) == [2, 3], taken
    assert all(sum(row[:2]) == 0 for row in taken), "application harts"


@antler
@pytest.mark.parametrize("mode", ["poll", "hybrid"])
def test_polling(boot, tmp_path, mode):
    """By argument, and by /sys; polled requests take no interrupt."""
    path = blank(tmp_path)
    m = boot(tail=disk_args(path), smp=3, append=f"virtio_blk.mode={mode}")
    q = "/sys/block/vdb/queue"
    assert m.read_file(f"{q}/io_poll") == "1"
    assert m.read_file(f"{q}/io_poll_delay") == ("0" if mode == "hybrid"
                                                 else "-1")
    check_disk(m, path)
    own = "/sys/block/vdb/virtio_blk"
    m.sh(f"dd if=/dev/vdb of=/dev/null bs=4k count=500 iflag=direct "
         "2>/dev/null", 60, check=True)
    assert int(m.read_file(f"{own}/polled")) > 0
    m.sh(f"echo 0 >{q}/io_poll", check=True)
    before = int(m.read_file(f"{own}/polled"))
    m.sh("dd if=/dev/vdb of=/dev/null bs=4k count=100 iflag=direct "
         "2>/dev/null", check=True)
    assert int(m.read_file(f"{own}/polled")) == before
    assert m.sh(f"echo 7 >{q}/io_poll").status != 0
    assert m.read_file(f"{own}/lost_interrupts") == "0"


@antler
def test_reset_under_load(boot, tmp_path):
    """Requests that a reset took away are started again: nothing is lost."""
    path = blank(tmp_path)
    m = boot(tail=disk_args(path), smp=4)
    m.sh("dd if=/bin/busybox of=/dev/vdb 2>/dev/null; sync", check=True)
    size = int(m.sh("stat -c %s /bin/busybox").out)
    m.sh("for i in 1 2 3; do (for j in 1 2 3 4 5; do head -c "
         f"{size} /dev/vdb | md5sum; echo 1 >/proc/sys/vm/drop_caches; done "
         ">/tmp/sum$i) & done; for i in 1 2 3 4 5 6; do sleep 0.1; "
         "echo 1 >/sys/block/vdb/virtio_blk/reset; done; wait", 120)
    want = m.sh("md5sum </bin/busybox").out.split()[0]
    sums = m.sh("cat /tmp/sum1 /tmp/sum2 /tmp/sum3").lines
    assert len(sums) == 15 and all(want in line for line in sums), sums
    assert int(m.read_file("/sys/block/vdb/virtio_blk/resets")) >= 1
    check_disk(m, path)


@antler
def test_one_doorbell_for_a_batch(boot, tmp_path):
    """32 requests in one io_submit(): fewer notifies than requests by far."""
    path = blank(tmp_path)
    m = boot(tail=disk_args(path), smp=2)
    own = "/sys/block/vdb/virtio_blk"

    def numbers():
        stat = m.read_file("/sys/block/vdb/stat").split()
        return (int(stat[0]) + int(stat[4]) + int(stat[1]) + int(stat[5]),
                int(m.read_file(f"{own}/notifies")),
                int(m.read_file(f"{own}/interrupts")))
    before = numbers()
    m.sh("UTEST_DISK=/dev/vdb utest disk.aio_depth </dev/null", 60, check=True)
    done, notifies, interrupts = (b - a for a, b in zip(before, numbers()))
    assert done >= 200 * 32
    assert notifies * 8 < done, (done, notifies)
    assert interrupts <= done


def test_capacity_change(boot, tmp_path):
    path = blank(tmp_path, 8 * MIB)
    m = boot(tail=disk_args(path))
    assert m.read_file("/sys/block/vdb/size") == str(8 * MIB // 512)
    m.qmp("block_resize", device="d1", size=24 * MIB)
    m.sh("for i in 1 2 3 4 5 6 7 8 9 10; do [ $(cat /sys/block/vdb/size) = "
         f"{24 * MIB // 512} ] && break; sleep 0.2; done", check=True)
    m.sh("printf end | dd of=/dev/vdb bs=1 seek=20000000 2>/dev/null; sync",
         check=True)
    with open(path, "rb") as f:
        f.seek(20000000)
        assert f.read(3) == b"end"


def test_read_only_disk(boot, tmp_path):
    path = blank(tmp_path, 8 * MIB)
    m = boot(tail=disk_args(path, drive=",readonly=on"))
    assert m.read_file("/sys/block/vdb/ro") == "1"
    r = m.sh("dd if=/dev/zero of=/dev/vdb bs=4k count=1 2>&1")
    assert r.status != 0 and "not permitted" in r.out
    m.sh("dd if=/dev/vdb of=/dev/null bs=1M 2>/dev/null", check=True)


def test_small_and_odd_disks(boot, tmp_path):
    """Not a whole number of pages, and nearly nothing at all."""
    odd = blank(tmp_path, 3 * 4096 + 1536, "odd")
    tiny = blank(tmp_path, 512, "tiny")
    m = boot(tail=disk_args(odd) + disk_args(tiny, "d2"))
    for dev, size in (("vdb", 13824), ("vdc", 512)):
        assert m.read_file(f"/sys/block/{dev}/size") == str(size // 512)
        assert m.sh(f"wc -c </dev/{dev}").out.strip() == str(size)
        m.sh(f"printf x | dd of=/dev/{dev} bs=1 seek={size - 1} 2>/dev/null; "
             "sync", check=True)
        assert m.sh(f"printf xy | dd of=/dev/{dev} bs=1 seek={size - 1} "
                    "2>&1").status != 0
    with open(odd, "rb") as f:
        assert f.read()[-1:] == b"x"


def test_disk_suite(boot, tmp_path):
    """user/tests/aio.c's `disk`: O_DIRECT, AIO, ioctls; Linux passes it too."""
    path = blank(tmp_path)
    m = boot(tail=disk_args(path, drive=",discard=unmap"), smp=3)
    r = m.sh("UTEST_DISK=/dev/vdb utest -t 60 disk. </dev/null", 240)
    assert r.status == 0 and "# 0 failed" in r.out, r.out
    assert "skip" not in r.out


def test_discard_reaches_the_image(tooled, tmp_path):
    path = blank(tmp_path, 16 * MIB)
    with open(path, "r+b") as f:
        f.write(os.urandom(16 * MIB))
    full = os.stat(path).st_blocks
    m = tooled(disk_args(path, drive=",discard=unmap"))
    m.sh(tools.run("/usr/sbin/blkdiscard -f /dev/vdb"), 60, check=True)
    assert os.stat(path).st_blocks < full // 4


# -- a hart of its own -------------------------------------------------------

@antler
@pytest.mark.parametrize("relay,blk", [
    ("remote", "blk"), ("remote", "nvme"), ("local", "blk")])
def test_block_layer_on_a_hart_of_its_own(boot, tmp_path, relay, blk):
    """R24: file systems on one service hart ask the block layer on another."""
    path = blank(tmp_path)
    tail = disk_args(path) if blk == "blk" else [
        "-drive", f"file={path},format=raw,if=none,id=n1",
        "-device", "nvme,serial=n1,drive=n1"]
    m = boot(smp=4, relay=relay, append="service=2 block=0", tail=tail)
    dev = "/dev/nvme0n1" if blk == "nvme" else "/dev/vdb"
    check_disk(m, path, dev)
    m.sh(f"mke2fs {dev} >/dev/null 2>&1 && mkdir -p /m && mount {dev} /m && "
         "cp -a /bin /m && sync && umount /m", 60, check=True)
    home, = [r for r in m.relay_status() if r["hartid"] == "0"]
    assert int(home["messages"]) > 100, home
    if relay == "remote":   # all calls are the other one's
        assert int(home["requests"]) < int(home["messages"]), home
    m.poweroff()
    r = subprocess.run(["/usr/sbin/e2fsck", "-fn", path], capture_output=True,
                       text=True, check=False)
    assert r.returncode == 0, r.stdout


# -- errors ----------------------------------------------------------------

def blkdebug(tmp_path, path, rules):
    """A drive whose requests fail as @rules say: (event, iotype, sector)."""
    conf = str(tmp_path / "debug.conf")
    with open(conf, "w", encoding="ascii") as f:
        for event, iotype, sector in rules:
            f.write(f'[inject-error]\nevent = "{event}"\niotype = "{iotype}"\n'
                    f'errno = "5"\nonce = "off"\n')
            if sector is not None:
                f.write(f'sector = "{sector}"\n')
    return ["-drive", f"driver=blkdebug,config={conf},image.driver=file,"
            f"image.filename={path},if=none,id=d1,werror=report,rerror=report",
            "-device", "virtio-blk-pci,drive=d1,disable-legacy=on"]


def test_errors_reach_the_program(boot, tmp_path):
    """One bad sector is one program's EIO, read or written, merged or not."""
    path = blank(tmp_path, 8 * MIB)
    m = boot(tail=blkdebug(tmp_path, path, [("none", "read", 2000),
                                            ("none", "write", 3000)]))
    for flag in ("", "iflag=direct"):
        r = m.sh("dd if=/dev/vdb of=/dev/null bs=4k skip=250 count=1 "
                 f"{flag} 2>&1")
        assert r.status != 0 and "I/O error" in r.out, r.out
        m.sh(f"dd if=/dev/vdb of=/dev/null bs=4k count=250 {flag} "
             "2>/dev/null", check=True)
    r = m.sh("dd if=/dev/zero of=/dev/vdb bs=4k seek=375 count=1 conv=fsync "
             "2>&1")
    assert r.status != 0 and "I/O error" in r.out, r.out
    m.sh("dd if=/dev/zero of=/dev/vdb bs=4k seek=380 count=1 conv=fsync "
         "2>/dev/null", check=True)
    m.sh("md5sum /bin/busybox", check=True)


def test_flush_error(boot, tmp_path):
    path = blank(tmp_path, 8 * MIB)
    m = boot(tail=blkdebug(tmp_path, path, [("none", "flush", None)]))
    r = m.sh("dd if=/dev/zero of=/dev/vdb bs=4k count=1 conv=fsync 2>&1")
    assert r.status != 0 and "I/O error" in r.out, r.out
    m.sh("dd if=/dev/vdb of=/dev/null bs=4k count=1 2>/dev/null", check=True)


# -- buses -----------------------------------------------------------------

SWITCH = ["-device", "pcie-root-port,id=rp0,chassis=1",
          "-device", "x3130-upstream,bus=rp0,id=up",
          "-device", "xio3130-downstream,bus=up,id=dn0,chassis=2",
          "-device", "xio3130-downstream,bus=up,id=dn1,chassis=3"]


@pytest.mark.parametrize("where", ["rp0", "dn1"])
def test_behind_ports(boot, tmp_path, where):
    path = blank(tmp_path)
    m = boot(tail=SWITCH + disk_args(path, props=f",bus={where}") if
             where != "rp0" else SWITCH[:2] + disk_args(path, props=",bus=rp0"),
             smp=2)
    check_disk(m, path)


def test_lspci(tooled, tmp_path):
    path = blank(tmp_path)
    m = tooled(SWITCH + disk_args(path, props=",bus=dn1"))
    out = m.tool("/usr/bin/lspci").out
    assert len(re.findall("Virtio.*block device", out)) == 3
    assert out.count("PCI bridge") == 4
    tree = m.tool("/usr/bin/lspci -t").out
    assert re.search(r"\[01-04\].*\[02-04\].*\[03\].*\n.*\[04\]-*00\.0", tree)
    out = m.tool("/usr/bin/lspci -vvv -nn -s 04:00.0").out
    assert "[1af4:1042]" in out and "BusMaster+" in out
    assert re.search(r"Region 4: Memory at \w+ \(64-bit, prefetchable\)", out)
    assert "MSI-X: " in out and "CommonCfg" in out
    assert "Kernel driver in use: virtio-pci" in out
    port = re.search(r"(\S+) PCI bridge.*Root", m.tool("/usr/bin/lspci").out)
    out = m.tool(f"/usr/bin/lspci -vvv -s {port.group(1)}").out
    assert "Root Port" in out and "Advanced Error Reporting" in out
    assert m.tool("/usr/bin/setpci -s 04:00.0 VENDOR_ID").out == "1af4"
    # a user who is nobody sees the first 64 bytes only
    r = m.sh("su -s /bin/sh nobody -c 'wc -c </sys/bus/pci/devices/"
             "0000:04:00.0/config'")
    assert r.out.strip() == "64", r.out


# -- what Debian's tools see -------------------------------------------------

def test_partitions(tooled, tmp_path):
    """GPT and MBR made in the guest, and what is in use stays."""
    path = blank(tmp_path, 256 * MIB)
    m = tooled(disk_args(path, props=",physical_block_size=4096,serial=ANTLER"))
    r = m.sh("printf 'label: gpt\\nsize=100M,name=one\\nsize=50M\\n,\\n' | " +
             tools.run("/usr/sbin/sfdisk /dev/vdb"), 60, check=True)
    assert "4096 bytes" in r.out
    parts = m.read_file("/proc/partitions")
    assert re.findall(r"(\d+) vdb(\d?)\n?", parts + "\n") == [
        ("262144", ""), ("102400", "1"), ("51200", "2"), ("106496", "3")]
    assert m.read_file("/sys/block/vdb/vdb2/start") == "206848"
    assert m.read_file("/sys/class/block/vdb3/partition") == "3"
    m.tool("/usr/sbin/mkfs.ext4 -q /dev/vdb1", 120)
    m.sh("mount -t ext4 /dev/vdb1 /mnt", check=True)
    assert "busy" in m.tool("/usr/sbin/blockdev --rereadpt /dev/vdb 2>&1").out
    assert "in use" in m.tool("/usr/sbin/mkfs.ext4 -F /dev/vdb1 2>&1").out
    assert m.tool("/usr/bin/partx -d --nr 1 /dev/vdb 2>&1").status != 0
    m.tool("/usr/bin/partx -d --nr 2 /dev/vdb")
    assert "vdb2" not in m.read_file("/proc/partitions")
    assert m.sh("[ -e /dev/vdb2 ] || [ -e /sys/class/block/vdb2 ]").status
    m.sh("umount /mnt", check=True)
    m.tool("/usr/sbin/parted -s /dev/vdb mklabel msdos mkpart primary 1MiB "
           "20MiB mkpart extended 20MiB 200MiB mkpart logical 21MiB 60MiB "
           "mkpart logical 61MiB 100MiB")
    names = re.findall(r"vdb\d+", m.read_file("/proc/partitions"))
    assert names == ["vdb1", "vdb2", "vdb5", "vdb6"], names
    m.tool("/usr/sbin/wipefs -a /dev/vdb")
    assert "vdb1" not in m.read_file("/proc/partitions")
    m.poweroff()
    out = subprocess.run(["/usr/sbin/sgdisk", "-v", path], capture_output=True,
                         text=True, check=False).stdout
    assert "Creating new GPT" in out or "no problems" in out.lower()


def test_file_system_tools(tooled, tmp_path):
    path = blank(tmp_path, 128 * MIB)
    m = tooled(disk_args(path))
    for cmd, want in (
            ("/usr/sbin/mkfs.ext4 -q -L first /dev/vdb 60M", ""),
            ("/usr/sbin/e2fsck -fy /dev/vdb", "first:"),
            ("/usr/sbin/resize2fs /dev/vdb 120M", "blocks long"),
            ("/usr/sbin/tune2fs -L second /dev/vdb", ""),
            ("/usr/sbin/e2fsck -fy /dev/vdb", "second:"),
            ("/usr/sbin/blkid /dev/vdb", 'LABEL="second"'),
            ("/usr/sbin/findfs LABEL=second", "/dev/vdb"),
            ("/usr/bin/lsblk -o NAME,TYPE,SIZE,RO,ROTA,MIN-IO", "vdb"),
            ("/usr/sbin/blockdev --getsize64 --getss --getbsz --getro "
             "/dev/vdb", "134217728\n512\n4096\n0"),
            ("/usr/sbin/fdisk -l /dev/vdb", "128 MiB"),
            ("/usr/sbin/sfdisk -l /dev/vda", "Disk /dev/vda")):
        r = m.tool(cmd + " 2>&1", 120)
        assert r.status == 0 and want in r.out, (cmd, r.out)
    m.poweroff()
    r = subprocess.run(["/usr/sbin/e2fsck", "-fn", path], capture_output=True,
                       text=True, check=False)
    assert r.returncode == 0, r.stdout


def test_tools_on_a_mounted_volume(tooled, tmp_path):
    """What they read from the device is what is mounted; label and trim."""
    path = blank(tmp_path, 64 * MIB)
    with open(path, "r+b") as f:
        f.write(os.urandom(64 * MIB))
    m = tooled(disk_args(path, drive=",discard=unmap"))
    m.tool("/usr/sbin/mkfs.ext4 -q -E nodiscard /dev/vdb", 60)
    m.sh("mount -t ext4 /dev/vdb /tools/mnt", check=True)
    for i in (1, 2):
        m.sh(f"mkdir -p /tools/mnt/d; echo text {i} >/tools/mnt/d/{i}; sync",
             check=True)
        r = m.tool(f"/usr/sbin/debugfs -R 'cat /d/{i}' /dev/vdb 2>&1")
        assert f"text {i}" in r.out, r.out
    assert "clean" in m.tool("/usr/sbin/dumpe2fs -h /dev/vdb 2>&1").out
    r = m.tool("/usr/sbin/tune2fs -L labelled /dev/vdb 2>&1")
    assert r.status == 0, r.out
    assert m.tool("/usr/sbin/e2label /dev/vdb").out == "labelled"
    r = m.tool("/usr/sbin/tune2fs -c 77 -i 3d -e remount-ro -m 2 /dev/vdb 2>&1")
    assert r.status == 0, r.out
    m.sh("echo more >/tools/mnt/d/3; sync", check=True)
    full = os.stat(path).st_blocks
    r = m.tool("/usr/sbin/fstrim -v /mnt 2>&1")
    assert r.status == 0 and "trimmed" in r.out, r.out
    assert os.stat(path).st_blocks < full // 3
    assert m.sh("cat /tools/mnt/d/1").out == "text 1"
    m.sh("umount /tools/mnt", check=True)
    assert m.tool("/usr/sbin/e2label /dev/vdb").out == "labelled"
    out = m.tool("/usr/sbin/dumpe2fs -h /dev/vdb 2>&1").out
    assert re.search(r"Maximum mount count: +77\n", out), out
    assert re.search(r"Check interval: +259200 ", out), out
    assert re.search(r"Errors behavior: +Remount read-only\n", out), out
    assert re.search(r"Reserved block count: +1310\n", out), out
    m.poweroff()
    r = subprocess.run(["/usr/sbin/e2fsck", "-fn", path], capture_output=True,
                       text=True, check=False)
    assert r.returncode == 0, r.stdout


def test_root_on_a_partition(boot, tmp_path):
    """root=PARTUUID= finds it, whatever its name is."""
    if LINUX:
        pytest.skip("its initrd takes names only")
    path = blank(tmp_path, 1200 * MIB)
    root = os.path.join(os.environ.get("O") or
                        os.path.join(qemu.TOP, "build"), "root.ext4")
    subprocess.run(["/usr/sbin/sgdisk", "-n", "1:0:+4M", "-n", "2:0:0", "-u",
                    "2:11111111-2222-3333-4444-555555555555", path],
                   check=True, capture_output=True)
    out = subprocess.run(["/usr/sbin/sgdisk", "-i", "2", path], check=True,
                         capture_output=True, text=True).stdout
    first = int(re.search(r"First sector: (\d+)", out).group(1))
    subprocess.run(["dd", f"if={root}", f"of={path}", "bs=1M",
                    f"seek={first * 512 // MIB}", "conv=notrunc,sparse"],
                   check=True, capture_output=True)
    m = boot(disk=path, root="PARTUUID=11111111-2222-3333-4444-555555555555")
    assert re.search(r"^/dev/(root|vda2) / ", m.read_file("/proc/mounts"),
                     re.M)


# -- the page cache ----------------------------------------------------------

@antler
def test_warm_listing_reads_nothing(machine):
    work = "ls -lR /bin /etc /usr /root >/dev/null"
    stat = "cut -c1-9 /sys/block/vda/stat"
    machine.sh(work + "; sleep 0.2")
    before = machine.sh(stat).out
    machine.sh(f"{work}; {work}")
    assert machine.sh(stat).out == before


@antler
def test_read_ahead(boot, tmp_path):
    """In order: few requests.  At random by advice: what was asked for."""
    path = blank(tmp_path)
    m = boot(tail=disk_args(path))

    def reads():
        return int(m.read_file("/sys/block/vdb/stat").split()[0])
    at = reads()
    m.sh("dd if=/dev/vdb of=/dev/null bs=4k count=2048 2>/dev/null", 60)
    assert reads() - at <= 80
    m.sh("echo 3 >/proc/sys/vm/drop_caches; echo 0 "
         ">/sys/block/vdb/queue/read_ahead_kb")
    at = reads()
    m.sh("dd if=/dev/vdb of=/dev/null bs=4k count=64 2>/dev/null")
    assert reads() - at == 64
    at = reads()
    m.sh("dd if=/dev/vdb of=/dev/null bs=64k count=4 skip=100 2>/dev/null")
    assert reads() - at <= 8


@antler
def test_write_back_by_age(boot, tmp_path):
    """Dirty pages go after dirty_expire; then nothing is left to do."""
    path = blank(tmp_path)
    m = boot(tail=disk_args(path))
    m.sh("mkdir /m; mke2fs /dev/vdb >/dev/null 2>&1; exec 9<>/dev/vdb; "
         "echo 100 >/proc/sys/vm/dirty_expire_centisecs; echo data >&9")
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with open(path, "rb") as f:
            if f.read(4) == b"data":
                break
        m.sh("sleep 0.5")
    else:
        pytest.fail("not written")
    assert re.search(r"^Dirty:\s+0 kB", m.read_file("/proc/meminfo"), re.M)


@antler
def test_drop_caches(boot):
    m = boot(mem="256M")
    m.sh("find /bin /usr -type f | xargs cat >/dev/null", 60)

    def cached():
        return int(re.search(r"^Cached:\s+(\d+)",
                             m.read_file("/proc/meminfo"), re.M).group(1))
    before = cached()
    m.sh("echo 3 >/proc/sys/vm/drop_caches", check=True)
    assert cached() < before // 2
    m.sh("md5sum /bin/busybox", check=True)


# -- who gets the disk -------------------------------------------------------

@antler
def test_reader_beside_a_flood(boot, tmp_path):
    """A process that floods the disk does not lock out another one."""
    path = blank(tmp_path)
    m = boot(tail=disk_args(path, props=",queue-size=256"), smp=3)
    m.sh("(while :; do dd if=/dev/zero of=/dev/vdb bs=1M count=60 "
         "oflag=direct 2>/dev/null; done) & flood=$!", 10)
    m.sh("dd if=/dev/vdb of=/dev/null bs=4k count=300 iflag=direct "
         "2>/dev/null", 60, check=True)
    m.sh("kill $flood; wait")


@pytest.mark.parametrize("relay", ["remote", "local"])
def test_fio_by_io_uring(tooled, tmp_path, relay):
    """Debian's fio writes and verifies a disk, and a file, through its rings."""
    m = tooled(disk_args(blank(tmp_path, 16 * MIB)), smp=3, relay=relay)
    job = ("/usr/bin/fio --name=x --ioengine=io_uring --iodepth=16 --rw=randwrite"
           " --bs=8k --verify=crc32c --thread --size=4M")
    for more in ("", " --sqthread_poll=1", " --fixedbufs --registerfiles",
                 " --force_async=3"):
        for where in ("--filename=/dev/vdb --direct=1",
                      "--filename=/tmp/u --direct=0 --end_fsync=1"):
            r = m.tool(f"{job}{more} {where}", 60)
            assert r.status == 0 and "err= 0" in r.out, r.out


@antler
def test_merging_can_be_switched_off(tooled, tmp_path):
    """R23: requests in a row are one, unless queue/nomerges says 2."""
    m = tooled(disk_args(blank(tmp_path, 16 * MIB)), smp=2)
    job = ("/usr/bin/fio --name=x --ioengine=libaio --direct=1 --rw=write --bs=4k"
           " --iodepth=32 --iodepth_batch=16 --filename=/dev/vdb --size=8M")
    merged = []
    for how in (0, 2, 0):
        m.sh(f"echo {how} >/sys/block/vdb/queue/nomerges", check=True)
        before = int(m.table("/sys/block/vdb/stat")[0][5])
        r = m.tool(job, 60)
        assert r.status == 0 and "err= 0" in r.out, r.out
        merged.append(int(m.table("/sys/block/vdb/stat")[0][5]) - before)
    assert merged[0] > 0 and merged[1] == 0 and merged[2] > 0, merged


@pytest.mark.parametrize("relay", ["remote", "local"])
def test_io_uring_ends_with_a_slow_disk(boot, tmp_path, relay):
    """Requests behind those that the disk has, when their process is over."""
    m = boot(tail=disk_args(blank(tmp_path), drive=",throttling.iops-total=30"),
             smp=3, relay=relay)
    r = m.sh("UTEST_DISK=/dev/vdb utest -t 20 slowdisk. </dev/null", 60)
    assert r.status == 0 and "# 0 failed" in r.out, r.out
