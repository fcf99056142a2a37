/* SPDX-License-Identifier: MIT */
/*
 * tests/host/msgring_stress.c - lib/msgring.h with two threads, under
 * ThreadSanitizer, and the relay's sleep and wake-up on top of it.
 *
 * What a word stands for is plain memory (struct parcel), so a missing MSG edge is a
 * data race, and a missing ROOM edge a word that is overwritten.  In the second half the consumer sleeps as
 * kernel/relay/idle.c does; a semaphore is the IPI, and a wake-up that is lost
 * is a time-out.
 */
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <lib/msgring.h>

#define MAX_SIZE 256u
#define START	 0xfffffff8u /* indices wrap early in the run */

struct parcel {
	u64 value;
} __aligned(64);

struct run {
	struct msgring ring;
	u64 slot[MAX_SIZE];
	struct parcel parcel[2 * MAX_SIZE]; /* reused behind the ring's size */
	u32 size;
	u64 nr;
	u64 done; /* parcels that were read */
	bool sleeps;
	u32 notify;
	sem_t ipi;
	u64 nr_sleeps, nr_ipis;
};

static struct run run;

static void fail(const char *what)
{
	puts(what);
	abort();
}

static void wait_ipi(void)
{
	struct timespec deadline;

	clock_gettime(CLOCK_REALTIME, &deadline);
	deadline.tv_sec += 20;
	if (sem_timedwait(&run.ipi, &deadline))
		fail("a wake-up was lost");
	while (sem_trywait(&run.ipi) == 0)
		continue; /* one bit: clear it before the rings are drained */
	run.nr_sleeps++;
}

static void idle(void)
{
	if (!run.sleeps) {
		sched_yield(); /* two threads may share one CPU */
		return;
	}
	store_once(&run.notify, 1);
	smp_mb(); /* SLEEP */
	if (!msgring_pending(&run.ring))
		wait_ipi();
	store_once(&run.notify, 0);
}

static void doorbell(void)
{
	if (!run.sleeps)
		return;
	smp_mb(); /* SLEEP */
	if (load_once(&run.notify) && atomic_xchg(&run.notify, 0)) {
		run.nr_ipis++;
		sem_post(&run.ipi);
	}
}

static void *consumer(void *arg)
{
	u64 want = 0;

	(void)arg;
	while (want < run.nr) {
		struct parcel *p = (void *)msgring_pop(&run.ring);

		if (!p)
			idle();
		else if (p->value != want++)
			fail("a message is not what was sent");
		else
			store_release(&run.done, want);
	}
	return NULL;
}

/* Twice as many parcels as slots: the ring is full before the parcels are. */
static void produce(void)
{
	for (u64 v = 0; v < run.nr; v++) {
		struct parcel *p = &run.parcel[v % (2 * run.size)];

		while (v - load_acquire(&run.done) >= 2 * run.size)
			sched_yield();
		p->value = v;
		while (!msgring_push(&run.ring, (u64)p))
			sched_yield();
		doorbell();
	}
}

static void stress(u32 shift, u64 nr, bool sleeps)
{
	pthread_t t;

	memset(&run, 0, sizeof(run));
	msgring_init(&run.ring, run.slot, shift, START);
	run.size = 1u << shift;
	run.nr = nr;
	run.sleeps = sleeps;
	sem_init(&run.ipi, 0, 0);
	if (pthread_create(&t, NULL, consumer, NULL))
		abort();
	produce();
	pthread_join(t, NULL);
	printf("size %u: %lu messages, %lu sleeps, %lu IPIs\n", run.size, nr,
	       run.nr_sleeps, run.nr_ipis);
}

int main(void)
{
	stress(0, 30000, false);
	stress(2, 100000, false);
	stress(8, 500000, false);
	stress(0, 20000, true);
	stress(2, 50000, true);
	stress(8, 200000, true);
	return 0;
}
