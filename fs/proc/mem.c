/* SPDX-License-Identifier: MIT */
/*
 * fs/proc/mem.c - /proc/<pid>/mem and pagemap: an address space as a file.
 *
 * The address space is taken at open and stays, whatever the process becomes; one
 * that has been given up reads as the end of the file.
 */
#include <fs/proc/proc.h>
#include <kernel/file/iov.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/pt.h>
#include <kernel/mm/user.h>
#include <kernel/mm/vm.h>
#include <kernel/mm/vma.h>
#include <kernel/ns/user.h>
#include <kernel/task/trace.h>
#include <lib/errno.h>
#include <lib/string.h>

static s64 mem_read(struct file *f, struct iov_iter *to, u64 *pos)
{
	struct mm *mm = f->priv;
	char *buf = get_free_page(0);
	s64 done = 0;

	if (!buf)
		return -ENOMEM;
	while (iov_iter_count(to) && load_once(&mm->users)) {
		size_t n = min(iov_iter_count(to), (size_t)PAGE_SIZE);
		size_t got = mm_copy_from(mm, buf, *pos, n), put;

		put = got ? copy_to_iter(buf, got, to) : 0;
		done += (s64)put;
		*pos += put;
		if (put == n)
			continue;
		if (!done)
			done = got ? -EFAULT : -EIO;
		break;
	}
	free_page_addr(buf);
	return done;
}

static s64 mem_write(struct file *f, struct iov_iter *from, u64 *pos)
{
	struct mm *mm = f->priv;
	char *buf = get_free_page(0);
	s64 done = 0;

	if (!buf)
		return -ENOMEM;
	while (iov_iter_count(from) && load_once(&mm->users)) {
		size_t n = min(iov_iter_count(from), (size_t)PAGE_SIZE);
		size_t got = copy_from_iter(buf, n, from), put;

		put = got ? mm_copy_to(mm, *pos, buf, got, true) : 0;
		done += (s64)put;
		*pos += put;
		if (put == n)
			continue;
		if (!done)
			done = got ? -EIO : -EFAULT;
		break;
	}
	free_page_addr(buf);
	return done;
}

/* Every 64-bit address is a position. */
static s64 mem_llseek(struct file *f, s64 off, int whence)
{
	if (whence == 1)
		off += (s64)f->pos;
	else if (whence)
		return -EINVAL;
	f->pos = (u64)off;
	return off;
}

static void mem_release(struct file *f)
{
	mm_put(f->priv);
}

/* Documentation/admin-guide/mm/pagemap.rst; frame numbers (/proc/kpageflags) are for
 * who had CAP_SYS_ADMIN when it opened the file. */
#define PM_PRESENT BIT(63)
#define PM_FILE	   BIT(61)

static u64 pagemap_entry(struct mm *mm, const struct vma *v, u64 va,
			 bool frames)
{
	bool file = v->mapping && !v->has_anon;
	pte_t *p, e = 0;

	spin_lock(&mm->pt_lock);
	p = pt_find(mm, va);
	if (p)
		e = *p;
	spin_unlock(&mm->pt_lock);
	if (!(e & PTE_V))
		return 0;
	return PM_PRESENT | (file ? PM_FILE : 0) |
	       (frames ? pte_phys(e) >> PAGE_SHIFT : 0);
}

/* @n entries, of the pages from @va on; @e is zero.  What nobody has mapped costs
 * one look for all of it. */
static void pagemap_fill(struct mm *mm, u64 va, u64 *e, size_t n, bool frames)
{
	const u64 end = va + n * PAGE_SIZE;
	struct vma *v;

	down_read(&mm->lock);
	for (v = mm_find_vma(mm, va); v && v->start < end; v = vma_next(v)) {
		u64 at = max(v->start, va), to = min(v->end, end);

		for (; at < to; at += PAGE_SIZE)
			e[(at - va) / PAGE_SIZE] =
				pagemap_entry(mm, v, at, frames);
	}
	up_read(&mm->lock);
}

static s64 pagemap_read(struct file *f, struct iov_iter *to, u64 *pos)
{
	const u64 end = USER_TOP / PAGE_SIZE * 8;
	bool frames = cred_capable(f->cred, &init_user_ns, CAP_SYS_ADMIN);
	struct mm *mm = f->priv;
	s64 done = 0;
	u64 *e;

	if ((*pos | iov_iter_count(to)) & 7)
		return -EINVAL;
	e = get_free_page(0);
	if (!e)
		return -ENOMEM;
	while (iov_iter_count(to) && *pos < end) {
		size_t n = min(iov_iter_count(to), (size_t)PAGE_SIZE), put;

		n = min(n, (size_t)(end - *pos));
		memset(e, 0, n);
		pagemap_fill(mm, *pos / 8 * PAGE_SIZE, e, n / 8, frames);
		put = ALIGN_DOWN(copy_to_iter(e, n, to), 8ul);
		done += (s64)put;
		*pos += put;
		if (put != n)
			break;
		cond_resched();
	}
	free_page_addr(e);
	return done || !iov_iter_count(to) || *pos >= end ? done : -EFAULT;
}

static const struct file_ops mem_fops = {
	.read = mem_read,
	.write = mem_write,
	.llseek = mem_llseek,
	.release = mem_release,
};
static const struct file_ops pagemap_fops = {
	.read = pagemap_read,
	.llseek = mem_llseek,
	.release = mem_release,
};

static int open_mm(struct process *p, struct file *f, bool may,
		   const struct file_ops *ops)
{
	struct mm *mm = may ? process_mm(p) : NULL;

	if (!mm)
		return -EACCES;
	f->priv = mm;
	f->ops = ops;
	return 0;
}

int proc_open_mem(struct process *p, struct file *f)
{
	return open_mm(p, f, !trace_may_attach(p, true), &mem_fops);
}

int proc_open_pagemap(struct process *p, struct file *f)
{
	return open_mm(p, f, !trace_may_access(p, true), &pagemap_fops);
}
