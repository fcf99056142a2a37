/* SPDX-License-Identifier: MIT */
/*
 * arch/riscv/head.S - from the SBI's hand-over to C with paging on.
 *
 * _start		a0 = hartid, a1 = device tree (physical); satp = 0; memory not
 *			zeroed; sie as the boot loader left it [boot.rst of the
 *			RISC-V image format; SBI 1.0, 9.1 for harts].
 * secondary_start	a0 = hartid, a1 = physical address of struct boot_args.
 *
 * There is no identity mapping: the page after `csrw satp` faults and stvec, set
 * to the virtual address of the next label, is where execution goes on.
 */
#include <arch/riscv/csr.h>
#include <asm_offsets.h>

	.section .head.text, "ax"
	.globl _start
_start:
	/* Linux RISC-V image header, version 0.2 */
	.option push
	.option norvc
	j	start_boot
	nop
	.option pop
	.dword	0x200000			/* text_offset */
	.dword	__image_end - __image_start	/* image_size, .bss included */
	.dword	0				/* flags: little endian */
	.word	2				/* version 0.2 */
	.word	0
	.dword	0
	.ascii	"RISCV\0\0\0"
	.ascii	"RSC\x05"
	.word	0

start_boot:
	csrw	sie, zero
	csrw	sip, zero
	li	t0, SSTATUS_FS | SSTATUS_SIE
	csrc	sstatus, t0
	fence.i			/* others' code was here, and was copied over */
	lla	t0, boot_claimed
	li	t1, 1
	amoswap.w.aqrl t1, t1, (t0)
	bnez	t1, late_start
	mv	s0, a0
	mv	s1, a1
	.option push
	.option norelax
	lla	gp, __global_pointer$
	.option pop

	lla	t0, __bss_start
	lla	t1, __bss_end
1:	sd	zero, 0(t0)
	addi	t0, t0, 8
	bltu	t0, t1, 1b

	lla	sp, boot_stack_top
	lla	a0, _start
	call	early_mmu_setup			/* returns satp */
	lla	t0, _start
	li	t1, 0xffffffff80000000		/* KERNEL_BASE */
	sub	t1, t1, t0
	lla	t2, 2f
	add	t2, t2, t1
	csrw	stvec, t2
	sfence.vma
	csrw	satp, a0
	.balign	4
2:	/* virtual from here */
	.option push
	.option norelax
	lla	gp, __global_pointer$
	.option pop
	lla	sp, boot_stack_top
	lla	t0, trap_entry
	csrw	stvec, t0
	lla	tp, boot_hart
	csrw	sscratch, tp
	sd	sp, HART_STACK_TOP(tp)
	mv	a0, s0
	mv	a1, s1
	li	fp, 0
	li	ra, 0
	tail	kernel_main

	/*
	 * struct boot_args { u64 satp, virt_offset, hart; } - see smp.c.
	 * BOOT edge: written before hart_start(), which orders (SBI HSM).
	 */
	.globl secondary_start
secondary_start:
	csrw	sie, zero
	csrw	sip, zero
	li	t0, SSTATUS_FS | SSTATUS_SIE
	csrc	sstatus, t0
	fence	rw, rw
	fence.i
	ld	t0, 0(a1)
	ld	t1, 8(a1)
	ld	s1, 16(a1)
	lla	t2, 3f
	add	t2, t2, t1
	csrw	stvec, t2
	sfence.vma
	csrw	satp, t0
	.balign	4
3:
	.option push
	.option norelax
	lla	gp, __global_pointer$
	.option pop
	lla	t0, trap_entry
	csrw	stvec, t0
	mv	tp, s1
	csrw	sscratch, tp
	ld	sp, HART_STACK_TOP(tp)
	li	fp, 0
	li	ra, 0
	tail	kernel_secondary_main

	/*
	 * ERRATA: OpenSBI 1.1 marks a hart as started before it has stored where;
	 * one that looks in between is sent to _start with the boot hart's
	 * arguments.  Harts are started one at a time, so it is known which.
	 */
late_start:
	lla	t0, boot_starting_args
4:	ld	a1, 0(t0)
	beqz	a1, 4b
	j	secondary_start

	.data
	.balign	8
	.globl boot_starting_args
boot_starting_args:
	.dword	0		/* physical address of a struct boot_args */
boot_claimed:
	.word	0

	.section .bss.page_aligned, "aw", @nobits
	.balign	4096
boot_stack:
	.space	16384
	.globl boot_stack_top
boot_stack_top:
