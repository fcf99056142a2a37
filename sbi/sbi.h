/* SPDX-License-Identifier: MIT */
/*
 * sbi/sbi.h - calling the supervisor binary interface.
 *
 * Context: any.  A call is a trap to M-mode and back, with all registers but a0 and
 * a1 preserved [SBI 2.0, 3].
 */
#ifndef SBI_SBI_H
#define SBI_SBI_H

#include <lib/types.h>
#include <sbi/sbi_spec.h>

struct sbi_ret {
	s64 error;
	u64 value;
};

struct sbi_ret sbi_call(u64 eid, u64 fid, u64 arg0, u64 arg1, u64 arg2);
bool sbi_has(u64 eid);
/* All harts have the extension of the ISA, whose name is in small letters. */
bool sbi_harts_have(const char *name);

/* One per extension file; each fills an ops table of kernel/ if firmware has it. */
void sbi_console_init(void);
void sbi_time_init(void);
void sbi_hart_init(void);
void sbi_reset_init(void);
void sbi_pmu_init(void);

#endif /* SBI_SBI_H */
