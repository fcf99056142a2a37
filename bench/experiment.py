#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""bench/experiment.py - when does the split pay?

    experiment.py [--quick] [--only NAME,..] [--harts 2,3,4] [--service 1,2]
                  [--reps N] [--ms N] [--seconds N] [--fresh] [--fetch]
                  [--list | --dry-run | --report]
    experiment.py --machine board [--log SERIAL.LOG]

Runs workloads under relay=remote, local and hybrid (and fault=, where it makes
a difference) and under Debian's Linux, on the same QEMU line and the same image.
All guests of a number of harts are up at once, idle ones cost nothing, and the
systems take turns sample by sample, so that drift of the host hits all alike.

build/experiment/ gets journal.jsonl (a line for each finished sample; a run that
was cut off, or ended by --seconds, goes on there), samples.csv, summary.csv,
figures, experiment.md and experiment.html.  NAME may have a *.

`--machine board` writes experiment.sh for a card of the HiFive Unmatched;
with --log it reads the serial log of it.  docs/experiments.md has both.

--fetch gets Debian's sqlite3, redis and gcc first (scripts/fetch-programs).

Not here: what is run (exp/plan.py), what it means (exp/stats.py, report.py).
"""
import argparse
import hashlib
import os
import re
import subprocess
import sys
import time

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(TOP, "bench"))
sys.path.insert(0, os.path.join(TOP, "tests/qemu"))
sys.path.insert(0, os.path.join(TOP, "scripts"))
import tools  # noqa: E402
from exp import plan, report  # noqa: E402
from exp.journal import Journal  # noqa: E402
from exp.stats import median  # noqa: E402
from mkimage import CACHE  # noqa: E402

OUT = os.environ.get("O") or os.path.join(TOP, "build")
GUESS_S = 0.35      # a sample, until some have been taken


def identity(args):
    """What a sample has to have been taken with to be of this run."""
    h = hashlib.sha256()
    for path in (os.path.join(OUT, "Image"), os.path.join(OUT, "user/work")):
        with open(path, "rb") as f:
            h.update(f.read())
    return f"{h.hexdigest()[:12]} qemu {args.qemu} {args.ms} ms"


def numbers(text):
    return [int(n) for n in text.split(",")]


def programs_drive():
    """QEMU's arguments of a disk with what scripts/fetch-programs fetched, and
    a source for gcc; none when it did not."""
    if not os.path.exists(os.path.join(CACHE, "programs")):
        return []
    path = os.path.join(OUT, "work.ext4")
    if not os.path.exists(path):
        subprocess.run(["cp", "--sparse=always",
                        tools.programs_image(fetch=False), path], check=True)
        for name in ("work.c", "bench.h"):
            subprocess.run(["/usr/sbin/debugfs", "-w", "-R",
                            f"write {TOP}/user/bench/{name} {name}", path],
                           check=True, capture_output=True)
    return ["-drive", f"file={path},if=none,id=programs,format=raw,"
            "snapshot=on", "-device",
            "virtio-blk-pci,drive=programs,disable-legacy=on"]


class Rig:
    """The live guests of one number of harts: Linux, and an Antler for each
    number of service harts."""

    def __init__(self, args):
        self.args, self.machines, self.present = args, {}, {}
        from machine import GuestError, Machine, qemu
        self.Machine, self.qemu, self.GuestError = Machine, qemu, GuestError

    def machine(self, step):
        key = (step.place.smp, step.place.service)
        if key not in self.machines:
            if any(k[0] != key[0] for k in self.machines):
                self.close()
            self.machines[key] = self.boot(step)
        return self.machines[key]

    def boot(self, step):
        linux = step.system is plan.LINUX
        guest = self.qemu.Guest(
            kernel="linux" if linux else "antler", smp=step.place.smp,
            qemu=self.args.qemu, out=OUT, snapshot=True, mem="1G",
            append="quiet" if linux else f"service={step.place.service}",
            tail=programs_drive())
        os.makedirs(self.args.out, exist_ok=True)
        name = f"{guest.kernel}-{step.place.smp}-{step.place.service}.log"
        m = self.Machine(guest, os.path.join(self.args.out, name),
                         boot_timeout=240)
        m.sh(plan.TIMED.replace("@CS@", str(max(5, self.args.ms // 10))),
             check=True)
        m.sh(plan.MOUNT)
        return m

    def has(self, step):
        """Is the program there that the workload is about?"""
        needs = step.workload.needs
        if needs and needs not in self.present:
            self.present[needs] = not self.machine(step).sh(
                f"[ -e {needs} ]").status
        return self.present.get(needs, True)

    def sample(self, step):
        text = self.machine(step).sh(
            plan.shell_text(step, self.args.ms), 120).out
        return plan.sample_of(text)

    def close(self):
        for m in self.machines.values():
            try:
                m.check_log()
            finally:
                m.close()
        self.machines = {}


class Progress:
    def __init__(self, total, quiet=False):
        self.total, self.done, self.start = total, 0, time.monotonic()
        self.quiet = quiet

    def left_s(self):
        each = (time.monotonic() - self.start) / self.done if self.done \
            else GUESS_S
        return each * (self.total - self.done)

    def step(self, step):
        self.done += 1
        if not self.quiet and (self.done % 10 == 0 or
                               self.done == self.total):
            print(f"# {self.done}/{self.total}, about {self.left_s():.0f} s "
                  f"left: {step.key}", file=sys.stderr, flush=True)


def take(rig, step, journal, skipped):
    """One sample into the journal; a failure is said and is no sample."""
    name = step.workload.name
    if name in skipped:
        return
    try:
        if not rig.has(step):
            skipped[name] = f"no {step.workload.needs} in the guest's image"
            print(f"# {name} skipped: {skipped[name]}", file=sys.stderr)
            return
        sample = rig.sample(step)
    except rig.GuestError as err:
        rig.close()
        print(f"experiment: {step.key}: {str(err)[:2000]}", file=sys.stderr)
        sample = None
    if sample:
        journal.add(step.key, dict(sample, load=os.getloadavg()[0]))
    else:
        print(f"experiment: no sample of {step.key}", file=sys.stderr)


def run(args, steps, journal):
    """All that is not in the journal yet; {workload: why it was skipped}."""
    todo = [s for s in steps if s.key not in journal]
    if journal.samples or journal.ignored:
        print(f"# {len(steps) - len(todo)} samples are there already, "
              f"{journal.ignored} lines of the journal are of no use",
              file=sys.stderr)
    progress, skipped, rig = Progress(len(todo)), {}, Rig(args)
    limit = time.monotonic() + args.seconds if args.seconds else None
    try:
        for step in todo:
            if limit and time.monotonic() > limit:
                print("# the time is over: the same command goes on",
                      file=sys.stderr)
                break
            take(rig, step, journal, skipped)
            progress.step(step)
    except KeyboardInterrupt:
        print("# cut off: the same command goes on", file=sys.stderr)
    finally:
        rig.close()
    return skipped


def facts(args, journal, skipped):
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as f:
        cpu = re.search(r"model name\s*:\s*(.*)", f.read())
    found = {"samples": f"{len(journal.samples)}, up to {args.reps} of each",
             "taken with": journal.identity}
    if args.machine != "board":
        loads = [s["load"] for s in journal.samples.values() if "load" in s]
        if loads and median(loads) > os.cpu_count() + 1:
            found["**the host was busy**"] = (
                f"load {median(loads):.1f} on {os.cpu_count()} cores: a hart "
                "that hands over waits for its turn there. Do not quote times")
        found["host"] = f"{cpu[1] if cpu else '?'}, {os.cpu_count()} CPUs"
    for name, why in skipped.items():
        found[f"skipped {name}"] = why
    return found


# -- the board ----------------------------------------------------------------

def board_script(args, loads):
    """A script for the board's shell; it prints what a log is read from."""
    place = plan.Place(0, 1)        # what it really is, the log says
    steps = [s for s in plan.steps_at(0, [1], loads, args.reps)
             if s.system is not plan.LINUX]
    texts = []
    for s in steps:
        step = plan.Step(s.workload, s.system, place, s.rep)
        text = plan.shell_text(step, args.ms)
        need = s.workload.needs
        texts.append(f"[ -e {need} ] && {{ {text}; }}" if need
                     else text)
    return "\n".join([
        "#!/bin/sh",
        "# made by bench/experiment.py --machine board: run it on the board's",
        "# console, keep the log, then experiment.py --machine board --log LOG",
        plan.TIMED.replace("@CS@", str(max(5, args.ms // 10)))] + texts +
        ["echo experiment ended", ""])


def read_log(text, journal):
    """Samples of a serial log into @journal; how many."""
    found = 0
    for part in re.split(r"^sample ", text.replace("\r", ""), flags=re.M)[1:]:
        key, _, rest = part.partition("\n")
        words = key.strip().split("|")
        body, end, _ = rest.partition("\nend\n")
        sample = plan.sample_of(body) if end else None
        if len(words) != 5 or not sample:
            continue
        half = body[:body.find("\nstatus ")]
        smp, service = plan.harts(half)
        words[2:4] = [str(smp), str(service)]
        journal.add("|".join(words), sample)
        found += 1
    return found


def board(args, loads):
    os.makedirs(args.out, exist_ok=True)
    if not args.log:
        path = os.path.join(args.out, "experiment.sh")
        with open(path, "w", encoding="ascii") as f:
            f.write(board_script(args, loads))
        print(f"written: {path}\ncopy it to the card's root partition, run "
              "`sh experiment.sh` there with the serial console logged, then\n"
              f"  {sys.argv[0]} --machine board --log LOG")
        return 0
    with open(args.log, encoding="utf-8", errors="replace") as f:
        text = f.read()
    name = hashlib.sha256(text.encode()).hexdigest()[:12]
    journal = Journal(os.path.join(args.out, f"board-{name}.jsonl"), name)
    if not journal.samples and not read_log(text, journal):
        sys.exit("experiment: no sample in this log")
    print(report.write(journal.samples, loads, args.out,
                       facts(args, journal, {})))
    return 0


def arguments():
    p = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    for name in ("quick", "list", "dry-run", "report", "fresh", "fetch"):
        p.add_argument(f"--{name}", action="store_true")
    p.add_argument("--only", default="")
    p.add_argument("--harts", type=numbers)
    p.add_argument("--service", type=numbers)
    p.add_argument("--reps", type=int)
    p.add_argument("--ms", type=int, help="milliseconds of a sample")
    p.add_argument("--seconds", type=int, help="end after so many, to go on")
    p.add_argument("--qemu", default="10")
    p.add_argument("--machine", default="virt", choices=["virt", "board"])
    p.add_argument("--log", help="a serial log of the board")
    p.add_argument("--out", default="")
    args = p.parse_args()
    if args.machine == "board" and not args.out:
        args.out = os.path.join(OUT, "experiment/board")
    args.out = args.out or os.path.join(
        OUT, "experiment", "quick" if args.quick else "")
    args.harts = args.harts or ([2] if args.quick else [2, 3, 4])
    args.service = args.service or ([1] if args.quick else [1, 2])
    args.reps = args.reps or (5 if args.quick else 15)
    args.ms = args.ms or (40 if args.quick else 200)
    return args


def main():
    args = arguments()
    loads = plan.workloads(args.quick, args.only)
    if not loads:
        sys.exit(f"experiment: no workload is called {args.only}; --list")
    steps = [s for smp in args.harts for s in plan.steps_at(
        smp, [n for n in args.service if n < smp], loads, args.reps)]
    if args.list:
        for w in loads:
            print(f"{w.name:20}{w.text}" + (f"  (needs {w.needs})"
                                            if w.needs else ""))
        return 0
    if args.machine == "board":
        return board(args, loads)
    if args.dry_run:
        for s in steps:
            print(s.key)
        print(f"# {len(steps)} samples, about "
              f"{len(steps) * (GUESS_S + args.ms / 1000) / 60:.0f} minutes",
              file=sys.stderr)
        return 0
    if args.fetch:
        subprocess.run([os.path.join(TOP, "scripts/fetch-programs")],
                       check=True)
    path = os.path.join(args.out, "journal.jsonl")
    if args.fresh and os.path.exists(path):
        os.rename(path, path + ".old")
    journal = Journal(path, identity(args))
    skipped = {} if args.report else run(args, steps, journal)
    wanted = {s.key for s in steps}
    page = report.write({k: s for k, s in journal.samples.items()
                         if k in wanted}, loads, args.out,
                        facts(args, journal, skipped))
    print(page)
    print(f"written to {args.out}/: experiment.html, experiment.md, "
          "samples.csv, summary.csv, *.svg")
    return 0


if __name__ == "__main__":
    sys.exit(main())
