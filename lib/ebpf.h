/* SPDX-License-Identifier: MIT */
/*
 * lib/ebpf.h - extended BPF, as far as a program needs it that looks at a few words
 * and says a number: arithmetic, jumps forward, reading the words.  No memory of its
 * own, no calls, no maps.
 *
 * A program that ebpf_check() accepts reads nothing but its words and what it has set
 * itself, and ends after at most as many steps as it has instructions.
 * Pure code, no allocation.
 */
#ifndef LIB_EBPF_H
#define LIB_EBPF_H

#include <lib/types.h>

#define EBPF_MAX_LEN 4096u
#define EBPF_REGS    11u

struct ebpf_insn { /* linux/bpf.h */
	u8 code;
	u8 regs; /* destination, and source above it */
	s16 off;
	s32 imm;
};
STATIC_ASSERT(sizeof(struct ebpf_insn) == 8, "struct bpf_insn");

/* What is known before an instruction: a bit for each register. */
struct ebpf_state {
	u16 number, words; /* holds a number; points to the words */
	bool reached;
};

/*
 * May @insns be run over @words words?  Parts of a word can be read of the first one
 * only.  @st: room for @len states.  0; -EINVAL: an instruction that there is not, one
 * that nothing leads to, a jump back; -EACCES: it uses what it may not.
 */
int ebpf_check(const struct ebpf_insn *insns, u32 len, u32 words,
	       struct ebpf_state *st);
/* What it returns. */
u64 ebpf_run(const struct ebpf_insn *insns, const u32 *words);

#endif /* LIB_EBPF_H */
