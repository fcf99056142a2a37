# SPDX-License-Identifier: MIT
#
# mk/bench.mk - `make bench`: Antler beside Debian's Linux, same QEMU, same
# disk.  BENCH="--quick" and other options of bench/bench.py.

include mk/test.mk

bench: $(O)/Image $(IMAGES)
	$(Q)O=$(abspath $(O)) $(PYTHON) -B bench/bench.py $(BENCH)

.PHONY: bench

# Disks, with Debian's fio; BENCH="--quick" and other options of storage.py.
bench-storage: $(O)/Image $(IMAGES)
	$(Q)O=$(abspath $(O)) $(PYTHON) -B bench/storage.py $(BENCH)

.PHONY: bench-storage

# The network, with Debian's redis and socat; BENCH="--quick" and other options of net.py.
bench-net: $(O)/Image $(IMAGES)
	$(Q)O=$(abspath $(O)) $(PYTHON) -B bench/net.py $(BENCH)

.PHONY: bench-net

# Exact counts of instructions against bench/icount.csv, and which call got
# longer; ICOUNT_ARGS="--update", "--linux", rows of lat.
icount: $(O)/Image $(IMAGES)
	$(Q)O=$(abspath $(O)) $(PYTHON) -B bench/icount.py $(ICOUNT_ARGS)

.PHONY: icount

# Workloads x policies x harts: when does the split pay?  EXP="--quick" and other
# options of experiment.py; docs/experiments.md.
experiment: $(O)/Image $(IMAGES)
	$(Q)O=$(abspath $(O)) $(PYTHON) -B bench/experiment.py $(EXP)

.PHONY: experiment
