/* SPDX-License-Identifier: MIT */
/*
 * fs/proc/relay.c - /proc/relay: what the relay counts, and its knobs.
 *
 * status, syscalls, trace, floor are read; a write of "0" to status or syscalls
 * clears the counters, "1" or "0" to trace switches tracing; policy takes a line
 * such as "relay=local".
 */
#include <fs/proc/proc.h>
#include <kernel/pmu/pmu.h>
#include <kernel/relay/relay.h>
#include <lib/errno.h>
#include <lib/string.h>

static void emit(void *ctx, const char *line)
{
	text_puts(ctx, line);
}

static int show(struct text *t, void *arg)
{
	void (*fn)(relay_emit_fn *, void *) = arg;

	fn(emit, t);
	return 0;
}

static s64 write_reset(void *arg __unused, char *buf, size_t n)
{
	if (buf[0] != '0')
		return -EINVAL;
	relay_reset_stats();
	return (s64)n;
}

static s64 write_trace(void *arg __unused, char *buf, size_t n)
{
	if (buf[0] != '0' && buf[0] != '1')
		return -EINVAL;
	relay_trace_enable(buf[0] == '1');
	return (s64)n;
}

static s64 write_policy(void *arg __unused, char *buf, size_t n)
{
	int r;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	r = relay_write_policy(buf);
	return r ? r : (s64)n;
}

int proc_relay_init(struct pnode *root)
{
	struct pnode *d = pseudo_dir(root, "relay");

	if (!d)
		return -ENOMEM;
	pseudo_file(d, "status", 0644, show, write_reset, relay_show_status);
	pseudo_file(d, "syscalls", 0644, show, write_reset,
		    relay_show_syscalls);
	pseudo_file(d, "trace", 0644, show, write_trace, relay_show_trace);
	pseudo_file(d, "floor", 0444, show, NULL, relay_show_floor);
	pseudo_file(d, "policy", 0644, show, write_policy, relay_show_policy);
	pseudo_file(d, "counters", 0444, show, NULL, pmu_show);
	return 0;
}
