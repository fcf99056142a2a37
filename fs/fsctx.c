/* SPDX-License-Identifier: MIT */
/*
 * fs/fsctx.c - a file system that is mounted, or changed, in steps: fsopen(2),
 * fsconfig(2), fspick(2).
 *
 * A context collects parameters as the string that mount(2) takes.  What is
 * wrong about one is said when it is named if the file system can tell
 * (fs_type->check_option), else when the instance is made; read() of the
 * context gives the complaints, one at a time.
 *
 * INVARIANTS
 *   C1  ctx->sb is set from the time the instance is made (or picked) on, with
 *       a reference.
 *
 * Locking: ctx->lock over each step; mount_mutex inside it.
 */
#include <fs/fsctx.h>

#include <fs/internal.h>
#include <kernel/file/iov.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/user.h>
#include <lib/errno.h>
#include <lib/fmt.h>
#include <lib/string.h>

#define DATA_MAX 4096u
#define NR_MSGS	 8u

enum phase {
	PHASE_PARAMS, /* of an instance to be made */
	PHASE_MADE,   /* fsmount() is next */
	PHASE_PICKED, /* parameters of one that is mounted */
	PHASE_FAILED,
};

struct fsctx {
	struct mutex lock;
	struct fs_type *type;	/* [I] */
	enum phase phase;	/* [lock] */
	u64 flags;		/* [lock] MS_* of the instance */
	char *source;		/* [lock] */
	char *data;		/* [lock] DATA_MAX bytes */
	struct super_block *sb; /* [lock] C1 */
	char *msgs[NR_MSGS];	/* [lock] oldest first */
};

/* --- complaints */

__printf(2, 3) static void complain(struct fsctx *c, const char *fmt, ...)
{
	char text[320] = "e ";
	va_list ap;
	u32 i;

	va_start(ap, fmt);
	vsnprintf(text + 2, sizeof(text) - 3, fmt, ap);
	va_end(ap);
	text[sizeof(text) - 2] = '\0';
	strlcat(text, "\n", sizeof(text));
	for (i = 0; i < NR_MSGS && c->msgs[i]; i++)
		;
	if (i == NR_MSGS) { /* the oldest makes room */
		kfree(c->msgs[0]);
		memmove(c->msgs, c->msgs + 1, sizeof(c->msgs[0]) * --i);
	}
	c->msgs[i] = kstrdup(text);
}

static s64 ctx_read(struct file *f, struct iov_iter *to, u64 *pos __unused)
{
	struct fsctx *c = f->priv;
	char *msg;
	size_t n;
	s64 r = -ENODATA;

	mutex_lock(&c->lock);
	msg = c->msgs[0];
	n = msg ? strlen(msg) : 0;
	if (msg && n > iov_iter_count(to)) {
		r = -EMSGSIZE;
	} else if (msg) {
		r = copy_to_iter(msg, n, to) == n ? (s64)n : -EFAULT;
		memmove(c->msgs, c->msgs + 1,
			sizeof(c->msgs[0]) * (NR_MSGS - 1));
		c->msgs[NR_MSGS - 1] = NULL;
		kfree(msg);
	}
	mutex_unlock(&c->lock);
	return r;
}

/* --- contexts */

static void ctx_free(struct fsctx *c)
{
	if (c->sb)
		sb_put(c->sb);
	for (u32 i = 0; i < NR_MSGS; i++)
		kfree(c->msgs[i]);
	kfree(c->source);
	kfree(c->data);
	kfree(c);
}

static void ctx_release(struct file *f)
{
	ctx_free(f->priv);
}

static const struct file_ops ctx_fops = {
	.read = ctx_read,
	.release = ctx_release,
};

/* Takes the reference of @sb, also on error. */
static struct file *ctx_new(struct fs_type *t, struct super_block *sb)
{
	struct fsctx *c = kzalloc(sizeof(*c));
	struct file *f = NULL;

	if (!c) {
		if (sb)
			sb_put(sb);
		return ERR_PTR(-ENOMEM);
	}
	mutex_init(&c->lock);
	c->type = t;
	c->sb = sb;
	c->phase = sb ? PHASE_PICKED : PHASE_PARAMS;
	c->flags = sb ? sb->flags : 0;
	c->data = kzalloc(DATA_MAX);
	if (c->data)
		f = file_alloc(&ctx_fops, O_RDWR, c);
	if (!f) {
		ctx_free(c);
		return ERR_PTR(-ENOMEM);
	}
	return f;
}

struct file *fsctx_open(const char *type)
{
	struct fs_type *t;

	mount_lock();
	t = fs_find_type(type);
	mount_unlock();
	return t ? ctx_new(t, NULL) : ERR_PTR(-ENODEV);
}

struct file *fsctx_pick(const struct path *p)
{
	struct super_block *sb = p->mnt->sb;

	if (p->dentry != p->mnt->root)
		return ERR_PTR(-EINVAL);
	sb_get(sb);
	return ctx_new((struct fs_type *)(uintptr_t)sb->type, sb);
}

static struct fsctx *ctx_of(const struct file *f)
{
	return f->ops == &ctx_fops ? f->priv : NULL;
}

bool fsctx_is(const struct file *f)
{
	return ctx_of(f) != NULL;
}

/* --- parameters */

/* A flag that every instance has: true, and done. */
static bool set_sb_flag(struct fsctx *c, const char *key)
{
	static const struct {
		const char *key;
		u64 set, clear;
	} flags[] = {
		{ "ro", MS_RDONLY, 0 },
		{ "rw", 0, MS_RDONLY },
		{ "sync", MS_SYNCHRONOUS, 0 },
		{ "async", 0, MS_SYNCHRONOUS },
		{ "dirsync", MS_DIRSYNC, 0 },
		{ "lazytime", MS_LAZYTIME, 0 },
		{ "nolazytime", 0, MS_LAZYTIME },
		{ "mand", 0, 0 },
		{ "nomand", 0, 0 },
	};

	for (u32 i = 0; i < ARRAY_SIZE(flags); i++) {
		if (strcmp(key, flags[i].key) != 0)
			continue;
		c->flags = (c->flags & ~flags[i].clear) | flags[i].set;
		return true;
	}
	return false;
}

static int unknown(struct fsctx *c, const char *key)
{
	complain(c, "%s: Unknown parameter '%s'", c->type->name, key);
	return -EINVAL;
}

static int check_option(struct fsctx *c, const char *opt, const char *key)
{
	int err = c->type->check_option ? c->type->check_option(opt) : 0;

	if (err == -ENOENT)
		return unknown(c, key);
	if (err)
		complain(c, "%s: Bad value for '%s'", c->type->name, key);
	return err;
}

static int add_param(struct fsctx *c, const char *key, const char *value)
{
	size_t n = strlen(c->data), at = n ? n + 1 : 0;
	size_t need = strlen(key) + (value ? strlen(value) + 1 : 0) + 1;
	int err;

	if (!*key || strchr(key, ',') || (value && strchr(value, ',')))
		return unknown(c, key);
	if (at + need > DATA_MAX)
		return -EINVAL;
	if (n)
		strlcat(c->data, ",", DATA_MAX);
	strlcat(c->data, key, DATA_MAX);
	if (value) {
		strlcat(c->data, "=", DATA_MAX);
		strlcat(c->data, value, DATA_MAX);
	}
	err = check_option(c, c->data + at, key);
	if (err)
		c->data[n] = '\0';
	return err;
}

static int set_source(struct fsctx *c, const char *value)
{
	if (c->source) {
		complain(c, "VFS: Multiple sources");
		return -EINVAL;
	}
	c->source = kstrdup(value);
	return c->source ? 0 : -ENOMEM;
}

static bool takes_params(const struct fsctx *c)
{
	return c->phase == PHASE_PARAMS || c->phase == PHASE_PICKED;
}

int fsctx_set(struct file *f, const char *key, const char *value)
{
	struct fsctx *c = ctx_of(f);
	int err = 0;

	mutex_lock(&c->lock);
	if (!takes_params(c))
		err = -EBUSY;
	else if (set_sb_flag(c, key))
		;
	else if (value && !strcmp(key, "source"))
		err = set_source(c, value);
	else
		err = add_param(c, key, value);
	mutex_unlock(&c->lock);
	return err;
}

int fsctx_refuse(struct file *f, const char *key)
{
	struct fsctx *c = ctx_of(f);
	int err;

	mutex_lock(&c->lock);
	if (!takes_params(c))
		err = -EBUSY;
	else
		err = set_sb_flag(c, key) ? 0 : unknown(c, key);
	mutex_unlock(&c->lock);
	return err;
}

/* --- what is done with them */

/* What is wrong with the device, if it is that. */
static void complain_device(struct fsctx *c, int err)
{
	if (!c->type->needs_dev)
		return;
	switch (err) {
	case -ENOENT:
	case -ENOTDIR:
	case -ENOTBLK:
	case -ELOOP:
		complain(c, "%s: Can't lookup blockdev", c->source);
		break;
	case -EACCES:
	case -EBUSY:
	case -ENXIO:
		complain(c, "%s: Can't open blockdev", c->source);
		break;
	default:
		break;
	}
}

static int make_instance(struct fsctx *c, bool exclusive)
{
	struct super_block *sb;
	bool shared;

	if (c->type->needs_dev && !c->source) {
		complain(c, "%s: No source specified", c->type->name);
		return -EINVAL;
	}
	mount_lock();
	shared = c->type->single_sb != NULL;
	sb = sb_find_or_create(c->type, c->source, c->flags, c->data);
	if (!IS_ERR(sb) && !c->type->single)
		shared = sb->refs > 1;
	mount_unlock();
	if (IS_ERR(sb)) {
		complain_device(c, (int)PTR_ERR(sb));
		return (int)PTR_ERR(sb);
	}
	if (exclusive && shared) {
		sb_put(sb);
		complain(c, "%s: Can't share instance", c->type->name);
		return -EBUSY;
	}
	c->sb = sb;
	return 0;
}

int fsctx_create(struct file *f, bool exclusive)
{
	struct fsctx *c = ctx_of(f);
	int err = -EBUSY;

	mutex_lock(&c->lock);
	if (c->phase == PHASE_PARAMS) {
		err = make_instance(c, exclusive);
		c->phase = err ? PHASE_FAILED : PHASE_MADE;
	}
	mutex_unlock(&c->lock);
	return err;
}

int fsctx_reconfigure(struct file *f)
{
	struct fsctx *c = ctx_of(f);
	int err = -EBUSY;

	mutex_lock(&c->lock);
	if (c->phase == PHASE_PICKED) {
		mount_lock();
		err = sb_remount(c->sb, c->flags, c->data);
		mount_unlock();
		c->data[0] = '\0';
		if (err)
			c->phase = PHASE_FAILED;
	}
	mutex_unlock(&c->lock);
	return err;
}

struct file *fsctx_mount(struct file *f, u64 flags)
{
	struct fsctx *c = ctx_of(f);
	struct mount *m = ERR_PTR(-EINVAL);

	mutex_lock(&c->lock);
	if (c->phase == PHASE_MADE) {
		sb_get(c->sb); /* the mount's */
		m = mount_alloc_top(c->type, c->sb, c->source, flags);
		if (!IS_ERR(m))
			c->phase = PHASE_PICKED; /* it is mounted */
		c->data[0] = '\0';
	} else if (c->sb) {
		m = ERR_PTR(-EBUSY);
	}
	mutex_unlock(&c->lock);
	return IS_ERR(m) ? ERR_PTR(PTR_ERR(m)) : mount_open_loose(m);
}
