/* SPDX-License-Identifier: MIT */
/*
 * syscall/bpf.c - bpf(2): programs that guard the devices of a control group, which is
 * the only kind of use (kernel/cgroup/devprog.h).  No maps, nothing pinned.
 *
 * Programs about packets of a group (BPF_PROG_TYPE_CGROUP_SKB) can be loaded when they
 * look at none, but not attached: runc finds out by one whether there is bpf(2).
 */
#include <syscall/syscall.h>

#include <fs/cgroupfs.h>
#include <kernel/cgroup/devprog.h>
#include <kernel/file/file.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/page.h>
#include <kernel/mm/user.h>
#include <kernel/task/process.h>
#include <lib/ctype.h>
#include <lib/errno.h>
#include <lib/fmt.h>
#include <lib/string.h>

/* linux/bpf.h */
enum {
	BPF_MAP_CREATE = 0,
	BPF_PROG_LOAD = 5,
	BPF_PROG_ATTACH = 8,
	BPF_PROG_DETACH = 9,
	BPF_PROG_GET_NEXT_ID = 11,
	BPF_PROG_GET_FD_BY_ID = 13,
	BPF_PROG_QUERY = 16,
};
#define PROG_TYPE_CGROUP_SKB	8u
#define PROG_TYPE_CGROUP_DEVICE 15u
#define ATTACH_CGROUP_DEVICE	6u
#define LOAD_FLAGS		3u /* about alignment */
#define QUERY_EFFECTIVE		1u
#define ATTACH_FLAGS		(DEV_PROG_OVERRIDE | DEV_PROG_MULTI | DEV_PROG_REPLACE)
#define CAP_BPF			39
#define LOG_SIZE_MAX		0x3fffffffu

union attr {
	struct {
		u32 type, nr_insns;
		u64 insns, license;
		u32 log_level, log_size;
		u64 log;
		u32 kern_version, flags;
		char name[16];
		u32 ifindex, attach_type;
		u8 debug[68]; /* what BTF says of it */
		u32 log_used, token;
	} load;
	struct {
		u32 target, prog, type, flags, replace;
	} attach;
	struct {
		u32 id, next, flags;
	} by_id;
	struct {
		u32 target, type, flags, attach_flags;
		u64 ids;
		u32 nr, pad;
	} query;
	u8 bytes[152];
};

STATIC_ASSERT(offsetof(union attr, load.token) == 144, "prog_token_fd");

static bool all_zero(const u8 *p, size_t n)
{
	while (n && !*p) {
		p++;
		n--;
	}
	return !n;
}

/* What does not fit into @a has to be zero: 0, -E2BIG or -EFAULT. */
static int read_attr(union attr *a, uaddr_t uattr, u32 size)
{
	size_t known = min((size_t)size, sizeof(*a));
	u8 more;

	if (size > PAGE_SIZE)
		return -E2BIG;
	memset(a, 0, sizeof(*a));
	for (size_t at = known; at < size; at++) {
		if (copy_from_user(&more, uattr + at, 1))
			return -EFAULT;
		if (more)
			return -E2BIG;
	}
	return copy_from_user(a, uattr, known) ? -EFAULT : 0;
}

/* Nothing is said behind the members that a command knows. */
#define ENDS_AT(a, member)                                           \
	all_zero((a)->bytes + offsetof(union attr, member) +         \
			 sizeof((a)->member),                        \
		 sizeof((a)->bytes) - offsetof(union attr, member) - \
			 sizeof((a)->member))

static bool may_load(void)
{
	return capable(CAP_SYS_ADMIN) ||
	       (capable(CAP_BPF) && capable(CAP_NET_ADMIN));
}

static bool may_attach(void)
{
	return capable(CAP_NET_ADMIN) || capable(CAP_SYS_ADMIN);
}

/* --- files */

static void prog_release(struct file *f)
{
	dev_prog_put(f->priv);
}

static size_t prog_fdinfo(struct file *f, char *buf, size_t n)
{
	const struct dev_prog *p = f->priv;

	return scnprintf(
		buf, n, "prog_type:\t%u\nprog_jited:\t0\nprog_id:\t%u\n",
		p->words ? PROG_TYPE_CGROUP_DEVICE : PROG_TYPE_CGROUP_SKB,
		p->id);
}

static const struct file_ops prog_fops = {
	.release = prog_release,
	.fdinfo = prog_fdinfo,
	.anon_name = "anon_inode:bpf-prog",
};

/* Takes the reference to @p. */
static s64 prog_open(struct dev_prog *p)
{
	struct file *f = file_alloc(&prog_fops, O_RDWR, p);

	if (f)
		return fd_open(f, O_CLOEXEC);
	dev_prog_put(p);
	return file_no_alloc();
}

/* The program for devices that @fd is, with a reference, or ERR_PTR. */
static struct dev_prog *prog_of(u32 fd)
{
	struct file *f = fd_get((int)fd);
	struct dev_prog *p;

	if (!f)
		return ERR_PTR(-EBADF);
	p = f->ops == &prog_fops ? f->priv : NULL;
	if (p && p->words != DEV_PROG_WORDS)
		p = NULL;
	if (p)
		atomic_inc(&p->refs);
	file_put(f);
	return p ? p : ERR_PTR(-EINVAL);
}

/* --- loading */

static bool good_name(const char *name)
{
	for (u32 i = 0; i < 16; i++) {
		if (!name[i])
			return all_zero((const u8 *)name + i, 16 - i);
		if (!isalnum(name[i]) && name[i] != '_' && name[i] != '.')
			return false;
	}
	return false;
}

static int check_load(const union attr *a)
{
	char c;

	if (a->load.flags & ~LOAD_FLAGS || a->load.ifindex || a->load.token ||
	    !all_zero(a->load.debug, sizeof(a->load.debug)) ||
	    !good_name(a->load.name))
		return -EINVAL;
	if (!may_load())
		return -EPERM;
	if (!a->load.nr_insns || a->load.nr_insns > EBPF_MAX_LEN)
		return -E2BIG;
	if (a->load.type != PROG_TYPE_CGROUP_DEVICE &&
	    a->load.type != PROG_TYPE_CGROUP_SKB)
		return -EINVAL;
	if (!a->load.log_level != !a->load.log ||
	    a->load.log_size > LOG_SIZE_MAX ||
	    (!a->load.log && a->load.log_size))
		return -EINVAL;
	return copy_from_user(&c, a->load.license, 1) ? -EFAULT : 0;
}

static s64 load(const union attr *a)
{
	struct dev_prog *p;
	int err = check_load(a);

	if (err)
		return err;
	p = dev_prog_alloc(
		a->load.nr_insns,
		a->load.type == PROG_TYPE_CGROUP_DEVICE ? DEV_PROG_WORDS : 0);
	if (!p)
		return -ENOMEM;
	memcpy(p->name, a->load.name, sizeof(p->name));
	if (copy_from_user(p->insns, a->load.insns,
			   p->len * sizeof(p->insns[0])))
		err = -EFAULT;
	if (!err)
		err = dev_prog_ready(p);
	/* There is nothing to say but that. */
	if (a->load.log_size && copy_to_user(a->load.log, "", 1) && !err)
		err = -EFAULT;
	if (!err)
		return prog_open(p);
	dev_prog_put(p);
	return err;
}

/* --- groups */

static s64 attach(const union attr *a)
{
	struct dev_prog *p, *old = NULL;
	struct cgroup *cg;
	s64 err;

	if (a->attach.type != ATTACH_CGROUP_DEVICE ||
	    a->attach.flags & ~(u32)ATTACH_FLAGS)
		return -EINVAL;
	if (!may_attach())
		return -EPERM;
	p = prog_of(a->attach.prog);
	if (IS_ERR(p))
		return PTR_ERR(p);
	cg = cgroupfs_of_fd((int)a->attach.target);
	err = IS_ERR(cg) ? PTR_ERR(cg) : 0;
	if (!err && (a->attach.flags & DEV_PROG_MULTI) &&
	    (a->attach.flags & DEV_PROG_REPLACE)) {
		old = prog_of(a->attach.replace);
		err = IS_ERR(old) ? PTR_ERR(old) : 0;
	}
	if (!err)
		err = cgroup_dev_attach(cg, p, a->attach.flags, old);
	if (old && !IS_ERR(old))
		dev_prog_put(old);
	if (!IS_ERR(cg))
		cgroup_put(cg);
	dev_prog_put(p);
	return err;
}

static s64 detach(const union attr *a)
{
	struct dev_prog *p;
	struct cgroup *cg;
	s64 err;

	if (a->attach.type != ATTACH_CGROUP_DEVICE)
		return -EINVAL;
	if (!may_attach())
		return -EPERM;
	cg = cgroupfs_of_fd((int)a->attach.target);
	if (IS_ERR(cg))
		return PTR_ERR(cg);
	p = prog_of(a->attach.prog);
	err = cgroup_dev_detach(cg, IS_ERR(p) ? NULL : p);
	if (!IS_ERR(p))
		dev_prog_put(p);
	cgroup_put(cg);
	return err;
}

static s64 query(const union attr *a, uaddr_t uattr)
{
	bool effective = a->query.flags & QUERY_EFFECTIVE;
	u32 ids[DEV_PROGS_MAX], flags, nr, n;
	struct cgroup *cg;

	if (!may_attach())
		return -EPERM;
	if (a->query.type != ATTACH_CGROUP_DEVICE ||
	    a->query.flags & ~QUERY_EFFECTIVE)
		return -EINVAL;
	cg = cgroupfs_of_fd((int)a->query.target);
	if (IS_ERR(cg))
		return PTR_ERR(cg);
	nr = cgroup_dev_query(cg, effective, ids, DEV_PROGS_MAX, &flags);
	cgroup_put(cg);
	if (put_user_u32(flags,
			 uattr + offsetof(union attr, query.attach_flags)) ||
	    put_user_u32(nr, uattr + offsetof(union attr, query.nr)))
		return -EFAULT;
	if (!a->query.nr || !a->query.ids || !nr)
		return 0;
	n = min(min(nr, a->query.nr), DEV_PROGS_MAX);
	if (copy_to_user(a->query.ids, ids, n * sizeof(ids[0])))
		return -EFAULT;
	return n < nr ? -ENOSPC : 0;
}

/* --- by number */

static s64 next_id(const union attr *a, uaddr_t uattr)
{
	u32 id;

	if (a->by_id.flags)
		return -EINVAL;
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	id = dev_prog_after(a->by_id.id);
	if (!id)
		return -ENOENT;
	return put_user_u32(id, uattr + offsetof(union attr, by_id.next))
		       ? -EFAULT
		       : 0;
}

static s64 by_id(const union attr *a)
{
	struct dev_prog *p;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	p = dev_prog_find(a->by_id.id);
	return p ? prog_open(p) : -ENOENT;
}

SYSCALL3(280, bpf, u32, cmd, uaddr_t, uattr, u32, size)
{
	union attr a;
	int err = read_attr(&a, uattr, size);

	if (err)
		return err;
	switch (cmd) {
	case BPF_MAP_CREATE:
		return may_load() ? -EINVAL : -EPERM;
	case BPF_PROG_LOAD:
		return ENDS_AT(&a, load.token) ? load(&a) : -EINVAL;
	case BPF_PROG_ATTACH:
		return ENDS_AT(&a, attach.replace) ? attach(&a) : -EINVAL;
	case BPF_PROG_DETACH:
		return ENDS_AT(&a, attach.replace) ? detach(&a) : -EINVAL;
	case BPF_PROG_QUERY:
		return ENDS_AT(&a, query.pad) ? query(&a, uattr) : -EINVAL;
	case BPF_PROG_GET_NEXT_ID:
		return ENDS_AT(&a, by_id.flags) ? next_id(&a, uattr) : -EINVAL;
	case BPF_PROG_GET_FD_BY_ID:
		return ENDS_AT(&a, by_id.id) ? by_id(&a) : -EINVAL;
	default:
		return -EINVAL;
	}
}
