# SPDX-License-Identifier: MIT
"""tests/qemu/test_experiment.py - bench/experiment.py: its logic, and a run.

All but the last test need no machine.
"""
import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

import pytest
from machine import qemu

BENCH = os.path.join(qemu.TOP, "bench")
sys.path.insert(0, BENCH)
import experiment  # noqa: E402
from exp import plan, report, stats, svg  # noqa: E402
from exp.journal import Journal  # noqa: E402

pytestmark = pytest.mark.antler

STATUS = ("hart hartid role state requests posted sleeps poll_us\n"
          "0 0 service loop {} 0 {} 9\n1 1 app call 0 {} 3 9\n")


def printed(values, before=(5, 1, 7), after=(105, 3, 107), status=0):
    return (f"sample x\n{STATUS.format(*before)}{values}\nstatus {status}\n"
            f"{STATUS.format(*after)}end\n")


# -- what a guest printed -----------------------------------------------------

def test_sample_with_counters():
    s = plan.sample_of(printed("work null 812.5 100 - 431.0"))
    assert s["value"] == 812.5 and s["operations"] == 100
    assert s["instructions"] == 431.0 and "cycles" not in s
    assert s["counters"] == {"requests": 100, "posted": 100, "sleeps": 2}


@pytest.mark.parametrize("text", [
    "", "work null 1.0 100 - -\n", "status 0\n",
    printed("work null 1.0 100 - -", status=1),
    printed("work: read: No such file")])
def test_no_sample_of_what_went_wrong(text):
    assert plan.sample_of(text) is None


# -- the order of samples -----------------------------------------------------

def test_systems_take_turns_and_each_begins():
    loads = plan.workloads(only="null")
    steps = plan.steps_at(2, [1], loads, 4)
    assert len({s.key for s in steps}) == len(steps) == 16
    for rep in range(4):
        turn = [s.system.name for s in steps if s.rep == rep]
        assert sorted(turn) == ["hybrid", "linux", "local", "remote"]
    assert len({s.system.name for s in steps[::4]}) == 4


def test_fault_policies_only_where_they_matter():
    names = {s.name for s in plan.systems_of(plan.workloads(only="null")[0])}
    assert "remote+lf" not in names
    names = {s.name for s in plan.systems_of(
        plan.workloads(only="fault64")[0])}
    assert {"remote+lf", "local+rf"} <= names


def test_names_of_workloads_are_unique_and_patterns_choose():
    every = [w.name for w in plan.workloads()]
    assert len(every) == len(set(every)) and "|" not in "".join(every)
    assert {w.flight for w in plan.workloads(only="flight_stat_*")} == \
        set(plan.FLIGHTS)
    assert plan.workloads(only="no such") == []


# -- the journal --------------------------------------------------------------

def test_journal_goes_on(tmp_path):
    path = str(tmp_path / "new" / "j")
    Journal(path, "me").add("null|local|2|1|0", {"value": 1.5})
    j = Journal(path, "me")
    assert "null|local|2|1|0" in j and "null|local|2|1|1" not in j
    assert not Journal(path, "another kernel").samples


def test_journal_survives_broken_lines(tmp_path):
    path = tmp_path / "j"
    good = {"of": "me", "key": "a|linux|2|0|0", "value": 2}
    path.write_text("\n".join([
        json.dumps(good), "", "not json", "[1]", "7", "null",
        json.dumps(dict(good, key="a|b")), json.dumps(dict(good, value="2")),
        json.dumps({"of": "me"}), '{"of": "me", "key": "b|li']),
        encoding="utf-8")
    j = Journal(str(path), "me")
    assert list(j.samples) == ["a|linux|2|0|0"] and j.ignored == 9
    # The cut line does not swallow what is added after it.
    j.add("c|linux|2|0|0", {"value": 3})
    assert set(Journal(str(path), "me").samples) == \
        {"a|linux|2|0|0", "c|linux|2|0|0"}


# -- statistics ---------------------------------------------------------------

def test_summary():
    s = stats.summary([1, 2, 3, 4, 100])
    assert (s["median"], s["mad"], s["min"], s["n"]) == (3, 1, 1, 5)
    assert (s["q1"], s["q3"]) == (2, 4)
    assert stats.quantile([5], 0.9) == 5


def test_comparison_sees_a_difference_and_none():
    fast, slow = [10, 11, 10, 12, 11], [20, 22, 21, 20, 90]
    ratio, low, high, less = stats.compare(fast, slow)
    assert low <= ratio <= high < 1 and less == 1
    assert stats.compare(fast, slow) == stats.compare(fast, slow)
    assert stats.winner({"a": fast, "b": slow})[0] == "a"
    assert stats.winner({"a": [10, 30, 12], "b": [11, 29, 12]})[0] is None
    assert stats.winner({"a": [1, 1], "b": [9, 9]})[0] is None
    assert stats.winner({"a": [1]})[1] is None


def test_crossing():
    assert stats.crossing({1: 1.5, 2: 1.1, 4: 0.9, 8: 0.7}) == 4
    assert stats.crossing({1: 0.9, 2: 1.1, 4: 0.9}) == 4
    assert stats.crossing({1: 0.9, 64: 1.0}) is None
    assert stats.crossing({}) is None


# -- figures and pages --------------------------------------------------------

def test_figures_are_well_formed_and_small():
    bars = svg.ratio_bars("a < b & c", [("x", {"linux": (2, 1.5, 40)})],
                          ["linux", "remote"])
    lines = svg.curves("t", {"remote": [(1, 10, 9, 12), (64, 1, 1, 1)]},
                       "x", "y")
    for picture in (bars, lines):
        assert ElementTree.fromstring(picture).tag.endswith("svg")
        assert len(picture) < 60 * 1024


def samples_of(names, reps=5):
    out = {}
    for i, name in enumerate(names):
        for rep in range(reps):
            for system, ns in (("linux", 300), ("remote", 200), ("local", 100),
                               ("hybrid", 150)):
                service = 0 if system == "linux" else 1
                out[f"{name}|{system}|2|{service}|{rep}"] = {
                    "value": ns * (i + 1) + rep, "operations": 10,
                    "counters": {"posted": 10, "sleeps": 5, "ipi_sent": 5}}
    return out


def test_page(tmp_path):
    loads = plan.workloads(only="null,flight_null_1,flight_null_4")
    page = report.write(samples_of([w.name for w in loads]), loads,
                        str(tmp_path), {"host": "<here>"})
    assert "never" in page and "0.5 sleeps" in page and "100%" in page
    text = (tmp_path / "experiment.html").read_text()
    assert "&lt;here&gt;" in text and text.count("<svg") == 2
    assert text.count("<table>") == text.count("</table>") == 2
    assert (tmp_path / "summary.csv").read_text().count("\n") == 13
    assert (tmp_path / "samples.csv").read_text().count("\n") == 61


def test_page_of_too_few(tmp_path):
    loads = plan.workloads(only="null,flight_null_1")
    page = report.write(samples_of([w.name for w in loads], 2), loads,
                        str(tmp_path), {})
    assert "2.00 (?)" in page and "too few samples" in page
    assert "**" not in page and "never" not in page


def test_page_of_nothing(tmp_path):
    assert "split" in report.write({}, plan.workloads(), str(tmp_path), {})


# -- the board ----------------------------------------------------------------

def test_log_of_a_board(tmp_path):
    class Args:
        ms, reps = 10, 1

    script = experiment.board_script(Args, plan.workloads(only="null,bash"))
    path = tmp_path / "experiment.sh"
    path.write_text(script)
    subprocess.run(["sh", "-n", str(path)], check=True)
    assert "echo 'sample null|remote|0|1|0';" in script
    text = printed("work null 9.5 100 - -").replace(
        "sample x", "sample null|remote|0|1|0").replace("\n", "\r\n")
    j = Journal(str(tmp_path / "j"), "log")
    assert experiment.read_log("noise\r\n" + text + text[:60], j) == 1
    assert list(j.samples) == ["null|remote|2|1|0"]


# -- the whole thing ----------------------------------------------------------

def test_a_run_that_goes_on(pool, tmp_path):
    """One workload; then the same again finds all samples there."""
    pool.stop()
    command = [sys.executable, "-B", os.path.join(BENCH, "experiment.py"),
               "--quick", "--only", "null,ls", "--reps", "1", "--ms", "20",
               "--out", str(tmp_path)]
    first = subprocess.run(command, capture_output=True, text=True,
                           check=True, timeout=240)
    assert "remote/local" in first.stdout, first.stderr
    lines = (tmp_path / "journal.jsonl").read_text().splitlines()
    assert len(lines) == 8, first.stderr
    again = subprocess.run(command, capture_output=True, text=True,
                           check=True, timeout=60)
    assert "8 samples are there already" in again.stderr
    assert (tmp_path / "journal.jsonl").read_text().splitlines() == lines
