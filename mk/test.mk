# SPDX-License-Identifier: MIT
#
# mk/test.mk - images, booting, and the whole-system tests.
#
# Wants from the Makefile: O, and that `$(O)/Image` can be made.

ifndef IMAGES
include mk/user.mk
IMAGES := $(O)/root.ext4 $(O)/initrd.cpio.gz $(O)/linux-initrd.cpio.gz

# What qemu.py takes; empty ones fall to its defaults.
QEMU_VARS = $(foreach v,KERNEL SMP MEM RELAY DISK INITRD APPEND MACHINE QEMU \
	CPU AIA BLK NVME NET NIC SD FLASH ICOUNT SNAPSHOT TAIL,$(if \
	$($(v)),'$(v)=$($(v))')) 'O=$(O)'

$(O)/root.ext4: scripts/mkimage.py $(USER_BINS)
	$(call say,IMAGE,$@)
	$(Q)$(PYTHON) scripts/mkimage.py ext4 $@ --user $(O)/user

$(O)/initrd.cpio.gz: scripts/mkimage.py $(USER_BINS)
	$(call say,IMAGE,$@)
	$(Q)$(PYTHON) scripts/mkimage.py initrd $@ --user $(O)/user

$(O)/linux-initrd.cpio.gz: scripts/mkimage.py
	$(call say,IMAGE,$@)
	$(Q)mkdir -p $(O)
	$(Q)$(PYTHON) scripts/mkimage.py linux-initrd $@

image: $(IMAGES)

run: $(if $(filter linux,$(KERNEL)),,$(O)/Image) $(IMAGES) \
		$(if $(filter unmatched,$(MACHINE)),board-model)
	$(Q)$(PYTHON) scripts/qemu.py run $(QEMU_VARS)

# The machine waits on port 1234 in the background until gdb lets it go.
gdb: $(O)/Image $(IMAGES)
	$(Q)$(PYTHON) scripts/qemu.py gdb $(QEMU_VARS) \
		</dev/null >$(O)/gdb-console.log 2>&1 & qemu=$$!; \
	gdb-multiarch -q -ex 'target remote :1234' $(O)/antler.elf; \
	kill $$qemu 2>/dev/null || \
		{ tail -n 3 $(O)/gdb-console.log >&2; exit 1; }

# PYTEST="-k shell -x" chooses; TEST_KERNEL=linux validates the rig itself.
test-qemu: $(if $(filter linux,$(TEST_KERNEL)),,$(O)/Image) $(IMAGES) \
		$(O)/powercut
	$(Q)O=$(abspath $(O)) $(PYTHON) -B -m pytest -q -rfEs \
		-p no:cacheprovider tests/qemu $(PYTEST)

test: test-qemu

# Longer than anybody waits for: calls with random delays, fuzzing, memory.
soak: $(O)/Image $(IMAGES)
	$(Q)O=$(abspath $(O)) SOAK=1 $(PYTHON) -B -m pytest -q -rfEs \
		-p no:cacheprovider tests/qemu -m soak $(PYTEST)

.PHONY: image run gdb test test-qemu soak
endif
