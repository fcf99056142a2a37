/* SPDX-License-Identifier: MIT */
/* fs/cgroup/tree.c - instance, directories and inodes of cgroup2; see cgroupfs.h. */
#include <fs/cgroup/cgroupfs.h>

#include <fs/internal.h>
#include <fs/notify.h>
#include <fs/xattr_mem.h>
#include <kernel/init.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/ns/user.h>
#include <lib/errno.h>
#include <lib/string.h>

#define CGROUP2_MAGIC 0x63677270

bool cgroupfs_nsdelegate, cgroupfs_pids_localevents,
	cgroupfs_memory_localevents;
static bool favordynmods; /* [a] an option that is only kept */

static struct mount *cgroupfs_mnt; /* [I] */
static struct cgroupfs_node root_node = {
	.xattrs = LIST_HEAD_INIT(root_node.xattrs),
};

static const struct inode_ops dir_iops, file_iops;
static const struct file_ops dir_fops;
static const struct file_ops no_fops;

static u32 file_nr(const struct inode *i)
{
	const struct cgroup *cg = i->priv;

	return (u32)(i->ino - cg->id);
}

static struct cgroupfs_node *node_of(const struct cgroup *cg)
{
	return cg->fs;
}

/* --- inodes */

static void fill(struct inode *i, struct cgroup *cg, u32 nr)
{
	const struct cgroupfs_node *n = node_of(cg);

	i->priv = cgroup_get(cg);
	i->mode = nr ? S_IFREG | cgroup_files[nr].perm : S_IFDIR | 0755;
	if (n->attr[nr].mode)
		i->mode = (i->mode & S_IFMT) | (n->attr[nr].mode & 07777);
	i->uid = n->attr[nr].uid;
	i->gid = n->attr[nr].gid;
	i->atime = i->mtime = i->ctime = i->btime = n->born;
	i->nlink = nr ? 1 : 2;
	i->ops = nr ? &file_iops : &dir_iops;
	i->fops = nr ? &no_fops : &dir_fops;
}

static struct inode *inode_in(struct super_block *sb, struct cgroup *cg, u32 nr)
{
	bool is_new;
	struct inode *i = inode_get_by_ino(sb, cg->id + nr, &is_new);

	if (i && is_new) {
		fill(i, cg, nr);
		inode_unlock_new(i);
	}
	return i;
}

struct inode *cgroupfs_inode(struct cgroup *cg, u32 nr)
{
	return inode_in(cgroupfs_mnt->sb, cg, nr);
}

static void cgroupfs_evict(struct inode *i)
{
	struct cgroup *cg = i->priv;

	if (!cg)
		return;
	if (!file_nr(i) && load_once(&cg->dead))
		xattr_mem_free(&node_of(cg)->xattrs);
	cgroup_put(cg);
}

static int setattr(struct inode *i, const struct iattr *a)
{
	struct cgroupfs_node *n = node_of(i->priv);
	u32 nr = file_nr(i);
	int err;

	if (a->valid & ATTR_SIZE)
		return 0; /* O_TRUNC of a shell's ">" */
	err = inode_setattr_generic(i, a);
	if (!err) {
		n->attr[nr].mode = i->mode;
		n->attr[nr].uid = i->uid;
		n->attr[nr].gid = i->gid;
	}
	return err;
}

void cgroup_file_modified(struct cgroup *cg, enum cgroup_event ev)
{
	struct inode *i;

	for (u32 nr = 1; nr < nr_cgroup_files; nr++) {
		if (cgroup_files[nr].event != (s32)ev + 1)
			continue;
		i = inode_find(cgroupfs_mnt->sb, cg->id + nr);
		if (!i)
			continue;
		notify_inode(i, IN_MODIFY);
		inode_put(i);
	}
}

/* --- open files */

static void opened_put(void *arg)
{
	struct cgroupfs_open *o = arg;

	memcg_peak_end(&o->peak);
	cgroup_put(o->cg);
	cred_put(o->cred);
	ns_put(&o->ns->ns);
	kfree(o);
}

static int show(struct text *t, void *arg)
{
	struct cgroupfs_open *o = arg;

	if (load_once(&o->cg->dead) || !cgroup_has_file(o->cg, o->cf))
		return -ENODEV;
	if (o->cf->show_open)
		return o->cf->show_open(t, o);
	return o->cf->show ? o->cf->show(t, o->cg) : -EINVAL;
}

static char *strip(char *s)
{
	size_t n;

	while (*s == ' ' || *s == '\t' || *s == '\n')
		s++;
	n = strlen(s);
	while (n && (s[n - 1] == ' ' || s[n - 1] == '\t' || s[n - 1] == '\n'))
		s[--n] = '\0';
	return s;
}

static s64 store(void *arg, char *buf, size_t n)
{
	struct cgroupfs_open *o = arg;
	int err;

	if (load_once(&o->cg->dead) || !cgroup_has_file(o->cg, o->cf))
		return -ENODEV;
	if (!o->cf->write)
		return -EINVAL;
	if (load_once(&cgroupfs_nsdelegate) && !o->cf->delegatable &&
	    o->ns != &init_cgroup_ns && o->ns->root == o->cg)
		return -EPERM;
	err = o->cf->write(o, strip(buf));
	return err ? err : (s64)n;
}

static int file_open(struct inode *inode, struct file *f)
{
	struct cgroup *cg = inode->priv;
	const struct cgroup_file *cf = &cgroup_files[file_nr(inode)];
	struct cgroupfs_open *o;
	int err;

	if (load_once(&cg->dead) || !cgroup_has_file(cg, cf))
		return -ENODEV;
	o = kmalloc(sizeof(*o));
	if (!o)
		return -ENOMEM;
	*o = (struct cgroupfs_open){
		.cg = cgroup_get(cg),
		.cf = cf,
		.cred = cred_get(current->cred),
		.ns = current_nsproxy()->cgroup,
	};
	ns_get(&o->ns->ns);
	err = text_open(f, show, store, o, opened_put);
	if (err)
		opened_put(o);
	else
		text_sized(f, true);
	if (!err && cf->event)
		text_watch_read(f, &cg->event_wq, &cg->event[cf->event - 1]);
	return err;
}

static const struct inode_ops file_iops = {
	.open = file_open,
	.setattr = setattr,
};

/* --- directories */

struct cgroup *cgroupfs_dir(const struct file *f)
{
	return f->inode && f->inode->ops == &dir_iops ? f->inode->priv : NULL;
}

static u32 find_file(const struct cgroup *cg, const char *name, size_t len)
{
	for (u32 nr = 1; nr < nr_cgroup_files; nr++) {
		const struct cgroup_file *cf = &cgroup_files[nr];

		if (!strncmp(cf->name, name, len) && !cf->name[len] &&
		    cgroup_has_file(cg, cf))
			return nr;
	}
	return 0;
}

u32 cgroup_file_ctl(const char *name)
{
	for (u32 nr = 1; nr < nr_cgroup_files; nr++)
		if (cgroup_files[nr].ctl &&
		    !strcmp(cgroup_files[nr].name, name))
			return cgroup_files[nr].ctl;
	return 0;
}

static int dir_lookup(struct inode *dir, const char *name, size_t len,
		      struct inode **out)
{
	struct cgroup *cg = dir->priv, *c;
	u32 nr = find_file(cg, name, len);

	*out = NULL;
	if (len == 2 && name[0] == '.' && name[1] == '.') { /* handle.c */
		*out = inode_in(dir->sb, cg->parent ? cg->parent : cg, 0);
		return *out ? 0 : -ENOMEM;
	}
	if (nr) {
		*out = inode_in(dir->sb, cg, nr);
		return *out ? 0 : -ENOMEM;
	}
	c = cgroup_find_child(cg, name, len);
	if (!c)
		return 0;
	*out = inode_in(dir->sb, c, 0);
	cgroup_put(c);
	return *out ? 0 : -ENOMEM;
}

/* Files come and go with controllers; groups go through rmdir() only. */
static bool dir_d_revalidate(struct inode *dir, struct dentry *d)
{
	struct inode *i = d->inode;

	return i && (S_ISDIR(i->mode) ||
		     cgroup_has_file(dir->priv, &cgroup_files[file_nr(i)]));
}

/* It and its files are who makes it. */
static int new_node(struct cgroup *cg, u32 mode)
{
	struct cgroupfs_node *n = kzalloc(sizeof(*n));
	const struct cred *c = current_cred();

	if (!n)
		return -ENOMEM;
	list_init(&n->xattrs);
	n->born = ns_to_timespec(clock_real_ns());
	for (u32 i = 0; i < CGROUPFS_FILES; i++) {
		n->attr[i].uid = c->fsuid;
		n->attr[i].gid = c->fsgid;
	}
	n->attr[0].mode = mode;
	cg->fs = n;
	return 0;
}

static int dir_mkdir(struct inode *dir, const char *name, size_t len __unused,
		     u32 mode, struct inode **out)
{
	struct cgroup *cg;

	if (strchr(name, '\n'))
		return -EINVAL;
	cg = cgroup_make(dir->priv, name);
	if (IS_ERR(cg))
		return (int)PTR_ERR(cg);
	/* Nobody finds it before: the directory is locked. */
	*out = new_node(cg, mode) ? NULL : inode_in(dir->sb, cg, 0);
	if (!*out) {
		(void)cgroup_remove(cg);
		return -ENOMEM;
	}
	return 0;
}

static int dir_rmdir(struct inode *dir __unused, const char *name __unused,
		     size_t len __unused, struct inode *victim)
{
	int err = cgroup_remove(victim->priv);

	if (!err)
		victim->nlink = 0;
	return err;
}

static s64 dir_getxattr(struct inode *i, const char *name, void *buf, size_t n)
{
	return xattr_mem_get(&node_of(i->priv)->xattrs, name, buf, n);
}

static int dir_setxattr(struct inode *i, const char *name, const void *buf,
			size_t n, int flags)
{
	struct cgroupfs_node *nd = node_of(i->priv);

	if (strncmp(name, "user.", 5) && strncmp(name, "trusted.", 8) &&
	    strncmp(name, "security.", 9))
		return -EOPNOTSUPP;
	return xattr_mem_set(&nd->xattrs, &nd->xattr_bytes, name, buf, n,
			     flags);
}

static int dir_removexattr(struct inode *i, const char *name)
{
	struct cgroupfs_node *n = node_of(i->priv);

	return xattr_mem_remove(&n->xattrs, &n->xattr_bytes, name);
}

static s64 dir_listxattr(struct inode *i, char *buf, size_t n)
{
	return xattr_mem_list(&node_of(i->priv)->xattrs, buf, n);
}

static const struct inode_ops dir_iops = {
	.lookup = dir_lookup,
	.d_revalidate = dir_d_revalidate,
	.mkdir = dir_mkdir,
	.rmdir = dir_rmdir,
	.setattr = setattr,
	.getxattr = dir_getxattr,
	.setxattr = dir_setxattr,
	.removexattr = dir_removexattr,
	.listxattr = dir_listxattr,
};

/* Offsets: files by number, then groups by theirs, which is larger. */
static int dir_readdir(struct file *f, struct dir_ctx *ctx)
{
	struct cgroup *cg = f->inode->priv, *c = NULL;

	if (!dir_emit_dots(f, ctx))
		return 0;
	for (; ctx->pos - 1 < nr_cgroup_files; ctx->pos++) {
		const struct cgroup_file *cf = &cgroup_files[ctx->pos - 1];

		if (cgroup_has_file(cg, cf) &&
		    !ctx->emit(ctx, cf->name, strlen(cf->name),
			       cg->id + ctx->pos - 1, DT_REG, ctx->pos + 1))
			return 0;
	}
	while ((c = cgroup_child_after(cg, c, ctx->pos))) {
		if (!ctx->emit(ctx, c->name, strlen(c->name), c->id, DT_DIR,
			       c->id))
			break;
		ctx->pos = c->id;
		cond_resched();
	}
	cgroup_put(c);
	return 0;
}

static const struct file_ops dir_fops = {
	.readdir = dir_readdir,
	.llseek = generic_file_llseek,
};

/* --- the instance */

static const struct {
	const char *name;
	bool *on;
} options[] = {
	{ "nsdelegate", &cgroupfs_nsdelegate },
	{ "favordynmods", &favordynmods },
	{ "memory_localevents", &cgroupfs_memory_localevents },
	{ "memory_recursiveprot", &memcg_recursive_protection },
	{ "pids_localevents", &cgroupfs_pids_localevents },
};

static bool *option(const char *s, size_t n)
{
	for (u32 i = 0; i < ARRAY_SIZE(options); i++)
		if (!strncmp(options[i].name, s, n) && !options[i].name[n])
			return options[i].on;
	return NULL;
}

static int check_option(const char *opt)
{
	return option(opt, strlen(opt)) ? 0 : -ENOENT;
}

/* All of them are as the last mount in the first namespace says. */
static int set_options(const char *data)
{
	bool want[ARRAY_SIZE(options)] = { false };

	while (*data) {
		const char *end = strchr(data, ',');
		size_t n = end ? (size_t)(end - data) : strlen(data);
		bool *on = option(data, n);

		if (n && !on)
			return -EINVAL;
		for (u32 i = 0; n && i < ARRAY_SIZE(options); i++)
			want[i] |= options[i].on == on;
		data += n + (end ? 1 : 0);
	}
	if (current_nsproxy()->cgroup != &init_cgroup_ns)
		return 0;
	for (u32 i = 0; i < ARRAY_SIZE(options); i++)
		store_once(options[i].on, want[i]);
	return 0;
}

static int cgroupfs_again(struct super_block *sb __unused, const char *data)
{
	return set_options(data);
}

static int cgroupfs_remount(struct super_block *sb __unused, u64 flags __unused,
			    const char *data)
{
	return set_options(data);
}

static void show_options(struct super_block *sb __unused, char *buf, size_t n)
{
	buf[0] = '\0';
	for (u32 i = 0; i < ARRAY_SIZE(options); i++) {
		if (!load_once(options[i].on))
			continue;
		strlcat(buf, ",", n);
		strlcat(buf, options[i].name, n);
	}
}

static s64 show_root(struct mount *m, char *buf, size_t n)
{
	return cgroup_path(m->root->inode->priv,
			   current_nsproxy()->cgroup->root, buf, n);
}

/* By the numbers that handles are made of; those of files follow their group's. */
static struct inode *by_number(struct super_block *sb, u64 ino, u32 gen)
{
	struct inode *i = ERR_PTR(-ESTALE);
	struct cgroup *cg = NULL;
	u64 nr;

	(void)gen;
	mutex_lock(&cgroup_mutex);
	while ((cg = cgroup_next(cg, &cgroup_root))) {
		nr = ino - cg->id;
		if (nr >= nr_cgroup_files)
			continue;
		if (!nr || cgroup_has_file(cg, &cgroup_files[nr]))
			i = inode_in(sb, cg, (u32)nr);
		break;
	}
	mutex_unlock(&cgroup_mutex);
	return i ? i : ERR_PTR(-ENOMEM);
}

static const struct super_ops cgroupfs_sops = {
	.fh_to_inode = by_number,
	.fh_id64 = true,
	.has_dotdot = true,
	.evict_inode = cgroupfs_evict,
	.remount = cgroupfs_remount,
	.show_options = show_options,
	.show_root = show_root,
	.no_icache = true,
};

static int cgroupfs_mount(struct super_block *sb, struct blkdev *bdev __unused,
			  u64 flags __unused, const char *data __unused)
{
	struct inode *root;

	cgroup_root.fs = &root_node;
	sb->ops = &cgroupfs_sops;
	sb->magic = CGROUP2_MAGIC;
	root = inode_in(sb, &cgroup_root, 0);
	sb->root = root ? dentry_alloc_root(root) : NULL;
	return sb->root ? 0 : -ENOMEM;
}

static struct dentry *dentry_below(struct dentry *up, const struct cgroup *cg)
{
	size_t len = strlen(cg->name);
	struct dentry *d =
		lookup_child(up, cg->name, (u32)len, name_hash(cg->name, len));

	if (!IS_ERR(d) && !d->inode) {
		dentry_put(d);
		return ERR_PTR(-ENOENT);
	}
	return d;
}

/* Down from the root of all to @cg, which keeps all above it. */
static struct dentry *dentry_of(struct super_block *sb, struct cgroup *cg)
{
	u32 n = cg->level, i;
	struct cgroup **way = n ? kcalloc(n, sizeof(*way)) : NULL;
	struct dentry *at, *up;

	if (n && !way)
		return ERR_PTR(-ENOMEM);
	for (i = n; i; cg = cg->parent)
		way[--i] = cg;
	at = dentry_get(sb->root);
	for (i = 0; i < n && !IS_ERR(at); i++) {
		up = at;
		at = dentry_below(up, way[i]);
		dentry_put(up);
	}
	kfree(way);
	return at;
}

static struct dentry *cgroupfs_top(struct super_block *sb)
{
	return dentry_of(sb, current_nsproxy()->cgroup->root);
}

static struct user_ns *cgroupfs_owner(void)
{
	return current_nsproxy()->cgroup->ns.owner;
}

static struct fs_type cgroup2_type = {
	.name = "cgroup2",
	.single = true,
	.single_stacks = true,
	.owner = cgroupfs_owner,
	.check_option = check_option,
	.mount = cgroupfs_mount,
	.again = cgroupfs_again,
	.top = cgroupfs_top,
};

static int cgroupfs_init(void)
{
	struct mount *m = mount_internal(&cgroup2_type);

	if (IS_ERR(m))
		return (int)PTR_ERR(m);
	cgroupfs_mnt = m;
	root_node.born = ns_to_timespec(clock_real_ns());
	return fs_register(&cgroup2_type);
}
INITCALL(INIT_VFS, cgroupfs_init);
