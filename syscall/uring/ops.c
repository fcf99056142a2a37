/* SPDX-License-Identifier: MIT */
/* syscall/uring/ops.c - the table of operations. */
#include <syscall/uring/ops.h>

#define CALL_OP(f)                                         \
	{                                                  \
		uring_call_prep, uring_call_run, NULL, (f) \
	}
#define RW_OP(f)                                              \
	{                                                     \
		uring_rw_prep, uring_rw_run, uring_rw_drop,   \
			OPF_FILE | OPF_PRIO | OPF_QUICK | (f) \
	}
#define MSG_OP(p, r, f)                                                     \
	{                                                                   \
		p, r, uring_msg_drop, OPF_FILE | OPF_PRIO | OPF_QUICK | (f) \
	}

const struct uring_op uring_ops[NR_OPS] = {
	[OP_NOP] = { NULL, uring_nop_run, NULL, OPF_QUICK },
	[OP_READV] = RW_OP(OPF_POLL_IN | OPF_BUFFER | OPF_SHORT_BAD),
	[OP_WRITEV] = RW_OP(OPF_POLL_OUT | OPF_SHORT_BAD),
	[OP_FSYNC] = { NULL, uring_fsync_run, NULL, OPF_FILE | OPF_PUNT },
	[OP_READ_FIXED] = RW_OP(OPF_POLL_IN | OPF_SHORT_BAD),
	[OP_WRITE_FIXED] = RW_OP(OPF_POLL_OUT | OPF_SHORT_BAD),
	[OP_POLL_ADD] = { uring_poll_prep, uring_poll_run, NULL, OPF_FILE },
	[OP_POLL_REMOVE] = { uring_poll_remove_prep, uring_poll_remove_run,
			     NULL, 0 },
	[OP_SYNC_FILE_RANGE] = CALL_OP(OPF_FILE | OPF_PUNT),
	[OP_SENDMSG] = MSG_OP(uring_msg_prep, uring_send_run, OPF_POLL_OUT),
	[OP_RECVMSG] = MSG_OP(uring_msg_prep, uring_recv_run,
			      OPF_POLL_IN | OPF_BUFFER),
	[OP_TIMEOUT] = { uring_timeout_prep, uring_timeout_run, NULL, 0 },
	[OP_TIMEOUT_REMOVE] = { uring_timeout_remove_prep,
				uring_timeout_remove_run, NULL, 0 },
	[OP_ACCEPT] = { uring_accept_prep, uring_accept_run, NULL,
			OPF_FILE | OPF_PRIO | OPF_POLL_IN },
	[OP_ASYNC_CANCEL] = { uring_cancel_prep, uring_cancel_run, NULL, 0 },
	[OP_LINK_TIMEOUT] = { uring_timeout_prep, uring_timeout_run, NULL, 0 },
	[OP_CONNECT] = { uring_connect_prep, uring_connect_run, NULL,
			 OPF_FILE },
	[OP_FALLOCATE] = CALL_OP(OPF_FILE | OPF_PUNT),
	[OP_OPENAT] = CALL_OP(0),
	[OP_CLOSE] = { NULL, uring_close_run, NULL, 0 },
	[OP_FILES_UPDATE] = { NULL, uring_files_update_run, NULL, 0 },
	[OP_STATX] = CALL_OP(0),
	[OP_READ] = RW_OP(OPF_POLL_IN | OPF_BUFFER | OPF_SHORT_BAD),
	[OP_WRITE] = RW_OP(OPF_POLL_OUT | OPF_SHORT_BAD),
	[OP_FADVISE] = CALL_OP(OPF_FILE | OPF_PUNT),
	[OP_MADVISE] = CALL_OP(OPF_PUNT),
	[OP_SEND] = MSG_OP(uring_send_prep, uring_send_run, OPF_POLL_OUT),
	[OP_RECV] = MSG_OP(uring_recv_prep, uring_recv_run,
			   OPF_POLL_IN | OPF_BUFFER),
	[OP_OPENAT2] = CALL_OP(0),
	[OP_EPOLL_CTL] = CALL_OP(0),
	[OP_SPLICE] = { NULL, uring_splice_run, NULL, OPF_FILE | OPF_PUNT },
	[OP_PROVIDE_BUFFERS] = { uring_provide_prep, uring_provide_run, NULL,
				 0 },
	[OP_REMOVE_BUFFERS] = { uring_remove_prep, uring_remove_run, NULL, 0 },
	[OP_TEE] = { uring_tee_prep, uring_tee_run, NULL, OPF_FILE | OPF_PUNT },
	[OP_SHUTDOWN] = CALL_OP(OPF_FILE),
	[OP_RENAMEAT] = CALL_OP(0),
	[OP_UNLINKAT] = CALL_OP(0),
	[OP_MKDIRAT] = CALL_OP(0),
	[OP_SYMLINKAT] = CALL_OP(0),
	[OP_LINKAT] = CALL_OP(0),
	[OP_MSG_RING] = { NULL, uring_msg_ring_run, NULL, OPF_FILE },
	[OP_FSETXATTR] = CALL_OP(OPF_FILE),
	[OP_SETXATTR] = CALL_OP(0),
	[OP_FGETXATTR] = CALL_OP(OPF_FILE),
	[OP_GETXATTR] = CALL_OP(0),
	[OP_SOCKET] = CALL_OP(0),
	[OP_URING_CMD] = { NULL, uring_cmd_run, NULL, OPF_FILE },
	[OP_SEND_ZC] = MSG_OP(uring_send_prep, uring_send_run, OPF_POLL_OUT),
	[OP_SENDMSG_ZC] = MSG_OP(uring_msg_prep, uring_send_run, OPF_POLL_OUT),
	[OP_READ_MULTISHOT] = { uring_rw_prep, uring_read_multishot_run,
				uring_rw_drop,
				OPF_FILE | OPF_POLL_IN | OPF_BUFFER },
	[OP_WAITID] = CALL_OP(OPF_PUNT | OPF_LEAVES_1),
	[OP_FUTEX_WAIT] = { uring_futex_prep, uring_futex_run, NULL,
			    OPF_PUNT | OPF_LEAVES_1 },
	[OP_FUTEX_WAKE] = { uring_futex_prep, uring_futex_run, NULL, 0 },
	[OP_FUTEX_WAITV] = { NULL, uring_futex_waitv_run, NULL,
			     OPF_PUNT | OPF_LEAVES_1 },
	[OP_FIXED_FD_INSTALL] = { NULL, uring_fd_install_run, NULL, OPF_FILE },
	[OP_FTRUNCATE] = CALL_OP(OPF_FILE | OPF_PUNT),
	[OP_BIND] = CALL_OP(OPF_FILE),
	[OP_LISTEN] = CALL_OP(OPF_FILE),
};
