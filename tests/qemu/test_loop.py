# SPDX-License-Identifier: MIT
"""tests/qemu/test_loop.py - loop devices, with Debian's tools.

What can be asked without them is user/tests/loop.c's.
"""
import os
import re
import shlex
import sys

import pytest

from machine import qemu

sys.path.insert(0, os.path.join(qemu.TOP, "scripts"))
import tools  # noqa: E402


@pytest.fixture
def tooled(boot):
    """boot() with Debian's disk tools at /tools."""
    def start(**kw):
        m = boot(tail=tools.drive(), **kw)
        m.sh(tools.SETUP, check=True)
        m.sh("mkdir -p /tools/tmp/mnt", check=True)
        m.tool = lambda cmd, timeout=60: m.sh(
            tools.run(f"bash -c {shlex.quote(cmd)}"), timeout)
        return m
    return start


def make_volume(m, path, loop_opts=""):
    """An ext4 on a loop device over @path, used, checked and let go."""
    m.sh(f"dd if=/dev/zero of=/tools{path} bs=1M count=0 seek=48 2>/dev/null",
         check=True)
    dev = m.tool(f"losetup -f --show {loop_opts} {path}").out.strip()
    assert dev == "/dev/loop0", dev
    r = m.tool(f"mkfs.ext4 -q {dev} && e2fsck -fn {dev}", 120)
    assert r.status == 0, r.out
    m.sh(f"mount -t ext4 {dev} /tools/tmp/mnt && "
         "cp /bin/busybox /tools/tmp/mnt/ && sync && "
         "cmp /bin/busybox /tools/tmp/mnt/busybox", 60, check=True)
    assert m.tool(f"losetup -d {dev}").status == 0      # when it is unmounted
    assert f"{dev}" in m.tool("losetup -a").out
    m.sh("umount /tools/tmp/mnt", check=True)
    assert m.tool("losetup -a").out == ""
    return dev


@pytest.mark.parametrize("opts", ["", "--direct-io=on", "-b 4096"])
def test_on_ext4(tooled, opts):
    m = tooled()
    m.sh("mkdir -p /tools/tmp/ext4 && mount -o bind /root /tools/tmp/ext4",
         check=True)
    make_volume(m, "/tmp/ext4/vol", opts)
    m.sh("mkdir -p /mnt && mount -o loop -t ext4 /root/vol /mnt", check=True)
    m.sh("cmp /mnt/busybox /bin/busybox && rm /mnt/busybox && sync",
         check=True)
    m.sh("umount /mnt && rm /root/vol", check=True)


def test_on_tmpfs(tooled):
    m = tooled()
    dev = make_volume(m, "/tmp/vol")
    m.tool("losetup /dev/loop0 /tmp/vol")
    used = int(m.sh("du -k /tools/tmp/vol").out.split()[0])
    assert m.tool(f"mount {dev} /tmp/mnt && rm /tmp/mnt/busybox && sync && "
                  "fstrim -v /tmp/mnt && umount /tmp/mnt").status == 0
    assert int(m.sh("du -k /tools/tmp/vol").out.split()[0]) < used - 500
    # What was trimmed is remembered while it is mounted, until it is used.
    r = m.tool("mount /dev/loop0 /tmp/mnt; fstrim -v /tmp/mnt; fstrim -v "
               "/tmp/mnt; cp /bin/cat /tmp/mnt; sync; rm /tmp/mnt/cat; sync; "
               "fstrim -v /tmp/mnt; umount /tmp/mnt")
    trimmed = [int(n) for n in re.findall(r"\((\d+) bytes", r.out)]
    assert trimmed[0] > trimmed[2] > 0 and trimmed[1] == 0, r.out
    # Whoever is not the only user lets go later.
    assert m.tool("e2fsck -fn /dev/loop0").status == 0
    assert m.tool("losetup -D; losetup -a").out == ""


def test_partitions(tooled):
    m = tooled()
    m.sh("dd if=/dev/zero of=/tools/tmp/vol bs=1M count=0 seek=32 "
         "2>/dev/null", check=True)
    r = m.tool("printf 'label: gpt\\n,8M\\n,\\n' | sfdisk -q /tmp/vol; "
               "losetup -P -f --show /tmp/vol; lsblk -nro NAME,SIZE /dev/loop0")
    assert r.out.splitlines()[-3:] == ["loop0 32M", "loop0p1 8M",
                                       "loop0p2 22M"], r.out
    r = m.tool("mkfs.ext4 -q /dev/loop0p2 && e2fsck -fn /dev/loop0p2 && "
               "losetup -d /dev/loop0; ls /dev/loop0*", 90)
    assert r.out.splitlines()[-1] == "/dev/loop0", r.out
    # A part of the file, and no more of it.
    r = m.tool("losetup -o 1M --sizelimit 8M -r /dev/loop3 /tmp/vol; "
               "cat /sys/block/loop3/size /sys/block/loop3/ro "
               "/sys/block/loop3/loop/offset; dd if=/dev/zero of=/dev/loop3; "
               "losetup -d /dev/loop3")
    assert r.out.splitlines()[:3] == ["16384", "1", "1048576"], r.out
    assert "Operation not permitted" in r.out or "Read-only" in r.out


def test_memory_is_short(tooled):
    """Far more dirty pages above than there is memory, and none is lost."""
    m = tooled(mem="80M")
    m.sh("mkdir -p /mnt /tools/tmp/ext4 && mount -o bind /root /tools/tmp/ext4 "
         "&& dd if=/dev/zero of=/root/vol bs=1M count=0 seek=200 2>/dev/null",
         check=True)
    assert m.tool("mkfs.ext4 -q -F /tmp/ext4/vol", 60).status == 0
    m.sh("mount -o loop -t ext4 /root/vol /mnt", 60, check=True)
    r = m.sh("for i in 1 2 3; do dd if=/dev/urandom of=/mnt/$i bs=1M count=24 "
             "2>/dev/null & done; wait; sync; cd /mnt; md5sum 1 2 3 >/sum; "
             "echo 3 >/proc/sys/vm/drop_caches; md5sum -c /sum; cd /", 240)
    assert r.out.count(": OK") == 3, r.out
    m.sh("umount /mnt", 60, check=True)


def test_freeze(tooled):
    """What is on the disk of a frozen volume is whole, without a replay."""
    m = tooled()
    m.sh("dd if=/dev/zero of=/tools/tmp/vol bs=1M count=0 seek=32 2>/dev/null",
         check=True)
    assert m.tool("mkfs.ext4 -q /tmp/vol && mount -o loop /tmp/vol /tmp/mnt "
                  "&& mkdir /tmp/mnt/t", 60).status == 0
    r = m.sh("UTEST_FREEZE=/tools/tmp/mnt/t utest -t 30 freeze.waits "
             "freeze.only_the_owner freeze.not_everywhere freeze.quotactl "
             "</dev/null", 90)
    assert r.status == 0 and "# 0 failed" in r.out and "SKIP" not in r.out, \
        r.out
    m.sh("cd /tools/tmp/mnt && (while :; do cp /bin/busybox a; cp a b; "
         "done) & sleep 1", check=True)
    r = m.tool("fsfreeze -f /tmp/mnt && md5sum /tmp/vol && sleep 1 && "
               "cp --sparse=always /tmp/vol /tmp/copy && e2fsck -fn /tmp/copy "
               "&& md5sum /tmp/vol && dumpe2fs -h /tmp/copy 2>/dev/null | "
               "grep -c needs_recovery; fsfreeze -u /tmp/mnt", 90)
    sums = [w.split()[0] for w in r.out.splitlines() if w.endswith("/tmp/vol")]
    assert r.status == 0 and len(sums) == 2 and sums[0] == sums[1], r.out
    assert r.out.splitlines()[-1] == "0" and "WARNING" not in r.out, r.out
    m.sh("kill %1; wait; umount /tools/tmp/mnt", 60, check=True)
    assert m.tool("e2fsck -fn /tmp/vol").status == 0


@pytest.mark.parametrize("mkfs,first,then", [
    ("-b 4096", "100M", ["100M", "130M", "700M"]),
    ("-b 1024", "20M", ["21M", "300M"]),
    ("-b 2048 -O ^metadata_csum,uninit_bg,^64bit", "30M", ["500M"])])
def test_resize(tooled, mkfs, first, then):
    """resize2fs of a volume at work."""
    m = tooled()
    assert m.tool(f"truncate -s {first} /tmp/vol && mkfs.ext4 -q {mkfs} "
                  "/tmp/vol && losetup /dev/loop0 /tmp/vol && "
                  "mount /dev/loop0 /tmp/mnt", 60).status == 0
    m.sh("cd /tools/tmp/mnt && (while [ ! -e stop ]; do cp /bin/busybox a; "
         "mkdir d; mv a d/b; rm -r d; done) & cd", check=True)
    for size in then:
        r = m.tool(f"truncate -s {size} /tmp/vol && losetup -c /dev/loop0 && "
                   "resize2fs /dev/loop0 && df -k --output=size /tmp/mnt", 90)
        assert r.status == 0, r.out
        assert int(r.out.split()[-1]) > 0.85 * 1024 * int(size[:-1]), r.out
    m.sh("cd /tools/tmp/mnt; for i in 1 2 3 4 5 6 7 8 9 10 11 12; do "
         "cp /bin/busybox f$i; mkdir dir$i; done; md5sum f* >sums; "
         "touch stop; wait; cd; umount /tools/tmp/mnt", 60, check=True)
    r = m.tool("e2fsck -fn /dev/loop0 && mount /dev/loop0 /tmp/mnt && "
               "cd /tmp/mnt && md5sum -c sums; cd /; umount /tmp/mnt", 90)
    assert r.out.count(": OK") == 12 and "WARNING" not in r.out, r.out
    # The copies of the super block know of it.
    r = m.tool("losetup -d /dev/loop0; dumpe2fs /tmp/vol 2>/dev/null >/tmp/d; "
               "n=$(sed -n 's/.*Backup superblock at \\([0-9]*\\),.*/\\1/p' "
               "/tmp/d | tail -1); bs=$(sed -n 's/^Block size: *//p' /tmp/d); "
               "dumpe2fs -h -o superblock=$n -o blocksize=$bs /tmp/vol "
               "2>/dev/null | grep '^Block count'; grep '^Block count' /tmp/d")
    counts = r.out.splitlines()
    assert len(counts) == 2 and counts[0] == counts[1], r.out


def test_e4defrag(tooled):
    """A file in pieces is in fewer afterwards, and the same."""
    m = tooled()
    m.sh("mount -t tmpfs none /tools/etc && "
         "ln -s /proc/mounts /tools/etc/mtab", check=True)
    make_volume(m, "/tmp/vol")
    m.sh("mount -o loop -t ext4 /tools/tmp/vol /tools/tmp/mnt && "
         "cd /tools/tmp/mnt && for i in $(seq 16); do for f in a b; do "
         "dd if=/dev/urandom bs=12k count=1 >>$f 2>/dev/null; sync $f; done; "
         "done; md5sum a >/tmp/sum; cd /", 60, check=True)

    def extents():
        return int(re.search(r"(\d+) extents? found",
                             m.tool("filefrag /tmp/mnt/a").out).group(1))

    before = extents()
    r = m.tool("e4defrag -v /tmp/mnt/a")
    assert r.status == 0 and "[ OK ]" in r.out, r.out
    assert before > 8 > extents()
    m.sh("cd /tools/tmp/mnt && md5sum -c /tmp/sum; cd /", check=True)
    m.sh("umount /tools/tmp/mnt", check=True)
    assert m.tool("e2fsck -fn /tmp/vol").status == 0
