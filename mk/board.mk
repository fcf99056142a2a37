# SPDX-License-Identifier: MIT
#
# mk/board.mk - disks for the HiFive Unmatched, and tests on a model of it.
#
#   sdcard       $(O)/antler-unmatched.img, a card from SPL to root
#   nvme-image   $(O)/antler-nvme.img, for the M.2 slot
#   spiflash     $(O)/antler-flash.img, SPL and U-Boot for the board's flash
#   test-board   tests/board/, on a QEMU that has the board (built once, in minutes)
#   soak-board   what of it takes longer, a part of `make soak`
#   bench-board  beside Linux on the same model: time to the prompt, disks
#
# docs/unmatched.md says what to do with them.

include mk/test.mk

ifndef BOARD_IMAGES
BOARD_IMAGES := $(O)/antler-unmatched.img $(O)/antler-nvme.img \
	$(O)/antler-flash.img
MKBOARD := $(PYTHON) scripts/mkboard.py
BOARD_DISK = --kernel $(O)/Image --user $(O)/user

$(O)/antler-unmatched.img: $(O)/Image $(USER_BINS) scripts/mkboard.py \
		scripts/mkimage.py
	$(call say,IMAGE,$@)
	$(Q)$(MKBOARD) sdcard $@ $(BOARD_DISK)

$(O)/antler-nvme.img: $(O)/Image $(USER_BINS) scripts/mkboard.py \
		scripts/mkimage.py
	$(call say,IMAGE,$@)
	$(Q)$(MKBOARD) nvme $@ $(BOARD_DISK)

$(O)/antler-flash.img: scripts/mkboard.py
	$(call say,IMAGE,$@)
	$(Q)$(MKBOARD) spiflash $@

sdcard: $(O)/antler-unmatched.img
nvme-image: $(O)/antler-nvme.img
spiflash: $(O)/antler-flash.img

# What `make run` is to boot from, when it is one of ours.
run: $(filter $(BOARD_IMAGES),$(SD) $(FLASH) $(DISK))

board-model:
	$(Q)scripts/fetch-guests board-model

BOARD_PYTEST = O=$(abspath $(O)) $(PYTHON) -B -m pytest -q -rfEs \
	-p no:cacheprovider tests/board

# PYTEST="-k boot" chooses; SOAK=1: all of them.
test-board: board-model $(BOARD_IMAGES) $(IMAGES)
	$(Q)$(BOARD_PYTEST) $(PYTEST)

soak-board: board-model $(BOARD_IMAGES) $(IMAGES)
	$(Q)SOAK=1 $(BOARD_PYTEST) -m soak $(PYTEST)

bench-board: board-model $(BOARD_IMAGES) $(IMAGES)
	$(Q)O=$(abspath $(O)) $(PYTHON) -B bench/board.py $(BENCH)

test: test-board
soak: soak-board

.PHONY: sdcard nvme-image spiflash board-model test-board soak-board bench-board
endif
