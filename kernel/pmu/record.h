/* SPDX-License-Identifier: MIT */
/* kernel/pmu/record.h - records for the ring buffer. */
#ifndef KERNEL_PMU_RECORD_H
#define KERNEL_PMU_RECORD_H

#include <kernel/pmu/event.h>

struct thread;
struct trapframe;

/* What a sample is of. */
struct sample {
	struct thread *t;
	const struct hart *on;	    /* where */
	const struct trapframe *tf; /* registers where it was taken */
	bool user;		    /* they are of user code */
	bool nmi;		    /* taken in a call */
	u32 side;		    /* of the kernel's part */
	u64 now, ip, addr, period;
	const void *raw;
	u32 raw_size;
};

/* True: the readers are to be woken. */
bool perf_write_sample(struct perf_event *e, const struct sample *s);
/* What @e, of @t, has counted until now (PERF_RECORD_READ). */
bool perf_write_read(struct perf_event *e, const struct thread *t);
/* A hart's buffer for one record.  NULL: out of memory. */
struct perf_record *perf_record_new(void);

#endif /* KERNEL_PMU_RECORD_H */
