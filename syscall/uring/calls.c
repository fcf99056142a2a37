/* SPDX-License-Identifier: MIT */
/*
 * syscall/uring/calls.c - operations that are system calls under another name: the
 * handler of the call is executed with arguments out of the submission.
 *
 * Those that take a path are executed when they are submitted, also if that means to
 * wait for the disk, because the program may change the path afterwards.
 */
#include <syscall/rw.h>
#include <syscall/uring/ops.h>

#include <fs/vfs.h>

/* Where the arguments of a call come from. */
enum source {
	S_NONE,
	S_FILE, /* the file: FD_GIVEN */
	S_FD,	/* sqe.fd, a number */
	S_OFF,
	S_ADDR,
	S_ADDR3,
	S_LEN,
	S_FLAGS,
	S_INDEX,
	S_ADDR_OR_LEN, /* of fadvise: addr, or len if that is 0 */
	S_OFF_OR_LEN,
};

struct call {
	u16 nr; /* of the system call; 0: none */
	u8 arg[6];
	u8 zero; /* members that must be 0: Z_* */
};
#define Z_OFF	BIT(0)
#define Z_ADDR	BIT(1)
#define Z_LEN	BIT(2)
#define Z_FLAGS BIT(3)
#define Z_BUF	BIT(4)
#define Z_INDEX BIT(5)
#define Z_PRIO	BIT(6)

static const struct call calls[NR_OPS] = {
	[OP_SYNC_FILE_RANGE] = { 84,
				 { S_FILE, S_OFF, S_LEN, S_FLAGS },
				 Z_ADDR | Z_BUF | Z_INDEX },
	[OP_FALLOCATE] = { 47,
			   { S_FILE, S_LEN, S_OFF, S_ADDR },
			   Z_BUF | Z_FLAGS | Z_INDEX },
	[OP_OPENAT] = { 56, { S_FD, S_ADDR, S_FLAGS, S_LEN }, Z_BUF },
	[OP_OPENAT2] = { 437, { S_FD, S_ADDR, S_OFF, S_LEN }, Z_BUF },
	[OP_STATX] = { 291,
		       { S_FD, S_ADDR, S_FLAGS, S_LEN, S_OFF },
		       Z_BUF | Z_INDEX },
	[OP_FADVISE] = { 223,
			 { S_FILE, S_OFF, S_ADDR_OR_LEN, S_FLAGS },
			 Z_BUF | Z_INDEX },
	[OP_MADVISE] = { 233,
			 { S_ADDR, S_OFF_OR_LEN, S_FLAGS },
			 Z_BUF | Z_INDEX },
	[OP_EPOLL_CTL] = { 21,
			   { S_FD, S_LEN, S_OFF, S_ADDR },
			   Z_BUF | Z_INDEX },
	[OP_SHUTDOWN] = { 210,
			  { S_FILE, S_LEN },
			  Z_OFF | Z_ADDR | Z_FLAGS | Z_BUF | Z_INDEX },
	[OP_RENAMEAT] = { 276,
			  { S_FD, S_ADDR, S_LEN, S_OFF, S_FLAGS },
			  Z_BUF | Z_INDEX },
	[OP_UNLINKAT] = { 35,
			  { S_FD, S_ADDR, S_FLAGS },
			  Z_OFF | Z_LEN | Z_BUF | Z_INDEX },
	[OP_MKDIRAT] = { 34,
			 { S_FD, S_ADDR, S_LEN },
			 Z_OFF | Z_FLAGS | Z_BUF | Z_INDEX },
	[OP_SYMLINKAT] = { 36,
			   { S_ADDR, S_FD, S_OFF },
			   Z_LEN | Z_FLAGS | Z_BUF | Z_INDEX },
	[OP_LINKAT] = { 37,
			{ S_FD, S_ADDR, S_LEN, S_OFF, S_FLAGS },
			Z_BUF | Z_INDEX },
	[OP_FSETXATTR] = { 7,
			   { S_FILE, S_ADDR, S_OFF, S_LEN, S_FLAGS },
			   Z_BUF | Z_INDEX },
	[OP_SETXATTR] = { 5,
			  { S_ADDR3, S_ADDR, S_OFF, S_LEN, S_FLAGS },
			  Z_BUF | Z_INDEX },
	[OP_FGETXATTR] = { 10,
			   { S_FILE, S_ADDR, S_OFF, S_LEN },
			   Z_BUF | Z_INDEX | Z_FLAGS },
	[OP_GETXATTR] = { 8,
			  { S_ADDR3, S_ADDR, S_OFF, S_LEN },
			  Z_BUF | Z_INDEX | Z_FLAGS },
	[OP_SOCKET] = { 198, { S_FD, S_OFF, S_LEN }, Z_ADDR | Z_FLAGS | Z_BUF },
	[OP_WAITID] = { 95,
			{ S_LEN, S_FD, S_OFF, S_INDEX },
			Z_ADDR | Z_BUF | Z_FLAGS },
	[OP_FTRUNCATE] = { 46,
			   { S_FILE, S_OFF },
			   Z_ADDR | Z_LEN | Z_FLAGS | Z_BUF | Z_INDEX },
	[OP_BIND] = { 200,
		      { S_FILE, S_ADDR, S_OFF },
		      Z_LEN | Z_FLAGS | Z_BUF | Z_INDEX },
	[OP_LISTEN] = { 201,
			{ S_FILE, S_LEN },
			Z_OFF | Z_ADDR | Z_FLAGS | Z_BUF | Z_INDEX },
};

static u64 value(const struct uring_sqe *s, u8 source)
{
	switch (source) {
	case S_FILE:
		return (u64)FD_GIVEN;
	case S_FD:
		return (u64)s->fd;
	case S_OFF:
		return s->off;
	case S_ADDR:
		return s->addr;
	case S_ADDR3:
		return s->addr3;
	case S_LEN:
		return s->len;
	case S_FLAGS:
		return s->op_flags;
	case S_INDEX:
		return s->file_index;
	case S_ADDR_OR_LEN:
		return s->addr ? s->addr : s->len;
	case S_OFF_OR_LEN:
		return s->off ? s->off : s->len;
	default:
		return 0;
	}
}

int uring_call_prep(struct uring_req *q)
{
	const struct uring_sqe *s = &q->sqe;
	u8 z = calls[s->opcode].zero;

	if (((z & Z_OFF) && s->off) || ((z & Z_ADDR) && s->addr) ||
	    ((z & Z_LEN) && s->len) || ((z & Z_FLAGS) && s->op_flags) ||
	    ((z & Z_BUF) && s->buf_index) || ((z & Z_INDEX) && s->file_index))
		return -EINVAL;
	/* A path is relative to a descriptor, not to a slot. */
	if ((s->flags & SQE_FIXED_FILE) && !(q->op->flags & OPF_FILE))
		return -EBADF;
	return 0;
}

/* File operations for which a slot may be wanted instead of a descriptor. */
static bool makes_fd(const struct uring_req *q)
{
	u8 op = q->sqe.opcode;

	return op == OP_OPENAT || op == OP_OPENAT2 || op == OP_SOCKET;
}

s64 uring_call_run(struct uring_req *q, bool wait __unused)
{
	const struct call *c = &calls[q->sqe.opcode];
	u64 a[6];
	s64 n;

	for (u32 i = 0; i < ARRAY_SIZE(a); i++)
		a[i] = value(&q->sqe, c->arg[i]);
	n = syscall_handler(c->nr)(a);
	if (n >= 0 && makes_fd(q))
		n = uring_install(q->ring, n, q->sqe.file_index);
	return n;
}

/* ---- those that have a way of their own */

s64 uring_nop_run(struct uring_req *q, bool wait __unused)
{
	/* IORING_NOP_INJECT_RESULT */
	if (q->sqe.op_flags & ~1u)
		return -EINVAL;
	return q->sqe.op_flags ? (s32)q->sqe.len : 0;
}

s64 uring_fsync_run(struct uring_req *q, bool wait __unused)
{
	if (q->sqe.addr || q->sqe.buf_index || q->sqe.file_index ||
	    (q->sqe.op_flags & ~(u32)FSYNC_DATASYNC))
		return -EINVAL;
	return vfs_fsync(q->file, q->sqe.op_flags & FSYNC_DATASYNC);
}

s64 uring_close_run(struct uring_req *q, bool wait __unused)
{
	const struct uring_sqe *s = &q->sqe;
	struct fdref f;
	bool ring;

	if (s->off || s->addr || s->len || s->op_flags || s->buf_index)
		return -EINVAL;
	if (s->flags & SQE_FIXED_FILE)
		return -EBADF;
	if (s->file_index)
		return s->fd ? -EINVAL
			     : uring_slot_close(q->ring, s->file_index - 1);
	f = fd_ref_path(s->fd);
	if (!f.f)
		return -EBADF;
	ring = uring_of(f.f) != NULL;
	fd_unref(f);
	return ring ? -EBADF : fd_close(s->fd);
}

/* Another ring gets an event, or a file for a slot. */
static s64 send_file(struct uring_req *q, struct uring *to)
{
	const struct uring_sqe *s = &q->sqe;
	struct file *f;
	s64 n;

	if (to == q->ring)
		return -EINVAL;
	f = uring_fixed_file(q->ring, (u32)s->addr3);
	if (!f)
		return -EBADF;
	n = uring_slot_put(to, f, s->file_index);
	if (n < 0)
		return n;
	if (!(s->op_flags & MSG_RING_CQE_SKIP))
		uring_post(to, s->off, (s32)n, 0);
	return 0;
}

s64 uring_msg_ring_run(struct uring_req *q, bool wait __unused)
{
	const struct uring_sqe *s = &q->sqe;
	struct uring *to = uring_of(q->file);

	if (!to)
		return -EBADFD;
	if (load_once(&to->disabled))
		return -EBADFD;
	if (s->buf_index || s->personality ||
	    (s->op_flags & ~(u32)(MSG_RING_CQE_SKIP | MSG_RING_FLAGS_PASS)))
		return -EINVAL;
	if (s->addr == MSG_RING_SEND_FD)
		return send_file(q, to);
	if (s->addr != MSG_RING_DATA || s->addr3)
		return -EINVAL;
	if (!(s->op_flags & MSG_RING_FLAGS_PASS) && s->file_index)
		return -EINVAL;
	uring_post(to, s->off, (s32)s->len, s->file_index);
	return 0;
}

s64 uring_files_update_run(struct uring_req *q, bool wait __unused)
{
	const struct uring_sqe *s = &q->sqe;

	if (s->op_flags || s->file_index || !s->len)
		return -EINVAL;
	if ((u32)s->off == FILE_INDEX_ALLOC)
		return uring_files_add(q->ring, s->addr, s->len);
	return uring_files_update(q->ring, (u32)s->off, s->addr, s->len);
}

s64 uring_fd_install_run(struct uring_req *q, bool wait __unused)
{
	const struct uring_sqe *s = &q->sqe;

	if (!(s->flags & SQE_FIXED_FILE))
		return -EBADF;
	if (s->personality) /* they are the table's of whoever submitted it */
		return -EPERM;
	if (s->off || s->addr || s->len || s->buf_index || s->file_index ||
	    s->addr3 || (s->op_flags & ~(u32)FIXED_FD_NO_CLOEXEC))
		return -EINVAL;
	return fd_open(file_get(q->file),
		       s->op_flags & FIXED_FD_NO_CLOEXEC ? 0 : O_CLOEXEC);
}

/* ---- futexes: a worker waits in each */

#define FUTEX2_SIZE_U32	   2u
#define FUTEX2_PRIVATE	   128u
#define FUTEX_WAIT_BITSET  9u
#define FUTEX_WAKE_BITSET  10u
#define FUTEX_PRIVATE_FLAG 128u
#define SYS_FUTEX	   98
#define SYS_FUTEX_WAITV	   449

int uring_futex_prep(struct uring_req *q)
{
	const struct uring_sqe *s = &q->sqe;

	if (s->len || s->op_flags || s->buf_index || s->file_index)
		return -EINVAL;
	if (((u32)s->fd & ~FUTEX2_PRIVATE) != FUTEX2_SIZE_U32)
		return -EINVAL;
	return s->off >> 32 || s->addr3 >> 32 || !s->addr3 ? -EINVAL : 0;
}

s64 uring_futex_run(struct uring_req *q, bool wait __unused)
{
	const struct uring_sqe *s = &q->sqe;
	u32 op = s->opcode == OP_FUTEX_WAIT ? FUTEX_WAIT_BITSET
					    : FUTEX_WAKE_BITSET;
	u64 a[6] = { s->addr, op | ((u32)s->fd & FUTEX_PRIVATE_FLAG),
		     s->off,  0,
		     0,	      s->addr3 };

	if (s->opcode == OP_FUTEX_WAKE && !s->off)
		return 0; /* futex(2) would wake one */
	return syscall_handler(SYS_FUTEX)(a);
}

s64 uring_futex_waitv_run(struct uring_req *q, bool wait __unused)
{
	const struct uring_sqe *s = &q->sqe;
	u64 a[6] = { s->addr, s->len };

	if (s->fd || s->buf_index || s->file_index || s->off || s->op_flags ||
	    s->addr3)
		return -EINVAL;
	return syscall_handler(SYS_FUTEX_WAITV)(a);
}

/* ---- splice, tee */

static struct file *source_of(struct uring_req *q)
{
	const struct uring_sqe *s = &q->sqe;

	if (s->op_flags & SPLICE_FD_IN_FIXED)
		return uring_fixed_file(q->ring, s->file_index);
	return fd_get((int)s->file_index);
}

s64 uring_splice_run(struct uring_req *q, bool wait __unused)
{
	const struct uring_sqe *s = &q->sqe;
	u32 flags = s->op_flags & ~(u32)SPLICE_FD_IN_FIXED;
	struct file *in = source_of(q);
	s64 n;

	if (!in)
		return -EBADF;
	n = splice_files(in, (s64)s->addr, q->file, (s64)s->off, s->len, flags);
	file_put(in);
	return n;
}

int uring_tee_prep(struct uring_req *q)
{
	return q->sqe.addr || q->sqe.off ? -EINVAL : 0;
}

s64 uring_tee_run(struct uring_req *q, bool wait __unused)
{
	u32 flags = q->sqe.op_flags & ~(u32)SPLICE_FD_IN_FIXED;
	struct file *in = source_of(q);
	s64 n;

	if (!in)
		return -EBADF;
	n = tee_files(in, q->file, q->sqe.len, flags);
	file_put(in);
	return n;
}
