/* SPDX-License-Identifier: MIT */
/*
 * kernel/pmu/signal.c - O_ASYNC: a signal at each overflow of an event.
 *
 * As on Linux the signal comes with every sample, whether there is a buffer or not, with
 * whatever else in the buffer would wake a reader, and
 * the last of those that PERF_EVENT_IOC_REFRESH asked for says POLL_HUP.  So programs
 * profile themselves without a buffer.
 *
 * Context: perf_setfl() in a call; perf_signal() in a hart's loop or a call, not from an
 * interrupt in one.
 */
#include <kernel/pmu/event.h>

#include <kernel/file/file.h>
#include <kernel/pmu/sample.h>
#include <kernel/task/process.h>
#include <kernel/task/signal.h>
#include <lib/atomic.h>
#include <lib/string.h>

#define FD_LOOKS 1024 /* where the descriptor is looked for */

/* One that current has for @f: si_fd says which.  -1: a higher one. */
static int descriptor_of(const struct file *f)
{
	for (int fd = 0; fd < FD_LOOKS; fd++) {
		struct file *g = fd_get(fd);

		if (g)
			file_put(g);
		if (g == f)
			return fd;
	}
	return -1;
}

int perf_setfl(struct file *f, u32 flags)
{
	struct perf_event *e = f->priv;
	bool async = flags & O_ASYNC;

	owner_update(&e->told, &f->owner);
	store_once(&e->owner_sig, load_once(&f->owner_sig));
	if (async && !e->async)
		store_once(&e->async_fd, descriptor_of(f));
	store_once(&e->async, async);
	return 0;
}

void perf_signal(struct perf_event *e, u32 how)
{
	u32 sig = load_once(&e->owner_sig);
	struct siginfo si;

	if (!load_once(&e->told.pid) || !load_once(&e->async))
		return;
	memset(&si, 0, sizeof(si));
	si.code = SI_KERNEL;
	if (sig) { /* who chose one learns more */
		si.code = (s32)how;
		si.poll.band = how == PERF_POLL_HUP ? POLLHUP | POLLERR
						    : POLLIN | POLLRDNORM;
		si.poll.fd = load_once(&e->async_fd);
	}
	(void)owner_signal(&e->told, sig ? (int)sig : SIGIO, &si);
}
