/* SPDX-License-Identifier: MIT */
/*
 * fs/fuse/lock.c - locks that the daemon keeps, if it said that it does.  Else they
 * are the VFS's (fs/locks.c), between those who use this mount.
 */
#include <fs/fuse/fuse.h>

#include <fs/locks.h>
#include <kernel/ns/pid.h>
#include <kernel/task/process.h>

static u32 pid_there(const struct fuse_conn *fc)
{
	return (u32)pid_nr_in(fc->pid_ns, current->proc->pid);
}

static void fill(struct fuse_lk_in *in, const struct fuse_file *ff,
		 const void *owner, const struct flock_range *r)
{
	*in = (struct fuse_lk_in){
		.fh = ff->fh,
		.owner = fuse_lock_owner(owner),
		.lk = { .start = r->start,
			.end = r->end,
			.type = (u32)r->type,
			.pid = r->type == F_UNLCK ? 0 : pid_there(ff->fc) },
	};
}

static int ask(struct fuse_file *ff, u32 op, struct fuse_lk_in *in,
	       struct fuse_lk_out *out, bool *none)
{
	struct fuse_args a = { .op = op,
			       .nodeid = ff->nodeid,
			       .nr = 1,
			       .in = { { in, sizeof(*in) } },
			       .out = out,
			       .out_size = out ? sizeof(*out) : 0 };
	s64 n = fuse_call(ff->fc, &a);

	if (n == -ENOSYS)
		store_once(none, true);
	if (n == -EINTR)
		n = -ERESTARTSYS;
	return n < 0 ? (int)n : 0;
}

static int get(struct fuse_file *ff, const void *owner, struct flock_range *r)
{
	struct fuse_lk_out o;
	struct fuse_lk_in in;
	int err;

	fill(&in, ff, owner, r);
	err = ask(ff, FUSE_GETLK, &in, &o, &ff->fc->no_lock);
	if (err)
		return err;
	if (o.lk.type > F_UNLCK ||
	    (o.lk.type != F_UNLCK &&
	     ((s64)o.lk.start < 0 || (s64)o.lk.end < (s64)o.lk.start)))
		return -EIO;
	r->type = (int)o.lk.type;
	if (o.lk.type == F_UNLCK)
		return 0;
	r->start = o.lk.start;
	r->end = o.lk.end;
	r->pid = pid_global(ff->fc->pid_ns, (int)o.lk.pid);
	return 0;
}

int fuse_lock(struct file *f, struct flock_range *r, enum lock_op op,
	      const void *owner)
{
	struct fuse_file *ff = fuse_f(f);
	struct fuse_conn *fc = ff->fc;
	bool flock = op == LOCK_FLOCK || op == LOCK_FLOCK_WAIT;
	bool wait = op == LOCK_SET_WAIT || op == LOCK_FLOCK_WAIT;
	bool *none = flock ? &fc->no_flock : &fc->no_lock;
	struct fuse_lk_in in;

	if (ff->dir || load_once(none) ||
	    !(flock ? fc->flock_locks : fc->posix_locks))
		return -ENOSYS;
	if (op == LOCK_GET)
		return get(ff, owner, r);
	fill(&in, ff, flock ? ff : owner, r);
	if (flock) {
		in.lk_flags = FUSE_LK_FLOCK;
		store_once(&ff->flocked, true);
	}
	return ask(ff, wait ? FUSE_SETLKW : FUSE_SETLK, &in, NULL, none);
}
