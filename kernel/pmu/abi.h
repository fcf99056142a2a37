/* SPDX-License-Identifier: MIT */
/*
 * kernel/pmu/abi.h - numbers and structures of perf_event_open(2), as Linux has them.
 */
#ifndef KERNEL_PMU_ABI_H
#define KERNEL_PMU_ABI_H

#include <lib/types.h>

enum perf_type {
	PERF_TYPE_HARDWARE,
	PERF_TYPE_SOFTWARE,
	PERF_TYPE_TRACEPOINT,
	PERF_TYPE_HW_CACHE,
	PERF_TYPE_RAW,
	PERF_TYPE_BREAKPOINT,
	PERF_TYPE_RELAY = 16, /* ours: /sys/bus/event_source/devices/relay */
};

enum {
	PERF_COUNT_HW_CPU_CYCLES,
	PERF_COUNT_HW_INSTRUCTIONS,
	PERF_COUNT_HW_MAX = 10,
};

enum {
	PERF_COUNT_SW_CPU_CLOCK,
	PERF_COUNT_SW_TASK_CLOCK,
	PERF_COUNT_SW_PAGE_FAULTS,
	PERF_COUNT_SW_CONTEXT_SWITCHES,
	PERF_COUNT_SW_CPU_MIGRATIONS,
	PERF_COUNT_SW_PAGE_FAULTS_MIN,
	PERF_COUNT_SW_PAGE_FAULTS_MAJ,
	PERF_COUNT_SW_ALIGNMENT_FAULTS,
	PERF_COUNT_SW_EMULATION_FAULTS,
	PERF_COUNT_SW_DUMMY,
	PERF_COUNT_SW_BPF_OUTPUT,
	PERF_COUNT_SW_CGROUP_SWITCHES,
	PERF_COUNT_SW_MAX,
};

#define PERF_SAMPLE_IP		  BIT(0)
#define PERF_SAMPLE_TID		  BIT(1)
#define PERF_SAMPLE_TIME	  BIT(2)
#define PERF_SAMPLE_ADDR	  BIT(3)
#define PERF_SAMPLE_READ	  BIT(4)
#define PERF_SAMPLE_CALLCHAIN	  BIT(5)
#define PERF_SAMPLE_ID		  BIT(6)
#define PERF_SAMPLE_CPU		  BIT(7)
#define PERF_SAMPLE_PERIOD	  BIT(8)
#define PERF_SAMPLE_STREAM_ID	  BIT(9)
#define PERF_SAMPLE_RAW		  BIT(10)
#define PERF_SAMPLE_BRANCH_STACK  BIT(11)
#define PERF_SAMPLE_REGS_USER	  BIT(12)
#define PERF_SAMPLE_STACK_USER	  BIT(13)
#define PERF_SAMPLE_WEIGHT	  BIT(14)
#define PERF_SAMPLE_DATA_SRC	  BIT(15)
#define PERF_SAMPLE_IDENTIFIER	  BIT(16)
#define PERF_SAMPLE_TRANSACTION	  BIT(17)
#define PERF_SAMPLE_REGS_INTR	  BIT(18)
#define PERF_SAMPLE_PHYS_ADDR	  BIT(19)
#define PERF_SAMPLE_AUX		  BIT(20)
#define PERF_SAMPLE_CGROUP	  BIT(21)
#define PERF_SAMPLE_DATA_PAGE	  BIT(22)
#define PERF_SAMPLE_CODE_PAGE	  BIT(23)
#define PERF_SAMPLE_WEIGHT_STRUCT BIT(24)
#define PERF_SAMPLE_LAST	  BIT(25)
#define PERF_SAMPLE_KNOWN                                                      \
	(PERF_SAMPLE_IP | PERF_SAMPLE_TID | PERF_SAMPLE_TIME |                 \
	 PERF_SAMPLE_ADDR | PERF_SAMPLE_READ | PERF_SAMPLE_CALLCHAIN |         \
	 PERF_SAMPLE_ID | PERF_SAMPLE_CPU | PERF_SAMPLE_PERIOD |               \
	 PERF_SAMPLE_STREAM_ID | PERF_SAMPLE_RAW | PERF_SAMPLE_IDENTIFIER |    \
	 PERF_SAMPLE_REGS_USER | PERF_SAMPLE_STACK_USER | PERF_SAMPLE_WEIGHT | \
	 PERF_SAMPLE_DATA_SRC | PERF_SAMPLE_TRANSACTION |                      \
	 PERF_SAMPLE_REGS_INTR | PERF_SAMPLE_PHYS_ADDR | PERF_SAMPLE_AUX |     \
	 PERF_SAMPLE_DATA_PAGE | PERF_SAMPLE_CODE_PAGE |                       \
	 PERF_SAMPLE_WEIGHT_STRUCT)

#define PERF_BRANCH_PRIVILEGES 7u
#define PERF_BRANCH_KNOWN      0xfffffu

#define PERF_FORMAT_ENABLED BIT(0)
#define PERF_FORMAT_RUNNING BIT(1)
#define PERF_FORMAT_ID	    BIT(2)
#define PERF_FORMAT_GROUP   BIT(3)
#define PERF_FORMAT_LOST    BIT(4)
#define PERF_FORMAT_ALL	    0x1fu

/* perf_event_attr's bits */
#define ATTR_DISABLED	    BIT(0)
#define ATTR_INHERIT	    BIT(1)
#define ATTR_PINNED	    BIT(2)
#define ATTR_EXCLUSIVE	    BIT(3)
#define ATTR_EXCLUDE_USER   BIT(4)
#define ATTR_EXCLUDE_KERNEL BIT(5)
#define ATTR_EXCLUDE_HV	    BIT(6)
#define ATTR_EXCLUDE_IDLE   BIT(7)
#define ATTR_MMAP	    BIT(8)
#define ATTR_COMM	    BIT(9)
#define ATTR_FREQ	    BIT(10)
#define ATTR_INHERIT_STAT   BIT(11)
#define ATTR_ENABLE_ON_EXEC BIT(12)
#define ATTR_TASK	    BIT(13)
#define ATTR_WATERMARK	    BIT(14)
#define ATTR_PRECISE	    (BIT(15) | BIT(16))
#define ATTR_MMAP_DATA	    BIT(17)
#define ATTR_SAMPLE_ID_ALL  BIT(18)
#define ATTR_NO_KERN_CHAIN  BIT(21)
#define ATTR_NO_USER_CHAIN  BIT(22)
#define ATTR_MMAP2	    BIT(23)
#define ATTR_COMM_EXEC	    BIT(24)
#define ATTR_USE_CLOCKID    BIT(25)
#define ATTR_CONTEXT_SWITCH BIT(26)
#define ATTR_WRITE_BACKWARD BIT(27)
#define ATTR_AUX_OUTPUT	    BIT(31)
#define ATTR_NAMESPACES	    BIT(28)
#define ATTR_BUILD_ID	    BIT(34)
#define ATTR_INHERIT_THREAD BIT(35)
#define ATTR_REMOVE_ON_EXEC BIT(36)
#define ATTR_SIGTRAP	    BIT(37)
#define ATTR_RESERVED	    (~(BIT(38) - 1))

/* attr.clockid: CLOCK_* */
enum {
	PERF_CLOCK_REALTIME = 0,
	PERF_CLOCK_MONOTONIC = 1,
	PERF_CLOCK_MONOTONIC_RAW = 4,
	PERF_CLOCK_BOOTTIME = 7,
	PERF_CLOCK_TAI = 11,
};

struct perf_attr {
	u32 type;
	u32 size;
	u64 config;
	u64 sample_period; /* or frequency */
	u64 sample_type;
	u64 read_format;
	u64 flags;  /* ATTR_* */
	u32 wakeup; /* events, or bytes with ATTR_WATERMARK */
	u32 bp_type;
	u64 config1;
	u64 config2;
	u64 branch_sample_type;
	u64 sample_regs_user;
	u32 sample_stack_user;
	s32 clockid;
	u64 sample_regs_intr;
	u32 aux_watermark;
	u16 sample_max_stack;
	u16 reserved2;
	u32 aux_sample_size;
	u32 reserved3;
	u64 sig_data;
	u64 config3;
};
#define PERF_ATTR_SIZE_VER0 64u
STATIC_ASSERT(sizeof(struct perf_attr) == 136, "PERF_ATTR_SIZE_VER8");

/* ioctl: _IO('$', n) and the like */
#define PERF_IOC_ENABLE	      0x2400
#define PERF_IOC_DISABLE      0x2401
#define PERF_IOC_REFRESH      0x2402
#define PERF_IOC_RESET	      0x2403
#define PERF_IOC_PERIOD	      0x40082404
#define PERF_IOC_SET_OUTPUT   0x2405
#define PERF_IOC_SET_FILTER   0x40082406
#define PERF_IOC_ID	      0x80082407
#define PERF_IOC_SET_BPF      0x40042408
#define PERF_IOC_PAUSE_OUTPUT 0x40042409
#define PERF_IOC_QUERY_BPF    0xc008240a
#define PERF_IOC_MODIFY_ATTRS 0x4008240b
#define PERF_IOC_FLAG_GROUP   1u

#define PERF_FLAG_FD_NO_GROUP BIT(0)
#define PERF_FLAG_FD_OUTPUT   BIT(1)
#define PERF_FLAG_PID_CGROUP  BIT(2)
#define PERF_FLAG_FD_CLOEXEC  BIT(3)

/* The page in front of a ring buffer. */
struct perf_page {
	u32 version, compat_version;
	u32 lock;
	u32 index;
	s64 offset;
	u64 time_enabled, time_running;
	u64 capabilities;
	u16 pmc_width;
	u16 time_shift;
	u32 time_mult;
	u64 time_offset, time_zero;
	u32 size;
	u32 reserved1;
	u64 time_cycles, time_mask;
	u8 reserved[116 * 8];
	u64 data_head; /* ours; the program reads it */
	u64 data_tail; /* the program's */
	u64 data_offset, data_size;
	u64 aux_head, aux_tail, aux_offset, aux_size;
};
STATIC_ASSERT(offsetof(struct perf_page, data_head) == 1024, "as in the ABI");
#define PERF_CAP_BIT0_DEPRECATED BIT(1)
#define PERF_CAP_USER_RDPMC	 BIT(2)
#define PERF_CAP_USER_TIME	 BIT(3)
#define PERF_CAP_USER_TIME_ZERO	 BIT(4)
#define PERF_CAP_USER_TIME_SHORT BIT(5)

/* records */
enum {
	PERF_RECORD_MMAP = 1,
	PERF_RECORD_LOST = 2,
	PERF_RECORD_COMM = 3,
	PERF_RECORD_EXIT = 4,
	PERF_RECORD_THROTTLE = 5,
	PERF_RECORD_UNTHROTTLE = 6,
	PERF_RECORD_FORK = 7,
	PERF_RECORD_READ = 8,
	PERF_RECORD_SAMPLE = 9,
	PERF_RECORD_MMAP2 = 10,
	PERF_RECORD_SWITCH = 14,
	PERF_RECORD_SWITCH_CPU_WIDE = 15,
};
#define PERF_MISC_KERNEL	     1u
#define PERF_MISC_USER		     2u
#define PERF_MISC_COMM_EXEC	     BIT(13)
#define PERF_MISC_MMAP_DATA	     BIT(13)
#define PERF_MISC_MMAP_BUILD_ID	     BIT(14)
#define PERF_MISC_SWITCH_OUT	     BIT(13)
#define PERF_MISC_SWITCH_OUT_PREEMPT BIT(14)

#define PERF_CONTEXT_KERNEL ((u64)-128)
#define PERF_CONTEXT_USER   ((u64)-512)

struct perf_header {
	u32 type;
	u16 misc;
	u16 size;
};

#endif /* KERNEL_PMU_ABI_H */
