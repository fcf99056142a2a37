/* SPDX-License-Identifier: MIT */
/*
 * user/tests/firstwrite.c - the first write to a page that others have read.
 *
 * Three threads: the reader has seen all pages of an area (zeroes, or a file's), so
 * its TLB may know the frames that the first writes replace.  Two writers write to the
 * same pages at the same time, and one of them tells the reader, who must see it.
 */
#include "utest.h"

#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>

#define PAGES  64
#define ROUNDS 5
#define OTHER  512 /* words into the page */

static struct {
	volatile unsigned *area; /* PAGES pages */
	unsigned told[PAGES];	 /* round in which the page was written */
	unsigned round;		 /* the writers may begin */
	unsigned done;		 /* writers that are through, ever */
} race;

static volatile unsigned *page(int i)
{
	return race.area + i * 1024;
}

/* As one can wait on any number of harts. */
static void wait_for(const unsigned *word, unsigned value)
{
	for (int i = 0; __atomic_load_n(word, __ATOMIC_ACQUIRE) < value; i++) {
		if (i % 1000 == 999)
			sched_yield();
	}
}

static void *write_pages(void *tells)
{
	for (unsigned round = 1; round <= ROUNDS; round++) {
		wait_for(&race.round, round);
		for (int i = 0; i < PAGES; i++) {
			page(i)[tells ? 0 : OTHER] = round;
			if (tells)
				__atomic_store_n(&race.told[i], round,
						 __ATOMIC_RELEASE);
		}
		__atomic_add_fetch(&race.done, 1, __ATOMIC_RELEASE);
	}
	return NULL;
}

/* Pages of which the reader missed what it was told of, in all rounds. */
static int missed(unsigned was)
{
	unsigned bad = 0, seen = 0;
	pthread_t w[2];

	memset(race.told, 0, sizeof(race.told));
	race.round = race.done = 0;
	CHECK_EQ(pthread_create(&w[0], NULL, write_pages, NULL), 0);
	CHECK_EQ(pthread_create(&w[1], NULL, write_pages, &race), 0);
	for (unsigned round = 1; round <= ROUNDS; round++) {
		CHECK_OK(madvise((void *)race.area, PAGES * 4096,
				 MADV_DONTNEED));
		for (int i = 0; i < PAGES; i++)
			seen += page(i)[0] == was;
		__atomic_store_n(&race.round, round, __ATOMIC_RELEASE);
		for (int i = 0; i < PAGES; i++) {
			wait_for(&race.told[i], round);
			bad += page(i)[0] != round;
		}
		wait_for(&race.done, 2 * round);
		for (int i = 0; i < PAGES; i++)
			bad += page(i)[OTHER] != round;
	}
	for (int i = 0; i < 2; i++)
		CHECK_EQ(pthread_join(w[i], NULL), 0);
	CHECK_EQ(seen, PAGES * ROUNDS);
	return (int)bad;
}

TEST(mem, first_write_to_zeroes_is_seen)
{
	race.area = mmap(NULL, PAGES * 4096, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(race.area != MAP_FAILED);
	CHECK_EQ(missed(0), 0);
}

TEST(mem, first_write_to_a_copy_is_seen)
{
	int fd = memfd_create("pages", 0);

	CHECK_OK(ftruncate(fd, PAGES * 4096));
	for (int i = 0; i < PAGES; i++)
		CHECK_EQ(pwrite(fd, "abcd", 4, i * 4096), 4);
	race.area = mmap(NULL, PAGES * 4096, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE, fd, 0);
	CHECK(race.area != MAP_FAILED);
	CHECK_EQ(missed(0x64636261), 0);
}
