/* SPDX-License-Identifier: MIT */
/*
 * kernel/pmu/buildid.h - which build of a program a file is: its GNU build id.
 *
 * Pure: tested on the host (tests/host/buildid_test.c).
 */
#ifndef KERNEL_PMU_BUILDID_H
#define KERNEL_PMU_BUILDID_H

#include <lib/types.h>

#define BUILD_ID_MAX 20u

/* The id noted in an ELF file whose first @n bytes are at @head, to @id: its length, 0 if there
 * is none or it is not among them.  What the file says is not trusted. */
u32 buildid_parse(const void *head, size_t n, u8 id[BUILD_ID_MAX]);

#endif /* KERNEL_PMU_BUILDID_H */
