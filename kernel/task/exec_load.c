/* SPDX-License-Identifier: MIT */
/*
 * kernel/task/exec_load.c - maps a checked ELF image into the new address space.
 *
 * Nothing is read but headers: segments are private file mappings, filled by
 * page faults.  The address space is ours alone until commit, so no lock is
 * taken around what is set here.
 */
#include <kernel/task/exec.h>

#include <kernel/file/file.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/user.h>
#include <kernel/mm/vm.h>
#include <kernel/upcalls.h>
#include <lib/errno.h>
#include <lib/string.h>

/* Where position-independent programs go, as on Linux: two thirds up. */
#define DYN_BASE     ((USER_TOP / 3 * 2) & PAGE_MASK)
#define DYN_RND_MASK 0x3ffffu /* pages */
#define BRK_RND_MASK 0x1fffu  /* pages: 32 MiB */

static const u8 zeros[PAGE_SIZE];

static u32 seg_prot(u32 pf)
{
	return (pf & PF_R ? PROT_READ : 0) | (pf & PF_W ? PROT_WRITE : 0) |
	       (pf & PF_X ? PROT_EXEC : 0);
}

static u32 seg_vmflags(u32 pf)
{
	return (u32)((pf & PF_R ? VM_READ : 0) | (pf & PF_W ? VM_WRITE : 0) |
		     (pf & PF_X ? VM_EXEC : 0) | VM_MAYREAD | VM_MAYWRITE |
		     VM_MAYEXEC);
}

/* What lies beyond the file's part of a segment is zero. */
static int map_bss(struct mm *mm, const struct elf_segment *s, u64 bias)
{
	u64 file_end = bias + s->vaddr + s->filesz;
	u64 end = ALIGN_UP(bias + s->vaddr + s->memsz, PAGE_SIZE);
	u64 anon = s->filesz ? ALIGN_UP(file_end, PAGE_SIZE)
			     : ALIGN_DOWN(file_end, PAGE_SIZE);

	if (s->memsz == s->filesz)
		return 0;
	if (anon > file_end && mm_copy_to(mm, file_end, zeros, anon - file_end,
					  true) != anon - file_end)
		return -EFAULT;
	if (end <= anon)
		return 0;
	return mm_map_anon(mm, anon, end - anon, seg_vmflags(s->flags), NULL);
}

static int map_segment(struct mm *mm, struct file *f,
		       const struct elf_segment *s, u64 bias)
{
	u64 in_page = s->vaddr & (PAGE_SIZE - 1);
	u64 start = bias + s->vaddr - in_page;
	s64 r;

	if (s->filesz) {
		r = mm_mmap(mm, start, s->filesz + in_page, seg_prot(s->flags),
			    MAP_PRIVATE | MAP_FIXED, f,
			    (s->offset - in_page) >> PAGE_SHIFT);
		if (r < 0)
			return (int)r;
	}
	return map_bss(mm, s, bias);
}

static int map_image(struct mm *mm, struct file *f, const struct elf_image *img,
		     u64 bias)
{
	for (u32 i = 0; i < img->nr_segments; i++) {
		int err = map_segment(mm, f, &img->seg[i], bias);

		if (err)
			return err;
	}
	return 0;
}

/* Addresses that /proc and brk(2) want. */
static void note_layout(struct exec *e)
{
	struct mm *mm = e->mm;
	u64 end = e->bias + e->img.hi;

	mm->start_code = ~0ULL;
	for (u32 i = 0; i < e->img.nr_segments; i++) {
		const struct elf_segment *s = &e->img.seg[i];
		u64 start = e->bias + s->vaddr;

		if (s->flags & PF_X) {
			mm->start_code = min(mm->start_code, start);
			mm->end_code = start + s->filesz;
		}
		mm->start_data = start;
		mm->end_data = start + s->filesz;
	}
	if (mm->start_code == ~0ULL)
		mm->start_code = e->bias + e->img.lo;
	mm->start_brk = ALIGN_UP(end, PAGE_SIZE) +
			(e->rnd.brk & BRK_RND_MASK) * PAGE_SIZE;
	mm->brk = mm->start_brk;
}

static int load_program(struct exec *e)
{
	int err;

	e->bias = 0;
	if (e->img.dyn) {
		u64 at = DYN_BASE + (e->rnd.load & DYN_RND_MASK) * PAGE_SIZE;

		e->bias = ALIGN_DOWN(at, e->img.align) - e->img.lo;
	}
	err = map_image(e->mm, e->file, &e->img, e->bias);
	if (err)
		return err;
	note_layout(e);
	e->entry = e->bias + e->img.entry;
	return 0;
}

/* The interpreter goes where mmap() would put it. */
static int load_interp(struct exec *e)
{
	const struct elf_image *img = &e->interp_img;
	u64 len = img->hi - img->lo;
	s64 at;
	int err;

	if (img->dyn) {
		at = mm_mmap(e->mm, 0, len + img->align, 0,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, NULL,
			     0);
		if (at < 0)
			return (int)at;
		err = mm_munmap(e->mm, (u64)at, len + img->align);
		if (err)
			return err;
		e->interp_bias = ALIGN_UP((u64)at, img->align) - img->lo;
	}
	err = map_image(e->mm, e->interp, img, e->interp_bias);
	e->entry = e->interp_bias + img->entry;
	return err;
}

static void place_mmap(struct exec *e)
{
	u64 gap = rlimit_cur(RLIMIT_STACK);

	gap = clamp(gap, (u64)128 << 20, (u64)USER_TOP / 6 * 5);
	gap += 1ull << 30; /* the stack's random part */
	if (gap > USER_TOP / 6 * 5)
		gap = USER_TOP / 6 * 5;
	e->mm->mmap_base = ALIGN_DOWN(USER_TOP - gap, PAGE_SIZE) -
			   (e->rnd.mmap & DYN_RND_MASK) * PAGE_SIZE;
}

int exec_load_image(struct exec *e)
{
	int err;

	place_mmap(e);
	err = load_program(e);
	if (!err && e->interp)
		err = load_interp(e);
	if (err)
		return err;
	if (e->entry >= USER_TOP || (e->entry & 1))
		return -EINVAL;
	e->mm->exe = file_get(e->file);
	return 0;
}
