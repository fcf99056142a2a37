/* SPDX-License-Identifier: MIT */
/*
 * kernel/pmu/filter.h - which hits of a tracepoint count (PERF_EVENT_IOC_SET_FILTER).
 *
 * "(common_pid != 12 && comm ~ \"sh*\") && (id == 56 || CPU & CPUS{0-1})": comparisons of
 * a record's numbers and strings with constants, && || ! and parentheses, as Linux has
 * them; CPU and COMM are of who hits it, unless the record has such a field.
 */
#ifndef KERNEL_PMU_FILTER_H
#define KERNEL_PMU_FILTER_H

#include <lib/types.h>

struct perf_filter;

/* What the filter looks at. */
struct perf_hit {
	const void *raw; /* the record */
	const char *comm;
	u32 cpu;
};

/* @format: the record's, as tracefs shows it; @s: the filter.  ERR_PTR: -ENOMEM, or
 * what Linux says of such a text: -EINVAL, -ENOENT (a parenthesis is open), -ESRCH (a
 * quote is), -EPERM (something follows it). */
struct perf_filter *perf_filter_parse(const char *format, const char *s);
/* Any context. */
bool perf_filter_match(const struct perf_filter *f, const struct perf_hit *hit);
void perf_filter_free(struct perf_filter *f);

#endif /* KERNEL_PMU_FILTER_H */
