/* SPDX-License-Identifier: MIT */
/*
 * tests/host/fake/world.h - enough of a kernel for a file system, on the host.
 *
 * One thread; locks only check that they are used as they should be (no
 * recursion, spinlock ranks, no wait with a spinlock held).  A wait completes
 * disk requests, in random order, until its condition holds; when there is
 * nothing to complete it would be for ever, and the program aborts.
 *
 * The disk is a piece of memory.  world_disk_fail makes requests fail.
 */
#ifndef TESTS_HOST_FAKE_WORLD_H
#define TESTS_HOST_FAKE_WORLD_H

#include <kernel/dev/blk.h>
#include <lib/types.h>

struct world_disk {
	struct blkdev bd;
	u8 *data;
	u64 size;
	u64 reads, writes, flushes; /* requests */
	u32 fail_one_in;	    /* 0: never */
	u32 *read_count;	    /* NULL, or for each sector */
};

void world_init(void); /* once */
void world_disk_init(struct world_disk *d, u64 size);
/* Load from or store to a file of the host. */
void world_disk_load(struct world_disk *d, const char *path);
void world_disk_store(const struct world_disk *d, const char *path);
void world_disk_free(struct world_disk *d);

extern u64 world_seed;		/* of everything random here */
extern bool world_quiet;	/* no kernel messages */
extern bool world_is_root;	/* capable() */
extern u64 world_nr_allocs;	/* kmalloc() and pages that are live */
extern u32 world_alloc_fail_in; /* 0: never; 1: the next allocation fails */
extern char world_last_log[256];

#endif /* TESTS_HOST_FAKE_WORLD_H */
