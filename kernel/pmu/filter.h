/* SPDX-License-Identifier: MIT */
/*
 * kernel/pmu/filter.h - which hits of a tracepoint count (PERF_EVENT_IOC_SET_FILTER).
 *
 * "(common_pid != 12 && common_pid != 13) && (id == 56 || id == 57)": comparisons of a
 * record's numbers with constants, && || ! and parentheses.
 */
#ifndef KERNEL_PMU_FILTER_H
#define KERNEL_PMU_FILTER_H

#include <lib/types.h>

struct perf_filter;

/* For records of tracepoint @id.  NULL: "0", which is none; ERR_PTR(-EINVAL): it is not one,
 * names a field that the record has not, or is too long; ERR_PTR(-ENOMEM). */
struct perf_filter *perf_filter_parse(u32 id, const char *text);
/* Any context. */
bool perf_filter_match(const struct perf_filter *f, const void *raw);
void perf_filter_free(struct perf_filter *f);

#endif /* KERNEL_PMU_FILTER_H */
