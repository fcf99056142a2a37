/* SPDX-License-Identifier: MIT */
/*
 * fs/proc/timens.c - /proc/<pid>/timens_offsets: how far the clocks of a process's
 * children are ahead of the first namespace's.
 *
 *	monotonic <seconds> <nanoseconds>
 *	boottime  <seconds> <nanoseconds>
 */
#include <fs/proc/proc.h>
#include <kernel/file/file.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/ns/time.h>
#include <kernel/ns/user.h>
#include <kernel/time/posix.h>
#include <lib/errno.h>
#include <lib/string.h>

struct opened {
	struct process *p; /* referenced */
	struct cred *by;   /* owned */
};

static void opened_put(void *arg)
{
	struct opened *o = arg;

	process_put(o->p);
	cred_put(o->by);
	kfree(o);
}

static void show_line(struct text *t, const char *clock, s64 ns)
{
	s64 sec = ns / (s64)NSEC_PER_SEC, rest = ns % (s64)NSEC_PER_SEC;

	if (rest < 0) {
		sec--;
		rest += (s64)NSEC_PER_SEC;
	}
	text_printf(t, "%-10s %10ld %9ld\n", clock, sec, rest);
}

static int show_offsets(struct text *t, void *arg)
{
	const struct opened *o = arg;
	struct time_ns *n = time_ns_of_children(o->p);
	s64 mono, boot;

	if (!n)
		return 0;
	time_ns_get_offsets(n, &mono, &boot);
	ns_put(&n->ns);
	show_line(t, "monotonic", mono);
	show_line(t, "boottime", boot);
	return 0;
}

static const char *skip_blanks(const char *s)
{
	while (*s == ' ' || *s == '\t')
		s++;
	return s;
}

static bool take_word(const char **s, const char *word)
{
	size_t n = strlen(word);

	if (strncmp(*s, word, n) || ((*s)[n] != ' ' && (*s)[n] != '\t'))
		return false;
	*s += n;
	return true;
}

/* One line; what follows its numbers is of no interest, as on Linux. */
static int parse_line(const char *s, struct time_offset *o)
{
	const char *end;
	bool minus;
	u64 v;

	s = skip_blanks(s);
	if (take_word(&s, "monotonic") || take_word(&s, "1"))
		o->clock = CLOCK_MONOTONIC;
	else if (take_word(&s, "boottime") || take_word(&s, "7"))
		o->clock = CLOCK_BOOTTIME;
	else
		return -EINVAL;
	s = skip_blanks(s);
	minus = *s == '-';
	s += minus;
	v = parse_u64(s, &end, 10);
	if (end == s)
		return -EINVAL;
	v = min_t(u64, v, ~0ull >> 1);
	o->sec = minus ? -(s64)v : (s64)v;
	s = skip_blanks(end);
	v = parse_u64(s, &end, 10);
	if (end == s || v >= NSEC_PER_SEC)
		return -EINVAL;
	o->nsec = (s64)v;
	return 0;
}

static s64 write_offsets(void *arg, char *buf, size_t n)
{
	const struct opened *o = arg;
	struct time_offset off[2];
	struct time_ns *ns;
	char *line = buf;
	unsigned int nr = 0;
	int err = 0;

	while (!err && *line && nr < ARRAY_SIZE(off)) {
		err = parse_line(line, &off[nr++]);
		line += proc_line_len(line);
		line += *line != '\0';
	}
	if (!nr)
		err = -EINVAL;
	if (err)
		return err;
	ns = time_ns_of_children(o->p);
	if (!ns)
		return -ESRCH;
	err = time_ns_set(ns, o->by, off, nr);
	ns_put(&ns->ns);
	return err ? err : min((s64)n, (s64)(line - buf));
}

int proc_open_timens(struct process *p, struct file *f)
{
	struct opened *o = kmalloc(sizeof(*o));
	int err;

	if (!o)
		return -ENOMEM;
	*o = (struct opened){ .p = process_get(p),
			      .by = cred_get(current->cred) };
	err = text_open(f, show_offsets, write_offsets, o, opened_put);
	if (err)
		opened_put(o);
	return err;
}
