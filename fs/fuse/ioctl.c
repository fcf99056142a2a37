/* SPDX-License-Identifier: MIT */
/*
 * fs/fuse/ioctl.c - ioctl(2) and poll(2) of the daemon's files.
 *
 * ioctl is the restricted kind: what goes in and out is what the number says, and
 * the daemon sees no memory of the caller's.
 *
 * poll() must not wait, but the daemon has to be asked: so the question goes out, the
 * answer wakes who polls, and is what the next look gets.  Before the first answer
 * nothing is ready.
 */
#include <fs/fuse/fuse.h>

#include <kernel/mm/kmalloc.h>
#include <kernel/mm/page.h>
#include <kernel/mm/user.h>
#include <lib/string.h>

#define DEFAULT_MASK (POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM)

/* Of the number of an ioctl. */
static u32 ioc_size(u32 cmd)
{
	return (cmd >> 16) & 0x3fff;
}
static bool ioc_in(u32 cmd)
{
	return cmd >> 30 & 1;
}
static bool ioc_out(u32 cmd)
{
	return cmd >> 31;
}

static s64 finish(const struct fuse_ioctl_out *o, s64 n, u32 out_size, u64 arg)
{
	u32 len = (u32)n - (u32)sizeof(*o);

	if ((size_t)n < sizeof(*o) || (o->flags & FUSE_IOCTL_RETRY) ||
	    len > out_size)
		return -EIO;
	if (len && copy_to_user(arg, o + 1, len))
		return -EFAULT;
	return o->result;
}

s64 fuse_ioctl(struct file *f, unsigned int cmd, u64 arg)
{
	struct fuse_file *ff = fuse_f(f);
	u32 size = ioc_size(cmd);
	struct fuse_ioctl_in in = {
		.fh = ff->fh,
		.flags = ff->dir ? FUSE_IOCTL_DIR : 0,
		.cmd = cmd,
		.arg = arg,
		.in_size = ioc_in(cmd) ? size : 0,
		.out_size = ioc_out(cmd) ? size : 0,
	};
	struct fuse_args a = { .op = FUSE_IOCTL,
			       .nodeid = ff->nodeid,
			       .nr = 2,
			       .in = { { &in, sizeof(in) } },
			       .short_ok = true };
	void *buf = NULL;
	s64 n = 0;

	if (!fuse_allowed(ff->fc))
		return -EACCES;
	if (load_once(&fuse_i(f->inode)->bad))
		return -EIO;
	if (in.in_size) {
		buf = kmalloc(in.in_size);
		n = buf ? copy_from_user(buf, arg, in.in_size) : -ENOMEM;
	}
	a.in[1] = (struct fuse_piece){ buf, in.in_size };
	a.out_size = (u32)sizeof(struct fuse_ioctl_out) + in.out_size;
	if (!n)
		n = fuse_call(ff->fc, &a);
	kfree(buf);
	if (n < 0)
		return n == -ENOSYS ? -ENOTTY : n;
	n = finish(a.reply, n, in.out_size, arg);
	kfree(a.reply);
	return n;
}

/* --- poll */

static void poll_answered(struct fuse_req *r)
{
	const struct fuse_poll_out *o = (const void *)r->out;
	struct fuse_file *ff = r->arg;
	struct fuse_conn *fc = r->fc;

	spin_lock(&fc->lock);
	ff->asked = false;
	ff->answered = !ff->told; /* else it may be of before */
	ff->told = false;
	ff->revents = r->error ? POLLERR : o->revents;
	if (r->error == -ENOSYS) {
		store_once(&fc->no_poll, true);
		ff->revents = DEFAULT_MASK;
	}
	spin_unlock(&fc->lock);
	wake_up_all(&ff->poll_wq);
	fuse_file_put(ff);
}

static void ask_poll(struct fuse_file *ff)
{
	struct fuse_poll_in *in;
	struct fuse_req *r =
		fuse_req_new(ff->fc, FUSE_POLL, ff->nodeid, sizeof(*in),
			     sizeof(struct fuse_poll_out));

	if (IS_ERR(r)) {
		spin_lock(&ff->fc->lock);
		ff->asked = false;
		spin_unlock(&ff->fc->lock);
		return;
	}
	in = req_args(r);
	*in = (struct fuse_poll_in){ .fh = ff->fh,
				     .kh = ff->kh,
				     .flags = FUSE_POLL_SCHEDULE_NOTIFY,
				     .events = DEFAULT_MASK | POLLPRI };
	r->end = poll_answered;
	r->arg = ff;
	atomic_inc(&ff->refs);
	fuse_req_send(r);
}

u32 fuse_poll(struct file *f, struct poll_table *pt)
{
	struct fuse_file *ff = fuse_f(f);
	struct fuse_conn *fc = ff->fc;
	u32 bits = 0;
	bool ask;

	if (load_once(&fc->no_poll))
		return DEFAULT_MASK;
	if (!load_once(&fc->connected))
		return POLLERR;
	poll_wait(pt, f, &ff->poll_wq);
	spin_lock(&fc->lock);
	if (!list_is_linked(&ff->polled))
		list_add_tail(&ff->polled, &fc->polled);
	ask = !ff->answered && !ff->asked;
	if (ff->answered)
		bits = ff->revents;
	/* that nothing is ready holds until the daemon tells; else once */
	ff->answered = ff->answered && !bits;
	ff->asked |= ask;
	spin_unlock(&fc->lock);
	if (ask)
		ask_poll(ff);
	return bits;
}
