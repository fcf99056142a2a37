/* SPDX-License-Identifier: MIT */
/*
 * arch/riscv/vdso/vdso.h - what the kernel and the vDSO agree on.
 *
 * The page is mapped read-only for programs; the kernel writes its words through
 * the direct map.  Only `real_offset_ns` ever changes, so nothing has to be read
 * together and no sequence is counted.
 */
#ifndef ARCH_RISCV_VDSO_H
#define ARCH_RISCV_VDSO_H

#define VDSO_SIGRETURN 0x980 /* offsets in the page: vdso.lds */
#define VDSO_DATA      0xa00

#define VDSO_NR_PROBES 16

struct vdso_data {
	unsigned long boot_ticks;     /* time CSR at boot */
	unsigned long tick_mult;      /* ns = ticks * mult >> 24 */
	unsigned long real_offset_ns; /* [a] CLOCK_REALTIME less monotonic */
	/* of a time namespace, whose page is a copy: */
	long mono_offset, boot_offset; /* ns */
	unsigned long real_by_call;    /* real_offset_ns is not kept */
	unsigned long nr_probes;
	unsigned long probe[VDSO_NR_PROBES]; /* values of riscv_hwprobe keys */
};

#endif /* ARCH_RISCV_VDSO_H */
