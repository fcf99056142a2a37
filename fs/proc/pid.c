/* SPDX-License-Identifier: MIT */
/*
 * fs/proc/pid.c - /proc/<pid>, its task/, fd/, fdinfo/, map_files/ and net/ directories.
 *
 * An inode here is a code, as pid_int.h says; links are in pidlink.c.
 */
#include <fs/anon.h>
#include <fs/locks.h>
#include <fs/nsfs.h>
#include <fs/proc/net.h>
#include <fs/proc/pid_int.h>
#include <fs/proc/proc.h>
#include <fs/procfd.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/page.h>
#include <kernel/mm/vm.h>
#include <kernel/ns/user.h>
#include <kernel/task/trace.h>
#include <lib/errno.h>
#include <lib/fmt.h>
#include <lib/string.h>

static const struct inode_ops dir_iops, entry_iops, fdtext_iops, nettext_iops;
static const struct file_ops dir_fops;
static const struct file_ops text_placeholder; /* open() replaces it */

void proc_set_owner(struct inode *i, struct process *p)
{
	struct cred *c = process_cred(p);

	if (c) {
		i->uid = c->euid;
		i->gid = c->egid;
		cred_put(c);
	}
}

static struct inode *make(struct super_block *sb, struct process *p,
			  struct pid_code c, u32 mode)
{
	struct inode *i = inode_new(sb);

	if (!i)
		return NULL;
	i->priv = (void *)(uintptr_t)pid_pack(c);
	i->ino = pid_pack(c);
	i->mode = mode;
	i->fops = &text_placeholder;
	proc_set_owner(i, p);
	if (S_ISDIR(mode)) {
		i->ops = &dir_iops;
		i->fops = &dir_fops;
		i->nlink = 2;
	} else if (c.kind == PK_FDLINK) {
		i->ops = &pid_fdlink_iops;
	} else if (c.kind == PK_NSLINK) {
		i->ops = &pid_nslink_iops;
	} else if (S_ISLNK(mode)) {
		i->ops = &pid_link_iops;
	} else if (c.kind == PK_NETTEXT) {
		i->ops = &nettext_iops;
	} else if (c.kind == PK_FDTEXT) {
		i->ops = &fdtext_iops;
	} else {
		i->ops = &entry_iops;
	}
	return i;
}

static bool parse_number(const char *s, size_t len, u32 *out)
{
	u64 v = 0;

	if (!len || len > 9 || (s[0] == '0' && len > 1))
		return false;
	for (size_t i = 0; i < len; i++) {
		if (s[i] < '0' || s[i] > '9')
			return false;
		v = v * 10 + (u64)(s[i] - '0');
	}
	*out = (u32)v;
	return true;
}

/* Process of thread @tid, referenced. */
static struct process *process_of_tid(u32 tid)
{
	struct process *p = NULL;
	struct thread *t;

	spin_lock(&task_lock);
	t = thread_find((int)tid);
	if (t && t->proc)
		p = process_get(t->proc);
	spin_unlock(&task_lock);
	return p;
}

struct process *pid_find(struct pid_code c)
{
	struct process *p = process_find((int)c.pid);

	return p ? p : process_of_tid(c.pid);
}

/* As a tracer might, on Linux too: nobody looks into what is not dumpable. */
bool proc_may_inspect(struct process *p)
{
	return !trace_may_access(p, true);
}

/* --- /proc itself: the numbers */

int proc_pid_lookup(struct inode *dir, const char *name, size_t len,
		    struct inode **out)
{
	struct process *p;
	u32 pid;

	if (!parse_number(name, len, &pid))
		return 0;
	pid = (u32)pid_global(proc_sb_pids(dir->sb), (int)pid);
	p = pid_find((struct pid_code){ .pid = pid });
	if (!p)
		return 0;
	if (proc_hides(dir->sb, p, HIDEPID_INVISIBLE)) {
		process_put(p);
		return 0;
	}
	*out = make(dir->sb, p, (struct pid_code){ .pid = pid, .kind = PK_DIR },
		    S_IFDIR | 0555);
	process_put(p);
	return *out ? 0 : -ENOMEM;
}

/* The number under which @sb shows process @pid to current; 0: it does not. */
static int shown_nr(struct super_block *sb, int pid)
{
	struct process *p;
	int nr = pid_nr_in(proc_sb_pids(sb), pid);

	if (!nr || !load_once(&proc_sb(sb)->hidepid))
		return nr;
	p = process_find(pid);
	if (!p)
		return 0;
	if (proc_hides(sb, p, HIDEPID_INVISIBLE))
		nr = 0;
	process_put(p);
	return nr;
}

int proc_pid_readdir(struct file *f, struct dir_ctx *ctx, u64 first)
{
	int pid = (int)(ctx->pos - first);

	while ((pid = process_next_pid(pid)) >= 0) {
		char name[16];
		int nr = shown_nr(f->inode->sb, pid);
		int n = snprintf(name, sizeof(name), "%d", nr);

		if (nr &&
		    !ctx->emit(ctx, name, (size_t)n,
			       pid_pack((struct pid_code){ .pid = (u32)pid }),
			       DT_DIR, first + (u64)pid + 1))
			return 0;
		pid++;
		ctx->pos = first + (u64)pid;
	}
	return 0;
}

/* --- directories */

static const struct {
	const char *name;
	u8 kind;
	bool task; /* also below task/<tid> */
	u32 mode;
} subdirs[] = { { "task", PK_TASK, false, 0555 },
		{ "fd", PK_FD, true, 0500 },
		{ "fdinfo", PK_FDINFO, true, 0555 },
		{ "map_files", PK_MAPS, false, 0500 },
		{ "ns", PK_NS, true, 0511 },
		{ "net", PK_NET, true, 0555 } };
#define NR_SUBDIRS ARRAY_SIZE(subdirs)

static int lookup_entry(struct inode *dir, struct process *p, struct pid_code c,
			const char *name, size_t len, struct inode **out)
{
	for (u32 i = 0; i < NR_SUBDIRS; i++) {
		if (strlen(subdirs[i].name) != len ||
		    strncmp(name, subdirs[i].name, len) ||
		    (c.task && !subdirs[i].task))
			continue;
		c.kind = subdirs[i].kind;
		*out = make(dir->sb, p, c, S_IFDIR | subdirs[i].mode);
		return *out ? 0 : -ENOMEM;
	}
	for (u32 i = 0; i < nr_pid_entries; i++) {
		const struct pid_entry *e = &pid_entries[i];

		if (strlen(e->name) != len || strncmp(name, e->name, len))
			continue;
		c.kind = PK_ENTRY;
		c.sub = (u32)i;
		*out = make(dir->sb, p, c, e->mode);
		return *out ? 0 : -ENOMEM;
	}
	return 0;
}

/* Mode of the link of an open descriptor, by what it was opened for; else 0. */
static u32 fd_mode(struct process *p, u32 fd)
{
	struct files *fs = process_files(p);
	struct file *f = fs ? files_lookup(fs, (int)fd) : NULL;
	u32 mode = f ? proc_link_mode(f, 0500, 0300) : 0;

	if (f)
		file_put(f);
	if (fs)
		files_put(fs);
	return mode;
}

static int lookup_ns(struct inode *dir, struct process *p, struct pid_code c,
		     const char *name, size_t len, struct inode **out)
{
	const char *s;

	c.kind = PK_NSLINK;
	for (c.sub = 0; (s = ns_link_name(c.sub)); c.sub++) {
		if (strlen(s) != len || strncmp(name, s, len))
			continue;
		*out = make(dir->sb, p, c, S_IFLNK | 0777);
		return *out ? 0 : -ENOMEM;
	}
	return 0;
}

static int lookup_net(struct inode *dir, struct process *p, struct pid_code c,
		      const char *name, size_t len, struct inode **out)
{
	const char *s;

	c.kind = PK_NETTEXT;
	for (c.sub = 0; (s = proc_net_name(c.sub)); c.sub++) {
		if (strlen(s) != len || strncmp(name, s, len))
			continue;
		*out = make(dir->sb, p, c, S_IFREG | 0444);
		return *out ? 0 : -ENOMEM;
	}
	return 0;
}

static int lookup_in(struct inode *dir, struct process *p, struct pid_code c,
		     const char *name, size_t len, struct inode **out)
{
	struct process *q;
	u32 n, mode;

	if (c.kind == PK_DIR)
		return lookup_entry(dir, p, c, name, len, out);
	if (c.kind == PK_MAPS)
		return proc_map_lookup(dir, p, name, len, out);
	if (c.kind == PK_NS)
		return lookup_ns(dir, p, c, name, len, out);
	if (c.kind == PK_NET)
		return lookup_net(dir, p, c, name, len, out);
	if (!parse_number(name, len, &n))
		return 0;
	if (c.kind == PK_TASK) {
		n = (u32)pid_global(proc_sb_pids(dir->sb), (int)n);
		q = process_of_tid(n);
		if (q == p)
			*out = make(dir->sb, p,
				    (struct pid_code){ .pid = n,
						       .kind = PK_DIR,
						       .task = true },
				    S_IFDIR | 0555);
		if (q)
			process_put(q);
		return 0;
	}
	if (!proc_may_inspect(p))
		return -EACCES;
	mode = n <= SUB_MASK ? fd_mode(p, n) : 0;
	if (!mode)
		return 0;
	c.sub = n;
	if (c.kind == PK_FD) {
		c.kind = PK_FDLINK;
		*out = make(dir->sb, p, c, mode);
	} else {
		c.kind = PK_FDTEXT;
		*out = make(dir->sb, p, c, S_IFREG | 0400);
	}
	return *out ? 0 : -ENOMEM;
}

/* Is /proc/<pid> itself, code @c, kept from current?  0 or -errno. */
static int closed(struct super_block *sb, struct process *p, struct pid_code c)
{
	if (c.kind != PK_DIR || c.task || !proc_hides(sb, p, HIDEPID_NO_ACCESS))
		return 0;
	return load_once(&proc_sb(sb)->hidepid) == HIDEPID_INVISIBLE ? -ENOENT
								     : -EPERM;
}

static int pid_lookup(struct inode *dir, const char *name, size_t len,
		      struct inode **out)
{
	struct pid_code c = pid_unpack(dir);
	struct process *p = pid_find(c);
	int r;

	*out = NULL;
	if (!p)
		return -ENOENT;
	r = closed(dir->sb, p, c);
	if (!r)
		r = lookup_in(dir, p, c, name, len, out);
	process_put(p);
	return r;
}

static bool emit(struct dir_ctx *ctx, const char *name, struct pid_code c,
		 unsigned int type)
{
	if (!ctx->emit(ctx, name, strlen(name), pid_pack(c), type,
		       ctx->pos + 1))
		return false;
	ctx->pos++;
	return true;
}

static void readdir_entries(struct dir_ctx *ctx, struct pid_code c)
{
	while (ctx->pos < 2 + NR_SUBDIRS) {
		u64 i = ctx->pos - 2;

		if (c.task && !subdirs[i].task) {
			ctx->pos++;
			continue;
		}
		c.kind = subdirs[i].kind;
		if (!emit(ctx, subdirs[i].name, c, DT_DIR))
			return;
	}
	while (ctx->pos - 2 - NR_SUBDIRS < nr_pid_entries) {
		u64 i = ctx->pos - 2 - NR_SUBDIRS;
		const struct pid_entry *e = &pid_entries[i];

		c.kind = PK_ENTRY;
		c.sub = (u32)i;
		if (!emit(ctx, e->name, c, mode_to_dt(e->mode)))
			return;
	}
}

static void readdir_ns(struct dir_ctx *ctx, struct pid_code c)
{
	const char *s;

	c.kind = PK_NSLINK;
	while ((s = ns_link_name((u32)(ctx->pos - 2)))) {
		c.sub = (u16)(ctx->pos - 2);
		if (!emit(ctx, s, c, DT_LNK))
			return;
	}
}

static void readdir_net(struct dir_ctx *ctx, struct pid_code c)
{
	const char *s;

	c.kind = PK_NETTEXT;
	while ((s = proc_net_name((u32)(ctx->pos - 2)))) {
		c.sub = (u16)(ctx->pos - 2);
		if (!emit(ctx, s, c, DT_REG))
			return;
	}
}

static void readdir_fds(struct dir_ctx *ctx, struct process *p,
			struct pid_code c)
{
	struct files *fs = process_files(p);
	int fd = (int)(ctx->pos - 2);

	while (fs && (fd = files_next(fs, fd)) >= 0) {
		char name[16];

		snprintf(name, sizeof(name), "%d", fd);
		ctx->pos = (u64)fd + 2;
		c.sub = (u32)fd;
		if (!emit(ctx, name, c, c.kind == PK_FD ? DT_LNK : DT_REG))
			break;
		fd++;
	}
	if (fs)
		files_put(fs);
}

#define TIDS 64u /* that one walk over the threads finds */

/* The smallest tids of @p above @after, in order: how many. */
static u32 next_tids(struct process *p, int after, int tid[TIDS])
{
	struct thread *t;
	u32 nr = 0, i;

	spin_lock(&task_lock);
	list_for_each_entry(t, &p->threads, proc_node) {
		if (t->tid <= after || (nr == TIDS && t->tid > tid[nr - 1]))
			continue;
		if (nr < TIDS)
			nr++;
		for (i = nr - 1; i && tid[i - 1] > t->tid; i--)
			tid[i] = tid[i - 1];
		tid[i] = t->tid;
	}
	spin_unlock(&task_lock);
	return nr;
}

static bool emit_task(struct dir_ctx *ctx, struct pid_code c, int tid,
		      struct pid_ns *ns)
{
	char name[16];

	snprintf(name, sizeof(name), "%d", pid_nr_in(ns, tid));
	c.pid = (u32)tid;
	c.kind = PK_DIR;
	if (!ctx->emit(ctx, name, strlen(name), pid_pack(c), DT_DIR,
		       (u64)tid + 2))
		return false;
	ctx->pos = (u64)tid + 2;
	return true;
}

static void readdir_tasks(struct dir_ctx *ctx, struct process *p,
			  struct pid_code c, struct pid_ns *ns)
{
	int tid[TIDS];
	u32 nr;

	while ((nr = next_tids(p, (int)ctx->pos - 2, tid)) != 0) {
		for (u32 i = 0; i < nr; i++) {
			if (!emit_task(ctx, c, tid[i], ns))
				return;
		}
	}
}

static int pid_readdir(struct file *f, struct dir_ctx *ctx)
{
	struct pid_code c = pid_unpack(f->inode);
	struct process *p = pid_find(c);

	if (!p)
		return -ENOENT;
	if (!dir_emit_dots(f, ctx))
		goto out;
	if (c.kind == PK_DIR)
		readdir_entries(ctx, c);
	else if (c.kind == PK_TASK)
		readdir_tasks(ctx, p, c, proc_sb_pids(f->inode->sb));
	else if (c.kind == PK_NS)
		readdir_ns(ctx, c);
	else if (c.kind == PK_NET)
		readdir_net(ctx, c);
	else if (c.kind == PK_MAPS && proc_may_inspect(p))
		proc_map_readdir(ctx, p);
	else if (c.kind != PK_MAPS && proc_may_inspect(p))
		readdir_fds(ctx, p, c);
out:
	process_put(p);
	return 0;
}

/* Modes and owners are what the process makes them. */
static int pid_setattr(struct inode *i, const struct iattr *a)
{
	if (a->valid & (ATTR_MODE | ATTR_UID | ATTR_GID))
		return -EPERM;
	return inode_setattr_generic(i, a);
}

static int pid_dir_open(struct inode *i, struct file *f)
{
	struct pid_code c = pid_unpack(i);
	struct process *p = pid_find(c);
	int err;

	if (!p)
		return -ENOENT;
	err = closed(i->sb, p, c);
	process_put(p);
	if (!err)
		f->ops = &dir_fops;
	return err;
}

static const struct inode_ops dir_iops = {
	.lookup = pid_lookup,
	.open = pid_dir_open,
	.setattr = pid_setattr,
	.no_dcache = true,
};
static const struct file_ops dir_fops = {
	.readdir = pid_readdir,
	.llseek = generic_file_llseek,
};

struct process *proc_dir_process(struct file *f)
{
	struct process *p;
	struct pid_code c;

	if (f->ops != &dir_fops || !f->inode)
		return ERR_PTR(-EBADF);
	c = pid_unpack(f->inode);
	if (c.kind != PK_DIR || c.task)
		return ERR_PTR(-EBADF);
	p = pid_find(c);
	return p ? p : ERR_PTR(-ESRCH);
}

/* --- files and links */

struct opened {
	struct process *p;
	const struct pid_entry *e;
	int fd;
	int tid; /* below task/, else 0 */
};

static void opened_put(void *arg)
{
	struct opened *o = arg;

	process_put(o->p);
	kfree(o);
}

static int show_opened(struct text *t, void *arg)
{
	struct opened *o = arg;

	if (o->e->show_tid)
		return o->e->show_tid(t, o->p, o->tid);
	return o->e->show ? o->e->show(t, o->p) : -EINVAL;
}

static s64 write_opened(void *arg, char *buf, size_t n)
{
	struct opened *o = arg;

	if (o->e->write_tid)
		return o->e->write_tid(o->p, o->tid, buf, n);
	return o->e->write ? o->e->write(o->p, buf, n) : -EINVAL;
}

static void put_own_lines(struct text *t, struct file *f)
{
	char *page = f->ops->fdinfo ? get_free_page(0) : NULL;

	if (!page)
		return;
	text_write(t, page, f->ops->fdinfo(f, page, PAGE_SIZE));
	free_page_addr(page);
}

static void lock_line(const struct lock_info *l, void *ctx)
{
	text_puts(ctx, "lock:\t");
	proc_lock_line(l, ctx);
}

static int show_fdinfo(struct text *t, void *arg)
{
	struct opened *o = arg;
	struct files *fs = process_files(o->p);
	struct file *f = fs ? files_lookup(fs, o->fd) : NULL;
	int err = f ? 0 : -ENOENT;

	if (f) {
		text_printf(
			t, "pos:\t%lu\nflags:\t0%o\nmnt_id:\t%d\nino:\t%lu\n",
			f->pos,
			f->flags | (files_cloexec(fs, o->fd) ? O_CLOEXEC : 0),
			f->mnt ? f->mnt->id : 0, f->inode ? f->inode->ino : 0);
		err = locks_of_file(f, fs, lock_line, t);
		put_own_lines(t, f);
		file_put(f);
	}
	if (fs)
		files_put(fs);
	return err;
}

static bool is_of_mounts(const struct pid_entry *e)
{
	return e->show == proc_show_mounts || e->show == proc_show_mountinfo;
}

static s64 ioctl_opened(void *arg, u32 cmd, uaddr_t uarg)
{
	struct opened *o = arg;

	return o->e->ioctl(o->p, cmd, uarg);
}

static int open_with(struct inode *inode, struct file *f, bool fdinfo)
{
	struct pid_code c = pid_unpack(inode);
	const struct pid_entry *e = fdinfo ? NULL : &pid_entries[c.sub];
	struct process *p = pid_find(c);
	struct opened *o;
	int r;

	if (!p)
		return -ESRCH;
	if ((fdinfo || e->owner_only) && !proc_may_inspect(p)) {
		process_put(p);
		return -EACCES;
	}
	if (!fdinfo && e->open) {
		r = e->open(p, f);
		process_put(p);
		return r;
	}
	o = kmalloc(sizeof(*o));
	if (!o) {
		process_put(p);
		return -ENOMEM;
	}
	*o = (struct opened){
		.p = p, .e = e, .fd = (int)c.sub, .tid = c.task ? (int)c.pid : 0
	};
	r = text_open(f, fdinfo ? show_fdinfo : show_opened,
		      fdinfo ? NULL : write_opened, o, opened_put);
	if (r)
		opened_put(o);
	else
		f->no_splice = true; /* as on Linux, by an accident */
	if (!r && e && e->sized)
		text_sized(f, false);
	if (!r && e && e->ioctl)
		text_ioctl(f, ioctl_opened);
	if (!r && e && is_of_mounts(e))
		text_watch(f, &mounts_wq, &mounts_event);
	return r;
}

static int entry_open(struct inode *inode, struct file *f)
{
	return open_with(inode, f, false);
}

static int fdtext_open(struct inode *inode, struct file *f)
{
	return open_with(inode, f, true);
}

static int nettext_open(struct inode *inode, struct file *f)
{
	struct pid_code c = pid_unpack(inode);
	struct process *p = pid_find(c);
	struct net_ns *net;

	if (!p)
		return -ESRCH;
	net = net_ns_of_tid(c.task ? (int)c.pid : 0, p);
	process_put(p);
	return net ? proc_net_open(f, net, c.sub) : -EINVAL;
}

static const struct inode_ops entry_iops = {
	.open = entry_open,
	.setattr = pid_setattr,
};
static const struct inode_ops nettext_iops = { .open = nettext_open };
static const struct inode_ops fdtext_iops = {
	.open = fdtext_open,
	.setattr = pid_setattr,
};
