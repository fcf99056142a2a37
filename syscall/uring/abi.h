/* SPDX-License-Identifier: MIT */
/*
 * syscall/uring/abi.h - what a program and the kernel share of io_uring: numbers
 * and layouts of linux/io_uring.h.
 */
#ifndef SYSCALL_URING_ABI_H
#define SYSCALL_URING_ABI_H

#include <lib/types.h>

/* A submission.  Members with two meanings are called by the commoner one. */
struct uring_sqe {
	u8 opcode;
	u8 flags;   /* SQE_* */
	u16 ioprio; /* of sockets: RECVSEND_*, ACCEPT_* */
	s32 fd;
	u64 off;  /* addr2 */
	u64 addr; /* splice_off_in */
	u32 len;
	u32 op_flags; /* rw_flags, msg_flags, open_flags ... */
	u64 user_data;
	u16 buf_index; /* buf_group */
	u16 personality;
	u32 file_index; /* splice_fd_in, addr_len (u16), optlen */
	u64 addr3;
	u64 pad;
};
STATIC_ASSERT(sizeof(struct uring_sqe) == 64, "as in the ABI");

struct uring_cqe {
	u64 user_data;
	s32 res;
	u32 flags; /* CQE_F_* */
};
STATIC_ASSERT(sizeof(struct uring_cqe) == 16, "as in the ABI");

/* sqe.flags */
#define SQE_FIXED_FILE	  BIT(0)
#define SQE_IO_DRAIN	  BIT(1)
#define SQE_IO_LINK	  BIT(2)
#define SQE_IO_HARDLINK	  BIT(3)
#define SQE_ASYNC	  BIT(4)
#define SQE_BUFFER_SELECT BIT(5)
#define SQE_CQE_SKIP	  BIT(6)
#define SQE_KNOWN	  0x7fu

/* cqe.flags */
#define CQE_F_BUFFER	 BIT(0)
#define CQE_F_MORE	 BIT(1)
#define CQE_F_NOTIF	 BIT(3)
#define CQE_BUFFER_SHIFT 16

enum uring_opcode {
	OP_NOP,
	OP_READV,
	OP_WRITEV,
	OP_FSYNC,
	OP_READ_FIXED,
	OP_WRITE_FIXED,
	OP_POLL_ADD,
	OP_POLL_REMOVE,
	OP_SYNC_FILE_RANGE,
	OP_SENDMSG,
	OP_RECVMSG,
	OP_TIMEOUT,
	OP_TIMEOUT_REMOVE,
	OP_ACCEPT,
	OP_ASYNC_CANCEL,
	OP_LINK_TIMEOUT,
	OP_CONNECT,
	OP_FALLOCATE,
	OP_OPENAT,
	OP_CLOSE,
	OP_FILES_UPDATE,
	OP_STATX,
	OP_READ,
	OP_WRITE,
	OP_FADVISE,
	OP_MADVISE,
	OP_SEND,
	OP_RECV,
	OP_OPENAT2,
	OP_EPOLL_CTL,
	OP_SPLICE,
	OP_PROVIDE_BUFFERS,
	OP_REMOVE_BUFFERS,
	OP_TEE,
	OP_SHUTDOWN,
	OP_RENAMEAT,
	OP_UNLINKAT,
	OP_MKDIRAT,
	OP_SYMLINKAT,
	OP_LINKAT,
	OP_MSG_RING,
	OP_FSETXATTR,
	OP_SETXATTR,
	OP_FGETXATTR,
	OP_GETXATTR,
	OP_SOCKET,
	OP_URING_CMD,
	OP_SEND_ZC,
	OP_SENDMSG_ZC,
	OP_READ_MULTISHOT,
	OP_WAITID,
	OP_FUTEX_WAIT,
	OP_FUTEX_WAKE,
	OP_FUTEX_WAITV,
	OP_FIXED_FD_INSTALL,
	OP_FTRUNCATE,
	OP_BIND,
	OP_LISTEN,
	NR_OPS,
};

/* --- io_uring_setup(2) */
#define SETUP_IOPOLL	    BIT(0)
#define SETUP_SQPOLL	    BIT(1)
#define SETUP_SQ_AFF	    BIT(2)
#define SETUP_CQSIZE	    BIT(3)
#define SETUP_CLAMP	    BIT(4)
#define SETUP_ATTACH_WQ	    BIT(5)
#define SETUP_R_DISABLED    BIT(6)
#define SETUP_SUBMIT_ALL    BIT(7)
#define SETUP_COOP_TASKRUN  BIT(8)
#define SETUP_TASKRUN_FLAG  BIT(9)
#define SETUP_SQE128	    BIT(10)
#define SETUP_CQE32	    BIT(11)
#define SETUP_SINGLE_ISSUER BIT(12)
#define SETUP_DEFER_TASKRUN BIT(13)
#define SETUP_NO_SQARRAY    BIT(16)
/* Without NO_MMAP and REGISTERED_FD_ONLY. */
#define SETUP_KNOWN (0x3fffu | SETUP_NO_SQARRAY)

#define FEAT_SINGLE_MMAP     BIT(0)
#define FEAT_NODROP	     BIT(1)
#define FEAT_SUBMIT_STABLE   BIT(2)
#define FEAT_RW_CUR_POS	     BIT(3)
#define FEAT_CUR_PERSONALITY BIT(4)
#define FEAT_FAST_POLL	     BIT(5)
#define FEAT_POLL_32BITS     BIT(6)
#define FEAT_SQPOLL_NONFIXED BIT(7)
#define FEAT_EXT_ARG	     BIT(8)
#define FEAT_NATIVE_WORKERS  BIT(9)
#define FEAT_CQE_SKIP	     BIT(11)
#define FEAT_LINKED_FILE     BIT(12)
#define FEAT_REG_REG_RING    BIT(13)
#define FEAT_MIN_TIMEOUT     BIT(15)
#define FEATURES                                                   \
	(FEAT_SINGLE_MMAP | FEAT_NODROP | FEAT_SUBMIT_STABLE |     \
	 FEAT_RW_CUR_POS | FEAT_CUR_PERSONALITY | FEAT_FAST_POLL | \
	 FEAT_POLL_32BITS | FEAT_SQPOLL_NONFIXED | FEAT_EXT_ARG |  \
	 FEAT_NATIVE_WORKERS | FEAT_CQE_SKIP | FEAT_LINKED_FILE |  \
	 FEAT_REG_REG_RING | FEAT_MIN_TIMEOUT)

struct uring_sq_off {
	u32 head, tail, ring_mask, ring_entries, flags, dropped, array, resv;
	u64 user_addr;
};

struct uring_cq_off {
	u32 head, tail, ring_mask, ring_entries, overflow, cqes, flags, resv;
	u64 user_addr;
};

struct uring_params {
	u32 sq_entries, cq_entries, flags, sq_thread_cpu, sq_thread_idle,
		features, wq_fd, resv[3];
	struct uring_sq_off sq_off;
	struct uring_cq_off cq_off;
};
STATIC_ASSERT(sizeof(struct uring_params) == 120, "as in the ABI");

#define OFF_SQ_RING 0ull
#define OFF_CQ_RING 0x8000000ull
#define OFF_SQES    0x10000000ull

#define SQ_NEED_WAKEUP	    BIT(0)
#define SQ_CQ_OVERFLOW	    BIT(1)
#define CQ_EVENTFD_DISABLED BIT(0)

/* --- io_uring_enter(2) */
#define ENTER_GETEVENTS	      BIT(0)
#define ENTER_SQ_WAKEUP	      BIT(1)
#define ENTER_SQ_WAIT	      BIT(2)
#define ENTER_EXT_ARG	      BIT(3)
#define ENTER_REGISTERED_RING BIT(4)
#define ENTER_ABS_TIMER	      BIT(5)
#define ENTER_KNOWN	      0x3fu

struct uring_getevents_arg {
	u64 sigmask;
	u32 sigmask_sz;
	u32 min_wait_usec;
	u64 ts;
};

/* --- operations */
#define FSYNC_DATASYNC	      BIT(0)
#define POLL_ADD_MULTI	      BIT(0)
#define POLL_UPDATE_EVENTS    BIT(1)
#define POLL_UPDATE_USER_DATA BIT(2)
#define POLL_ADD_LEVEL	      BIT(3)
#define TIMEOUT_ABS	      BIT(0)
#define TIMEOUT_UPDATE	      BIT(1)
#define TIMEOUT_BOOTTIME      BIT(2)
#define TIMEOUT_REALTIME      BIT(3)
#define LINK_TIMEOUT_UPDATE   BIT(4)
#define TIMEOUT_ETIME_SUCCESS BIT(5)
#define TIMEOUT_MULTISHOT     BIT(6)
#define CANCEL_ALL	      BIT(0)
#define CANCEL_FD	      BIT(1)
#define CANCEL_ANY	      BIT(2)
#define CANCEL_FD_FIXED	      BIT(3)
#define CANCEL_USERDATA	      BIT(4)
#define CANCEL_OP	      BIT(5)
#define RECVSEND_POLL_FIRST   BIT(0)
#define RECV_MULTISHOT	      BIT(1)
#define RECVSEND_FIXED_BUF    BIT(2)
#define SEND_ZC_REPORT_USAGE  BIT(3)
#define ACCEPT_MULTISHOT      BIT(0)
#define ACCEPT_DONTWAIT	      BIT(1)
#define ACCEPT_POLL_FIRST     BIT(2)
#define FIXED_FD_NO_CLOEXEC   BIT(0)
#define FILE_INDEX_ALLOC      (~0u)
#define MSG_RING_CQE_SKIP     BIT(0)
#define MSG_RING_FLAGS_PASS   BIT(1)
enum {
	MSG_RING_DATA,
	MSG_RING_SEND_FD
};
#define SPLICE_FD_IN_FIXED BIT(31)

/* --- io_uring_register(2) */
enum uring_register {
	REG_BUFFERS,
	REG_BUFFERS_NONE,
	REG_FILES,
	REG_FILES_NONE,
	REG_EVENTFD,
	REG_EVENTFD_NONE,
	REG_FILES_UPDATE,
	REG_EVENTFD_ASYNC,
	REG_PROBE,
	REG_PERSONALITY,
	REG_PERSONALITY_NONE,
	REG_RESTRICTIONS,
	REG_ENABLE_RINGS,
	REG_FILES2,
	REG_FILES_UPDATE2,
	REG_BUFFERS2,
	REG_BUFFERS_UPDATE,
	REG_IOWQ_AFF,
	REG_IOWQ_AFF_NONE,
	REG_IOWQ_MAX_WORKERS,
	REG_RING_FDS,
	REG_RING_FDS_NONE,
	REG_PBUF_RING,
	REG_PBUF_RING_NONE,
	REG_SYNC_CANCEL,
	REG_FILE_ALLOC_RANGE,
	REG_PBUF_STATUS,
	NR_REGISTER,
};
#define REG_USE_REGISTERED_RING BIT(31)
#define RSRC_SPARSE		BIT(0)
#define FILES_SKIP		(-2)

struct uring_rsrc_register {
	u32 nr, flags;
	u64 resv, data, tags;
};

struct uring_rsrc_update {
	u32 offset, resv;
	u64 data;
};

struct uring_rsrc_update2 {
	u32 offset, resv;
	u64 data, tags;
	u32 nr, resv2;
};

struct uring_probe_op {
	u8 op, resv;
	u16 flags; /* PROBE_SUPPORTED */
	u32 resv2;
};
#define PROBE_SUPPORTED BIT(0)

struct uring_probe {
	u8 last_op, ops_len;
	u16 resv;
	u32 resv2[3];
};

struct uring_buf { /* of a ring of buffers; the first one's resv is the tail */
	u64 addr;
	u32 len;
	u16 bid, resv;
};

struct uring_buf_reg {
	u64 ring_addr;
	u32 ring_entries;
	u16 bgid, flags;
	u64 resv[3];
};

struct uring_buf_status {
	u32 group, head, resv[8];
};

struct uring_sync_cancel {
	u64 addr;
	s32 fd;
	u32 flags;
	s64 sec, nsec;
	u8 opcode, pad[7];
	u64 pad2[3];
};

struct uring_index_range {
	u32 off, len;
	u64 resv;
};

struct uring_restriction {
	u16 opcode; /* RESTRICT_* */
	u8 value;   /* a register or submission opcode, or flags */
	u8 resv;
	u32 resv2[3];
};
enum {
	RESTRICT_REGISTER_OP,
	RESTRICT_SQE_OP,
	RESTRICT_SQE_FLAGS_ALLOWED,
	RESTRICT_SQE_FLAGS_REQUIRED,
};

#endif /* SYSCALL_URING_ABI_H */
