/* SPDX-License-Identifier: MIT */
/*
 * kernel/task/exec_args.c - argument and environment strings on their way from
 * the old program to the new one.
 *
 * They are collected in one growing buffer.  What they may take, with a pointer
 * for each, is a quarter of the stack limit, at least 128 KiB and at most what
 * one kernel buffer holds.
 */
#include <kernel/task/exec.h>

#include <kernel/mm/kmalloc.h>
#include <kernel/mm/user.h>
#include <lib/errno.h>
#include <lib/string.h>

#define ARGS_MIN   (128u << 10)
#define ARGS_MAX   (2u << 20) /* kmalloc()'s */
#define ARGS_FIRST 4096u

static size_t limit_now(void)
{
	u64 l = rlimit_cur(RLIMIT_STACK) / 4;

	return clamp(l, (u64)ARGS_MIN, (u64)ARGS_MAX);
}

/* Pointers count, and so does what is there already. */
static size_t room(const struct exec_args *a)
{
	size_t used = a->len + (a->argc + a->envc + 1) * sizeof(u64);

	return used < a->limit ? a->limit - used : 0;
}

static int grow(struct exec_args *a)
{
	size_t cap = a->cap ? 2 * a->cap : ARGS_FIRST;
	char *n;

	if (cap > ARGS_MAX)
		return -E2BIG;
	n = krealloc(a->buf, cap);
	if (!n)
		return -ENOMEM;
	a->buf = n;
	a->cap = cap;
	return 0;
}

static s64 fetch(const struct exec_strings *s, u64 from, char *dst, size_t n)
{
	size_t len;

	if (!s->kernel)
		return strncpy_from_user(dst, from, n);
	len = strlen((const char *)from);
	if (len >= n)
		return -ENAMETOOLONG;
	memcpy(dst, (const char *)from, len + 1);
	return (s64)len;
}

static int add_string(struct exec_args *a, const struct exec_strings *s,
		      u64 from)
{
	for (;;) {
		size_t max = min(room(a), (size_t)MAX_ARG_STRLEN);
		size_t here = min(a->cap - a->len, max);
		s64 n = here ? fetch(s, from, a->buf + a->len, here)
			     : -ENAMETOOLONG;
		int err;

		if (n >= 0) {
			a->len += (size_t)n + 1;
			return 0;
		}
		if (n != -ENAMETOOLONG)
			return (int)n;
		if (here == max)
			return -E2BIG;
		err = grow(a);
		if (err)
			return err;
	}
}

/* The @i-th pointer of a vector; 0 ends it. */
static int vector_entry(const struct exec_strings *s, bool env, u32 i, u64 *v)
{
	uaddr_t base = env ? s->envp : s->argv;

	if (s->kernel) {
		*v = (u64)(env ? s->kenvp : s->kargv)[i];
		return 0;
	}
	if (!base) {
		*v = 0;
		return 0;
	}
	return get_user_u64(v, base + (u64)i * sizeof(u64));
}

static int add_vector(struct exec_args *a, const struct exec_strings *s,
		      bool env, u32 *count)
{
	for (;;) {
		u64 p;
		int err = vector_entry(s, env, *count, &p);

		if (err)
			return err;
		if (!p)
			return 0;
		err = add_string(a, s, p);
		if (err)
			return err;
		if (signal_pending_current() &&
		    (load_once(&current->work) & WORK_EXIT))
			return -EINTR;
		++*count;
	}
}

int exec_args_collect(struct exec_args *a, const struct exec_strings *s)
{
	int err;

	a->limit = limit_now();
	err = grow(a);
	if (!err)
		err = add_vector(a, s, false, &a->argc);
	if (err)
		return err;
	if (!a->argc) {
		a->buf[a->len++] = '\0';
		a->argc = 1;
	}
	a->argv_len = a->len;
	return add_vector(a, s, true, &a->envc);
}

int exec_args_script(struct exec_args *a, const struct script_line *s,
		     const char *path)
{
	size_t li = strlen(s->interp) + 1;
	size_t la = s->arg[0] ? strlen(s->arg) + 1 : 0;
	size_t lp = strlen(path) + 1;
	size_t add = li + la + lp;
	size_t drop = strlen(a->buf) + 1;
	int err;

	if (add > room(a))
		return -E2BIG;
	while (a->cap - a->len < add) {
		err = grow(a);
		if (err)
			return err;
	}
	memmove(a->buf + add, a->buf + drop, a->len - drop);
	memcpy(a->buf, s->interp, li);
	memcpy(a->buf + li, s->arg, la);
	memcpy(a->buf + li + la, path, lp);
	a->len += add - drop;
	a->argv_len += add - drop;
	a->argc += la ? 2 : 1;
	return 0;
}

void exec_args_free(struct exec_args *a)
{
	kfree(a->buf);
}
