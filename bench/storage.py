#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""bench/storage.py - disks: Antler beside Debian's Linux, with Debian's fio.

    storage.py [--quick] [--passes 2] [--rounds 3] [--qemu 10|host]
               [--aia none|aplic-imsic]
               [--disk virtio|nvme] what the disk is attached to
               [--only REGEX]       the rows that match it
               [--modes irq,poll]   Antler's ways of waiting

Boots Linux and Antler `remote` on the same QEMU line with the same image and one
more disk that answers at once (null-co), so that what is measured is the kernels'
way to the device and back.  Both stay, and run each fio job in turns.  Antler then
runs them three times more: waiting by interrupt, polling, half and half.  The rows
"ext4" are on a volume on a second such disk, whose file the host never flushes.

Timings on a shared host are noisy: each row is the best of --passes boots, in each
of which Linux and Antler by default take --rounds turns, and only ratios of one run
mean something.  "of medians" is the ratio of the medians of all turns: on a host
whose idle processors now and then answer twice as fast, the best of some is luck.
The median of the latencies, too, suffers little from what else the host did.  Requests, notifies and interrupts are counted, and
exact.
"""
import argparse
import csv
import os
import re
import statistics
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(TOP, "tests/qemu"))
sys.path.insert(0, os.path.join(TOP, "scripts"))
import tools  # noqa: E402
from machine import GuestError, Machine, qemu  # noqa: E402

OUT = os.environ.get("O") or os.path.join(TOP, "build")
# name, fio's arguments, which half of its output counts
JOBS = [
    ("rand 4 KiB read, depth 1", "--rw=randread --bs=4k --ioengine=psync",
     "read"),
    ("rand 4 KiB read, depth 32", "--rw=randread --bs=4k --ioengine=libaio "
     "--iodepth=32", "read"),
    ("seq 128 KiB read", "--rw=read --bs=128k --ioengine=psync", "read"),
    ("seq 128 KiB write", "--rw=write --bs=128k --ioengine=psync", "write"),
    ("4 KiB write + fsync", "--rw=write --bs=4k --fsync=1 --ioengine=psync",
     "write"),
    ("seq 128 KiB read, cached", "--rw=read --bs=128k --ioengine=psync "
     "--direct=0 --invalidate=1", "read"),
    ("ext4: overwrite 4 KiB + fsync", "--rw=randwrite --bs=4k --fsync=1 "
     "--ioengine=psync --direct=0 --size=16M --overwrite=1", "write"),
    ("ext4: append 4 KiB + fsync", "--rw=write --bs=4k --fsync=1 "
     "--ioengine=psync --direct=0 --file_append=1 --fallocate=none", "write"),
]
MODES = ["auto", "irq", "poll", "hybrid"]
# QEMU's argument, and the names in the guest; Linux gives NVMe disks theirs in
# the order in which they answer.
DISKS = {"virtio": ("virtio-blk-pci,drive=%s,disable-legacy=on", "vdb", "vdc"),
         "nvme": ("nvme,drive=%s,serial=%s", "nvme0n1", "nvme1n1")}
SERIAL = "cat /sys/block/nvme0n1/device/serial"
# Columns of fio's terse format, version 3, from 0.
IOPS = {"read": 7, "write": 48}
MEDIAN = {"read": 23, "write": 64}


def modules():
    """Linux' driver of NVMe, which is no part of its image, on a disk."""
    subprocess.run([os.path.join(TOP, "scripts/fetch-linux-nvme")], check=True,
                   stdout=subprocess.DEVNULL)
    path = tools.image_of(os.path.join(tools.CACHE, "linux-nvme"),
                          os.path.join(OUT, "linux-nvme.ext4"), "8M")
    return ["-drive", f"file={path},if=none,id=modules,format=raw,snapshot=on",
            "-device", "virtio-blk-pci,drive=modules,disable-legacy=on"]


def volume(system):
    """An empty ext4."""
    path = os.path.join(OUT, "bench", f"volume-{system}.ext4")
    os.makedirs(os.path.dirname(path), exist_ok=True)
    subprocess.run(["/usr/sbin/mke2fs", "-q", "-t", "ext4", "-F", path,
                    "512M"], check=True)
    return path


def device(args, drive):
    form = DISKS[args.disk][0]
    return ["-device", form % ((drive,) * form.count("%"))]


def start(system, args):
    needs_driver = system == "linux" and args.disk == "nvme"
    tail = ["-drive", "file=null-co://,if=none,id=null0,size=1G,"
            "file.read-zeroes=on"] + device(args, "null0")
    tail += ["-drive", f"file={volume(system)},if=none,id=fs0,format=raw,"
             "cache=unsafe"] + device(args, "fs0") + tools.drive()
    tail += modules() if needs_driver else []
    guest = qemu.Guest(kernel=system, smp=args.smp, qemu=args.qemu, out=OUT,
                       snapshot=True, mem="1G", aia=args.aia, tail=tail,
                       append="quiet" if system == "linux" else
                       "relay=remote")
    os.makedirs(os.path.join(OUT, "bench"), exist_ok=True)
    m = Machine(guest, os.path.join(OUT, "bench", f"storage-{system}.log"),
                boot_timeout=180)
    m.sh(tools.SETUP, check=True)
    disks = DISKS[args.disk][1:]
    if needs_driver:
        m.sh("mount -t ext4 -o ro /dev/vdc /mnt; "
             "for i in /mnt/*.ko; do insmod $i; done; "
             "for i in 1 2 3 4 5 6 7 8 9; do [ -e /dev/nvme0n1 ] && "
             "[ -e /dev/nvme1n1 ] || sleep 1; done; for i in nvme0n1 nvme1n1; "
             "do mknod /tools/dev/$i b $(tr : ' ' </sys/block/$i/dev) "
             "2>/dev/null; [ -e /tools/dev/$i ] || exit; done",
             60, check=True)
    if args.disk == "nvme" and "null0" not in m.sh(SERIAL, check=True).out:
        disks = disks[::-1]
    m.disk, m.fs_disk = disks
    m.sh("mkdir /tools/tmp/fs && "
         f"mount -t ext4 /dev/{m.fs_disk} /tools/tmp/fs", check=True)
    return m


def set_mode(m, mode, disk):
    if mode == "auto":      # as it booted: before the others
        return
    m.sh(f"cd /sys/block/{disk}/queue; echo 0 >io_poll; " +
         {"irq": "true", "poll": "echo -1 >io_poll_delay",
          "hybrid": "echo 0 >io_poll_delay"}[mode] + "; cd", check=True)


def counters(m, system, disk):
    """Requests and interrupts of the disk; on Antler also notifies."""
    stat = m.read_file(f"/sys/block/{disk}/stat").split()
    found = {"requests": int(stat[0]) + int(stat[4]),
             "sectors": int(stat[6]), "flushes": int((stat + [0] * 16)[15])}
    if system == "linux":
        name = {"vdb": r"virtio1(-req\S*)?$", "vdc": r"virtio2(-req\S*)?$"}
        rows = [r for r in m.table("/proc/interrupts")
                if re.search(name.get(disk, f"^{disk[:5]}q[1-9]"), r[-1])]
        found["interrupts"] = sum(int(w) for r in rows
                                  for w in r[1:1 + m.guest.smp]
                                  if w.isdigit())
    elif disk.startswith("vd"):
        for name in ("notifies", "interrupts"):
            found[name] = int(m.read_file(
                f"/sys/block/{disk}/virtio_blk/{name}"))
    else:   # of queues of I/O: doorbells of submissions, and interrupts
        rows = [line.split() for line in m.read_file(
            f"/sys/block/{disk}/device/stats").split("\n")[2:]]
        rows = [r for r in rows if len(r) > 5 and int(r[0])]
        found["notifies"] = sum(int(r[3]) for r in rows)
        found["interrupts"] = sum(int(r[5]) for r in rows)
    return found


def fio(m, job, args, where):
    cmd = (f"/usr/bin/fio --name=x --filename={where} --direct=1 --size=512M "
           f"--runtime={args.seconds} --time_based --thread "
           f"--output-format=terse --terse-version=3 {job}")
    out = m.sh(tools.run(cmd), 60 + 4 * args.seconds).out
    for line in out.split("\n"):
        if line.startswith("3;"):
            return line.split(";")
    raise GuestError(f"fio said no result:\n{out}")


def median(result, half):
    """Of the latencies, microseconds."""
    return int(result[MEDIAN[half]].partition("=")[2])


def measure(m, system, mode, args, table, job):
    name, line, half = job
    on_fs = name.startswith("ext4")
    disk = m.fs_disk if on_fs else m.disk
    where = f"/tmp/fs/{mode}" if on_fs else f"/dev/{disk}"
    m.sh("rm -f /tools/tmp/fs/*; sync", check=True)
    before = counters(m, system, disk)
    result = fio(m, line, args, where)
    iops = float(result[IOPS[half]])
    after = counters(m, system, disk)
    row = {k: after[k] - before[k] for k in after}
    row["iops"] = iops
    row["ops"] = iops * float(result[IOPS[half] + 1]) / 1000
    row["median"] = median(result, half)
    table.setdefault("turns", {}).setdefault((system, mode, name),
                                             []).append(iops)
    old = table.setdefault((system, mode), {}).get(name)
    if old:
        row["median"] = min(row["median"], old["median"])
        if old["iops"] > iops:
            row = dict(old, median=row["median"])
    table[system, mode][name] = row


def listing(m):
    """A warm `ls -lR` of 10 000 files on ext4: seconds, reads of the disk."""
    m.sh("mkdir -p /root/many; cd /root/many; seq 10000 | xargs touch; cd; "
         "sync; ls -lR /root/many >/dev/null", 300, check=True)
    times, stat = [], "cut -c1-9 /sys/block/vda/stat"
    before = m.sh(stat).out.split()[0]
    for _ in range(3):
        out = m.sh("time ls -lR /root/many >/dev/null", 120).out
        minutes, seconds = re.search(r"real\s+(\d+)m\s*([\d.]+)s", out).groups()
        times.append(60 * int(minutes) + float(seconds))
    reads = int(m.sh(stat).out.split()[0]) - int(before)
    return {"seconds": min(times), "reads": reads}


def one_listing(m, system, table):
    row = listing(m)
    old = table.setdefault("listing", {}).get(system)
    if not old or old["seconds"] > row["seconds"]:
        table["listing"][system] = row


def one_pass(args, table):
    machines = {}
    try:
        for system in ("linux", "antler"):
            print(f"# booting {system} ...", file=sys.stderr, flush=True)
            machines[system] = start(system, args)
        for mode in MODES:
            m = machines["antler"]
            set_mode(m, mode, m.disk)
            set_mode(m, mode, m.fs_disk)
            for job in JOBS:
                for _ in range(args.rounds if mode == MODES[0] else 1):
                    if mode == MODES[0]:
                        measure(machines["linux"], "linux", "irq", args,
                                table, job)
                    measure(m, "antler", mode, args, table, job)
        for system, m in machines.items():
            if not args.only:
                one_listing(m, system, table)
            m.check_log()
    finally:
        for m in machines.values():
            m.close()


def per_request(row, what):
    if what not in row or not row["requests"]:
        return "-"
    return f"{row[what] / row['requests']:.2f}"


def show(table, args):
    linux = table["linux", "irq"]
    print(f"\nqemu {qemu.qemu_version(args.qemu)}, {args.smp} harts, "
          f"{args.passes} passes of {args.seconds} s; requests per second\n")
    print(f"{'':31}{'Linux':>9}" + "".join(f"{m:>9}" for m in MODES) +
          "".join(f"{m + '/L':>10}" for m in MODES))
    for name, _, _ in JOBS:
        base = linux[name]["iops"]
        ours = [table["antler", m][name]["iops"] for m in MODES]
        print(f"{name:31}{base:9.0f}" + "".join(f"{v:9.0f}" for v in ours) +
              "".join(f"{v / base:10.2f}" for v in ours))
    turns = table.pop("turns")
    print(f"\n{'of medians of all turns':31}{'Linux':>9}{MODES[0]:>9}")
    for name, _, _ in JOBS:
        a, b = (statistics.median(turns[k]) for k in (
            ("linux", "irq", name), ("antler", MODES[0], name)))
        print(f"{name:31}{a:9.0f}{b:9.0f}{b / a:10.2f}")
    print(f"\n{'median of latencies, us':31}{'Linux':>9}" +
          "".join(f"{m:>9}" for m in MODES))
    for name, _, _ in JOBS:
        print(f"{name:31}{linux[name]['median']:9}" +
              "".join(f"{table['antler', m][name]['median']:9}"
                      for m in MODES))
    print("\nper request            interrupts: Linux   "
          + "  ".join(MODES) + "     notifies: " + "  ".join(MODES))
    for name, _, _ in JOBS:
        ours = [table["antler", m][name] for m in MODES]
        print(f"{name:35}{per_request(linux[name], 'interrupts'):>6}" +
              "".join(f"{per_request(o, 'interrupts'):>6}" for o in ours) +
              " " * 12 +
              "".join(f"{per_request(o, 'notifies'):>6}" for o in ours))

    fs_rows = [name for name, _, _ in JOBS if name.startswith("ext4")]
    if fs_rows:
        print("\nper fsync on ext4, Linux / Antler by " + MODES[0])
    for name in fs_rows:
        pair = [linux[name], table["antler", MODES[0]][name]]
        print(f"{name:31}" + ", ".join(
            " / ".join(f"{r[what] / max(r['ops'], 1):.2f}" for r in pair
                       if what in r) + f" {what}"
            for what in ("requests", "sectors", "flushes", "interrupts",
                         "notifies")))

    rows = table.pop("listing", {})
    if rows:
        print("\nwarm ls -lR of 10 000 files: " + ", ".join(
            f"{system} {row['seconds']:.2f} s and {row['reads']} reads"
            for system, row in rows.items()))


def write_csv(table):
    path = os.path.join(OUT, "bench", "storage.csv")
    with open(path, "w", newline="", encoding="ascii") as f:
        w = csv.writer(f)
        w.writerow(["system", "mode", "job", "iops", "median", "requests",
                    "interrupts", "notifies"])
        for (system, mode), rows in table.items():
            for name, row in rows.items():
                w.writerow([system, mode, name] +
                           [row.get(k, "") for k in ("iops", "median", "requests",
                                                     "interrupts",
                                                     "notifies")])
    print(f"\nwritten to {path}")


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--quick", action="store_true")
    p.add_argument("--passes", type=int, default=2)
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--seconds", type=int, default=4)
    p.add_argument("--smp", type=int, default=2)
    p.add_argument("--qemu", default="10")
    p.add_argument("--aia", default="none")
    p.add_argument("--only", default="")
    p.add_argument("--disk", default="virtio", choices=DISKS)
    p.add_argument("--modes", default=",".join(MODES))
    args = p.parse_args()
    MODES[:] = args.modes.split(",")
    JOBS[:] = [job for job in JOBS if re.search(args.only, job[0])]
    if args.quick:
        args.passes, args.rounds, args.seconds = 1, 1, 2
    table = {}
    for _ in range(args.passes):
        one_pass(args, table)
    show(table, args)
    write_csv(table)


if __name__ == "__main__":
    main()
