/* SPDX-License-Identifier: MIT */
/*
 * kernel/task/elf.c - checks ELF headers and boils them down to what is mapped.
 *
 * INVARIANTS of what elf_parse() gives
 *   I1  every segment lies in [lo, hi), below the limit, and no sum wraps.
 *   I2  segments ascend and do not overlap (two may meet in one page: the later
 *       one has it).
 *   I3  filesz <= memsz, memsz > 0, offset = vaddr modulo the page size.
 */
#include <kernel/task/elf.h>

#include <lib/errno.h>
#include <lib/string.h>

#define ELF_PAGE 4096ull

int elf_check_header(const struct elf_ehdr *eh)
{
	static const u8 ident[7] = { 0x7f, 'E', 'L', 'F', 2, 1, 1 };

	if (memcmp(eh->ident, ident, sizeof(ident)) != 0)
		return -ENOEXEC;
	if (eh->type != ET_EXEC && eh->type != ET_DYN)
		return -ENOEXEC;
	if (eh->machine != EM_RISCV)
		return -ENOEXEC;
	if (eh->phentsize != sizeof(struct elf_phdr))
		return -ENOEXEC;
	if (!eh->phnum || eh->phnum > ELF_MAX_PHNUM)
		return -ENOEXEC;
	return 0;
}

/* @a + @b does not wrap. */
static bool sum_fits(u64 a, u64 b)
{
	return a + b >= a;
}

static int check_load(const struct elf_phdr *p, u64 limit)
{
	if (p->filesz > p->memsz)
		return -EINVAL;
	if ((p->vaddr ^ p->offset) & (ELF_PAGE - 1))
		return -EINVAL;
	if (p->memsz > limit || p->vaddr > limit - p->memsz)
		return -ENOMEM;
	if (!sum_fits(p->offset, p->filesz) ||
	    p->offset + p->filesz > (u64)INT64_MAX)
		return -EINVAL;
	return 0;
}

static int add_load(struct elf_image *img, const struct elf_phdr *p, u64 limit)
{
	struct elf_segment *s = &img->seg[img->nr_segments];
	u64 start = ALIGN_DOWN(p->vaddr, ELF_PAGE);
	int err;

	if (!p->memsz)
		return 0;
	err = check_load(p, limit);
	if (err)
		return err;
	if (img->nr_segments == ELF_MAX_SEGMENTS)
		return -ENOEXEC;
	if (!img->nr_segments)
		img->lo = start;
	else if (p->vaddr < s[-1].vaddr + s[-1].memsz)
		return -EINVAL;
	img->hi = ALIGN_UP(p->vaddr + p->memsz, ELF_PAGE);
	if ((p->align & (p->align - 1)) == 0 && p->align > img->align)
		img->align = p->align;
	s->vaddr = p->vaddr;
	s->offset = p->offset;
	s->filesz = p->filesz;
	s->memsz = p->memsz;
	s->flags = p->flags;
	img->nr_segments++;
	return 0;
}

static int add_header(struct elf_image *img, const struct elf_phdr *p,
		      u64 limit)
{
	switch (p->type) {
	case PT_LOAD:
		return add_load(img, p, limit);
	case PT_INTERP:
		if (img->interp_len)
			return 0;
		if (p->filesz < 2 || p->filesz > 4096 ||
		    p->offset > (u64)INT64_MAX - 4096)
			return -ENOEXEC;
		img->interp_off = p->offset;
		img->interp_len = p->filesz;
		return 0;
	case PT_GNU_STACK:
		img->exec_stack = p->flags & PF_X;
		return 0;
	default:
		return 0;
	}
}

/* Where the program headers are in memory: in the segment that has them. */
static void find_phdrs(struct elf_image *img, const struct elf_ehdr *eh)
{
	u64 bytes = (u64)eh->phnum * sizeof(struct elf_phdr);

	for (u32 i = 0; i < img->nr_segments; i++) {
		const struct elf_segment *s = &img->seg[i];

		if (eh->phoff < s->offset || bytes > s->filesz ||
		    eh->phoff - s->offset > s->filesz - bytes)
			continue;
		img->phdr_vaddr = eh->phoff - s->offset + s->vaddr;
		return;
	}
}

int elf_parse(const struct elf_ehdr *eh, const struct elf_phdr *ph, u64 limit,
	      struct elf_image *out)
{
	int err = elf_check_header(eh);

	memset(out, 0, offsetof(struct elf_image, seg));
	if (err)
		return err;
	out->dyn = eh->type == ET_DYN;
	out->entry = eh->entry;
	out->phnum = eh->phnum;
	out->align = ELF_PAGE;
	for (u32 i = 0; i < eh->phnum; i++) {
		err = add_header(out, &ph[i], limit);
		if (err)
			return err;
	}
	if (!out->nr_segments)
		return -ENOEXEC;
	if (out->dyn && out->hi - out->lo > limit / 4)
		return -ENOMEM;
	if (out->align > limit / 4)
		return -EINVAL;
	find_phdrs(out, eh);
	return 0;
}
