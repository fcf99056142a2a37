/* SPDX-License-Identifier: MIT */
/*
 * kernel/task/pid.c - hands out numbers and finds what they name.
 *
 * Slots come in chunks that are allocated when their first number is and never
 * freed, so that a look-up is two loads.  Numbers go round: the next one is the
 * lowest free above the last, and after PID_MAX it starts at PID_RESERVED.
 *
 * INVARIANTS
 *   I1  a slot in which nothing is set is free, and the other way round.
 *   I2  the cursor is the last number that was given.
 *
 * ORDERING
 *   PIDCHUNK  a chunk is empty (release) before it is found (acquire): who asks for
 *             a number in a namespace has no task_lock.
 *
 * Locking: kernel/task/pid.h.  Tested on the host: tests/host/pid_test.c.
 */
#include <kernel/task/pid.h>

#include <kernel/mm/kmalloc.h>
#include <lib/atomic.h>
#include <lib/errno.h>

#define CHUNK_SLOTS 64
#define NR_CHUNKS   (PID_MAX / CHUNK_SLOTS)

static struct pid_slot *chunks[NR_CHUNKS];
static int last_pid;
u64 pid_max = PID_MAX;
u64 threads_max = PID_MAX / 2;

bool pid_slot_free(const struct pid_slot *s)
{
	return !s->thread && !s->proc && !s->nr_session && list_empty(&s->pgrp);
}

int pid_cursor(void)
{
	return load_once(&last_pid);
}

void pid_set_cursor(int pid)
{
	store_once(&last_pid, pid);
}

static struct pid_slot *chunk_get(int chunk)
{
	struct pid_slot *c = chunks[chunk];

	if (c)
		return c;
	c = kcalloc(CHUNK_SLOTS, sizeof(*c));
	if (!c)
		return NULL;
	for (int i = 0; i < CHUNK_SLOTS; i++)
		list_init(&c[i].pgrp);
	/* PIDCHUNK (release) - pairs with pid_slot(). */
	store_release(&chunks[chunk], c);
	return c;
}

int pid_alloc(void)
{
	int pid = last_pid;

	for (int tries = 0; tries < PID_MAX; tries++) {
		struct pid_slot *c;

		if ((u64)++pid >= pid_limit())
			pid = PID_RESERVED;
		c = chunk_get(pid / CHUNK_SLOTS);
		if (!c)
			return -ENOMEM;
		if (pid_slot_free(&c[pid % CHUNK_SLOTS])) {
			last_pid = pid;
			return pid;
		}
	}
	return -EAGAIN;
}

int pid_take(int pid)
{
	struct pid_slot *c = chunk_get(pid / CHUNK_SLOTS);

	if (!c)
		return -ENOMEM;
	return pid_slot_free(&c[pid % CHUNK_SLOTS]) ? pid : -EEXIST;
}

struct pid_slot *pid_slot(int pid)
{
	struct pid_slot *c;

	if (pid <= 0 || pid >= PID_MAX)
		return NULL;
	/* PIDCHUNK (acquire) - pairs with chunk_get(). */
	c = load_acquire(&chunks[pid / CHUNK_SLOTS]);
	return c ? &c[pid % CHUNK_SLOTS] : NULL;
}

int pid_next_process(int pid)
{
	for (pid = pid > 0 ? pid : 1; pid < PID_MAX; pid++) {
		struct pid_slot *c = chunks[pid / CHUNK_SLOTS];

		if (!c)
			pid |= CHUNK_SLOTS - 1;
		else if (c[pid % CHUNK_SLOTS].proc)
			return pid;
	}
	return -1;
}
