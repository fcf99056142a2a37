/* SPDX-License-Identifier: MIT */
/*
 * kernel/dev/partition.h - read a partition table, whatever disk it is on.
 *
 * The table comes from the medium and may hold anything: numbers are checked
 * against the disk, chains and tables are bounded.
 *
 * Context: as the reader (may sleep).  Locking: none.
 */
#ifndef KERNEL_DEV_PARTITION_H
#define KERNEL_DEV_PARTITION_H

#include <lib/types.h>

struct partition {
	u32 nr;		/* 1 .. */
	u64 start, len; /* in 512-byte sectors, inside of the disk */
	char uuid[40];	/* text of PARTUUID= */
};

struct part_disk {
	u64 nr_sectors; /* of 512 bytes */
	u32 block_size; /* 512 .. 4096 */
	/* @len bytes from 512-byte sector @sector on: 0 or -errno. */
	int (*read)(void *ctx, u64 sector, void *buf, size_t len);
	/* Told of each partition, in the order of their numbers. */
	void (*found)(void *ctx, const struct partition *p);
	void *ctx;
};

/* The number of partitions, 0 when there is no table, or -errno. */
int partition_parse(const struct part_disk *d);

#endif /* KERNEL_DEV_PARTITION_H */
