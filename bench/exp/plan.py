# SPDX-License-Identifier: MIT
"""bench/exp/plan.py - what is run, in which order, and what the guest is told.

A sample is one run of one workload under one system on one machine.  The same
text of commands takes it in QEMU and on a board, and sample_of() reads what it
printed.

Not here: guests and time (experiment.py), what samples mean (report.py).
"""
import re
from dataclasses import dataclass, replace

DEBIAN = "/debian"          # on the root image
PROGRAMS = "/programs"      # of scripts/fetch-programs, a disk of its own
MOUNT = (f"mkdir -p {PROGRAMS}; mount -t ext4 -o ro /dev/vdb {PROGRAMS}; "
         f"mount -t tmpfs tmpfs {PROGRAMS}/tmp; ifconfig lo 127.0.0.1 up; "
         f"for d in {DEBIAN} {PROGRAMS}; do mount -t proc proc $d/proc; "
         "mount -t devtmpfs devtmpfs $d/dev; done 2>/dev/null")


@dataclass(frozen=True)
class Workload:
    """A command that prints `PROGRAM NAME NS OPERATIONS CYCLES INSTRUCTIONS`,
    or (timed) one whose wall time is taken."""
    name: str
    text: str
    command: str
    quick: bool = False
    family: str = ""        # the same with other numbers of calls in flight
    flight: int = 1
    faults: bool = False    # fault= makes a difference
    needs: str = ""         # a program of Debian's
    timed: bool = False


@dataclass(frozen=True)
class System:
    name: str
    relay: str = ""         # none: Linux
    fault: str = ""
    faults_only: bool = False


LINUX = System("linux")
SYSTEMS = [LINUX, System("remote", "remote", "remote"),
           System("local", "local", "local"),
           System("hybrid", "hybrid", "remote"),
           System("remote+lf", "remote", "local", True),
           System("local+rf", "local", "remote", True)]
KIB = {1: "1 B", 64: "64 B", 4096: "4 KiB", 65536: "64 KiB",
       1048576: "1 MiB"}
FLIGHTS = (1, 2, 4, 8, 16, 32, 64)


def micro():
    """Our own programs: user/bench/work.c and cache.c."""
    work = "work -m @MS@ "
    found = [Workload("null", "null call (getppid)", work + "null", True)]
    for kind in ("read", "write"):
        for n, label in KIB.items():
            found.append(Workload(f"{kind}_{n}", f"{kind} {label}",
                                  f"{work}{kind} {n}",
                                  n in (1, 4096, 1048576)))
    found += [
        Workload("stat", "stat of 400 files", work + "stat", True),
        Workload("ls", "ls -l of 400 files",
                 "ls -l /usr/share/many >/dev/null", True, timed=True),
        Workload("pipe_pong", "pipe ping-pong", work + "pipe_pong", True),
        Workload("unix_pong", "unix socket ping-pong", work + "unix_pong"),
        Workload("futex_pong", "futex ping-pong", work + "futex_pong", True),
        Workload("fork", "fork + exit", work + "fork", faults=True),
        Workload("exec", "vfork + exec", work + "exec", True, faults=True),
        Workload("fault64", "64 page faults", work + "fault64", True,
                 faults=True)]
    for kib in (16, 256, 4096):
        for calls in (0, 1, 16):
            found.append(Workload(f"cache_{kib}_{calls}",
                                  f"sweep of {kib} KiB, {calls} calls between",
                                  f"cache -m @MS@ {kib} {calls}",
                                  kib == 256 and calls in (0, 16)))
    return found


def flights():
    """Calls in flight: as many threads, each calling as fast as it can."""
    found = []
    for family, args, label in (("null", "null", "null call"),
                                ("read4k", "read 4096", "read 4 KiB"),
                                ("read64k", "read 65536", "read 64 KiB"),
                                ("stat", "stat", "stat")):
        for n in FLIGHTS:
            found.append(Workload(
                f"flight_{family}_{n}", f"{label}, {n} in flight",
                f"work -m @MS@ -t {n} {args}",
                family in ("null", "read64k") and n in (1, 4, 16, 64),
                family=family, flight=n))
    return found


SQL = ("create table t(i integer primary key,s text); begin; "
       "with recursive c(x) as (values(1) union all select x+1 from c where "
       "x<20000) insert into t select x,hex(x*7919) from c; commit; "
       "select count(*) from t where s like '%3A%'; "
       "select sum(i) from t where i%7=3;")


def programs():
    """Debian's, as they come, in a chroot."""
    def debian(name, text, command, quick=False, root=PROGRAMS):
        return Workload(name, text, f"chroot {root} {command}", quick,
                        faults=True, timed=True,
                        needs=f"{root}/usr/bin/{command.split()[0]}")

    redis = ("redis-server --save \"\" --daemonize yes >/dev/null; "
             "i=0; until redis-cli ping >/dev/null 2>&1; do "
             "[ $((i+=1)) -lt 50 ] || exit 1; done; "
             "redis-benchmark -q -n 2000 -c 8 -t get >/dev/null; "
             "redis-cli shutdown")
    return [
        debian("bash", "bash: 100 subshells", "bash -c "
               "'for i in {1..100}; do (:); done'", True, DEBIAN),
        debian("python3", "python3 starts and ends", "python3 -c pass",
               True, DEBIAN),
        debian("sha256sum", "sha256sum of bash",
               "sha256sum /bin/bash >/dev/null", False, DEBIAN),
        debian("sqlite3", "sqlite3: insert 20000, select",
               f'sqlite3 :memory: "{SQL}" >/dev/null', True),
        debian("gcc", "gcc -O2 -c work.c",
               "gcc -O2 -c -o /tmp/work.o /work.c"),
        replace(debian("redis", "redis: start, 2000 GET by 8 clients, stop",
                       f"bash -c '{redis}'", True),
                needs=f"{PROGRAMS}/usr/bin/redis-benchmark")]


def workloads(quick=False, only=""):
    """In the order in which they are run; @only: patterns, with commas."""
    chosen = [w for w in micro() + flights() + programs()
              if w.quick or not quick or only]
    if only:
        wanted = [re.compile(p.replace("*", ".*") + r"\Z")
                  for p in only.split(",")]
        chosen = [w for w in chosen if any(p.match(w.name) for p in wanted)]
    return chosen


def systems_of(workload):
    return [s for s in SYSTEMS if workload.faults or not s.faults_only]


@dataclass(frozen=True)
class Place:
    """A machine on which samples are taken; harts, service harts."""
    smp: int
    service: int


@dataclass(frozen=True)
class Step:
    workload: Workload
    system: System
    place: Place
    rep: int

    @property
    def key(self):
        return "|".join((self.workload.name, self.system.name,
                         str(self.place.smp), str(self.place.service),
                         str(self.rep)))


def steps_at(smp, services, loads, reps):
    """All samples of @smp harts.  The systems take turns, and each time another
    one begins, so that drift of the host and what a neighbour leaves behind in
    its caches hit all alike."""
    found = []
    for rep in range(reps):
        for load in loads:
            turn = []
            for system in systems_of(load):
                # Linux has no service harts and is run once.
                for service in [0] if system is LINUX else services:
                    turn.append(Step(load, system, Place(smp, service), rep))
            shift = rep % len(turn)
            found += turn[shift:] + turn[:shift]
    return found


def shell_text(step, ms):
    """What the guest's shell runs for a sample."""
    w, words = step.workload, []
    if step.system is not LINUX:
        words += [f"echo relay={step.system.relay} >/proc/relay/policy",
                  f"echo fault={step.system.fault} >/proc/relay/policy"]
    command = w.command.replace("@MS@", str(ms))
    if w.timed:
        command = f"timed {w.name} '" + command.replace("'", "'\\''") + "'"
    status = "" if step.system is LINUX else "cat /proc/relay/status; "
    words.append(f"echo 'sample {step.key}'; {status}{command}; "
                 f"echo status $?; {status}echo end")
    return "; ".join(words)


# Repeats the command until 2/3 of a second at most are over, and prints what one
# took; the clock of /proc/uptime has 10 ms.  Once before, as a warm-up.
TIMED = (
    "timed() { eval \"$2\" || return 1; read t0 x </proc/uptime; n=0; "
    "while :; do eval \"$2\" || return 1; n=$((n+1)); read t1 x </proc/uptime; "
    "d=$(( (${t1%.*}-${t0%.*})*100 + 1${t1#*.} - 1${t0#*.} )); "
    "[ $d -lt @CS@ ] || break; done; "
    "echo timed $1 $((d*10000000/n)) $n - -; }")

COUNTERS = ("requests", "completions", "posted", "poll_hit", "poll_miss",
            "sleeps", "ipi_sent", "timer", "batches", "messages", "ring_full",
            "switches", "faults", "sbi_calls")


def totals(lines):
    """Sums over the harts of /proc/relay/status; {} without one."""
    head, sums = None, {}
    for line in lines:
        words = line.split()
        if words[:2] == ["hart", "hartid"]:
            head = words
        elif head and len(words) == len(head) and words[0].isdigit():
            for name, value in zip(head, words):
                if name in COUNTERS and value.isdigit():
                    sums[name] = sums.get(name, 0) + int(value)
    return sums


def harts(text):
    """(harts, service harts) that /proc/relay/status shows."""
    roles = re.findall(r"^\d+ \d+ (app|service|both) ", text, re.M)
    return len(roles), sum(r != "app" for r in roles)


def sample_of(text):
    """{value, operations, ...} from what shell_text() printed; None if it did
    not go well."""
    lines = text.splitlines()
    found = re.search(r"^(?:work|cache|timed) \S+ ([\d.]+) (\d+) (\S+) (\S+)$",
                      text, re.M)
    if not found or "status 0" not in lines:
        return None
    middle = lines.index("status 0")
    before, after = totals(lines[:middle]), totals(lines[middle:])
    sample = {"value": float(found[1]), "operations": int(found[2])}
    for name, word in (("cycles", found[3]), ("instructions", found[4])):
        if word != "-":
            sample[name] = float(word)
    if before and after:
        sample["counters"] = {n: after[n] - before[n] for n in before}
    return sample
