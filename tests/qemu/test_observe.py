# SPDX-License-Identifier: MIT
"""tests/qemu/test_observe.py - what the split costs and gains, as the tools say.

Legs and times of harts, hartstat, relay-trace, jitter, harts-floor.  Figures are
looked at for what must hold on any machine: that they add up, are ordered, and
count what was done.
"""
import base64
import csv
import gzip
import io
import json
import os
import re
import struct
import subprocess
import sys

import pytest

pytestmark = pytest.mark.antler

TRACE_SVG = os.path.join(os.path.dirname(__file__), "../../scripts/trace-svg")
TIMES = ("user_us", "handler_us", "relay_us", "poll_us", "idle_us",
         "unseen_us")


@pytest.fixture(scope="module", params=["remote", "local"])
def config(request):
    return dict(relay=request.param, smp=3)


def legs(m):
    """/proc/relay/legs: {name: {column: number}}."""
    rows = [r for r in m.table("/proc/relay/legs") if r[0] != "#"]
    return {r[1]: dict(zip(rows[0], [int(x) if x.lstrip("-").isdigit() else x
                                     for x in r])) for r in rows[1:]}


def observed(m, command, timeout=60):
    m.sh("echo legs=1 >/proc/relay/policy", check=True)
    m.sh("echo 0 >/proc/relay/legs", check=True)
    out = m.sh(command, timeout, check=True)
    m.sh("echo legs=0 >/proc/relay/policy", check=True)
    return out


def test_legs_count_calls(machine, config):
    observed(machine, "calls 2000")
    row = legs(machine)["getppid"]
    # calls also times a hundredth of them
    assert 2021 <= row["count"] <= 2030
    for leg in ("seen", "done", "back"):
        assert row[f"{leg}_p50"] <= row[f"{leg}_p99"] <= row[f"{leg}_max"]
        assert 0 < row[f"{leg}_max"] < 10**10
    assert row["woken"] == 0
    for side in ("app", "svc"):
        assert row[f"{side}_cycles"] > 0 and row[f"{side}_instr"] > 0


def test_legs_of_a_call_that_waits(machine, config):
    observed(machine, "sleep 0.2")
    row = legs(machine)["clock_nanosleep"]
    assert row["woken"] >= 1 and row["wake_max"] > 0
    assert row["done_max"] > 200_000_000


def test_legs_off_are_still(machine, config):
    observed(machine, "calls 100")
    before = legs(machine)["getppid"]["count"]
    machine.sh("calls 1000", check=True)
    assert legs(machine)["getppid"]["count"] == before
    assert "legs=0" in machine.read_file("/proc/relay/policy")


def test_times_add_up(machine, config):
    """The kinds are all there is, watched or not, and as long as the uptime."""
    for switch in ("legs=0", "legs=1", "legs=0"):
        machine.sh(f"echo {switch} >/proc/relay/policy; calls 1000",
                   check=True)
        up = float(machine.read_file("/proc/uptime").split()[0])
        for row in machine.relay_status():
            parts = sum(int(row[name]) for name in TIMES)
            assert abs(parts - int(row["wall_us"])) < 10
            assert abs(int(row["wall_us"]) / 1e6 - up) < 0.1 * up + 1


def test_computing_hart_is_seen(machine, config):
    """A loop without a call: its user time grows while one looks, watched or
    not; and so does its hart's."""
    machine.sh("sh -c 'while :; do :; done' & echo $! >/tmp/pid; sleep 0.5",
               check=True)
    ticks = [int(machine.sh("cut -d' ' -f14 /proc/$(cat /tmp/pid)/stat; "
                            "sleep 0.5", check=True).out) for _ in range(4)]
    machine.sh("echo legs=1 >/proc/relay/policy; sleep 0.5", check=True)
    was = {r["hart"]: int(r["user_us"]) for r in machine.relay_status()}
    machine.sh("sleep 0.5")
    now = {r["hart"]: int(r["user_us"]) for r in machine.relay_status()}
    machine.sh("echo legs=0 >/proc/relay/policy; kill $(cat /tmp/pid)",
               check=True)
    steps = [b - a for a, b in zip(ticks, ticks[1:])]
    assert all(step > 10 for step in steps), ticks
    assert max(now[h] - was[h] for h in now) > 200_000


def to_file(m, command, parse):
    """What @command leaves in /tmp/out, without the kernel's messages."""
    m.sh(command, 60, check=True)
    return parse(m.read_file("/tmp/out"))


def test_hartstat_json(machine, config):
    samples = to_file(machine, "calls 100000000 & hartstat --json 0.5 2 "
                      ">/tmp/out; kill $!", json.loads)
    assert len(samples) == 2
    for sample in samples:
        harts = sample["harts"]
        assert [h["hart"] for h in harts] == [0, 1, 2]
        for h in harts:
            total = sum(h[f"{kind}_pct"] for kind in
                        ("user", "handler", "relay", "poll", "idle",
                         "unseen"))
            assert 98 < total < 102, h
    last = samples[-1]["harts"]
    assert sum(h["requests_s"] for h in last) > 100
    assert sum(h["user_pct"] for h in last) > 0
    if config["relay"] == "remote":
        assert any(h["queue_us"] for h in last if h["role"] == "service")
    # What held it open is gone.
    assert "legs=0" in machine.read_file("/proc/relay/policy")


def test_hartstat_csv_and_calls(machine, config):
    rows = to_file(machine, "hartstat -r --csv 0.2 2 >/tmp/out",
                   lambda text: list(csv.DictReader(io.StringIO(text))))
    assert len(rows) == 4 and {r["role"] for r in rows} == {"service", "app"}
    assert all(float(r["idle_pct"]) >= 0 for r in rows)
    calls = to_file(machine, "calls 100000000 & hartstat -s --json 0.3 1 "
                    ">/tmp/out; kill $!", json.loads)[0]["calls"]
    assert any(c["name"] == "getppid" and c["count"] > 10 for c in calls)
    text = machine.sh("hartstat 0.2 1", check=True).out
    assert re.search(r"hart role +user +hand +relay +poll +idle", text)
    assert machine.sh("hartstat nonsense").status == 2


def test_trace_json(machine, config, tmp_path):
    machine.sh("relay-trace -n 5000 -o /tmp/t.json -- sh -c "
               "'calls 200; ls / >/dev/null; sleep 0.02'", 60, check=True)
    packed = machine.sh("gzip -c /tmp/t.json | base64; rm /tmp/t.json", 60,
                        check=True).lines
    path = tmp_path / "trace.json"
    path.write_bytes(gzip.decompress(base64.b64decode("".join(packed))))
    done = subprocess.run([sys.executable, TRACE_SVG, str(path),
                           str(tmp_path / "t.svg"), "--check"],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    events = json.loads(path.read_text())["traceEvents"]
    kinds = {e["cat"] for e in events if e["ph"] == "X"}
    assert {"user", "handler", "sleep"} <= kinds
    calls = [e for e in events if e["ph"] == "X" and
             e["name"].startswith("getppid (")]
    assert len(calls) > 100
    if config["relay"] == "remote":
        assert len({e["tid"] for e in calls}) == 1
        assert sum(e["ph"] == "s" for e in events) > 400
    assert (tmp_path / "t.svg").read_text().startswith("<svg")


def trace_blocks(raw):
    """Each struct trace_block (kernel/relay/trace.h) of a dump: hart, nr, lost."""
    at, blocks = 0, []
    while at < len(raw):
        magic, hart, _, _, nr, lost = struct.unpack_from("<IHBBII", raw, at)
        assert magic == 0x62547241
        blocks.append((hart, nr, lost))
        at += 16 + 16 * nr
    assert at == len(raw)
    return blocks


def test_trace_counts_what_is_lost(machine, config):
    """Nobody reads for longer than a ring is: the next block of it says so."""
    machine.sh("exec 7</proc/relay/trace_raw; calls 20000; "
               "dd bs=64k <&7 of=/tmp/raw 2>/dev/null count=32; exec 7<&-",
               60, check=True)
    packed = machine.sh("gzip -c /tmp/raw | base64; rm /tmp/raw", 60,
                        check=True).lines
    blocks = trace_blocks(gzip.decompress(base64.b64decode("".join(packed))))
    assert max(lost for _, _, lost in blocks) > 1000, blocks
    # Said once, and not of those that had room.
    assert sum(lost > 0 for _, _, lost in blocks) <= len(
        {hart for hart, _, _ in blocks}), blocks
    assert "trace=0" in machine.read_file("/proc/relay/policy")


def test_jitter(machine, config):
    out = machine.sh("jitter -t 0.5 -l 1 --csv", 60, check=True).lines
    head, row = (line.split(",") for line in out[-2:])
    found = dict(zip(head, row))
    assert found["relay"] == config["relay"]
    assert 0 <= int(found["p50_ns"]) <= int(found["p99_ns"]) <= \
        int(found["p9999_ns"]) <= int(found["max_ns"]) < 10**10
    assert int(found["turns"]) > 1000
    assert "from_ns" in machine.sh("jitter -t 0.1 -l 0", check=True).out


def test_harts_floor(machine, config):
    out = machine.sh("harts-floor --csv", 60, check=True).lines
    rows = {line.split(",")[0]: line.split(",")[1:] for line in out
            if line.count(",") == 2}
    assert set(rows) >= {"user-line", "line", "ring", "ipi", "wake", "sbi",
                         "null-call"}
    assert int(rows["null-call"][0]) > 0 and int(rows["sbi"][0]) > 0
    assert machine.sh("harts-floor nonsense").status == 2


def test_application_hart_that_stalls_is_named(boot):
    m = boot(smp=2, relay="remote")
    m.sh("echo stall_app_ms=2500 >/proc/relay/policy", 30, check=True)
    found = re.findall(r"relay: hart (\d+) has not taken a completion for 1000"
                       r" ms", m.sh("dmesg").out)
    assert len(found) == 1
    assert m.relay_status()[int(found[0])]["role"] == "app"
    m.sh("calls 1000", check=True)


def test_floor_ends_under_icount(boot):
    """Harts take turns there: no pair is ever awake together."""
    m = boot(smp=2, relay="remote", icount=True, qemu="10", disk="none",
             initrd=os.path.join(m_out(), "initrd.cpio.gz"),
             append="poll_us=0", boot_timeout=200)
    rows = dict(m.table("/proc/relay/floor"))
    assert rows["h_ns"] == "-" and int(rows["sbi_ns"]) > 0


def m_out():
    from conftest import OUT
    return OUT
