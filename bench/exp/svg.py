# SPDX-License-Identifier: MIT
"""bench/exp/svg.py - two kinds of figure, with error bars: bars and lines.

A chart is a handful of rectangles and words; a library for it would be the
largest thing that the project asks for.  Colours are legible to the colour
blind (Okabe and Ito), and every series also has its name beside it.
"""
import math
from xml.sax.saxutils import escape

COLOURS = ["#555555", "#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9"]
FONT = 'font-family="sans-serif" font-size="11"'


def text(x, y, words, anchor="start", extra=""):
    return (f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{extra}>'
            f"{escape(str(words))}</text>")


def line(x1, y1, x2, y2, colour="#000", width=1.0):
    return (f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" '
            f'stroke="{colour}" stroke-width="{width}"/>')


def page(width, height, body, title):
    return "\n".join(
        [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" '
         f'height="{height}" viewBox="0 0 {width} {height}" {FONT}>',
         f"<title>{escape(title)}</title>",
         f'<rect width="{width}" height="{height}" fill="#fff"/>',
         text(8, 16, title, extra=' font-weight="bold"')] + body +
        ["</svg>"]) + "\n"


def legend(names, x, y):
    body = []
    for i, name in enumerate(names):
        body.append(f'<rect x="{x}" y="{y + 15 * i - 8}" width="10" '
                    f'height="10" fill="{COLOURS[i % len(COLOURS)]}"/>')
        body.append(text(x + 14, y + 15 * i + 1, name))
    return body


def decades(low, high):
    """Powers of ten around [low, high]."""
    return range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)


def ratio_bars(title, rows, names):
    """Horizontal bars of ratios on a logarithmic scale, 1 is a line.
    rows: [(label, {name: (ratio, low, high)})]."""
    left, width, bar = 190, 560, 9
    values = [v for _, cells in rows for c in cells.values() for v in c
              if v > 0]
    low, high = min(values + [0.5]) / 1.1, max(values + [2]) * 1.1
    scale = width / math.log(high / low)

    def x_of(v):
        return left + scale * math.log(min(max(v, low), high) / low)

    y, body = 34.0, []
    for label, cells in rows:
        group = len(names) * bar
        body.append(text(left - 6, y + group / 2 + 4, label, "end"))
        for i, name in enumerate(names):
            if name not in cells:
                continue
            value, lo, hi = cells[name]
            a, b = sorted((x_of(1), x_of(value)))
            top = y + i * bar
            body.append(f'<rect x="{a:.1f}" y="{top:.1f}" width="{b - a:.1f}" '
                        f'height="{bar - 2}" '
                        f'fill="{COLOURS[i % len(COLOURS)]}"/>')
            middle = top + (bar - 2) / 2
            body.append(line(x_of(lo), middle, x_of(hi), middle))
        y += group + 7
    for tick in (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100):
        if low < tick < high:
            body.insert(0, line(x_of(tick), 28, x_of(tick), y,
                                "#000" if tick == 1 else "#ccc"))
            body.append(text(x_of(tick), y + 12, tick, "middle"))
    body += legend(names, left + width + 16, 40)
    return page(left + width + 110, int(y + 20), body, title)


def curves(title, series, x_label, y_label):
    """Lines on two logarithmic axes.  series: {name: [(x, y, low, high)]}."""
    left, top, width, height = 66, 30, 420, 240
    points = [p for s in series.values() for p in s]
    xs = sorted({p[0] for p in points})
    low = min(p[2] for p in points) / 1.2
    high = max(p[3] for p in points) * 1.2

    def x_of(v):
        span = math.log(xs[-1] / xs[0]) or 1
        return left + width * math.log(v / xs[0]) / span

    def y_of(v):
        return top + height * (1 - math.log(v / low) / math.log(high / low))

    body = [line(left, top, left, top + height),
            line(left, top + height, left + width, top + height)]
    for x in xs:
        body.append(text(x_of(x), top + height + 14, x, "middle"))
    for e in decades(low, high):
        for m in (1, 2, 5):
            v = m * 10.0 ** e
            if low <= v <= high:
                body.append(line(left, y_of(v), left + width, y_of(v), "#ddd"))
                body.append(text(left - 4, y_of(v) + 4, f"{v:g}", "end"))
    for i, (name, path) in enumerate(series.items()):
        colour = COLOURS[i % len(COLOURS)]
        body.append('<polyline fill="none" stroke-width="1.5" '
                    f'stroke="{colour}" points="' + " ".join(
                        f"{x_of(x):.1f},{y_of(y):.1f}" for x, y, _, _ in path)
                    + '"/>')
        for x, _, lo, hi in path:
            body.append(line(x_of(x), y_of(lo), x_of(x), y_of(hi), colour))
    body.append(text(left + width / 2, top + height + 30, x_label, "middle"))
    body.append(text(left, top - 4, y_label))
    body += legend(list(series), left + width + 14, top + 12)
    return page(left + width + 110, top + height + 38, body, title)
