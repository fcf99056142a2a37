# SPDX-License-Identifier: MIT
"""tests/qemu/test_ext4_errors.py - ext4 on a disk that fails now and then.

QEMU's blkdebug fails reads, writes or flushes; what was promised before has to be
there afterwards, and the volume to be mended by e2fsck's replay alone.
"""
import os
import re
import subprocess

import pytest

from conftest import LINUX
from test_storage import blkdebug

MIB = 1 << 20
FSYNC = "dd if=/dev/null conv=fsync,notrunc 2>/dev/null"    # of its output


def tool(*args, ok=(0,)):
    env = dict(os.environ, PATH=os.environ["PATH"] + ":/usr/sbin:/sbin")
    done = subprocess.run(args, capture_output=True, text=True, env=env,
                          check=False)
    assert done.returncode in ok, (args, done.stdout, done.stderr)
    return done.stdout


@pytest.fixture
def volume(tmp_path):
    """A volume with /f of 64 KiB and /d/1../d/9."""
    top = tmp_path / "top"
    (top / "d").mkdir(parents=True)
    (top / "f").write_bytes(b"f" * 65536)
    for i in range(1, 10):
        (top / "d" / str(i)).write_text(f"{i}\n")
    path = str(tmp_path / "volume")
    with open(path, "wb") as f:
        f.truncate(24 * MIB)
    tool("mke2fs", "-q", "-F", "-t", "ext4", "-b", "4096", "-d", str(top), path)
    return path


def sector(path, name, nr):
    """Of the @nr-th block of the file @name."""
    blocks = tool("debugfs", "-R", f"blocks {name}", path).split()
    return int(blocks[nr]) * 8


def start(boot, tmp_path, path, rules, options=""):
    m = boot(tail=blkdebug(tmp_path, path, rules))
    m.sh(f"mount -t ext4 {options} /dev/vdb /mnt", 60, check=True)
    return m


def test_write_error_once_for_each(boot, tmp_path, volume):
    """Of a page: both who have it open hear of it, once, and a third one not."""
    m = start(boot, tmp_path, volume,
              [("none", "write", sector(volume, "/f", 3))])
    m.sh("exec 8<>/mnt/f 9<>/mnt/f; dd if=/dev/zero of=/mnt/f bs=4k seek=2 "
         "count=3 conv=notrunc 2>/dev/null", check=True)
    got = [m.sh(f"{FSYNC} >&{fd}").status for fd in (8, 8, 9, 9)]
    assert got == [1, 0, 1, 0], got
    m.sh(f"exec 7<>/mnt/f; {FSYNC} >&7", check=True)
    assert m.sh("dd if=/dev/zero of=/mnt/f bs=4k seek=3 count=1 "
                "conv=notrunc,fsync 2>&1").status
    m.sh(f"{FSYNC} >&7; echo more >/mnt/g; sync /mnt/g", check=True)
    m.sh("exec 7>&- 8>&- 9>&-; umount /mnt", check=True)
    m.poweroff()
    tool("e2fsck", "-fn", volume)


def test_read_error(boot, tmp_path, volume):
    """Of a directory and of a page: they fail, others do not."""
    m = start(boot, tmp_path, volume,
              [("none", "read", sector(volume, "/d", 0)),
               ("none", "read", sector(volume, "/f", 5))])
    r = m.sh("cat /mnt/d/1 2>&1")
    assert r.status and "I/O error" in r.out
    r = m.sh("dd if=/mnt/f of=/dev/null bs=4k skip=5 count=1 2>&1")
    assert r.status and "I/O error" in r.out
    m.sh("dd if=/mnt/f of=/dev/null bs=4k count=1 2>/dev/null", check=True)
    m.sh("ls /mnt >/dev/null; umount /mnt", check=True)
    m.poweroff()
    tool("e2fsck", "-fp", volume, ok=(0, 1))


def finds_read_only(m):
    r = m.sh("touch /mnt/later 2>&1")
    assert r.status and "Read-only file system" in r.out, r.out
    if not LINUX:
        assert re.search(r"^/dev/vdb /mnt ext4 ro", m.read_file("/proc/mounts"),
                         re.M)
    m.sh("md5sum /mnt/f /mnt/d/1; umount /mnt", check=True)


def is_there(path, names):
    """After the journal was replayed by somebody else."""
    tool("e2fsck", "-fy", path, ok=(0, 1))
    tool("e2fsck", "-fn", path)
    listing = tool("debugfs", "-R", "ls -p /", path)
    for name in names:
        assert f"/{name}/" in listing, (name, listing)


def test_journal_write_error(boot, tmp_path, volume):
    """The volume becomes read-only; what was confirmed is there."""
    m = start(boot, tmp_path, volume,
              [("none", "write", sector(volume, "<8>", 60))])
    r = m.sh("for i in $(seq 100); do echo $i >/mnt/x$i && sync /mnt/x$i && "
             "echo kept x$i; done 2>/dev/null", 60)
    kept = re.findall(r"kept (\S+)", r.out)
    assert 1 <= len(kept) < 100, r.out
    finds_read_only(m)
    m.poweroff()
    is_there(volume, kept)


def test_flush_error(boot, tmp_path, volume):
    """No fsync() says that all is well."""
    m = start(boot, tmp_path, volume, [("none", "flush", None)],
              "-o barrier=0")
    m.sh("echo a >/mnt/a; sync /mnt/a", check=True)
    m.sh("mount -o remount,barrier=1 /mnt", check=True)
    assert m.sh("echo b >/mnt/b; sync /mnt/b").status
    finds_read_only(m)
    m.poweroff()
    is_there(volume, [])


def test_shut_down(boot, tmp_path, volume):
    """By ioctl: an I/O error whatever is asked for, and no news for e2fsck."""
    m = start(boot, tmp_path, volume, [])
    r = m.sh("UTEST_VOLUME=/mnt utest volume.shut_down </dev/null", 60)
    assert r.status == 0 and "ok 1 - volume.shut_down\n" in r.out, r.out
    m.sh("sync; umount /mnt && mount -t ext4 /dev/vdb /mnt && ls /mnt/f && "
         "umount /mnt", 60, check=True)
    m.close()
    tool("e2fsck", "-fn", volume)


def test_errors_are_told(boot, tmp_path, volume):
    """fanotify(7) names the inode that is broken, and counts."""
    (tmp_path / "bad").touch()
    tool("debugfs", "-w", "-R", f"write {tmp_path}/bad d/bad", volume)
    tool("debugfs", "-w", "-R", "set_inode_field d/bad mode 0xff", volume)
    tool("debugfs", "-w", "-R", "ln <1> d/link", volume)
    m = boot(tail=blkdebug(tmp_path, volume, []))
    r = m.sh("UTEST_BROKEN=/dev/vdb utest fanotify.broken </dev/null", 60)
    assert r.status == 0 and "ok 1 - fanotify.broken_volume\n" in r.out, r.out


def test_full(boot, tmp_path, volume):
    """What fallocate(2) gave can be written to though nothing else is free."""
    m = start(boot, tmp_path, volume, [])
    r = m.sh("UTEST_VOLUME=/mnt utest volume.full </dev/null", 60)
    assert r.status == 0 and "ok 1 - volume.full\n" in r.out, r.out
    m.sh("umount /mnt", 60, check=True)
    m.close()
    tool("e2fsck", "-fn", volume)
