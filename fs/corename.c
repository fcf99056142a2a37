/* SPDX-License-Identifier: MIT */
/*
 * fs/corename.c - what /proc/sys/kernel/core_pattern stands for when current dies.
 *
 * Context: coroutine of the dying thread, nothing held.
 */
#include <fs/coredump.h>
#include <fs/internal.h>
#include <fs/pseudo.h>
#include <kernel/hart.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/vm.h>
#include <kernel/task/process.h>
#include <kernel/task/task.h>
#include <kernel/time/clock.h>
#include <kernel/upcalls.h>
#include <kernel/utsname.h>
#include <lib/atomic.h>
#include <lib/fmt.h>
#include <lib/string.h>

/* A name, in which a slash is no separator. */
static void put_escaped(struct text *t, const char *s)
{
	for (; *s; s++)
		text_write(t, *s == '/' ? "!" : s, 1);
}

/* %E: the program's path; %f: the end of it. */
static void put_program(struct text *t, bool whole)
{
	struct file *exe = current->mm->exe;
	char *buf = exe ? kmalloc(PATH_MAX) : NULL;
	const char *s = buf, *slash;

	if (buf && exec_path_str(exe, buf, PATH_MAX) >= 0) {
		slash = strrchr(buf, '/');
		if (!whole && slash)
			s = slash + 1;
		put_escaped(t, s);
	} else {
		put_escaped(t, current->name);
	}
	kfree(buf);
}

static void put_host(struct text *t)
{
	char name[UTS_LEN + 1];

	utsname_name(UTS_NODENAME, name);
	put_escaped(t, name);
}

/* What %@letter stands for; others for nothing. */
static void put_letter(struct text *t, char letter, int sig)
{
	const struct thread *me = current;

	switch (letter) {
	case 'p':
		text_printf(t, "%d", me->proc->ns_pid);
		break;
	case 'P':
		text_printf(t, "%d", me->proc->pid);
		break;
	case 'i':
		text_printf(t, "%d", me->ns_tid);
		break;
	case 'I':
		text_printf(t, "%d", me->tid);
		break;
	case 's':
		text_printf(t, "%d", sig);
		break;
	case 'u':
		text_printf(t, "%u", me->cred->uid);
		break;
	case 'g':
		text_printf(t, "%u", me->cred->gid);
		break;
	case 'd':
		text_printf(t, "%u", me->mm->dumpable);
		break;
	case 't':
		text_printf(t, "%lu", clock_real_ns() / NSEC_PER_SEC);
		break;
	case 'c':
		text_printf(t, "%lu", rlimit_cur(RLIMIT_CORE));
		break;
	case 'h':
		put_host(t);
		break;
	case 'e':
		put_escaped(t, me->name);
		break;
	case 'E':
	case 'f':
		put_program(t, letter == 'E');
		break;
	case 'C':
		text_printf(t, "%u", me->home ? me->home->cpu : 0);
		break;
	case '%':
		text_puts(t, "%");
		break;
	default:
		break;
	}
}

u32 core_name(struct text *t, const char *p, int sig, bool split)
{
	bool has_pid = false, inside = false;
	u32 words = 0;

	for (; *p; p++) {
		if (split && *p == ' ') {
			if (inside)
				text_write(t, "", 1);
			inside = false;
			continue;
		}
		words += !inside;
		inside = true;
		if (*p != '%') {
			text_write(t, p, 1);
			continue;
		}
		if (!*++p)
			break;
		has_pid |= *p == 'p';
		put_letter(t, *p, sig);
	}
	if (!split && !has_pid && load_once(&core_uses_pid))
		text_printf(t, ".%d", current->proc->ns_pid);
	text_write(t, "", 1);
	return words;
}
