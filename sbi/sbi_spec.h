/* SPDX-License-Identifier: MIT */
/*
 * sbi/sbi_spec.h - numbers of the RISC-V SBI specification 2.0; nothing else.
 */
#ifndef SBI_SBI_SPEC_H
#define SBI_SBI_SPEC_H

#include <lib/types.h>

/* Extension ids (chapter in brackets) */
#define SBI_BASE   0x10	      /* [4] */
#define SBI_TIME   0x54494d45 /* [6] */
#define SBI_IPI	   0x735049   /* [7] */
#define SBI_RFENCE 0x52464e43 /* [8] */
#define SBI_HSM	   0x48534d   /* [9] */
#define SBI_SRST   0x53525354 /* [10] */
#define SBI_PMU	   0x504d55   /* [11] */
#define SBI_DBCN   0x4442434e /* [12] */

/* Legacy [5] */
#define SBI_LEGACY_PUTCHAR  1
#define SBI_LEGACY_GETCHAR  2
#define SBI_LEGACY_SHUTDOWN 8

/* Base [4] */
#define SBI_BASE_SPEC_VERSION 0
#define SBI_BASE_IMPL_ID      1
#define SBI_BASE_IMPL_VERSION 2
#define SBI_BASE_PROBE	      3
#define SBI_BASE_MVENDORID    4
#define SBI_BASE_MARCHID      5
#define SBI_BASE_MIMPID	      6

/* Function ids */
#define SBI_TIME_SET	    0
#define SBI_IPI_SEND	    0
#define SBI_RFENCE_FENCE_I  0
#define SBI_RFENCE_SFENCE   1
#define SBI_HSM_START	    0
#define SBI_HSM_STATUS	    2
#define SBI_SRST_RESET	    0
#define SBI_SRST_SHUTDOWN   0
#define SBI_SRST_COLD	    1
#define SBI_DBCN_WRITE	    0
#define SBI_DBCN_READ	    1
#define SBI_DBCN_WRITE_BYTE 2

/* Counters [11] */
#define SBI_PMU_NUM	   0
#define SBI_PMU_GET_INFO   1
#define SBI_PMU_CONFIG	   2
#define SBI_PMU_START	   3
#define SBI_PMU_STOP	   4
#define SBI_PMU_FW_READ	   5
#define SBI_PMU_CFG_CLEAR  BIT(1)
#define SBI_PMU_START_INIT BIT(0)
#define SBI_PMU_STOP_RESET BIT(0)

/* Errors [3.1] */
#define SBI_SUCCESS	  0
#define SBI_NOT_SUPPORTED (-2)

#endif /* SBI_SBI_SPEC_H */
