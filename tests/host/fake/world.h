/* SPDX-License-Identifier: MIT */
/*
 * tests/host/fake/world.h - enough of a kernel for a file system, on the host.
 *
 * Threads take turns at random (sched.c).  Locks check that they are used as
 * they should be: no recursion, spinlock ranks, no wait with a spinlock held.
 * Requests end in random order while somebody waits; when everybody waits for
 * ever the program aborts.
 *
 * The disk is a piece of memory (disk.c); fail_one_in makes requests fail.
 */
#ifndef TESTS_HOST_FAKE_WORLD_H
#define TESTS_HOST_FAKE_WORLD_H

#include <kernel/dev/blk.h>
#include <lib/types.h>

struct trace; /* trace.h */

struct world_disk {
	struct blkdev bd;
	u8 *data;
	u64 size;
	/* requests; FUA ones are also writes */
	u64 reads, writes, fua_writes, flushes, discards;
	u64 discarded;	       /* sectors */
	u32 fail_one_in;       /* 0: never */
	const char *fail_text; /* NULL, or writes that begin with it fail */
	u32 *read_count;       /* NULL, or for each sector */
	u8 *written;	       /* NULL, or for each sector: 1 once it was */
	struct trace *trace;   /* NULL, or told of writes and flushes */
};

void world_init(void); /* once */
void world_disk_init(struct world_disk *d, u64 size);
/* Load from or store to a file of the host. */
void world_disk_load(struct world_disk *d, const char *path);
/* Zeroes behind what there is, up to @size bytes. */
void world_disk_grow(struct world_disk *d, u64 size);
void world_disk_store(const struct world_disk *d, const char *path);
void world_disk_free(struct world_disk *d);

/* Threads.  Kernel threads exist only while world_threads is set. */
struct thread;
extern bool world_threads;
struct thread *world_spawn(void (*fn)(void *), void *arg);
bool world_is_alive(struct thread *t);
void world_yield(void);

extern u64 world_seed;		/* of everything random here */
extern bool world_quiet;	/* no kernel messages */
extern bool world_is_root;	/* capable() */
extern u64 world_nr_allocs;	/* kmalloc() and pages that are live */
extern u32 world_alloc_fail_in; /* 0: never; 1: the next allocation fails */
extern char world_last_log[256];

#endif /* TESTS_HOST_FAKE_WORLD_H */
