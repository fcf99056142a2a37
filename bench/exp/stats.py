# SPDX-License-Identifier: MIT
"""bench/exp/stats.py - what can be said of a handful of noisy samples.

Medians and what surrounds them; two systems are compared by the ratio of their
medians with a 95 % interval by bootstrap (2000 times drawn with replacement,
from a fixed seed, so that a page can be made again).  Nothing is assumed about
the distribution, which on an emulator has a long tail to one side.
"""
import random
import statistics

DRAWS = 2000
FEW = 3             # with fewer samples nothing is concluded


def median(values):
    return statistics.median(values)


def mad(values):
    """Median of the distances from the median."""
    m = median(values)
    return median([abs(v - m) for v in values])


def quantile(values, q):
    """Linear between neighbours; q from 0 to 1."""
    ordered = sorted(values)
    at = q * (len(ordered) - 1)
    low = int(at)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (at - low)


def summary(values):
    return {"n": len(values), "median": median(values), "min": min(values),
            "mad": mad(values), "q1": quantile(values, 0.25),
            "q3": quantile(values, 0.75)}


def drawn_medians(values, rng):
    n = len(values)
    return [median([values[rng.randrange(n)] for _ in range(n)])
            for _ in range(DRAWS)]


def compare(a, b, seed=1):
    """Is @a less than @b?  (ratio of medians, low, high of 95 %, share of the
    draws in which a was less)."""
    rng = random.Random(seed)
    da, db = drawn_medians(a, rng), drawn_medians(b, rng)
    ratios = sorted(x / y for x, y in zip(da, db))
    less = sum(x < 1 for x in ratios) / len(ratios)
    return (median(a) / median(b), quantile(ratios, 0.025),
            quantile(ratios, 0.975), less)


def winner(by_name, level=0.95):
    """(name, second, confidence) of the least median, or (None, ..) when the
    runner-up may as well have won.  Fewer than 3 samples prove nothing."""
    order = sorted(by_name, key=lambda n: median(by_name[n]))
    if len(order) < 2:
        return None, None, 0.0
    first, second = order[:2]
    less = compare(by_name[first], by_name[second])[3]
    few = min(len(by_name[first]), len(by_name[second])) < FEW
    return (None if few or less < level else first), second, less


def crossing(ratios):
    """The least number of calls in flight from which on remote/local stays
    below one, for {in flight: ratio}; None when it never does."""
    found = None
    for n in sorted(ratios, reverse=True):
        if ratios[n] >= 1:
            break
        found = n
    return found
