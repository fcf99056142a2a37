#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""tests/qemu/powercut.py - cut the power of a machine at work, again and again.

    powercut.py [--cuts 500] [--seed HEX] [--kernels antler] [--keep DIR]
                [--record DIR] [--seconds S]

Each round boots a guest with an ext4 volume on a disk with a volatile cache
(nbddisk.py), on virtio-blk and on NVMe in turns.  It mounts the volume, which
replays the journal, looks at what the last round was promised
(`powercut check`), unmounts it, and e2fsck -fn has to find it clean.  Then it
works (`powercut run`) until QEMU is killed and the disk loses a part of what
was not flushed.  What is left is also given to e2fsck, on a copy: its replay has
to find nothing to mend, and the same check, built for the host, nothing missing.

Some rounds end in the middle of the replay, the look or the unmounting; then
the next one still has to find what was promised before.  Every 12 rounds the
volume is made anew, with other options.

A round depends on its seed, but for timing: `--seed X --cuts 1' does a round
like it.  With --kernels antler,linux they take turns on one volume.

With --record a run may be made in bites of --seconds: DIR has the volume as the
last round left it, the sums, and a line a round (rounds.txt); the same command
goes on from there.  What a killed bite had begun is begun again.
"""
import argparse
import hashlib
import os
import pickle
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time

import pexpect

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from machine import GuestError, Machine, qemu  # noqa: E402
from nbddisk import NbdDisk  # noqa: E402

MIB = 1 << 20
SIZE = 40 * MIB
ROUNDS_A_VOLUME = 12
OUT = os.environ.get("O") or os.path.join(qemu.TOP, "build")
VOLUMES = ["-b 4096", "-b 1024 -J size=1", "-b 4096 -O orphan_file",
           "-b 4096 -J size=4 -O ^metadata_csum,^64bit",
           "-b 1024 -O metadata_csum_seed,orphan_file", "-b 2048 -J size=2"]
DEVICES = {"virtio": "virtio-blk-pci,drive=pc,disable-legacy=on",
           "nvme": "nvme,drive=pc,serial=powercut"}
# What a replay by e2fsck may say.  A torn commit block is nothing strange: the
# sum of its first sector is enough for us, e2fsck wants all of the block.
FSCK_TALK = re.compile(
    r"^(e2fsck|Pass [1-5]|Clearing orphaned|Truncating orphaned|\(inode"
    r"|Journal transaction \d+ was corrupt, replay was aborted"
    r"|Orphan file .* is not clean|Feature orphan_present is set but orphan file is clean|Clear[?] yes"
    r"|Setting free|.*: recovering journal|Free (blocks|inodes) count wrong \("
    r"|Fix[?] yes|Inode [0-9]+ extent tree .*could be .*Optimize[?] yes"
    r"|.*\*\*\*\*\* FILE SYSTEM WAS MODIFIED|.*: [0-9/]+ files|$)")
TOLD = re.compile(r"@(\d) (\d+) (\d+);")


class Lost(Exception):
    """A promise was not kept."""


def tool(*args):
    env = dict(os.environ, PATH=os.environ["PATH"] + ":/usr/sbin:/sbin")
    return subprocess.run(args, capture_output=True, text=True, check=False,
                          env=env, errors="replace")


def told(text):
    """Last operation that each worker told of."""
    last = [-1, -1, -1]
    for w, nr, check in TOLD.findall(text):
        w, nr = int(w), int(nr)
        if w < len(last) and (nr * 4 + w) % 97 == int(check):
            last[w] = max(last[w], nr)
    return last


class Powercut:
    def __init__(self, work, seed, kernels=("antler",), out=OUT):
        self.work, self.out, self.kernels = work, out, kernels
        self.seed = seed
        self.round = 0
        self.promise = None         # (seed, told) of an earlier round
        self.disk = NbdDisk(os.path.join(work, "nbd"), SIZE)
        self.promises = self.dry = 0
        self.checker = os.path.join(out, "powercut")

    def close(self):
        self.disk.close()

    # -- the volume, from outside -----------------------------------------

    def image(self):
        return os.path.join(self.work, "image")

    def mkfs(self, options):
        path = self.image()
        with open(path, "wb") as f:
            f.truncate(SIZE)
        done = tool("mke2fs", "-q", "-F", "-t", "ext4", *options.split(), path)
        if done.returncode:
            raise Lost(done.stderr)
        with open(path, "rb") as f:
            self.disk.medium = bytearray(f.read())
        self.disk.view = bytearray(self.disk.medium)
        self.disk.pending = []
        self.promise = None

    def must_be_clean(self, when):
        done = tool("e2fsck", "-fn", self.image())
        if done.returncode:
            raise Lost(f"e2fsck -fn {when}:\n{done.stdout}{done.stderr}")

    def outside_view(self):
        """e2fsck replays a copy, and we look into it."""
        self.disk.store(self.image())
        done = tool("e2fsck", "-fy", self.image())
        strange = [line for line in done.stdout.split("\n")
                   if not FSCK_TALK.match(line)]
        if done.returncode > 1 or strange:
            raise Lost("e2fsck had to mend:\n" + done.stdout + done.stderr)
        self.must_be_clean("after its own replay")
        if not self.promise:
            return
        seed, last = self.promise
        top = os.path.join(self.work, "files")
        shutil.rmtree(top, ignore_errors=True)
        os.mkdir(top)
        tool("debugfs", "-R", f"rdump /run-{seed:x} {top}", self.image())
        done = tool(self.checker, "check", top, f"{seed:x}", *map(str, last))
        if done.returncode:
            raise Lost(f"after e2fsck's replay:\n{done.stdout}{done.stderr}")
        shutil.rmtree(top)

    # -- in the guest -----------------------------------------------------

    def boot(self, kernel, blk):
        initrd = os.path.join(self.out, "initrd.cpio.gz")
        linux = kernel == "linux"
        guest = qemu.Guest(kernel=kernel, out=self.out, smp=2, snapshot=True,
                           disk="default" if linux else "none",
                           initrd="" if linux else initrd,
                           append="loglevel=4",
                           tail=self.disk.drive("pc") +
                           ["-device", DEVICES[blk]])
        self.device = "/dev/nvme0n1" if blk == "nvme" else \
            "/dev/vdb" if kernel == "linux" else "/dev/vda"
        self.log = os.path.join(self.work, "console.log")
        return Machine(guest, self.log, boot_timeout=120)

    def inside_view(self, m):
        """The guest's own replay, and what it finds."""
        if self.promise:
            seed, last = self.promise
            r = m.sh(f"powercut check /mnt {seed:x} "
                     f"{' '.join(map(str, last))}", 60)
            if r.status:
                raise Lost(f"after {m.guest.kernel}'s replay:\n{r.out}")

    def kill(self, m, rng):
        self.disk.power_off()
        m.proc.kill(9)
        try:
            m.proc.expect(pexpect.EOF, timeout=10)
        except pexpect.TIMEOUT:
            pass
        text = m.text()
        m.close()
        return text, self.disk.cut(rng)

    def interrupted(self, m, rng):
        """The power goes while what went before is looked at."""
        m.line(f"mount -t ext4 {self.device} /mnt && ls -lR /mnt >/dev/null; "
               "rm -rf /mnt/run-*/[12]/sub; umount /mnt")
        time.sleep(rng.random() ** 2 * 0.6)
        if self.promise:            # two of the workers' files may be gone
            self.promise = (self.promise[0], [self.promise[1][0], -2, -2])
        return self.kill(m, rng)[1] + ", before the work"

    def replay(self, m):
        """Mount, look, unmount: the volume is whole then."""
        m.sh(f"mount -t ext4 {self.device} /mnt", 60, check=True)
        self.inside_view(m)
        m.sh("umount /mnt", 60, check=True)
        self.disk.store(self.image())
        self.must_be_clean("after unmounting")

    def at_work(self, m, rng, seed):
        self.replay(m)
        m.sh(f"mount -t ext4 {self.device} /mnt", 60, check=True)
        m.line(f"powercut run /mnt {seed:x}")
        m.expect("@start", 30)
        end = 0.1 + rng.random() ** 2 * 1.5
        try:
            m.proc.expect(r"BAD[^\n]*\n", timeout=end)
            raise Lost("in the guest: " + m.tail(10))
        except pexpect.TIMEOUT:
            pass
        text, how = self.kill(m, rng)
        m.check_log()
        self.promise = (seed, told(text))
        sum_told = sum(t + 1 for t in self.promise[1])
        self.promises += len(TOLD.findall(text))
        self.dry += sum_told == 0
        return f"{sum_told:5} operations, {how}"

    def one(self):
        """A round; what it was like."""
        seed = self.seed + self.round
        rng = random.Random(seed)
        if self.round % ROUNDS_A_VOLUME == 0:
            self.options = VOLUMES[(seed // ROUNDS_A_VOLUME) % len(VOLUMES)]
            self.mkfs(self.options)
        kernel = self.kernels[self.round % len(self.kernels)]
        blk = "nvme" if seed % 2 else "virtio"
        m = self.boot(kernel, blk)
        try:
            if kernel == "antler" and rng.random() < 0.08:
                how = self.interrupted(m, rng)
            else:
                how = self.at_work(m, rng, seed)
        finally:
            m.close()
        self.outside_view()
        self.round += 1
        return f"seed {seed:x}: {kernel}, {blk:6}, {self.options}: {how}"

    def replay_by(self, kernel):
        """Another kernel finds what the last round was promised."""
        m = self.boot(kernel, "virtio")
        try:
            self.replay(m)
            m.check_log()
        finally:
            m.close()


class Record:
    """A run on the disk: what is needed to go on, and what has been."""
    PARTS = ("seed", "kernels", "round", "promise", "promises", "dry",
             "options")

    def __init__(self, top):
        self.path = os.path.join(top, "state")
        self.rounds = os.path.join(top, "rounds.txt")
        self.spent, self.images = 0, {}
        os.makedirs(top, exist_ok=True)

    def load(self, p):
        """Go on with what is there; False: nothing is."""
        if not os.path.exists(self.path):
            return False
        with open(self.path, "rb") as f:
            was = pickle.load(f)
        for name in self.PARTS:
            setattr(p, name, was[name])
        p.disk.medium = was["medium"]
        p.disk.view = bytearray(p.disk.medium)
        self.spent, self.images = was["spent"], was["images"]
        return True

    def save(self, p, how, seconds):
        with open(os.path.join(p.out, "Image"), "rb") as f:
            image = hashlib.sha256(f.read()).hexdigest()[:12]
        self.images[image] = self.images.get(image, 0) + 1
        self.spent += seconds
        state = {name: getattr(p, name) for name in self.PARTS}
        state.update(medium=p.disk.medium, spent=self.spent,
                     images=self.images)
        with open(self.path + ".new", "wb") as f:
            pickle.dump(state, f)
        with open(self.rounds, "a", encoding="ascii") as f:
            f.write(f"{p.round} {image} {how}\n")
        os.rename(self.path + ".new", self.path)


def keep(p, top, why):
    os.makedirs(top, exist_ok=True)
    for path in (p.image(), p.log):
        if os.path.exists(path):
            shutil.copy(path, top)
    with open(os.path.join(top, "medium"), "wb") as f:
        f.write(p.disk.medium)
    print(f"powercut: seed {p.seed + p.round:x} ({p.options}), promised "
          f"{p.promise}: {why}\nimage, medium and console are in {top}",
          flush=True)


def run(p, args, record):
    """Rounds until there are enough, or the time is over; seconds spent."""
    begun = time.monotonic()
    first = p.round
    while p.round < args.cuts:
        before = time.monotonic()
        how = p.one()
        now = time.monotonic()
        if record:
            record.save(p, how, now - before)
        left = (now - begun) / (p.round - first) * (args.cuts - p.round)
        print(f"{p.round:4}/{args.cuts} {how} (about {left:.0f} s left)",
              flush=True)
        if args.seconds and now - begun > args.seconds:
            break
    return record.spent if record else time.monotonic() - begun


def main():
    a = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    a.add_argument("--cuts", type=int, default=100)
    a.add_argument("--seed", default="")
    a.add_argument("--kernels", default="antler")
    a.add_argument("--seconds", type=float, default=0, help="stop then")
    a.add_argument("--record", default="", help="go on with the run in it")
    a.add_argument("--keep", default=os.path.join(OUT, "powercut-failed"))
    args = a.parse_args()
    seed = int(args.seed, 16) if args.seed else random.getrandbits(28) * 12
    record = Record(args.record) if args.record else None
    with tempfile.TemporaryDirectory(prefix="powercut-") as work:
        p = Powercut(work, seed, args.kernels.split(","))
        if record and record.load(p):
            print(f"powercut: goes on after {p.round} cuts", flush=True)
        try:
            spent = run(p, args, record)
        except (Lost, GuestError) as e:
            keep(p, args.keep, e)
            sys.exit(1)
        finally:
            p.close()
        print(f"powercut: {p.round} of {args.cuts} cuts, {p.promises} promises "
              f"kept, {p.dry} before the first; {spent:.0f} s, "
              f"seed {p.seed:x}" +
              (f", kernels {record.images}" if record else ""))


if __name__ == "__main__":
    main()
