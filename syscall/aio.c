/* SPDX-License-Identifier: MIT */
/*
 * syscall/aio.c - io_setup(2), io_submit(2), io_getevents(2) and their family.
 *
 * Not here: contexts and events (fs/aio.c).
 */
#include <syscall/rw.h>
#include <syscall/syscall.h>
#include <syscall/timeout.h>
#include <syscall/uiov.h>

#include <fs/aio.h>
#include <fs/event.h>
#include <fs/notify.h>
#include <fs/vfs.h>
#include <kernel/dev/blk.h>
#include <kernel/mm/user.h>

SYSCALL2(0, io_setup, u32, nr, uaddr_t, uctx)
{
	u64 old;
	uaddr_t id;
	int err;

	if (get_user_u64(&old, uctx))
		return -EFAULT;
	if (old || !nr)
		return -EINVAL;
	err = aio_setup(nr, &id);
	if (err)
		return err;
	if (put_user_u64(id, uctx)) {
		(void)aio_destroy(id);
		return -EFAULT;
	}
	return 0;
}

SYSCALL1(1, io_destroy, uaddr_t, id)
{
	return aio_destroy(id);
}

/* ---- submission */

static bool is_write(const struct iocb *cb)
{
	return cb->opcode == IOCB_CMD_PWRITE || cb->opcode == IOCB_CMD_PWRITEV;
}

/* 0, or -errno of io_submit() itself: the request makes no sense. */
static int check(const struct iocb *cb, const struct file *f)
{
	switch (cb->opcode) {
	case IOCB_CMD_PREAD:
	case IOCB_CMD_PREADV:
		if (!f->can_read)
			return -EBADF;
		break;
	case IOCB_CMD_PWRITE:
	case IOCB_CMD_PWRITEV:
		if (!f->can_write)
			return -EBADF;
		break;
	case IOCB_CMD_FSYNC:
	case IOCB_CMD_FDSYNC:
		return cb->buf || cb->offset || cb->nbytes || cb->rw_flags
			       ? -EINVAL
		       : f->ops->fsync ? 0
				       : -EINVAL;
	case IOCB_CMD_POLL:
		return cb->buf > 0xffff || cb->offset || cb->nbytes ||
				       cb->rw_flags
			       ? -EINVAL
			       : 0;
	default:
		return -EINVAL;
	}
	if (cb->rw_flags & ~(u32)RWF_KNOWN)
		return -EOPNOTSUPP;
	return cb->offset < 0 ? -EINVAL : 0;
}

/* Bytes, -errno for the event, or -EIOCBQUEUED. */
static s64 transfer(struct file *f, struct iov_iter *it, const struct iocb *cb,
		    struct aio_kiocb *k)
{
	u64 pos = (u64)cb->offset;
	s64 n = -ENOTBLK;

	if ((f->flags & O_DIRECT) && f->ops->direct && !(f->flags & O_APPEND) &&
	    !(cb->rw_flags & ~(u32)(RWF_HIPRI | RWF_NOWAIT))) {
		n = notify_direct(f, is_write(cb));
		if (unlikely(n))
			return n;
		n = f->ops->direct(f, it, pos, is_write(cb), aio_req_of(k));
	}
	if (n != -ENOTBLK)
		return n;
	if (cb->rw_flags & ~(u32)RWF_HIPRI)
		return rw_transfer(f, it, cb->offset, (int)cb->rw_flags,
				   is_write(cb));
	return is_write(cb) ? vfs_write(f, it, &pos) : vfs_read(f, it, &pos);
}

/* The memory of a request. */
struct memory {
	struct iovec_user one;
	struct uiov u;
	struct iov_iter it;
	bool many; /* @u is to be put */
};

/* 0, or -errno of io_submit() itself. */
static int get_memory(struct memory *m, const struct iocb *cb)
{
	int err = 0;

	m->many =
		cb->opcode == IOCB_CMD_PREADV || cb->opcode == IOCB_CMD_PWRITEV;
	if (cb->opcode == IOCB_CMD_POLL)
		return 0;
	m->one = (struct iovec_user){ .base = cb->buf, .len = cb->nbytes };
	if (m->many)
		err = uiov_get(&m->u, cb->buf, cb->nbytes, &m->it);
	else if ((s64)cb->nbytes < 0)
		err = -EINVAL;
	else if (!user_range_ok(cb->buf, cb->nbytes))
		err = -EFAULT;
	else
		iov_iter_user(&m->it, &m->one, 1, cb->nbytes);
	m->many = m->many && !err;
	return err;
}

static void put_memory(struct memory *m)
{
	if (m->many)
		uiov_put(&m->u);
}

static s64 run(struct file *f, struct memory *m, const struct iocb *cb,
	       struct aio_kiocb *k)
{
	if (cb->opcode == IOCB_CMD_FSYNC || cb->opcode == IOCB_CMD_FDSYNC)
		return vfs_fsync(f, cb->opcode == IOCB_CMD_FDSYNC);
	return transfer(f, &m->it, cb, k);
}

/* The eventfd that shall be told, referenced, or NULL; ERR_PTR. */
static struct file *result_fd(const struct iocb *cb)
{
	struct file *f;

	if (!(cb->flags & IOCB_FLAG_RESFD))
		return NULL;
	f = fd_get((int)cb->resfd);
	if (!f)
		return ERR_PTR(-EBADF);
	if (is_eventfd(f))
		return f;
	file_put(f);
	return ERR_PTR(-EINVAL);
}

static int start(struct aio_ctx *c, struct file *f, uaddr_t ucb,
		 const struct iocb *cb)
{
	struct file *eventfd;
	struct aio_kiocb *k;
	struct memory m;
	s64 n;
	int err = check(cb, f);

	if (err)
		return err;
	eventfd = result_fd(cb);
	if (IS_ERR(eventfd))
		return (int)PTR_ERR(eventfd);
	err = get_memory(&m, cb);
	k = err ? NULL : aio_begin(c, ucb, cb->data);
	if (!k) {
		if (!err)
			put_memory(&m);
		if (eventfd)
			file_put(eventfd);
		return err ? err : -EAGAIN;
	}
	aio_hold(k, file_get(f), eventfd);
	if (cb->opcode == IOCB_CMD_POLL) {
		err = aio_poll(k, c, ucb, f, (u32)cb->buf);
		if (err)
			aio_abandon(k);
		return err;
	}
	n = run(f, &m, cb, k);
	put_memory(&m);
	if (n != -EIOCBQUEUED)
		aio_complete(k, n == -ERESTARTSYS ? -EINTR : n);
	return 0;
}

static int submit_one(struct aio_ctx *c, uaddr_t ucb)
{
	struct iocb cb;
	struct fdref r;
	int err;

	if (copy_from_user(&cb, ucb, sizeof(cb)))
		return -EFAULT;
	if (cb.reserved2)
		return -EINVAL;
	/* io_cancel() recognises a submitted one by it */
	if (put_user_u32(0, ucb + offsetof(struct iocb, key)))
		return -EFAULT;
	r = fd_ref((int)cb.fd);
	if (!r.f)
		return -EBADF;
	err = start(c, r.f, ucb, &cb);
	fd_unref(r);
	return err;
}

SYSCALL3(2, io_submit, uaddr_t, id, s64, nr, uaddr_t, uiocbs)
{
	struct aio_ctx *c;
	s64 done = 0;
	int err = 0;

	if (nr < 0)
		return -EINVAL;
	c = aio_get(id);
	if (!c)
		return -EINVAL;
	blk_plug(); /* one doorbell for all */
	for (; done < nr && !err; done++) {
		u64 ucb;

		err = get_user_u64(&ucb, uiocbs + (u64)done * sizeof(ucb));
		if (!err)
			err = submit_one(c, ucb);
		if (err)
			break;
		cond_resched_lazy();
	}
	blk_unplug();
	aio_put(c);
	return done ? done : err;
}

/* Only who waits for a file can be called back; the event says so. */
SYSCALL3(3, io_cancel, uaddr_t, id, uaddr_t, ucb, uaddr_t, uresult)
{
	struct aio_ctx *c;
	int err = -EINVAL;
	u32 key;

	(void)uresult;
	if (get_user_u32(&key, ucb + offsetof(struct iocb, key)))
		return -EFAULT;
	c = key ? NULL : aio_get(id);
	if (!c)
		return -EINVAL;
	if (aio_poll_cancel(c, ucb))
		err = -EINPROGRESS;
	aio_put(c);
	return err;
}

/* ---- events */

static s64 getevents(uaddr_t id, s64 min, s64 nr, uaddr_t uevents,
		     uaddr_t utimeout)
{
	struct aio_ctx *c;
	u64 deadline;
	s64 n;
	int err = timeout_read(utimeout, &deadline);

	if (err)
		return err;
	c = aio_get(id);
	if (!c)
		return -EINVAL;
	n = -EINVAL;
	if (min >= 0 && min <= nr)
		n = aio_getevents(c, (u64)min, (u64)nr, uevents, deadline);
	aio_put(c);
	return n;
}

SYSCALL5(4, io_getevents, uaddr_t, id, s64, min, s64, nr, uaddr_t, uevents,
	 uaddr_t, utimeout)
{
	return getevents(id, min, nr, uevents, utimeout);
}

SYSCALL6(292, io_pgetevents, uaddr_t, id, s64, min, s64, nr, uaddr_t, uevents,
	 uaddr_t, utimeout, uaddr_t, usig)
{
	u64 mask = 0, size = 0;
	s64 n;
	int err;

	if (usig && (get_user_u64(&mask, usig) ||
		     get_user_u64(&size, usig + sizeof(mask))))
		return -EFAULT;
	err = sigmask_enter(mask, size);
	if (err)
		return err;
	n = getevents(id, min, nr, uevents, utimeout);
	sigmask_leave(n);
	return n;
}
