#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Run test programs side by side and count.

A program is a cmocka group (its own counts are used) or anything that ends
with 0 (passed), 77 (skipped) or another number (failed).  What fails shows its
output.  The last line is "N passed, N failed".
"""
import concurrent.futures
import os
import re
import subprocess
import sys
import time

TIMEOUT_S = 120     # a detector of hangs, not a target

PASSED = re.compile(r"^\[  PASSED  \] (\d+) test", re.M)
FAILED = re.compile(r"^\[  FAILED  \] (\d+) test", re.M)


def run(program):
    """(name, passed, failed, note, output)"""
    name, start = os.path.basename(program), time.monotonic()
    try:
        p = subprocess.run([program], stdin=subprocess.DEVNULL,
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                           timeout=TIMEOUT_S, check=False)
    except FileNotFoundError:
        return name, 0, 1, "not built", ""
    except subprocess.TimeoutExpired as e:
        return name, 0, 1, "hangs", (e.output or b"").decode("utf8", "replace")
    out = p.stdout.decode("utf8", "replace")
    took = f"{time.monotonic() - start:.1f} s"
    if p.returncode == 77:
        return name, 0, 0, "skipped", out
    passed = sum(map(int, PASSED.findall(out)))
    failed = sum(map(int, FAILED.findall(out)))
    if p.returncode != 0:
        return name, passed, max(failed, 1), f"exit {p.returncode}", out
    return name, max(passed, 1), 0, took, out


def main(programs):
    passed = failed = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for name, ok, bad, note, out in pool.map(run, programs):
            passed, failed = passed + ok, failed + bad
            print(f"  {'FAIL' if bad else 'ok  '} {name:<24} "
                  f"{ok} passed, {bad} failed ({note})", flush=True)
            if bad:
                print(out)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not programs else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
