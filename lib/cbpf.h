/* SPDX-License-Identifier: MIT */
/*
 * lib/cbpf.h - classic BPF as seccomp(2) filters use it: a program over one fixed
 * block of 32-bit words.
 *
 * A program that cbpf_check() accepts ends after at most as many steps as it has
 * instructions, since jumps go forward only.  Words are in the machine's order.
 * Pure code, no allocation.
 */
#ifndef LIB_CBPF_H
#define LIB_CBPF_H

#include <lib/types.h>

#define CBPF_MAX_LEN 4096u

struct cbpf_insn {
	u16 code;
	u8 jt, jf;
	u32 k;
};

/* May @insns run over @size bytes of data?  0 or -EINVAL. */
int cbpf_check(const struct cbpf_insn *insns, u32 len, u32 size);
/* The value that the program returns. */
u32 cbpf_run(const struct cbpf_insn *insns, const void *data, u32 size);

#endif /* LIB_CBPF_H */
