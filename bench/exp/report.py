# SPDX-License-Identifier: MIT
"""bench/exp/report.py - from samples to CSV, tables, figures and one page.

Everything is made from the journal alone, so a page can be made again, and of
a run that is not finished.
"""
import csv
import html
import os
import re

from . import plan, stats, svg


class Results:
    """Samples by (workload, harts, service harts) and system; values in ns of
    one operation.  Linux's, which has no service harts, stand beside each."""

    def __init__(self, samples):
        self.cells, self.counters, linux = {}, {}, {}
        self.raw = sorted(samples.items())
        for key, sample in self.raw:
            name, system, smp, service, _ = key.split("|")
            place = (name, int(smp), int(service))
            if system == "linux":
                linux.setdefault((name, int(smp)), []).append(sample["value"])
                continue
            self.cells.setdefault(place, {}).setdefault(system, []).append(
                sample["value"])
            if "counters" in sample:
                self.counters.setdefault((place, system), []).append(sample)
        for place, cell in self.cells.items():
            if place[:2] in linux:
                cell["linux"] = linux[place[:2]]

    def places(self):
        return sorted({p[1:] for p in self.cells})

    def at(self, smp, service, loads):
        """[(workload, {system: values})] in the order of the plan."""
        return [(w, self.cells[w.name, smp, service]) for w in loads
                if (w.name, smp, service) in self.cells]

    def per_operation(self, place, system, name):
        """A counter's median growth by operation; None if unknown."""
        found = [s["counters"].get(name, 0) / max(1, s["operations"])
                 for s in self.counters.get((place, system), [])]
        return stats.median(found) if found else None


def time_text(ns):
    for unit, size in (("s", 1e9), ("ms", 1e6), ("us", 1e3)):
        if ns >= size:
            return f"{ns / size:.3g} {unit}"
    return f"{ns:.3g} ns"


def ratio_of(cell, a, b):
    """(ratio, low, high, share of a < b, samples), or None."""
    if a not in cell or b not in cell:
        return None
    return stats.compare(cell[a], cell[b]) + (min(len(cell[a]),
                                                  len(cell[b])),)


def ratio_text(ratio):
    """An interval of fewer than 3 samples would be a lie."""
    if ratio is None:
        return "-"
    if ratio[4] < stats.FEW:
        return f"{ratio[0]:.2f} (?)"
    return f"{ratio[0]:.2f} ({ratio[1]:.2f}-{ratio[2]:.2f})"


def antlers(cell):
    return {n: v for n, v in cell.items() if n != "linux"}


def reason(results, place, cell):
    """What /proc/relay/status says about `remote` on this row, in words."""
    def count(name):
        return results.per_operation(place, "remote", name)

    if count("sleeps") is None:
        return ""
    posted, words = count("posted"), []
    for name, label in (("posted", "calls"), ("sleeps", "sleeps"),
                        ("ipi_sent", "IPIs"), ("faults", "faults")):
        if count(name) is not None and count(name) >= 0.01:
            words.append(f"{count(name):.3g} {label}")
    batches = count("batches")
    if batches:
        words.append(f"{count('messages') / batches:.2f} messages a batch")
    if posted and {"remote", "local"} <= set(cell):
        gap = (stats.median(cell["remote"]) - stats.median(cell["local"]))
        words.append(f"{gap / posted:+.0f} ns a call")
    return ", ".join(words)


def markdown_table(head, rows):
    return "\n".join(["| " + " | ".join(head) + " |",
                      "|" + "---|" * len(head)] +
                     ["| " + " | ".join(row) + " |" for row in rows])


def policy_rows(results, smp, service, loads):
    """A line for each workload: medians, who won, how sure, and why."""
    rows = []
    for w, cell in results.at(smp, service, loads):
        name, second, sure = stats.winner(antlers(cell))
        few = min(map(len, antlers(cell).values())) < stats.FEW
        verdict = "-" if second is None else "too few samples" if few else \
            "no difference" if name is None else f"**{name}** over {second} by " + \
            f"{1 - stats.compare(cell[name], cell[second])[0]:.0%}"
        rows.append([w.text] + [
            time_text(stats.median(cell[s])) if s in cell else "-"
            for s in ("linux", "remote", "local", "hybrid")] + [
            ratio_text(ratio_of(cell, "remote", "local")),
            ratio_text(ratio_of(cell, "remote", "linux")),
            verdict, f"{sure:.0%}" if second and not few else "-",
            reason(results, (w.name, smp, service), cell)])
    return rows


POLICY_HEAD = ["workload", "Linux", "remote", "local", "hybrid",
               "remote/local", "remote/Linux", "won", "sure",
               "by operation, remote"]


def family_ratios(results, smp, service, loads, family):
    """{calls in flight: ratio_of() remote and local}."""
    found = {}
    for w, cell in results.at(smp, service, loads):
        if w.family == family and {"remote", "local"} <= set(cell):
            found[w.flight] = ratio_of(cell, "remote", "local")
    return found


def flight_rows(results, loads):
    """remote/local by calls in flight, and from which number remote wins."""
    rows = []
    for family in dict.fromkeys(w.family for w in loads if w.family):
        for smp, service in results.places():
            ratios = family_ratios(results, smp, service, loads, family)
            if not ratios:
                continue
            # What counts is the upper end of the interval.
            enough = all(r[4] >= stats.FEW for r in ratios.values())
            at = stats.crossing({n: r[2] for n, r in ratios.items()})
            rows.append([family, str(smp), str(service)] + [
                f"{ratios[n][0]:.2f}" if n in ratios else "-"
                for n in plan.FLIGHTS] + [
                    "too few samples" if not enough else
                    str(at) if at else "never"])
    return rows


FLIGHT_HEAD = ["call", "harts", "service"] + \
    [str(n) for n in plan.FLIGHTS] + ["remote wins from"]


def fault_rows(results, loads):
    """fault=local over fault=remote, at the same relay=."""
    rows = []
    for smp, service in results.places():
        for w, cell in results.at(smp, service, loads):
            pairs = [ratio_of(cell, "remote+lf", "remote"),
                     ratio_of(cell, "local", "local+rf")]
            if any(pairs):
                rows.append([w.text, str(smp), str(service)] +
                            [ratio_text(p) for p in pairs])
    return rows


def figures(results, loads, out):
    """Writes the SVG files; returns [(file, caption)]."""
    found = []

    def save(name, caption, picture):
        with open(os.path.join(out, name), "w", encoding="utf-8") as f:
            f.write(picture)
        found.append((name, caption))

    for smp, service in results.places():
        where = f"{smp} harts, {service} of them service"
        rows = []
        for w, cell in results.at(smp, service, loads):
            ratios = {s: ratio_of(cell, s, "local")
                      for s in ("linux", "remote", "hybrid")}
            ratios = {s: r[:3] for s, r in ratios.items() if r}
            if ratios and not w.family:
                rows.append((w.text, ratios))
        if rows:
            save(f"ratios-{smp}-{service}.svg", f"Time over local's, {where}",
                 svg.ratio_bars(f"time / local's time: {where}", rows,
                                ["linux", "remote", "hybrid"]))
        for family in dict.fromkeys(w.family for w in loads if w.family):
            series = flight_series(results, smp, service, loads, family)
            if series:
                save(f"flight-{family}-{smp}-{service}.svg",
                     f"Throughput of {family}, {where}",
                     svg.curves(f"{family}: {where}", series,
                                "calls in flight", "1000 calls a second"))
    return found


def flight_series(results, smp, service, loads, family):
    """{system: [(in flight, thousand calls a second, q1, q3)]}."""
    series = {}
    for w, cell in results.at(smp, service, loads):
        if w.family != family:
            continue
        for s, values in cell.items():
            rate = [1e6 / v for v in values]
            series.setdefault(s, []).append(
                (w.flight, stats.median(rate), stats.quantile(rate, 0.25),
                 stats.quantile(rate, 0.75)))
    return {s: series[s] for s in ("linux", "remote", "local", "hybrid")
            if s in series}


def write_raw(results, path):
    with open(path, "w", newline="", encoding="ascii") as f:
        w = csv.writer(f)
        w.writerow(["workload", "system", "harts", "service", "rep", "ns",
                    "operations", "cycles", "instructions"] +
                   list(plan.COUNTERS))
        for key, s in results.raw:
            w.writerow(key.split("|") + [
                s["value"], s["operations"], s.get("cycles", ""),
                s.get("instructions", "")] +
                [s.get("counters", {}).get(n, "") for n in plan.COUNTERS])


def write_summary(results, path):
    columns = ["n", "median", "min", "mad", "q1", "q3"]
    with open(path, "w", newline="", encoding="ascii") as f:
        w = csv.writer(f)
        w.writerow(["workload", "harts", "service", "system"] + columns)
        for place, cell in sorted(results.cells.items()):
            for system, values in cell.items():
                row = stats.summary(values)
                w.writerow(list(place) + [system] + [
                    f"{row[c]:.1f}" if c != "n" else row[c] for c in columns])


INTRO = """Medians of one operation. `a/b (low-high)`: ratio of medians with a
95 % interval by bootstrap (2000 draws). *won*: the policy with the least median, if
it is the lesser in 95 % of the draws (*sure*); `(?)`: fewer than 3 samples. *by operation*: what `/proc/relay/status` counted in `remote`, and what a
call costs more than in `local`."""


def markdown(results, loads, pictures, facts):
    """The page; figures as links."""
    parts = ["# When does the split pay?", "\n".join(
        f"* {name}: {value}" for name, value in facts.items()), INTRO]
    for smp, service in results.places():
        parts += [f"## {smp} harts, {service} of them service",
                  markdown_table(POLICY_HEAD, policy_rows(
                      results, smp, service, loads))]
    rows = flight_rows(results, loads)
    if rows:
        parts += ["## remote/local by calls in flight",
                  markdown_table(FLIGHT_HEAD, rows)]
    rows = fault_rows(results, loads)
    if rows:
        parts += ["## fault=local over fault=remote", markdown_table(
            ["workload", "harts", "service", "relay=remote", "relay=local"],
            rows)]
    parts += ["## Figures"] + [f"![{caption}]({name})"
                               for name, caption in pictures]
    return "\n\n".join(parts) + "\n"


def html_of(page, out):
    """The Markdown that markdown() makes, as HTML with the figures inside."""
    body, table = [], False
    for text in page.splitlines():
        picture = re.match(r"!\[.*\]\((.*)\)$", text)
        cells = text[2:-2].split(" | ") if text.startswith("| ") else None
        if table and cells is None and not text.startswith("|--"):
            body.append("</table>")
            table = False
        if picture:
            with open(os.path.join(out, picture[1]), encoding="utf-8") as f:
                body.append(f.read())
        elif cells is not None:
            tag = "td" if table else "th"
            body.append("" if table else "<table>")
            body.append("<tr>" + "".join(f"<{tag}>{inline(c)}</{tag}>"
                                         for c in cells) + "</tr>")
            table = True
        elif text.startswith("#"):
            level = len(text) - len(text.lstrip("#"))
            body.append(f"<h{level}>{inline(text[level + 1:])}</h{level}>")
        elif text.startswith("* "):
            body.append(f"<p>{inline(text[2:])}</p>")
        elif not text.startswith("|--"):
            body.append(inline(text) or "<p>")
    if table:
        body.append("</table>")
    return ("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
            "<title>When does the split pay?</title><style>body{font-family:"
            "sans-serif;margin:2em}td,th{padding:2px 8px;text-align:left;"
            "border-bottom:1px solid #ddd}table{border-collapse:collapse}"
            "</style></head><body>\n" + "\n".join(body) + "\n</body></html>\n")


def inline(text):
    text = html.escape(text)
    text = re.sub(r"\*\*(.+?)\*\*", r"<b>\1</b>", text)
    text = re.sub(r"\*(.+?)\*", r"<i>\1</i>", text)
    return re.sub(r"`(.+?)`", r"<code>\1</code>", text)


def write(samples, loads, out, facts):
    """All files of a run under @out; the text of the page."""
    os.makedirs(out, exist_ok=True)
    results = Results(samples)
    write_raw(results, os.path.join(out, "samples.csv"))
    write_summary(results, os.path.join(out, "summary.csv"))
    page = markdown(results, loads, figures(results, loads, out), facts)
    with open(os.path.join(out, "experiment.md"), "w", encoding="utf-8") as f:
        f.write(page)
    with open(os.path.join(out, "experiment.html"), "w",
              encoding="utf-8") as f:
        f.write(html_of(page, out))
    return page
