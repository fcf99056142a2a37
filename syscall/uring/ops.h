/* SPDX-License-Identifier: MIT */
/*
 * syscall/uring/ops.h - what is in the table of operations (ops.c): see struct
 * uring_op.
 */
#ifndef SYSCALL_URING_OPS_H
#define SYSCALL_URING_OPS_H

#include <syscall/uring/uring.h>

/* rw.c */
int uring_rw_prep(struct uring_req *q);
s64 uring_rw_run(struct uring_req *q, bool wait);
s64 uring_read_multishot_run(struct uring_req *q, bool wait);
void uring_rw_drop(struct uring_req *q);

/* net.c */
int uring_send_prep(struct uring_req *q);
int uring_recv_prep(struct uring_req *q);
int uring_msg_prep(struct uring_req *q);
s64 uring_send_run(struct uring_req *q, bool wait);
s64 uring_recv_run(struct uring_req *q, bool wait);
void uring_msg_drop(struct uring_req *q);
int uring_accept_prep(struct uring_req *q);
s64 uring_accept_run(struct uring_req *q, bool wait);
int uring_connect_prep(struct uring_req *q);
s64 uring_connect_run(struct uring_req *q, bool wait);
s64 uring_cmd_run(struct uring_req *q, bool wait);

/* poll.c */
int uring_poll_prep(struct uring_req *q);
s64 uring_poll_run(struct uring_req *q, bool wait);
int uring_poll_remove_prep(struct uring_req *q);
s64 uring_poll_remove_run(struct uring_req *q, bool wait);

/* time.c */
int uring_timeout_prep(struct uring_req *q);
s64 uring_timeout_run(struct uring_req *q, bool wait);
int uring_timeout_remove_prep(struct uring_req *q);
s64 uring_timeout_remove_run(struct uring_req *q, bool wait);

/* cancel.c */
int uring_cancel_prep(struct uring_req *q);
s64 uring_cancel_run(struct uring_req *q, bool wait);
s64 uring_sync_cancel(struct uring *r, u64 arg); /* REG_SYNC_CANCEL */

/* bufs.c */
int uring_provide_prep(struct uring_req *q);
s64 uring_provide_run(struct uring_req *q, bool wait);
int uring_remove_prep(struct uring_req *q);
s64 uring_remove_run(struct uring_req *q, bool wait);

/* calls.c: system calls under other names */
int uring_call_prep(struct uring_req *q);
s64 uring_call_run(struct uring_req *q, bool wait);
s64 uring_close_run(struct uring_req *q, bool wait);
int uring_tee_prep(struct uring_req *q);
s64 uring_tee_run(struct uring_req *q, bool wait);
s64 uring_splice_run(struct uring_req *q, bool wait);
s64 uring_msg_ring_run(struct uring_req *q, bool wait);
s64 uring_files_update_run(struct uring_req *q, bool wait);
s64 uring_fd_install_run(struct uring_req *q, bool wait);
s64 uring_fsync_run(struct uring_req *q, bool wait);
int uring_futex_prep(struct uring_req *q);
s64 uring_futex_run(struct uring_req *q, bool wait);
s64 uring_futex_waitv_run(struct uring_req *q, bool wait);
s64 uring_nop_run(struct uring_req *q, bool wait);

#endif /* SYSCALL_URING_OPS_H */
