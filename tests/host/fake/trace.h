/* SPDX-License-Identifier: MIT */
/*
 * tests/host/fake/trace.h - what a disk was asked for, and what a power cut at
 * any moment could have left of it.
 *
 * THE DISK'S PROMISES
 *   A write whose flag says so (FUA) is on the medium when it has ended; any
 *   other when a flush has ended that was asked for after the write had ended.
 *   Until then each of its sectors is, on its own, either there or not.  Of two
 *   writes to the same sector the later one wins if both are there.
 *   Sectors 2 and 3, the super block, stay together: its checksum lies in the
 *   second, so no way of writing it survives if they do not.
 *
 * Events are numbered from 1: each beginning and each end of a write or flush,
 * and what the workers want to tell from it (trace_tick()).  A crash at event e
 * comes just after e.
 */
#ifndef TESTS_HOST_FAKE_TRACE_H
#define TESTS_HOST_FAKE_TRACE_H

#include <kernel/dev/blk.h>
#include <lib/types.h>

#define TRACE_NEVER ~0u

struct trace_write {
	u64 sector;
	u32 nr;
	u8 *data;
	const void *id; /* the bio, while it is under way */
	u32 begun;	/* event */
	u32 ended;	/* event, or TRACE_NEVER */
	u32 durable;	/* event from which on it is on the medium */
};

struct trace_flush {
	const void *id;
	u32 begun, ended;
};

struct trace {
	u8 *before; /* the disk when the trace began */
	u64 size;
	u32 event; /* newest */
	u8 *is_io; /* for each event: not a tick */
	u32 room_events;
	struct trace_write *write;
	u32 nr_writes, room_writes;
	struct trace_flush *flush;
	u32 nr_flushes, room_flushes;
};

struct world_disk;

void trace_start(struct world_disk *d, struct trace *t);
void trace_stop(struct world_disk *d);
void trace_free(struct trace *t);

/* An event of its own, so that what came before and after it differ. */
u32 trace_tick(struct trace *t);

/* For disk.c. */
void trace_begin(struct trace *t, const struct bio *bio);
void trace_end(struct trace *t, const struct bio *bio);

/*
 * Goes through the moments of a trace.  @disk shows the medium as it is at
 * `event' without anything that is not durable; cut_apply() adds some of the
 * rest; cut_restore() takes away what was added, and whatever else was
 * written to @disk meanwhile.
 */
struct cut {
	const struct trace *t;
	struct world_disk *disk;
	u8 *base; /* durable image */
	u32 event;
	u32 *pending; /* writes that may or may not be there, in order */
	u32 nr_pending;
	u32 first; /* no write before this one is pending */
};

void cut_init(struct cut *c, const struct trace *t, struct world_disk *disk);
void cut_done(struct cut *c);
bool cut_next(struct cut *c); /* the next I/O event; false: that was all */
enum cut_part {
	CUT_NONE,
	CUT_ALL,
	CUT_TORN, /* each sector by chance */
};
void cut_apply(struct cut *c, u32 nth_pending, enum cut_part part);
void cut_restore(struct cut *c);

#endif /* TESTS_HOST_FAKE_TRACE_H */
