/* SPDX-License-Identifier: MIT */
/*
 * tests/host/fake/dtrig.h - drivers of the device tree, without a kernel: a tree
 * compiled by dtc, registers that are memory of the test's, time that passes when
 * somebody waits, and what was logged.
 */
#ifndef TESTS_HOST_FAKE_DTRIG_H
#define TESTS_HOST_FAKE_DTRIG_H

#include <lib/types.h>

extern u64 rig_now;	   /* ns; udelay() and sleeping add to it */
extern char rig_log[8192]; /* messages, one after another */
extern u8 rig_regs[4096];  /* what dt_ioremap() gives */
extern u64 rig_regs_size;  /* as the tree says; 0: it cannot be mapped */
extern u32 rig_mapped;	   /* not yet unmapped */
extern bool rig_no_memory; /* kzalloc() fails */

/* boot_fdt from @dts (dtc's language); time, log and the above as at first. */
void rig_start(const char *dts);
void rig_end(void);
/* The node of @path goes to the driver for its first compatible string. */
int rig_probe(const char *path);

#endif /* TESTS_HOST_FAKE_DTRIG_H */
