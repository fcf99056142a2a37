# SPDX-License-Identifier: MIT
# Antler.  `make help` lists the targets; mk/*.mk hold their recipes.

O	?= build
CROSS	?= riscv64-linux-gnu-
CC	:= $(CROSS)gcc
OBJCOPY	:= $(CROSS)objcopy
NM	:= $(CROSS)nm
PYTHON	?= /usr/bin/python3
HOSTCC	?= gcc
# A compiler that we have not met may warn of what is no fault.
WERROR	?= $(if $(filter 12 14,$(firstword $(subst ., ,$(shell $(CC) -dumpversion)))),1)
V	?= 0
ifeq ($(V),0)
Q	:= @
say	= @printf '  %-7s %s\n' "$(1)" "$(patsubst $(O)/%,%,$(2))"
else
Q	:=
say	= @:
endif

WARN	:= -Wall -Wextra -Wshadow -Wundef -Wvla -Wpointer-arith -Wwrite-strings \
	-Wredundant-decls -Wnested-externs -Wold-style-definition \
	-Wstrict-prototypes -Wmissing-prototypes -Wmissing-declarations \
	-Wimplicit-fallthrough -Wformat=2 -Wno-format-nonliteral \
	-Wno-missing-field-initializers -Wno-unused-parameter
ifeq ($(WERROR),1)
WARN	+= -Werror
endif
# No F or D: the kernel leaves the user's floating-point registers alone.
KARCH	:= -march=rv64imac_zicsr_zifencei -mabi=lp64
KBASE	:= -std=gnu11 -ffreestanding -DKERNEL -O2 -g -fno-common \
	-fno-strict-aliasing -fno-delete-null-pointer-checks -fwrapv \
	-fno-omit-frame-pointer -fno-stack-protector -fno-pic -fno-pie \
	-ffunction-sections -fdata-sections -mcmodel=medany \
	-fno-asynchronous-unwind-tables -ffile-prefix-map=$(CURDIR)=. \
	-Wframe-larger-than=1024 -I. -I$(O)/gen $(WARN)
KCFLAGS	:= $(KBASE) $(KARCH) -fno-tree-loop-distribute-patterns \
	-fno-optimize-sibling-calls
# These begin on an empty stack and jump to what never returns: no frame to find.
KCFLAGS_kernel_relay_call := -fomit-frame-pointer
KCFLAGS_kernel_relay_loop := -fomit-frame-pointer
KCFLAGS_kernel_relay_idle := -fomit-frame-pointer
KCFLAGS_kernel_relay_watched := -fomit-frame-pointer
KASFLAGS := $(KBASE) -march=rv64gc -mabi=lp64 -D__ASSEMBLER__

KDIRS	:= $(wildcard arch kernel lib sbi drivers fs net syscall platform)
KSRC	:= $(sort $(shell find $(KDIRS) -name '*.c' ! -name 'asm_offsets.c' ! -name 'symtab_empty.c' ! -path '*/vdso/vdso.c'))
KASM	:= $(sort $(shell find arch -name '*.S' ! -path '*/vdso/*'))
KOBJ	:= $(KSRC:%.c=$(O)/obj/%.o) $(KASM:%.S=$(O)/obj/%.S.o)
GENH	:= $(O)/gen/asm_offsets.h
VDSO	:= $(O)/gen/vdso.so
LDS	:= arch/riscv/kernel.lds

.PHONY: all clean help
all: $(O)/Image $(O)/antler.elf

$(O)/obj/kernel/task/vdso.o: $(VDSO)
$(O)/obj/%.o: %.c Makefile | $(GENH)
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(KCFLAGS) $(KCFLAGS_$(subst /,_,$*)) -MMD -MP -c $< -o $@

$(O)/obj/%.S.o: %.S Makefile $(GENH)
	@mkdir -p $(@D)
	$(call say,AS,$<)
	$(Q)$(CC) $(KASFLAGS) -MMD -MP -c $< -o $@

$(GENH): arch/riscv/asm_offsets.c arch/riscv/trapframe.h kernel/hart.h kernel/sched/thread.h
	@mkdir -p $(@D)
	$(call say,GEN,$@)
	$(Q)$(CC) $(KCFLAGS) -S $< -o - | \
		sed -n 's/^.*->\([A-Z0-9_]*\) [#$$]*\([-0-9]*\).*/#define \1 \2/p' > $@

# The page of user code that every program has; kernel/task/vdso.c embeds it.
$(VDSO): $(wildcard arch/riscv/vdso/*)
	@mkdir -p $(@D)
	$(call say,VDSO,$@)
	$(Q)$(CC) -std=gnu11 -O2 -Wall -Wextra -Wno-missing-prototypes -fPIC -shared \
		-fvisibility=hidden -march=rv64gc -mabi=lp64d -ffreestanding -nostdlib \
		-fno-stack-protector -fno-asynchronous-unwind-tables -fno-builtin \
		-Wl,-soname=linux-vdso.so.1 -Wl,--hash-style=both -Wl,--build-id=none \
		-I. -Wl,-z,max-page-size=4096 -Wl,--no-relax -Wl,-s -Wl,-T,arch/riscv/vdso/vdso.lds \
		-o $@ arch/riscv/vdso/vdso.c arch/riscv/vdso/sigreturn.S

LDFLAGS_K := -nostdlib -static -Wl,--no-relax -Wl,--build-id=none \
	-Wl,--gc-sections -Wl,-z,max-page-size=4096 -Wl,--orphan-handling=warn

# Two links: the symbol table for backtraces is made from the first.
$(O)/stage1.elf: $(KOBJ) $(LDS) scripts/gen-symtab.py
	$(call say,LD,$@)
	$(Q)printf '' | $(CC) $(KCFLAGS) -x c -c - -o $(O)/obj/empty.o
	$(Q)$(PYTHON) scripts/gen-symtab.py --empty > $(O)/gen/symtab1.c
	$(Q)$(CC) $(KCFLAGS) -c $(O)/gen/symtab1.c -o $(O)/obj/symtab1.o
	$(Q)$(CC) $(KCFLAGS) $(LDFLAGS_K) -T $(LDS) $(KOBJ) $(O)/obj/symtab1.o -o $@

$(O)/antler.elf: $(O)/stage1.elf
	$(call say,LD,$@)
	$(Q)$(NM) -n $< | $(PYTHON) scripts/gen-symtab.py > $(O)/gen/symtab.c
	$(Q)$(CC) $(KCFLAGS) -c $(O)/gen/symtab.c -o $(O)/obj/symtab.o
	$(Q)$(CC) $(KCFLAGS) $(LDFLAGS_K) -T $(LDS) $(KOBJ) $(O)/obj/symtab.o -o $@

$(O)/Image: $(O)/antler.elf
	$(call say,OBJCOPY,$@)
	$(Q)$(OBJCOPY) -O binary $< $@

-include $(KOBJ:.o=.d)
-include $(wildcard mk/*.mk)

clean:
	rm -rf $(O)

help:
	@echo 'make              $(O)/Image and $(O)/antler.elf'
	@echo 'make run          a shell in QEMU (SMP= MEM= RELAY= DISK= APPEND= MACHINE=)'
	@echo 'make test         whole-system tests in QEMU'
	@echo 'make test-board   the part of them on a model of the HiFive Unmatched'
	@echo 'make check        format, warnings, static checks, gates, host tests, models'
	@echo 'make bench        latency table beside Linux; bench-storage: disks; bench-net: network'
	@echo 'make experiment   when does the split pay? workloads x policies (EXP="--quick")'
	@echo 'make icount       did a call get longer?  instructions, exactly'
	@echo 'make gdb          QEMU waiting for the debugger, and gdb on antler.elf'
	@echo 'make soak         long stress of the relay, and the long tests on the model'
	@echo 'make sdcard       $(O)/antler-unmatched.img, for dd; also nvme-image, spiflash'
	@echo 'make crash        power cuts at every moment of work on ext4, on the host'
	@echo 'make powercut     the same with the whole machine: N= times, QEMU and all'
	@echo 'make fuzz-ext4    spoilt volumes, guided by libFuzzer (FUZZ_SECONDS=)'
	@echo 'make clean        remove $(O)'
	@echo 'V=1 shows commands, O=dir builds elsewhere, WERROR=0 keeps warnings warnings'
