/* SPDX-License-Identifier: MIT */
/*
 * kernel/pmu/ring.h - the ring buffer that a program maps.
 *
 * Pages of ours that the program sees: one with the heads, then 2^n of data.  What
 * the program writes into them (data_tail, or anything) is only ever compared, and
 * can cost it its own records and nothing else.
 *
 * Writers: the loop, calls, and interrupts taken in calls (sample.c).  One at a time
 * by `busy`; an interrupt that finds it taken drops its record and counts it.
 */
#ifndef KERNEL_PMU_RING_H
#define KERNEL_PMU_RING_H

#include <kernel/pmu/event.h>

#define PERF_RB_MAX_PAGES 4096u

struct page;
struct vma;

struct perf_rb {
	u32 refs;	/* [a] events, areas */
	u32 busy;	/* [a] */
	u32 nr_pages;	/* [I] of data: 0 or a power of two */
	u32 paused;	/* [a] */
	u64 head;	/* [busy] */
	u64 lost;	/* [a] not yet told of */
	u64 woken_at;	/* [busy] head when readers were woken */
	u64 watermark;	/* [I] bytes, 0: by wakeup_events */
	bool overwrite; /* [I] mapped read-only: nobody moves the tail */
	bool backward;	/* [I] */
	u32 maps;	/* [a] areas */
	struct list_head users; /* [mutex] events that write here */
	u32 charged; /* [I] pages taken of the unprivileged's share */
	struct page *page[];
};

struct perf_rb *perf_rb_new(u32 nr_pages, bool overwrite, bool backward,
			    u64 watermark);
struct perf_rb *perf_rb_get(struct perf_rb *rb);
void perf_rb_unref(struct perf_rb *rb);
struct perf_page *perf_rb_page(struct perf_rb *rb);
/* Mapped area of @e's buffer. */
int perf_rb_mmap(struct perf_event *e, struct vma *v);

/* @e writes to @rb from now on (or to none), whose reference it owns; what it wrote to
 * before is let go of when nobody uses it any more.  perf_mutex held; may sleep. */
void perf_rb_attach(struct perf_event *e, struct perf_rb *rb);

/* Bytes of a record that are put in when it is in its place. */
struct perf_hole {
	u32 at, size; /* bytes; multiples of 8 */
	/* Put @size bytes there, beginning at @pos.  The word behind them is to be the
	 * value returned. */
	u64 (*fill)(struct perf_rb *rb, u64 pos, const struct perf_hole *h);
	void *arg;
	u64 from;
};
void perf_rb_put(struct perf_rb *rb, u64 at, const void *p, u32 n);

/* One record of @n bytes (a multiple of 8) and those of @hole (or NULL) of @e into its
 * buffer; counts it as lost if there is no room.  @nmi: from an interrupt in a call.
 * Returns true if the readers are to be woken. */
bool perf_rb_write(struct perf_event *e, const void *rec, u32 n, bool nmi);
bool perf_rb_write_hole(struct perf_event *e, const void *rec, u32 n,
			const struct perf_hole *hole, bool nmi);
/* A record of @e could not be made: one is lost.  Returns false. */
bool perf_rb_lose(struct perf_event *e);
/* The reader has something to read. */
bool perf_rb_readable(const struct perf_rb *rb);

#endif /* KERNEL_PMU_RING_H */
