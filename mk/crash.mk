# SPDX-License-Identifier: MIT
#
# mk/crash.mk - power cuts and spoilt volumes, for longer than `make check`.
#
#   make crash      every moment of many workloads, on the host: half an hour.
#                   CRASH_ROUNDS= (20) times ten volumes; with CRASH_SECONDS= a
#                   bite of that, which the same command goes on with; what has
#                   been done is in $(O)/crash/record, CRASH_SEED= begins another
#   make fuzz-ext4  libFuzzer spoils volumes until FUZZ_SECONDS= (300) are over;
#                   what it finds stays in $(O)/fuzz/corpus
#   powercut    N= (100) times the power of a machine at work goes, with QEMU and
#               a disk that loses what was not flushed: about 3 s each.
#               POWERCUT="--seed X --kernels antler,linux" and other options of
#               tests/qemu/powercut.py; POWERCUT="--record DIR --seconds 400"
#               makes one run in bites, which the same command goes on with
#   fuzz-ext4-short the same for a fixed number of inputs: part of `make check`
#
# Wants from check.mk: CLANG, HOST_CFLAGS, sources_of; from the Makefile: O.

FUZZ_SECONDS ?= 300
FUZZ_RUNS    ?= 8000
FUZZ_DIR     := $(O)/fuzz
FUZZ_SRC     := tests/host/ext4_libfuzz.c $(addprefix tests/host/fake/,world.c \
	sched.c disk.c trace.c ext4_rig.c ext4_use.c) fs/inode.c \
	kernel/file/iov.c $(addprefix kernel/mm/,pagecache.c writeback.c \
	truncate.c filemap.c readahead.c radix.c) lib/crc.c lib/sort.c \
	lib/string.c lib/fmt.c $(sort $(wildcard fs/ext4/*.c))
FUZZ_CFLAGS  := $(HOST_CFLAGS) -O1 -fno-omit-frame-pointer \
	-Wno-gnu-folding-constant
FUZZ_LIMITS  := -timeout=30 -rss_limit_mb=2048 -max_len=65 \
	-print_final_stats=1 -verbosity=0

.PHONY: crash powercut fuzz-ext4 fuzz-ext4-short

include mk/test.mk

crash: $(O)/asan/ext4_crash_test
	$(Q)$(PYTHON) -B tests/host/crash_run.py $< --record $(O)/crash/record \
		--rounds $(or $(CRASH_ROUNDS),20) --seed $(or $(CRASH_SEED),1) \
		--seconds $(or $(CRASH_SECONDS),0)

powercut: $(O)/Image $(IMAGES) $(O)/powercut
	$(Q)O=$(abspath $(O)) $(PYTHON) -B tests/qemu/powercut.py \
		--cuts $(or $(N),100) $(POWERCUT)

$(FUZZ_DIR)/obj/%.o: %.c
	$(CHECK_Q)mkdir -p $(@D)
	$(CHECK_Q)$(CLANG) $(FUZZ_CFLAGS) -fsanitize=fuzzer-no-link,address \
		-MMD -MP -c $< -o $@

$(FUZZ_DIR)/ext4_libfuzz: $(FUZZ_SRC:%.c=$(FUZZ_DIR)/obj/%.o)
	$(CHECK_Q)$(CLANG) -fsanitize=fuzzer,address $^ -o $@ -lcmocka

$(FUZZ_DIR)/images: tests/host/fuzz-images.sh $(FUZZ_DIR)/ext4_libfuzz
	$(CHECK_Q)rm -rf $(FUZZ_DIR)/seeds
	$(CHECK_Q)mkdir -p $(FUZZ_DIR)/img $(FUZZ_DIR)/corpus $(FUZZ_DIR)/seeds
	$(CHECK_Q)tests/host/fuzz-images.sh $(FUZZ_DIR)/img
	$(CHECK_Q)EXT4_FUZZ_DIR=$(FUZZ_DIR)/img $(FUZZ_DIR)/ext4_libfuzz \
		--corpus=$(FUZZ_DIR)/seeds
	$(CHECK_Q)touch $@

fuzz-ext4: $(FUZZ_DIR)/images
	$(CHECK_Q)EXT4_FUZZ_DIR=$(FUZZ_DIR)/img $(FUZZ_DIR)/ext4_libfuzz \
		$(FUZZ_LIMITS) -max_total_time=$(FUZZ_SECONDS) \
		-artifact_prefix=$(FUZZ_DIR)/ $(FUZZ_DIR)/corpus \
		$(FUZZ_DIR)/seeds

# The same inputs each time: the seeds, and what comes of them.
fuzz-ext4-short: $(FUZZ_DIR)/images
	$(CHECK_Q)EXT4_FUZZ_DIR=$(FUZZ_DIR)/img $(FUZZ_DIR)/ext4_libfuzz \
		$(FUZZ_LIMITS) -runs=$(FUZZ_RUNS) -seed=1 \
		-artifact_prefix=$(FUZZ_DIR)/ $(FUZZ_DIR)/seeds \
		>$(FUZZ_DIR)/log 2>&1 || { tail -60 $(FUZZ_DIR)/log; exit 1; }
	@echo "fuzz-ext4: $(FUZZ_RUNS) volumes"

-include $(shell find $(FUZZ_DIR)/obj -name '*.d' 2>/dev/null)
