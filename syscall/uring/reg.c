/* SPDX-License-Identifier: MIT */
/*
 * syscall/uring/reg.c - io_uring_register(2).
 */
#include <syscall/uring/ops.h>

#include <fs/event.h>
#include <kernel/mm/user.h>

static int probe(u64 arg, u32 nr)
{
	struct uring_probe head = { .last_op = NR_OPS - 1 };
	u64 at = arg + sizeof(head);

	if (nr > 256)
		return -EINVAL;
	nr = min_t(u32, nr, NR_OPS);
	head.ops_len = (u8)nr;
	if (copy_to_user(arg, &head, sizeof(head)))
		return -EFAULT;
	for (u32 i = 0; i < nr; i++) {
		struct uring_probe_op o = {
			.op = (u8)i,
			.flags = uring_ops[i].run ? PROBE_SUPPORTED : 0,
		};

		if (copy_to_user(at + i * sizeof(o), &o, sizeof(o)))
			return -EFAULT;
	}
	return 0;
}

static int eventfd_on(struct uring *r, u64 arg)
{
	struct file *f;
	int err = 0;
	u32 fd;

	if (get_user_u32(&fd, arg))
		return -EFAULT;
	f = fd_get((int)fd);
	if (!f)
		return -EBADF;
	mutex_lock(&r->tables);
	if (r->eventfd)
		err = -EBUSY;
	else if (!is_eventfd(f))
		err = -EINVAL;
	if (!err)
		uring_eventfd_set(r, f);
	mutex_unlock(&r->tables);
	if (err)
		file_put(f);
	return err;
}

static int eventfd_off(struct uring *r)
{
	int err = 0;

	mutex_lock(&r->tables);
	if (!r->eventfd)
		err = -ENXIO;
	else
		uring_eventfd_set(r, NULL);
	mutex_unlock(&r->tables);
	return err;
}

static s64 person_add(struct uring *r)
{
	s64 n = -ENOSPC;

	mutex_lock(&r->tables);
	for (u32 i = 0; i < URING_PERSONS && n < 0; i++) {
		if (r->person[i])
			continue;
		r->person[i] = cred_get(current->cred);
		n = i + 1;
	}
	mutex_unlock(&r->tables);
	return n;
}

static int person_drop(struct uring *r, u32 id)
{
	struct cred *c = NULL;

	mutex_lock(&r->tables);
	if (id && id <= URING_PERSONS) {
		c = r->person[id - 1];
		r->person[id - 1] = NULL;
	}
	mutex_unlock(&r->tables);
	if (!c)
		return -EINVAL;
	cred_put(c);
	return 0;
}

static int one_restriction(struct uring *r, const struct uring_restriction *c)
{
	switch (c->opcode) {
	case RESTRICT_REGISTER_OP:
		if (c->value >= NR_REGISTER)
			return -EINVAL;
		r->allowed_registers |= BIT(c->value);
		return 0;
	case RESTRICT_SQE_OP:
		if (c->value >= NR_OPS)
			return -EINVAL;
		r->allowed_ops |= BIT(c->value);
		return 0;
	case RESTRICT_SQE_FLAGS_ALLOWED:
		r->allowed_flags = c->value;
		return 0;
	case RESTRICT_SQE_FLAGS_REQUIRED:
		r->required_flags = c->value;
		return 0;
	default:
		return -EINVAL;
	}
}

static int restrict_to(struct uring *r, u64 arg, u32 nr)
{
	struct uring_restriction c;
	int err = 0;

	if (!load_once(&r->disabled))
		return -EBADFD;
	if (r->restricted)
		return -EBUSY;
	if (!arg || nr > 256)
		return -EINVAL;
	for (u32 i = 0; i < nr && !err; i++) {
		if (copy_from_user(&c, arg + i * sizeof(c), sizeof(c)))
			err = -EFAULT;
		else
			err = one_restriction(r, &c);
	}
	if (err) {
		r->allowed_ops = r->allowed_registers = 0;
		r->allowed_flags = r->required_flags = 0;
		return err;
	}
	r->restricted = true;
	return 0;
}

static int enable(struct uring *r)
{
	if (!load_once(&r->disabled))
		return -EBADFD;
	r->submitter = uring_thread_id();
	store_once(&r->disabled, false);
	store_once(&r->sq_kick, true);
	wake_up_all(&r->sq_wq);
	return 0;
}

/* ---- ring descriptors of the process */

static int put_ring_fd(struct uring_pool *p, struct uring_rsrc_update *u)
{
	struct file *f = fd_get((int)u->data);
	u32 i = u->offset;

	if (!f)
		return -EBADF;
	if (!uring_of(f)) {
		file_put(f);
		return -EOPNOTSUPP;
	}
	for (u32 k = 0; i == ~0u && k < URING_RING_FDS; k++) {
		if (!p->fd[k])
			i = k;
	}
	if (i >= URING_RING_FDS || p->fd[i]) {
		file_put(f);
		return i == ~0u || i < URING_RING_FDS ? -EBUSY : -EINVAL;
	}
	p->fd[i] = f;
	u->offset = i;
	return 0;
}

static int add_ring_fd(struct uring_pool *p, u64 arg)
{
	struct uring_rsrc_update u;
	int err;

	if (copy_from_user(&u, arg, sizeof(u)))
		return -EFAULT;
	err = u.resv ? -EINVAL : put_ring_fd(p, &u);
	if (err || !copy_to_user(arg, &u, sizeof(u)))
		return err;
	file_put(p->fd[u.offset]);
	p->fd[u.offset] = NULL;
	return -EFAULT;
}

static int drop_ring_fd(struct uring_pool *p, u64 arg)
{
	struct uring_rsrc_update u;

	if (copy_from_user(&u, arg, sizeof(u)))
		return -EFAULT;
	if (u.resv || u.data || u.offset >= URING_RING_FDS)
		return -EINVAL;
	if (p->fd[u.offset])
		file_put(p->fd[u.offset]);
	p->fd[u.offset] = NULL;
	return 0;
}

/* For each of @nr at @arg, until one fails: how many, or -errno if none. */
static s64 ring_fds(u64 arg, u32 nr, int (*one)(struct uring_pool *p, u64 arg))
{
	struct uring_pool *p = uring_pool_of_current();
	u32 done;
	int err = 0;

	if (IS_ERR(p))
		return PTR_ERR(p);
	if (!nr || nr > URING_RING_FDS)
		return -EINVAL;
	mutex_lock(&p->fds_lock);
	for (done = 0; done < nr; done++) {
		err = one(p, arg + done * sizeof(struct uring_rsrc_update));
		if (err)
			break;
	}
	mutex_unlock(&p->fds_lock);
	return done ? (s64)done : err;
}

static int max_workers(struct uring *r, u64 arg, u32 nr)
{
	u32 new[2], old[2];

	if (!arg || nr != 2)
		return -EINVAL;
	if (copy_from_user(new, arg, sizeof(new)))
		return -EFAULT;
	mutex_lock(&r->tables);
	for (u32 i = 0; i < 2; i++) {
		old[i] = r->max_workers[i];
		if (new[i])
			r->max_workers[i] = new[i];
	}
	mutex_unlock(&r->tables);
	return copy_to_user(arg, old, sizeof(old)) ? -EFAULT : 0;
}

/* ---- files and buffers in the form with tags, which are not kept */

static s64 rsrc_register(struct uring *r, u64 arg, u32 size, bool files)
{
	struct uring_rsrc_register c;
	bool sparse;

	if (size != sizeof(c))
		return -EINVAL;
	if (copy_from_user(&c, arg, sizeof(c)))
		return -EFAULT;
	if (!c.nr || c.resv || (c.flags & ~(u32)RSRC_SPARSE) || c.tags)
		return -EINVAL;
	sparse = c.flags & RSRC_SPARSE;
	if (sparse && c.data)
		return -EINVAL;
	return files ? uring_files_register(r, c.data, c.nr, sparse)
		     : uring_bufs_register(r, c.data, c.nr, sparse);
}

static s64 rsrc_update(struct uring *r, u64 arg, u32 size, bool files)
{
	struct uring_rsrc_update2 c;

	if (size != sizeof(c))
		return -EINVAL;
	if (copy_from_user(&c, arg, sizeof(c)))
		return -EFAULT;
	if (!c.nr || c.resv || c.resv2 || c.tags)
		return -EINVAL;
	return files ? uring_files_update(r, c.offset, c.data, c.nr)
		     : uring_bufs_update(r, c.offset, c.data, c.nr);
}

static s64 files_update(struct uring *r, u64 arg, u32 nr)
{
	struct uring_rsrc_update c;

	if (!nr)
		return -EINVAL;
	if (copy_from_user(&c, arg, sizeof(c)))
		return -EFAULT;
	if (c.resv)
		return -EINVAL;
	return uring_files_update(r, c.offset, c.data, nr);
}

/* ---- the call */

static s64 do_register(struct uring *r, u32 op, u64 arg, u32 nr)
{
	switch (op) {
	case REG_BUFFERS:
		return arg ? uring_bufs_register(r, arg, nr, false) : -EFAULT;
	case REG_BUFFERS_NONE:
		return arg || nr ? -EINVAL : uring_bufs_drop(r);
	case REG_FILES:
		return arg ? uring_files_register(r, arg, nr, false) : -EFAULT;
	case REG_FILES_NONE:
		return arg || nr ? -EINVAL : uring_files_drop(r);
	case REG_EVENTFD:
	case REG_EVENTFD_ASYNC:
		return nr == 1 ? eventfd_on(r, arg) : -EINVAL;
	case REG_EVENTFD_NONE:
		return arg || nr ? -EINVAL : eventfd_off(r);
	case REG_FILES_UPDATE:
		return files_update(r, arg, nr);
	case REG_PROBE:
		return arg ? probe(arg, nr) : -EINVAL;
	case REG_PERSONALITY:
		return arg || nr ? -EINVAL : person_add(r);
	case REG_PERSONALITY_NONE:
		return arg ? -EINVAL : person_drop(r, nr);
	case REG_RESTRICTIONS:
		return restrict_to(r, arg, nr);
	case REG_ENABLE_RINGS:
		return arg || nr ? -EINVAL : enable(r);
	case REG_FILES2:
	case REG_BUFFERS2:
		return rsrc_register(r, arg, nr, op == REG_FILES2);
	case REG_FILES_UPDATE2:
	case REG_BUFFERS_UPDATE:
		return rsrc_update(r, arg, nr, op == REG_FILES_UPDATE2);
	case REG_IOWQ_MAX_WORKERS:
		return max_workers(r, arg, nr);
	case REG_RING_FDS:
		return ring_fds(arg, nr, add_ring_fd);
	case REG_RING_FDS_NONE:
		return ring_fds(arg, nr, drop_ring_fd);
	case REG_PBUF_RING:
		return arg && nr == 1 ? uring_pbuf_register(r, arg) : -EINVAL;
	case REG_PBUF_RING_NONE:
		return arg && nr == 1 ? uring_pbuf_drop(r, arg) : -EINVAL;
	case REG_SYNC_CANCEL:
		return arg && nr == 1 ? uring_sync_cancel(r, arg) : -EINVAL;
	case REG_FILE_ALLOC_RANGE:
		return arg && !nr ? uring_files_range(r, arg) : -EINVAL;
	case REG_PBUF_STATUS:
		return arg && nr == 1 ? uring_pbuf_status(r, arg) : -EINVAL;
	default:
		return -EINVAL;
	}
}

SYSCALL4(427, io_uring_register, u32, fd, u32, op, uaddr_t, arg, u32, nr)
{
	bool registered = op & REG_USE_REGISTERED_RING;
	struct file *f;
	struct uring *r;
	s64 n;

	op &= ~(u32)REG_USE_REGISTERED_RING;
	if (op >= NR_REGISTER)
		return -EINVAL;
	f = uring_file(fd, registered);
	if (!f)
		return registered ? -EINVAL : -EBADF;
	r = uring_of(f);
	if (!r)
		n = -EOPNOTSUPP;
	else if (r->restricted && !load_once(&r->disabled) &&
		 !(r->allowed_registers & BIT(op)))
		n = -EACCES;
	else
		n = do_register(r, op, arg, nr);
	file_put(f);
	return n;
}
