#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""scripts/mkimage.py - make the disks and initial RAM disks of the guests.

    mkimage.py ext4 OUT [--size MiB]     root file system, stock mkfs.ext4
    mkimage.py initrd OUT [--plain]      the same userland as a cpio (newc)
    mkimage.py linux-initrd OUT          only what Debian's Linux needs before
                                         it can mount the ext4 image

Userland is Debian's static busybox, our own programs (--user DIR) and, on the
ext4 image, Debian's dynamic bash, coreutils and python3 under /debian.  One
tree is described in memory and written in either form; nothing is mounted and
nobody needs to be root.

Not here: QEMU command lines (qemu.py), downloads (fetch-guests).
"""
import argparse
import gzip
import os
import shutil
import stat
import struct
import subprocess
import sys
import tempfile

CACHE = os.environ.get("ANTLER_CACHE") or os.path.join(
    os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"),
    "antler")
GUEST = os.path.join(CACHE, "guest")

# What stock mkfs.ext4 of Debian 12 makes; the later one of Debian 13 adds two
# features by default, which are taken away again so that images are the same.
EXT4_FEATURES = "^orphan_file,^metadata_csum_seed"

INITTAB = """\
::sysinit:/etc/init.d/rcS
::respawn:-/bin/sh
::ctrlaltdel:/sbin/reboot
::shutdown:/bin/sync
::shutdown:/bin/umount -a -r
"""

RCS = """\
#!/bin/sh
# Mount what the kernel did not.
mountpoint() { grep -q " $1 " /proc/mounts; }
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mountpoint /dev || mount -t devtmpfs devtmpfs /dev
mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
mount -t tmpfs tmpfs /tmp
mount -t tmpfs tmpfs /dev/shm
[ -e /dev/fd ] || ln -s /proc/self/fd /dev/fd
hostname "$(cat /etc/hostname)"
ifconfig lo up 2>/dev/null
if grep -q eth0: /proc/net/dev; then /etc/init.d/net & fi
"""

# What the network says, if there is one that answers: in the background, for the
# shell does not wait for it.
NET = """\
#!/bin/sh
exec </dev/null >/dev/null 2>&1
ip link set eth0 up
exec udhcpc -i eth0 -s /etc/udhcpc.script -n -f -t 5 -T 1
"""

UDHCPC = """\
#!/bin/sh
# Called by udhcpc with what the server said in $ip, $mask, $router, $dns, $domain.
case $1 in
deconfig)
	ip -4 addr flush dev "$interface"
	;;
bound|renew)
	ip addr replace "$ip/$mask" broadcast "${broadcast:-+}" dev "$interface"
	for gw in $router; do
		ip route replace default via "$gw" dev "$interface"
		break
	done
	{
		[ -z "$domain" ] || echo "search $domain"
		for server in $dns; do echo "nameserver $server"; done
	} > /tmp/resolv.conf
	for etc in /etc /debian/etc; do
		[ ! -d $etc ] || cp /tmp/resolv.conf $etc/resolv.conf
	done
	rm /tmp/resolv.conf
	;;
esac
"""

# rdinit=/etc/init.d/bench bench=PROGRAM,ARGUMENT,...: the program, and nothing
# typed at a console, so that two runs are the same to the instruction.
BENCH = """\
#!/bin/sh
. /etc/init.d/rcS
export PATH=/usr/local/bin:/bin
for word in $(cat /proc/cmdline); do
	case $word in
	bench=*)	command=${word#bench=} ;;
	esac
done
echo "bench: $command"
IFS=,
$command
echo "bench: status $?"
poweroff -f
"""

PROFILE = """\
export PATH=/usr/local/bin:/bin:/sbin:/usr/bin:/usr/sbin
export HOME=/root
PS1='\\h:\\w\\$ '
cd "$HOME"
"""

ETC = {
    "passwd": "root::0:0:root:/root:/bin/sh\n"
              "nobody:x:65534:65534:nobody:/:/bin/false\n",
    "group": "root:x:0:\ntty:x:5:\nnogroup:x:65534:\n",
    "hostname": "antler\n",
    "hosts": "127.0.0.1\tlocalhost antler\n",
    "fstab": "proc\t/proc\tproc\tdefaults\t0 0\n"
             "sysfs\t/sys\tsysfs\tdefaults\t0 0\n"
             "tmpfs\t/tmp\ttmpfs\tdefaults\t0 0\n",
    "issue": "Antler\n",
    "shells": "/bin/sh\n",
    "inittab": INITTAB,
    "profile": PROFILE,
}

# Debian's Linux has ext4 and virtio-blk as modules; this is its whole initrd.
LINUX_INIT = """\
#!/bin/busybox sh
b=/bin/busybox
$b mount -t devtmpfs devtmpfs /dev
$b mount -t proc proc /proc
for ko in /modules/*.ko; do $b insmod $ko; done
root=/dev/vda init=/sbin/init mode=ro type=ext4
for word in $($b cat /proc/cmdline); do
	case $word in
	root=*)		root=${word#root=} ;;
	rootfstype=*)	type=${word#rootfstype=} ;;
	init=*)		init=${word#init=} ;;
	ro|rw)		mode=$word ;;
	esac
done
n=0
until [ -b $root ] || [ $n = 100 ]; do $b usleep 50000; n=$((n + 1)); done
$b mount -t $type -o $mode $root /root
$b umount /proc
$b mount -o move /dev /root/dev
exec $b switch_root /root $init
"""


class Tree:
    """A file tree: path -> (mode, kind-specific value).  Parents first."""

    def __init__(self):
        self.nodes = {}

    def add_dir(self, path, perm=0o755):
        self._parents(path)
        self.nodes.setdefault(path, (stat.S_IFDIR | perm, b""))

    def add_file(self, path, data, perm=0o644):
        self._parents(path)
        if isinstance(data, str):
            data = data.encode()
        self.nodes[path] = (stat.S_IFREG | perm, data)

    def add_link(self, path, target):
        self._parents(path)
        self.nodes[path] = (stat.S_IFLNK | 0o777, target.encode())

    def add_chardev(self, path, major, minor, perm=0o600):
        self._parents(path)
        self.nodes[path] = (stat.S_IFCHR | perm, (major, minor))

    def add_host_tree(self, path, source):
        for top, dirs, files in os.walk(source):
            rel = os.path.normpath(os.path.join(
                path, os.path.relpath(top, source)))
            self.add_dir(rel)
            for name in dirs + files:
                src = os.path.join(top, name)
                if os.path.islink(src):
                    self.add_link(f"{rel}/{name}", os.readlink(src))
                elif os.path.isfile(src):
                    with open(src, "rb") as f:
                        self.add_file(f"{rel}/{name}", f.read(),
                                      os.stat(src).st_mode & 0o7777)

    def _parents(self, path):
        parent = os.path.dirname(path)
        if parent:
            self.add_dir(parent)


def busybox_applets(binary):
    """Names of the applets, from the sorted list inside the binary."""
    start = binary.find(b"[\0[[\0a")
    if start < 0:
        sys.exit("mkimage: no list of applets in busybox")
    names = []
    for name in binary[start:start + 16384].split(b"\0"):
        if not name or (names and name.decode() <= names[-1]):
            break
        names.append(name.decode())
    return names


def add_base(tree):
    """Directories, /etc and busybox with its links."""
    for path in "proc sys dev mnt run var/log usr/share".split():
        tree.add_dir(path)
    tree.add_dir("root", 0o700)
    tree.add_dir("tmp", 0o1777)
    for name, text in ETC.items():
        tree.add_file(f"etc/{name}", text)
    tree.add_file("etc/init.d/rcS", RCS, 0o755)
    tree.add_file("etc/init.d/bench", BENCH, 0o755)
    tree.add_file("etc/init.d/net", NET, 0o755)
    tree.add_file("etc/udhcpc.script", UDHCPC, 0o755)
    with open(os.path.join(GUEST, "busybox"), "rb") as f:
        binary = f.read()
    tree.add_file("bin/busybox", binary, 0o755)
    for name in busybox_applets(binary):
        if name != "busybox":
            tree.add_link(f"bin/{name}", "busybox")
    tree.add_link("sbin", "bin")
    tree.add_link("usr/bin", "../bin")
    tree.add_link("usr/sbin", "../bin")
    tree.add_link("init", "sbin/init")
    tree.add_chardev("dev/console", 5, 1)
    tree.add_chardev("dev/null", 1, 3, 0o666)


def add_user(tree, user_dir):
    if not user_dir or not os.path.isdir(user_dir):
        return
    for name in sorted(os.listdir(user_dir)):
        path = os.path.join(user_dir, name)
        if os.access(path, os.X_OK) and os.path.isfile(path):
            with open(path, "rb") as f:
                tree.add_file(f"usr/local/bin/{name}", f.read(), 0o755)


def add_many(tree, nr=400):
    """The directory whose `ls -l` is one of the figures."""
    for i in range(nr):
        tree.add_file(f"usr/share/many/file-{i:03d}", f"{i}\n")


def full_tree(user_dir, with_debian):
    tree = Tree()
    add_base(tree)
    add_user(tree, user_dir)
    add_many(tree)
    if with_debian:
        tree.add_host_tree("debian", os.path.join(CACHE, "perf/root"))
        tree.add_host_tree("debian", os.path.join(GUEST, "root"))
        for name in "proc sys dev tmp root".split():
            tree.add_dir(f"debian/{name}")
        tree.add_file("debian/etc/passwd", ETC["passwd"])
        tree.add_file("debian/etc/group", ETC["group"])
    return tree


def linux_tree(more_modules):
    tree = Tree()
    for path in "bin dev proc root".split():
        tree.add_dir(path)
    tree.add_chardev("dev/console", 5, 1)
    with open(os.path.join(GUEST, "busybox"), "rb") as f:
        tree.add_file("bin/busybox", f.read(), 0o755)
    tree.add_host_tree("modules", os.path.join(GUEST, "linux/modules"))
    if more_modules:
        tree.add_host_tree("modules", more_modules)
    tree.add_file("init", LINUX_INIT, 0o755)
    return tree


def cpio_entry(ino, name, mode, data=b"", rdev=(0, 0), mtime=1):
    """One member of a newc archive, padded."""
    raw = name.encode() + b"\0"
    nlink = 2 if stat.S_ISDIR(mode) else 1
    fields = (ino, mode, 0, 0, nlink, mtime, len(data), 0, 0,
              rdev[0], rdev[1], len(raw), 0)
    head = b"070701" + b"".join(b"%08X" % f for f in fields) + raw
    head += b"\0" * (-len(head) % 4)
    return head + data + b"\0" * (-len(data) % 4)


def write_cpio(tree, out, plain):
    parts = []
    for ino, (path, (mode, value)) in enumerate(tree.nodes.items(), 1):
        if stat.S_ISCHR(mode):
            parts.append(cpio_entry(ino, path, mode, rdev=value))
        else:
            parts.append(cpio_entry(ino, path, mode, value))
    parts.append(cpio_entry(0, "TRAILER!!!", 0, mtime=0))
    blob = b"".join(parts)
    blob += b"\0" * (-len(blob) % 512)
    if not plain:
        blob = gzip.compress(blob, 6, mtime=0)
    replace_file(out, lambda tmp: open(tmp, "wb").write(blob))


def replace_file(out, make):
    """Make @out whole or not at all."""
    os.makedirs(os.path.dirname(os.path.abspath(out)), exist_ok=True)
    tmp = out + ".new"
    try:
        make(tmp)
        os.rename(tmp, out)
    finally:
        if os.path.exists(tmp):
            os.unlink(tmp)


def stage(tree, top):
    """Write the tree below @top.  Returns debugfs commands for the devices."""
    devices = []
    modes = []
    for path, (mode, value) in tree.nodes.items():
        dst = os.path.join(top, path)
        if stat.S_ISDIR(mode):
            os.makedirs(dst, exist_ok=True)
        elif stat.S_ISLNK(mode):
            os.symlink(value.decode(), dst)
            continue
        elif stat.S_ISCHR(mode):
            devices.append(f"cd /{os.path.dirname(path)}")
            devices.append(f"mknod {os.path.basename(path)} c "
                           f"{value[0]} {value[1]}")
            devices.append(f"sif /{path} mode 0{mode:o}")
            continue
        else:
            with open(dst, "wb") as f:
                f.write(value)
        modes.append((dst, stat.S_IMODE(mode)))
    for dst, perm in reversed(modes):
        os.chmod(dst, perm)
    return devices


def tool(name):
    path = shutil.which(name, path=os.environ.get("PATH", "") +
                        ":/usr/sbin:/sbin")
    return path or sys.exit(f"mkimage: {name} is missing: scripts/setup")


def mke2fs(top, *args):
    """Run it so that every file below @top belongs to root."""
    fake = [] if os.getuid() == 0 else [tool("fakeroot"), "--", "sh", "-c",
                                        'chown -hR 0:0 "$0"; exec "$@"', top]
    subprocess.run(fake + [tool("mke2fs"), "-q", "-F", "-t", "ext4", *args],
                   check=True, stdout=subprocess.DEVNULL)


def write_ext4(tree, out, size_mib, options):
    def make(tmp):
        with tempfile.TemporaryDirectory(prefix="antler-") as top:
            devices = stage(tree, top)
            with open(tmp, "wb") as f:
                f.truncate(size_mib << 20)
            mke2fs(top, "-L", "antler", "-O", EXT4_FEATURES, *options,
                   "-d", top, tmp)
            subprocess.run([tool("debugfs"), "-w", "-f", "-", tmp],
                           input="\n".join(devices) + "\n", text=True,
                           stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL, check=True)
    replace_file(out, make)


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("kind", choices=["ext4", "initrd", "linux-initrd"])
    p.add_argument("out")
    p.add_argument("--user", help="directory of our own riscv64 programs")
    p.add_argument("--size", type=int, default=1024, help="MiB (ext4)")
    p.add_argument("--mke2fs", default="", help="more options for mke2fs")
    p.add_argument("--modules", help="directory of more (linux-initrd)")
    p.add_argument("--plain", action="store_true", help="no gzip (initrd)")
    args = p.parse_args()
    if args.kind == "ext4":
        write_ext4(full_tree(args.user, True), args.out, args.size,
                   args.mke2fs.split())
    elif args.kind == "initrd":
        write_cpio(full_tree(args.user, False), args.out, args.plain)
    else:
        write_cpio(linux_tree(args.modules), args.out, False)


if __name__ == "__main__":
    main()
