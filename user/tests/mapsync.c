/* SPDX-License-Identifier: MIT */
/*
 * user/tests/mapsync.c - what is stored through a shared mapping reaches the file,
 * whatever happens to the mapping and to the cache meanwhile.
 *
 * Each writer has words of its own in all pages, so it knows what they must be.
 * Beside them one thread cuts the area by mprotect() and lets it grow together again,
 * and one has the pages written and thrown out of the cache, so that what was stored
 * in a page that counted as clean is gone.
 */
#include "utest.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <sys/mman.h>

#define PAGES	128 /* several runs of write-back */
#define SIZE	(PAGES * 4096)
#define WRITERS 2
#define MS	2000

static volatile unsigned long *shown;
static volatile int over;
static int file;
static __thread sigjmp_buf again;

static void on_fault(int sig)
{
	siglongjmp(again, 1);
}

static void *cut(void *arg)
{
	for (unsigned int i = 0; !over; i++) {
		char *p = (char *)shown + i * 7 % PAGES * 4096;

		CHECK_OK(mprotect(p, 4096, PROT_READ));
		CHECK_OK(mprotect(p, 4096, PROT_READ | PROT_WRITE));
	}
	return NULL;
}

static void *throw_out(void *arg)
{
	while (!over) {
		CHECK_OK(sync_file_range(file, 0, 0,
					 SYNC_FILE_RANGE_WAIT_BEFORE |
						 SYNC_FILE_RANGE_WRITE |
						 SYNC_FILE_RANGE_WAIT_AFTER));
		ut_sleep_ms(6); /* for stores to what counts as clean */
		CHECK_OK(madvise((void *)shown, SIZE, MADV_DONTNEED));
		CHECK_EQ(posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED), 0);
	}
	return NULL;
}

/* Returns how many words were not what they were last set to. */
static void *store(void *arg)
{
	static unsigned long last[WRITERS][PAGES];
	static volatile long bad[WRITERS];
	long me = (long)arg;
	volatile unsigned long n;

	for (n = 1; !over; n++) {
		int i = (int)(n * 7 % PAGES);
		volatile unsigned long *p = shown + i * 512 + me * 8;

		bad[me] += *p != last[me][i];
		while (sigsetjmp(again, 1)) /* it is read-only for a moment */
			sched_yield();
		*p = n;
		last[me][i] = n;
	}
	return (void *)bad[me];
}

TEST(files, stores_reach_the_file)
{
	pthread_t t[WRITERS + 2];
	int i;

	signal(SIGSEGV, on_fault);
	CHECK_OK(file = open("f", O_CREAT | O_TRUNC | O_RDWR, 0600));
	CHECK_OK(ftruncate(file, SIZE));
	shown = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	CHECK(shown != MAP_FAILED);
	CHECK_EQ(pthread_create(&t[0], NULL, cut, NULL), 0);
	CHECK_EQ(pthread_create(&t[1], NULL, throw_out, NULL), 0);
	for (i = 0; i < WRITERS; i++)
		CHECK_EQ(pthread_create(&t[2 + i], NULL, store,
					(void *)(long)i),
			 0);
	ut_sleep_ms(MS);
	over = 1;
	for (i = 0; i < WRITERS + 2; i++) {
		void *bad = NULL;

		CHECK_EQ(pthread_join(t[i], &bad), 0);
		CHECK_EQ((long)bad, 0);
	}
}
