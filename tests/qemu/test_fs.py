# SPDX-License-Identifier: MIT
"""tests/qemu/test_fs.py - ext4 as mkfs.ext4 makes it and e2fsck checks it.

Each test works on a disk of its own; afterwards e2fsck -fn must be silent and
the host must read what the guest wrote.
"""
import hashlib
import os
import subprocess

import pexpect
import pytest

from conftest import LINUX, OUT, e2fsck
from machine import qemu

antler = pytest.mark.antler


def debugfs(path, *commands):
    tool = "/usr/sbin/debugfs"
    done = subprocess.run([tool, "-f", "-", path], text=True, check=True,
                          input="\n".join(commands) + "\n",
                          capture_output=True)
    return done.stdout


def make_disk(path, options, size=256):
    subprocess.run(["/usr/bin/python3",
                    os.path.join(qemu.TOP, "scripts/mkimage.py"), "ext4", path,
                    "--user", os.path.join(OUT, "user"), "--size", str(size),
                    f"--mke2fs={options}"], check=True)


def finish(m, disk):
    """Sync, power off, and let e2fsck judge."""
    m.sh("sync", 60, check=True)
    m.poweroff(60)
    status, out = e2fsck(disk)
    assert status == 0, out


WORK = [
    # many small files, half of them deleted again
    "mkdir /w && cd /w && for i in $(seq 300); do echo $i >f$i; done; "
    "for i in $(seq 1 2 300); do rm f$i; done; cd",
    # a deep tree, moved
    "mkdir -p /w/a/b/c/d/e/f/g && mv /w/a/b/c /w/c && rmdir /w/a/b",
    # a large file, appended to, truncated, with a hole
    "dd if=/dev/urandom of=/w/big bs=64k count=160 2>/dev/null; "
    "head -c 1000 /w/big >>/w/big; truncate -s 7000001 /w/big; "
    "dd if=/w/big of=/w/hole bs=1k count=1 seek=40000 2>/dev/null",
    # links of both kinds, short and long
    "ln /w/f2 /w/hard; ln -s f4 /w/soft; "
    "ln -s /w/$(printf %0200d 7) /w/longsoft",
    # a copy of /bin with its links, then part of it gone
    "cp -a /bin /w/bin && rm /w/bin/a* && chmod 4711 /w/bin/busybox",
    # renames over existing names
    "for i in 2 4 6 8 10; do cp /w/f$((i + 2)) /w/t; mv /w/t /w/f$i; done",
    # several writers at once
    "for i in 1 2 3 4; do (seq 5000 >/w/par$i; cp /w/par$i /w/p$i) & done; "
    "wait",
    # special files, modes and times
    "mkfifo /w/fifo; mknod /w/dev c 1 3; chown 12:34 /w/f20; "
    "touch -d '2001-02-03 04:05:06' /w/f22",
    # unlinked while open
    "exec 9>/w/gone; rm /w/gone; echo still >&9; exec 9>&-",
    # a directory of more than one block
    "mkdir /w/wide; cd /w/wide; for i in $(seq 600); do "
    ": >a-rather-long-file-name-$i; done; rm *7; cd",
]


@pytest.mark.parametrize("policy", ["remote", "local"])
def test_heavy_work(boot, disk, policy):
    m = boot(disk=disk, snapshot=False, relay=policy, smp=4)
    for step in WORK:
        m.sh(step, 120, check=True)
    sums = m.sh("cd /w && md5sum big hole p1 p4 f2 f10; cd",
                60, check=True).lines
    finish(m, disk)
    for line in sums:
        md5, name = line.split()
        dump = subprocess.run(["/usr/sbin/debugfs", "-R", f"cat /w/{name}",
                               disk], capture_output=True, check=True).stdout
        assert hashlib.md5(dump).hexdigest() == md5, name
    listing = debugfs(disk, "ls -l /w", "stat /w/f20", "stat /w/f22",
                      "stat /w/hard", "ls /w/wide")
    assert "User:    12" in listing and "Group:    34" in listing
    assert "2001" in listing
    assert "a-rather-long-file-name-599" in listing
    assert "a-rather-long-file-name-597" not in listing
    # Once more from the guest, which has forgotten everything.
    m = boot(disk=disk, snapshot=False, relay=policy)
    again = m.sh("cd /w && md5sum big hole p1 p4 f2 f10; cd", 60).lines
    assert again == sums
    m.sh("rm -r /w", 60, check=True)
    finish(m, disk)


@pytest.mark.parametrize("options", ["-b 1024", "-b 2048", "-b 4096",
                                     "-b 4096 -O ^metadata_csum",
                                     "-b 4096 -O ^64bit",
                                     "-b 1024 -I 128 -O ^dir_index"])
def test_formats(boot, tmp_path, options):
    path = str(tmp_path / "other.ext4")
    make_disk(path, options)
    m = boot(disk=path, snapshot=False)
    for step in WORK[:4] + WORK[9:]:
        m.sh(step, 120, check=True)
    m.sh("utest -t 20 -d /root errnos.holes_by_block "
         "errnos.grown_under_a_mapping", 60, check=True)
    finish(m, path)


def test_second_disk(boot, tmp_path):
    path = str(tmp_path / "second.ext4")
    with open(path, "wb") as f:
        f.truncate(64 << 20)
    subprocess.run(["/usr/sbin/mkfs.ext4", "-q", "-F", "-O",
                    "^orphan_file,^metadata_csum_seed", path], check=True)
    m = boot(tail=["-drive", f"file={path},if=none,id=d1,format=raw",
                   "-device", "virtio-blk-pci,drive=d1,disable-legacy=on"])
    m.sh("mount -t ext4 /dev/vdb /mnt && cp /bin/busybox /mnt && umount /mnt",
         check=True)
    m.sh("mount -t ext4 -o ro /dev/vdb /mnt && cmp /bin/busybox /mnt/busybox",
         check=True)
    assert "Read-only" in m.sh("touch /mnt/x").out
    m.sh("umount /mnt", check=True)
    m.poweroff()
    status, out = e2fsck(path)
    assert status == 0, out


def test_full_disk(boot, tmp_path):
    """ENOSPC, then room again after a removal, nothing lost."""
    path = str(tmp_path / "small.ext4")
    make_disk(path, "-m 0", size=128)
    m = boot(disk=path, snapshot=False)
    r = m.sh("dd if=/dev/zero of=/fill bs=64k 2>&1", 120)
    assert "No space" in r.out
    m.sh("echo more >/more; sync")
    m.sh("rm -f /fill /more; sync", 60, check=True)
    m.sh("dd if=/dev/zero of=/again bs=64k count=16 2>/dev/null; "
         "[ $(wc -c </again) = 1048576 ]", check=True)
    finish(m, path)


def test_raw_disk(boot, tmp_path):
    """The block device itself, by its name in /dev."""
    path = str(tmp_path / "raw")
    blob = os.urandom(1 << 20)
    with open(path, "wb") as f:
        f.write(blob)
    m = boot(tail=["-drive", f"file={path},if=none,id=d1,format=raw",
                   "-device", "virtio-blk-pci,drive=d1,disable-legacy=on"])
    md5 = m.sh("md5sum </dev/vdb", 60).out.split()[0]
    assert md5 == hashlib.md5(blob).hexdigest()
    m.sh("printf written | dd of=/dev/vdb bs=1 seek=5000 conv=notrunc "
         "2>/dev/null && sync", check=True)
    m.poweroff()
    with open(path, "rb") as f:
        data = f.read()
    assert data[5000:5007] == b"written" and data[:5000] == blob[:5000]
    assert data[5007:] == blob[5007:]


def test_power_cut(boot, disk):
    """What sync confirmed is there after QEMU was killed, with no e2fsck."""
    m = boot(disk=disk, snapshot=False)
    m.sh("mkdir /cut && for i in $(seq 200); do echo $i >/cut/f$i; done; "
         "dd if=/dev/urandom of=/cut/big bs=64k count=40 2>/dev/null; sync",
         60, check=True)
    md5 = m.sh("cat /cut/* | md5sum", 60, check=True).out
    m.sh("rm /cut/f1; echo lost >/cut/f2")
    m.close()
    m = boot(disk=disk, snapshot=False)
    if not LINUX:
        assert "journal replayed" in m.text()
    listing = m.sh("ls /cut | wc -l", check=True).out
    assert int(listing) in (200, 201)
    if int(listing) == 201 and m.sh("cat /cut/f2").out == "2":
        assert m.sh("cat /cut/* | md5sum", 60, check=True).out == md5
    assert m.sh("cat /cut/f3 /cut/f200").out == "3\n200"
    finish(m, disk)


@pytest.mark.parametrize("queue", ["queue-size=4", "queue-size=1024",
                                   "num-queues=4", "packed=on"])
def test_virtqueues(boot, queue):
    """Odd queues; what the driver cannot use it must refuse by itself."""
    guest_tail = ["-global", f"virtio-blk-pci.{queue}"]
    if LINUX and queue == "queue-size=4":
        pytest.skip("Linux needs more descriptors")
    m = boot(tail=guest_tail, smp=4)
    m.sh("md5sum /bin/busybox && dd if=/dev/urandom of=/root/x bs=64k "
         "count=40 2>/dev/null && sync && md5sum /root/x", 60, check=True)


def test_behind_a_bridge(boot, disk):
    tail = ["-device", "pcie-root-port,id=rp0,chassis=1",
            "-drive", f"file={disk},if=none,id=b0,format=raw",
            "-device", "virtio-blk-pci,drive=b0,bus=rp0,disable-legacy=on"]
    m = boot(tail=tail)
    md5 = m.sh("head -c 1048576 /dev/vdb | md5sum").out.split()[0]
    with open(disk, "rb") as f:
        assert md5 == hashlib.md5(f.read(1 << 20)).hexdigest()


@antler
def test_lying_device(boot, tmp_path):
    """I/O errors reach the program as EIO and the machine lives on."""
    path = str(tmp_path / "bad")
    with open(path, "wb") as f:
        f.truncate(1 << 20)
    conf = str(tmp_path / "debug.conf")
    with open(conf, "w", encoding="ascii") as f:
        f.write('[inject-error]\nevent = "none"\niotype = "read"\nerrno = "5"\n'
                'sector = "100"\n')
    m = boot(tail=["-drive", f"driver=blkdebug,config={conf},image.driver="
                   f"file,image.filename={path},if=none,id=d1",
                   "-device", "virtio-blk-pci,drive=d1,disable-legacy=on"])
    r = m.sh("dd if=/dev/vdb of=/dev/null bs=512 skip=96 count=16")
    assert r.status != 0 and "I/O error" in r.out
    m.sh("md5sum /bin/busybox", check=True)


# What mount(8) is given, and what /proc/mounts says of it; None: refused.
OPTIONS = [
    ("", ""), ("bsdgroups,minixdf", "minixdf,grpid"),
    ("resuid=7,resgid=8", "resuid=7,resgid=8"), ("resuid=x", None),
    ("errors=remount-ro,errors=continue", ""), ("errors=maybe", None),
    ("noload", "norecovery"), ("noacl", None), ("nonsense", None),
    ("commit=0x10,nobarrier", "nobarrier,commit=16"), ("commit=-1", None),
    ("commit=0,barrier=7,bh,check=none,orlov,journal=20", ""),
    ("journal_async_commit", None), ("data=ordered", "data=ordered"),
    ("journal_async_commit,data=writeback",
     "journal_async_commit,data=writeback"),
    ("inode_readahead_blks=17", None), ("auto_da_alloc=0", "noauto_da_alloc"),
    ("init_itable=20,nodelalloc,dioread_lock,stripe=3",
     "nodioread_nolock,nodelalloc,stripe=3,init_itable=20"),
    ("dax", None), ("dax=never", "dax=never"), ("usrjquota=", ""),
    ("max_dir_size_kb=3,nombcache,discard",
     "discard,nombcache,max_dir_size_kb=3"),
    ("debug_want_extra_isize=512", None), ("sb=1,i_version", ""),
]


def test_mount_options(boot, tmp_path):
    path = str(tmp_path / "second.ext4")
    with open(path, "wb") as f:
        f.truncate(64 << 20)
    subprocess.run(["/usr/sbin/mkfs.ext4", "-q", "-F", "-b", "4096", path],
                   check=True)
    m = boot(tail=["-drive", f"file={path},if=none,id=d1,format=raw",
                   "-device", "virtio-blk-pci,drive=d1,disable-legacy=on"])

    def shown():
        line = m.sh("grep ' /mnt ' /proc/mounts", check=True).out
        return line.split()[3].replace("rw,relatime", "").lstrip(",")

    for given, want in OPTIONS:
        done = m.sh(f"mount -t ext4 -o rw,{given} /dev/vdb /mnt")
        assert (done.status == 0) == (want is not None), given
        if want is not None:
            assert shown() == want, given
            m.sh(f"mount -o remount,{given or 'rw'} /mnt", check=True)
            assert shown() == want, given
            m.sh("umount /mnt", check=True)
    m.sh("mount -t ext4 /dev/vdb /mnt", check=True)
    for refused in ("data=writeback", "nombcache", "dax=never", "commit=9,no"):
        assert m.sh(f"mount -o remount,{refused} /mnt").status
    assert shown() == ""
    options = m.sh("cat /proc/fs/ext4/vdb/options", check=True).lines
    assert options[0] == "rw" and "acl" in options and "commit=5" in options
    assert "features" in m.sh("ls /sys/fs/ext4").out
    m.sh("mount -o remount,grpid,max_dir_size_kb=8 /mnt && mkdir /mnt/d && "
         "chown 5:6 /mnt/d && touch /mnt/d/f", check=True)
    assert m.sh("stat -c %g /mnt/d/f").out == "6"
    full = m.sh("for i in $(seq 300); do touch "
                "/mnt/d/a-rather-long-file-name-$i 2>&1 || break; done", 60)
    assert full.out.count("No space left") == 1
    m.sh("umount /mnt", check=True)
    assert "vdb" not in m.sh("ls /sys/fs/ext4 /proc/fs/ext4").out
    m.poweroff()
    status, out = e2fsck(path)
    assert status == 0, out
