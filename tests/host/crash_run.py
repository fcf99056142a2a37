#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""tests/host/crash_run.py - all crash states of many volumes, in bites.

    crash_run.py TEST --record FILE [--rounds 20] [--seconds S] [--jobs J]

TEST is ext4_crash_test.  A unit is one of its volumes with one seed; what a unit
does depends on these two only.  FILE has a line for each unit that has ended, so
that a run that was stopped, or whose --seconds are over, goes on with the same
command.  A unit that fails is printed, with the line that repeats it, and tried
again by the next run.
"""
import argparse
import os
import re
import subprocess
import sys
import tempfile
import time

VOLUMES = 12
MIX = 0x9E3779B97F4A7C15
STATES = re.compile(r"(\d+) crash states; e2fsck saw (\d+) after our replay "
                    r"and (\d+) instead")


def units(rounds, seed):
    for nr in range(1, rounds + 1):
        for volume in range(VOLUMES):
            yield volume, (seed + MIX * (nr * 64 + volume)) % (1 << 64) | 1


def read_record(path):
    done = {}
    if os.path.exists(path):
        with open(path, encoding="ascii") as f:
            for line in f:
                w = line.split()
                if len(w) == 6:
                    done[int(w[0]), int(w[1], 16)] = [float(x) for x in w[2:]]
    return done


def environment(volume, seed):
    env = dict(os.environ, CRASH_VOLUME=str(volume), CRASH_ROUNDS="1",
               EXT4_SEED=hex(seed))
    env.setdefault("CRASH_STATES", "1000000")
    env.setdefault("CRASH_JUDGED", "20000")
    return env


def start(test, volume, seed):
    out = tempfile.TemporaryFile("w+", errors="replace")
    p = subprocess.Popen([test], env=environment(volume, seed), stdout=out,
                         stderr=subprocess.STDOUT)
    return p, volume, seed, time.time(), out


def report(done, total, left_s):
    sums = [sum(v[i] for v in done.values()) for i in range(3)]
    print(f"crash: {len(done)} of {total} volumes, {sums[0]:.0f} states, "
          f"e2fsck saw {sums[1]:.0f} and {sums[2]:.0f}"
          + (f", about {left_s / 60:.0f} min to go" if left_s else ""),
          flush=True)


def estimate(done, todo, jobs):
    mean = {}
    for (vol, _), v in done.items():
        mean.setdefault(vol, []).append(v[3])
    every = [x for v in mean.values() for x in v] or [15]
    typical = sum(every) / len(every)
    return sum(sum(mean[v]) / len(mean[v]) if v in mean else typical
               for v, _ in todo) / jobs


def finish(job, record, done):
    p, volume, seed, begun, out = job
    out.seek(0)
    text = out.read()
    m = STATES.search(text)
    if p.wait() or not m:
        print(text)
        print(f"crash: FAILED; CRASH_VOLUME={volume} EXT4_SEED={seed:#x} "
              "CRASH_ROUNDS=1 CRASH_STATES=1000000 CRASH_JUDGED=20000")
        return False
    row = [float(x) for x in m.groups()] + [time.time() - begun]
    done[volume, seed] = row
    record.write(f"{volume} {seed:x} {row[0]:.0f} {row[1]:.0f} {row[2]:.0f} "
                 f"{row[3]:.1f}\n")
    record.flush()
    return True


def run(args, done, todo, total, record):
    running, ok, next_line = [], True, time.time() + 30
    end = time.time() + args.seconds if args.seconds else None
    while todo or running:
        late = end and time.time() > end
        while todo and len(running) < args.jobs and not late:
            running.append(start(args.test, *todo.pop(0)))
        if late and running:        # begun again the next time
            for job in running:
                job[0].kill()
                job[0].wait()
            break
        if late:
            break
        ended = [j for j in running if j[0].poll() is not None]
        for job in ended:
            running.remove(job)
            ok = finish(job, record, done) and ok
        if not ended:
            time.sleep(0.1)
        if time.time() > next_line:
            next_line += 30
            rest = todo + [(j[1], j[2]) for j in running]
            report(done, total, estimate(done, rest, args.jobs))
    for job in running:
        job[0].kill()
    return ok


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("test")
    ap.add_argument("--record", required=True)
    ap.add_argument("--rounds", type=int, default=20)
    ap.add_argument("--seed", type=lambda s: int(s, 0), default=1)
    ap.add_argument("--seconds", type=int, default=0)
    ap.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    args = ap.parse_args()
    wanted = list(units(args.rounds, args.seed))
    recorded = read_record(args.record)
    done = {u: recorded[u] for u in wanted if u in recorded}
    todo = [u for u in wanted if u not in done]
    os.makedirs(os.path.dirname(args.record) or ".", exist_ok=True)
    with open(args.record, "a", encoding="ascii") as record:
        ok = run(args, done, todo, len(wanted), record)
    report(done, len(wanted), 0)
    if ok and len(done) < len(wanted):
        print("crash: not all yet: the same command goes on")
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())
