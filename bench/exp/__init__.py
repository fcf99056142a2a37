# SPDX-License-Identifier: MIT
"""bench/exp - the parts of bench/experiment.py.

    plan.py     workloads, systems, the order of samples, the guest's commands
    journal.py  finished samples, kept and found again
    stats.py    medians, quantiles, bootstrap
    svg.py      figures
    report.py   CSV, tables and pages from samples
"""
