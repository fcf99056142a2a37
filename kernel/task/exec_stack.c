/* SPDX-License-Identifier: MIT */
/*
 * kernel/task/exec_stack.c - the stack that a program starts with.
 *
 *	stack_top -> 8 zero bytes
 *		     file name (AT_EXECFN), envp strings, argv strings
 *		     16 random bytes (AT_RANDOM)
 *		     auxiliary vector, envp[], argv[]
 *	sp ->	     argc			16-byte aligned
 *
 * Above the stack, behind a hole of a page, is the vDSO.
 */
#include <kernel/task/exec.h>

#include <arch/riscv/mmu.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/ns/user.h>
#include <kernel/mm/page.h>
#include <kernel/mm/user.h>
#include <kernel/mm/vm.h>
#include <kernel/task/rseq.h>
#include <kernel/task/vdso.h>
#include <lib/errno.h>
#include <lib/string.h>

#define STACK_RND_MASK 0x3ffffu /* pages */
#define STACK_EXTRA    (128u << 10)

/* asm-generic/auxvec.h */
#define AT_NULL		     0
#define AT_PHDR		     3
#define AT_PHENT	     4
#define AT_PHNUM	     5
#define AT_PAGESZ	     6
#define AT_BASE		     7
#define AT_FLAGS	     8
#define AT_ENTRY	     9
#define AT_UID		     11
#define AT_EUID		     12
#define AT_GID		     13
#define AT_EGID		     14
#define AT_HWCAP	     16
#define AT_CLKTCK	     17
#define AT_SECURE	     23
#define AT_RANDOM	     25
#define AT_HWCAP2	     26
#define AT_RSEQ_FEATURE_SIZE 27
#define AT_RSEQ_ALIGN	     28
#define AT_EXECFN	     31
#define AT_SYSINFO_EHDR	     33
#define AT_MINSIGSTKSZ	     51
#define NR_AUX		     22

#define HWCAP_BIT(c) (1u << ((c) - 'A'))
#define HWCAP_IMAFDC                                                         \
	(HWCAP_BIT('I') | HWCAP_BIT('M') | HWCAP_BIT('A') | HWCAP_BIT('F') | \
	 HWCAP_BIT('D') | HWCAP_BIT('C'))
#define SIGFRAME_SIZE 1088

static int put_bytes(struct exec *e, u64 at, const void *p, size_t n)
{
	return mm_copy_to(e->mm, at, p, n, true) == n ? 0 : -EFAULT;
}

static int map_vdso(struct exec *e)
{
	e->vdso = e->stack_top + PAGE_SIZE;
	e->mm->sigpage = e->vdso + vdso_sigreturn;
	return vdso_map(e->mm, e->vdso);
}

static u64 *aux(u64 *v, u64 id, u64 val)
{
	v[0] = id;
	v[1] = val;
	return v + 2;
}

static u64 *fill_auxv(struct exec *e, u64 *v, u64 execfn, u64 random)
{
	const struct cred *c = e->cred ? e->cred : current_cred();
	u64 *begin = v;

	v = aux(v, AT_SYSINFO_EHDR, e->vdso);
	v = aux(v, AT_HWCAP, HWCAP_IMAFDC);
	v = aux(v, AT_PAGESZ, PAGE_SIZE);
	v = aux(v, AT_CLKTCK, 100);
	v = aux(v, AT_PHDR,
		e->img.phdr_vaddr ? e->bias + e->img.phdr_vaddr : 0);
	v = aux(v, AT_PHENT, sizeof(struct elf_phdr));
	v = aux(v, AT_PHNUM, e->img.phnum);
	v = aux(v, AT_BASE, e->interp ? e->interp_bias : 0);
	v = aux(v, AT_FLAGS, 0);
	v = aux(v, AT_ENTRY, e->bias + e->img.entry);
	v = aux(v, AT_UID, uid_shown(c->uid));
	v = aux(v, AT_EUID, uid_shown(c->euid));
	v = aux(v, AT_GID, gid_shown(c->gid));
	v = aux(v, AT_EGID, gid_shown(c->egid));
	v = aux(v, AT_SECURE, e->secure);
	v = aux(v, AT_RANDOM, random);
	v = aux(v, AT_HWCAP2, 0);
	v = aux(v, AT_RSEQ_FEATURE_SIZE, RSEQ_FEATURE_SIZE);
	v = aux(v, AT_RSEQ_ALIGN, RSEQ_ALIGN);
	v = aux(v, AT_EXECFN, execfn);
	v = aux(v, AT_MINSIGSTKSZ, SIGFRAME_SIZE);
	v = aux(v, AT_NULL, 0);
	e->mm->nr_auxv = (u32)(v - begin);
	memcpy(e->mm->auxv, begin, (size_t)(v - begin) * sizeof(u64));
	return v;
}

/* Addresses of @n strings that lie one behind the other. */
static u64 *fill_pointers(u64 *v, const char **s, u64 *at, u32 n)
{
	while (n--) {
		size_t len = strlen(*s) + 1;

		*v++ = *at;
		*s += len;
		*at += len;
	}
	*v++ = 0;
	return v;
}

static int write_vectors(struct exec *e, u64 below, u64 strings, u64 execfn,
			 u64 random)
{
	const struct exec_args *a = &e->args;
	size_t n = 1 + a->argc + 1 + a->envc + 1 + 2 * NR_AUX;
	u64 *vec = kmalloc(n * sizeof(u64)), *v = vec;
	const char *s = a->buf;
	size_t used;
	int err;

	if (!vec)
		return -ENOMEM;
	*v++ = a->argc;
	v = fill_pointers(v, &s, &strings, a->argc);
	v = fill_pointers(v, &s, &strings, a->envc);
	v = fill_auxv(e, v, execfn, random);
	used = (size_t)(v - vec) * sizeof(u64);
	e->sp = ALIGN_DOWN(below - used, 16ull);
	err = put_bytes(e, e->sp, vec, used);
	kfree(vec);
	return err;
}

static int map_stack(struct exec *e)
{
	u32 flags = (u32)(VM_READ | VM_WRITE | VM_MAYREAD | VM_MAYWRITE |
			  VM_MAYEXEC | VM_GROWSDOWN);
	u64 vec = (u64)(e->args.argc + e->args.envc + 2 * NR_AUX + 8) * 8;
	u64 need = e->args.len + strlen(e->execfn) + vec + 64;
	u64 len = ALIGN_UP(need + STACK_EXTRA, PAGE_SIZE);

	if (e->img.exec_stack)
		flags |= VM_EXEC;
	e->stack_top = ALIGN_DOWN(USER_TOP - 4 * PAGE_SIZE, PAGE_SIZE) -
		       (e->rnd.stack & STACK_RND_MASK) * PAGE_SIZE;
	return mm_map_anon(e->mm, e->stack_top - len, len, flags, "[stack]");
}

int exec_build_stack(struct exec *e)
{
	const struct exec_args *a = &e->args;
	size_t fn_len = strlen(e->execfn) + 1;
	u64 execfn, strings, random;
	int err = map_stack(e);

	if (!err)
		err = map_vdso(e);
	if (err)
		return err;
	execfn = e->stack_top - 8 - fn_len;
	strings = execfn - a->len;
	random = ALIGN_DOWN(strings, 16ull) - 16;
	err = put_bytes(e, execfn, e->execfn, fn_len);
	if (!err)
		err = put_bytes(e, strings, a->buf, a->len);
	if (!err)
		err = put_bytes(e, random, e->rnd.at_random, 16);
	if (!err)
		err = write_vectors(e, random, strings, execfn, random);
	e->mm->arg_start = strings;
	e->mm->arg_end = strings + a->argv_len;
	e->mm->env_start = e->mm->arg_end;
	e->mm->env_end = strings + a->len;
	e->mm->start_stack = e->sp;
	return err;
}
