# SPDX-License-Identifier: MIT
"""bench/exp/journal.py - samples that are finished, one line of JSON each.

Lines are only appended, and flushed one by one, so that a run that is cut off
loses the sample under way and no other.  A line that was cut, or that another
kernel or QEMU made, is not taken.
"""
import json
import os


class Journal:
    def __init__(self, path, identity):
        self.path, self.identity = path, identity
        self.samples, self.ignored = {}, 0
        if os.path.exists(path):
            with open(path, encoding="utf-8", errors="replace") as f:
                for line in f:
                    self._take(line)

    def _take(self, line):
        try:
            record = json.loads(line)
            if record["of"] != self.identity or \
                    not isinstance(record["value"], (int, float)):
                raise ValueError
            key = record["key"]
            if len(key.split("|")) != 5:
                raise ValueError
        except (ValueError, KeyError, TypeError, AttributeError):
            self.ignored += 1
            return
        self.samples[key] = record

    def __contains__(self, key):
        return key in self.samples

    def add(self, key, sample):
        record = dict(sample, key=key, of=self.identity)
        os.makedirs(os.path.dirname(self.path), exist_ok=True)
        cut = False
        if os.path.exists(self.path) and os.path.getsize(self.path):
            with open(self.path, "rb") as f:
                f.seek(-1, os.SEEK_END)
                cut = f.read(1) != b"\n"
        with open(self.path, "a", encoding="utf-8") as f:
            f.write(("\n" if cut else "") + json.dumps(record) + "\n")
        self.samples[key] = record
