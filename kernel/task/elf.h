/* SPDX-License-Identifier: MIT */
/*
 * kernel/task/elf.h - ELF64 headers of RISC-V programs, checked.
 *
 * What comes from a file is hostile: elf_parse() looks at every number that the
 * loader will use and says no before anything is mapped.  Pure: no kernel state,
 * tested and fuzzed on the host (tests/host/elf_test.c).
 */
#ifndef KERNEL_TASK_ELF_H
#define KERNEL_TASK_ELF_H

#include <lib/types.h>

#define ELF_MAX_SEGMENTS 32
#define ELF_MAX_PHNUM	 (65536u / 56u)

/* ELF-64 Object File Format 1.5, figures 2 and 6 */
struct elf_ehdr {
	u8 ident[16];
	u16 type, machine;
	u32 version;
	u64 entry, phoff, shoff;
	u32 flags;
	u16 ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};
STATIC_ASSERT(sizeof(struct elf_ehdr) == 64, "Elf64_Ehdr");

struct elf_phdr {
	u32 type, flags;
	u64 offset, vaddr, paddr, filesz, memsz, align;
};
STATIC_ASSERT(sizeof(struct elf_phdr) == 56, "Elf64_Phdr");

#define ET_EXEC	     2
#define ET_DYN	     3
#define EM_RISCV     243
#define PT_LOAD	     1
#define PT_INTERP    3
#define PT_PHDR	     6
#define PT_GNU_STACK 0x6474e551
#define PF_X	     1
#define PF_W	     2
#define PF_R	     4

struct elf_segment {
	u64 vaddr;  /* as in the file */
	u64 offset; /* congruent to vaddr modulo the page size */
	u64 filesz, memsz;
	u32 flags; /* PF_* */
};

struct elf_image {
	bool dyn; /* may be loaded anywhere */
	bool exec_stack;
	u64 entry;	/* unrelocated */
	u64 phdr_vaddr; /* of the program headers in memory, 0: not mapped */
	u32 phnum;
	u64 lo, hi;	/* page-aligned range of all segments, unrelocated */
	u64 align;	/* largest p_align that is a power of two */
	u64 interp_off; /* in the file, and length with its NUL; 0: none */
	u64 interp_len;
	u32 nr_segments;
	struct elf_segment seg[ELF_MAX_SEGMENTS];
};

/* 0 or -ENOEXEC: is it an ELF file for us at all? */
int elf_check_header(const struct elf_ehdr *eh);

/*
 * @ph has eh->phnum entries.  @limit: first address beyond user space.
 * 0, -ENOEXEC (nonsense), -EINVAL (overlaps, wraps) or -ENOMEM (does not fit).
 */
int elf_parse(const struct elf_ehdr *eh, const struct elf_phdr *ph, u64 limit,
	      struct elf_image *out);

#endif /* KERNEL_TASK_ELF_H */
