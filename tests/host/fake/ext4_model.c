/* SPDX-License-Identifier: MIT */
/*
 * tests/host/fake/ext4_model.c - see ext4_model.h.
 */
#include <stdlib.h>

#include <tests/host/cmocka.h>

#include <tests/host/fake/ext4_model.h>

#include <lib/errno.h>

#define MAX_SIZE     (3u << 20)
#define MAX_XATTRS   6u
#define MAX_CHILDREN 40u
#define NR_HANDLES   4u

struct xattr {
	char name[64];
	u8 value[700];
	size_t size;
};

struct object;

struct name {
	char name[256];
	struct object *obj;
	struct name *next;
};

struct object {
	u32 mode, nlink;
	u8 *data; /* MAX_SIZE bytes: a file */
	u64 size;
	char *target;	    /* a link */
	struct name *names; /* a directory */
	struct object *parent;
	u32 nr_names;
	struct xattr xattr[MAX_XATTRS];
	kdev_t rdev;
};

/* Files that are held open, perhaps without a name. */
struct handle {
	struct inode *inode;
	struct object *obj;
};

struct model {
	struct rig *rig;
	struct object *root;
	struct handle open[NR_HANDLES];
	bool extents;
	u8 *buf;
};

static u64 model_below(u64 n)
{
	return random_below(&world_seed, n);
}

static struct object *object_new(u32 mode)
{
	struct object *o = calloc(1, sizeof(*o));

	o->mode = mode;
	o->nlink = S_ISDIR(mode) ? 2 : 1;
	if (S_ISREG(mode))
		o->data = calloc(1, MAX_SIZE);
	return o;
}

static bool is_open(const struct model *m, const struct object *o)
{
	u32 i;

	for (i = 0; i < NR_HANDLES; i++) {
		if (m->open[i].obj == o)
			return true;
	}
	return false;
}

static void object_put(struct model *m, struct object *o)
{
	if (o->nlink || is_open(m, o))
		return;
	free(o->data);
	free(o->target);
	free(o);
}

static struct name *model_find(const struct object *dir, const char *name)
{
	struct name *n;

	for (n = dir->names; n; n = n->next) {
		if (!strcmp(n->name, name))
			return n;
	}
	return NULL;
}

static void add_name(struct object *dir, const char *name, struct object *o)
{
	struct name *n = calloc(1, sizeof(*n));

	strcpy(n->name, name);
	n->obj = o;
	n->next = dir->names;
	dir->names = n;
	dir->nr_names++;
	if (S_ISDIR(o->mode)) {
		dir->nlink++;
		o->parent = dir;
	}
}

static void del_name(struct object *dir, const char *name)
{
	struct name **at = &dir->names, *n;

	while (strcmp((*at)->name, name) != 0)
		at = &(*at)->next;
	n = *at;
	*at = n->next;
	dir->nr_names--;
	if (S_ISDIR(n->obj->mode))
		dir->nlink--;
	free(n);
}

/* Some directory, with its inode referenced. */
static struct object *model_pick_dir(struct model *m, struct inode **out)
{
	struct object *at = m->root;
	struct inode *i = rig_lookup(m->rig, "");

	while (model_below(3)) {
		struct name *n = at->names;
		u64 skip = model_below(at->nr_names + 1);

		while (n && skip--)
			n = n->next;
		while (n && !S_ISDIR(n->obj->mode))
			n = n->next;
		if (!n)
			break;
		*out = rig_child(i, n->name);
		assert_false(IS_ERR(*out));
		inode_put(i);
		i = *out;
		at = n->obj;
	}
	*out = i;
	return at;
}

static struct name *model_pick_name(struct object *dir)
{
	struct name *n = dir->names;
	u64 skip = dir->nr_names ? model_below(dir->nr_names) : 0;

	while (n && skip--)
		n = n->next;
	return n;
}

/* Some regular file, with its inode referenced, or NULL. */
static struct object *model_pick_file(struct model *m, struct inode **out)
{
	struct inode *dir;
	struct object *d, *o = NULL;
	struct name *n;
	u32 h = (u32)model_below(NR_HANDLES);

	if (m->open[h].obj && model_below(3) == 0) {
		*out = inode_get(m->open[h].inode);
		return m->open[h].obj;
	}
	d = model_pick_dir(m, &dir);
	n = model_pick_name(d);
	while (n && !S_ISREG(n->obj->mode))
		n = n->next;
	if (n) {
		o = n->obj;
		*out = rig_child(dir, n->name);
		assert_false(IS_ERR(*out));
	}
	inode_put(dir);
	return o;
}

static void model_new_name(char *name)
{
	size_t n = (size_t)sprintf(name, "n%u", (u32)model_below(4000));
	size_t len = model_below(6) ? n : 1 + (size_t)model_below(255);

	for (; n < len; n++)
		name[n] = (char)('a' + model_below(26));
	name[n] = '\0';
}

static void step_create(struct model *m)
{
	struct inode *dir, *out;
	struct object *d = model_pick_dir(m, &dir), *o;
	char name[256], target[900];
	u32 kind = (u32)model_below(12);
	int err;

	model_new_name(name);
	if (model_find(d, name) || d->nr_names >= MAX_CHILDREN)
		goto done;
	if (kind < 6) {
		o = object_new(S_IFREG | 0640);
		err = rig_create(dir, name, 0640, &out);
	} else if (kind < 9) {
		o = object_new(S_IFDIR | 0755);
		err = rig_mkdir(dir, name, &out);
	} else if (kind < 11) {
		size_t n = 1 + model_below(model_below(2) ? 70 : 890);

		memset(target, 'x', n);
		target[n] = '\0';
		o = object_new(S_IFLNK | 0777);
		o->target = strdup(target);
		o->size = n;
		err = rig_symlink(dir, name, target);
		out = NULL;
	} else {
		o = object_new(S_IFCHR | 0600);
		o->rdev = model_below(2) ? MKDEV(1, 3) : MKDEV(300, 70000);
		down_write(&dir->lock);
		err = dir->ops->mknod(dir, name, strlen(name), o->mode, o->rdev,
				      &out);
		up_write(&dir->lock);
	}
	assert_int_equal(err, 0);
	inode_put(out);
	add_name(d, name, o);
done:
	inode_put(dir);
}

static void step_remove(struct model *m)
{
	struct inode *dir;
	struct object *d = model_pick_dir(m, &dir), *o;
	struct name *n = model_pick_name(d);
	int err;

	if (!n)
		goto done;
	o = n->obj;
	if (S_ISDIR(o->mode)) {
		err = rig_rmdir(dir, n->name);
		if (o->names) {
			assert_int_equal(err, -ENOTEMPTY);
			goto done;
		}
		assert_int_equal(err, 0);
		del_name(d, n->name);
		o->nlink = 0;
	} else {
		assert_int_equal(rig_unlink(dir, n->name), 0);
		del_name(d, n->name);
		o->nlink--;
	}
	object_put(m, o);
done:
	inode_put(dir);
}

static void step_link(struct model *m)
{
	struct inode *dir, *i = NULL;
	struct object *o = model_pick_file(m, &i), *d;
	char name[256];

	if (!o)
		return;
	d = model_pick_dir(m, &dir);
	model_new_name(name);
	if (o->nlink && !model_find(d, name) && d->nr_names < MAX_CHILDREN) {
		assert_int_equal(rig_link(dir, name, i), 0);
		add_name(d, name, o);
		o->nlink++;
	}
	inode_put(dir);
	inode_put(i);
}

static bool model_is_below(const struct object *o, const struct object *top)
{
	for (; o; o = o->parent) {
		if (o == top)
			return true;
	}
	return false;
}

static void forget_victim(struct model *m, struct object *d, struct name *t)
{
	struct object *v = t->obj;

	del_name(d, t->name);
	v->nlink = S_ISDIR(v->mode) ? 0 : v->nlink - 1;
	object_put(m, v);
}

static void step_rename(struct model *m)
{
	struct inode *da, *db;
	struct object *a = model_pick_dir(m, &da), *b = model_pick_dir(m, &db),
		      *o, *v;
	struct name *n = model_pick_name(a), *t;
	bool swap = model_below(3) == 0;
	char name[256], old[256];

	t = model_below(3) ? NULL : model_pick_name(b);
	model_new_name(name);
	if (t)
		strcpy(name, t->name);
	t = model_find(b, name);
	if (!n || (swap && !t) || (t && t->obj == n->obj))
		goto done;
	o = n->obj;
	v = t ? t->obj : NULL;
	if (model_is_below(b, o) || (v && model_is_below(a, v)))
		goto done;
	if (v && !swap && S_ISDIR(v->mode) != S_ISDIR(o->mode))
		goto done;
	strcpy(old, n->name);
	if (v && !swap && v->names) {
		assert_int_equal(rig_rename(da, old, db, name, 0), -ENOTEMPTY);
		goto done;
	}
	assert_int_equal(rig_rename(da, old, db, name, swap ? 2 : 0), 0);
	if (t && !swap)
		forget_victim(m, b, t);
	if (swap) {
		del_name(b, name);
		del_name(a, old);
		add_name(a, old, v);
	} else {
		del_name(a, old);
	}
	add_name(b, name, o);
done:
	inode_put(da);
	inode_put(db);
}

static u64 offset(void)
{
	u64 bits = model_below(22);
	u64 o = model_below((1ull << bits) + 1);

	return model_below(3) ? o : ALIGN_DOWN(o, 1024u);
}

static void step_write(struct model *m)
{
	struct inode *i = NULL;
	struct object *o = model_pick_file(m, &i);
	u64 pos = offset(), n = 1 + model_below(model_below(4) ? 5000 : 200000),
	    k;

	if (!o)
		return;
	if (model_below(3) == 0)
		pos = o->size;
	if (pos + n <= MAX_SIZE) {
		for (k = 0; k < n; k++)
			m->buf[k] = (u8)next_random(&world_seed);
		assert_int_equal(rig_write(i, pos, m->buf, n), n);
		memcpy(o->data + pos, m->buf, n);
		if (pos + n > o->size)
			o->size = pos + n;
	}
	inode_put(i);
}

static void step_truncate(struct model *m)
{
	struct inode *i = NULL;
	struct object *o = model_pick_file(m, &i);
	u64 size = offset();

	if (!o)
		return;
	if (size <= MAX_SIZE) {
		assert_int_equal(rig_truncate(i, size), 0);
		if (size < o->size)
			memset(o->data + size, 0, o->size - size);
		o->size = size;
	}
	inode_put(i);
}

static void step_fallocate(struct model *m)
{
	static const int modes[] = { 0, 1, 3, 0x10, 0x11 };
	struct inode *i = NULL;
	struct object *o = model_pick_file(m, &i);
	int mode = modes[model_below(5)], err;
	u64 off = offset(), len = 1 + offset(), end = off + len;

	if (!o)
		return;
	if (end > MAX_SIZE)
		goto done;
	err = rig_fallocate(i, mode, off, len);
	if (!m->extents && mode != 3) {
		assert_int_equal(err, -EOPNOTSUPP);
		goto done;
	}
	assert_int_equal(err, 0);
	if (mode & 0x12)
		memset(o->data + off, 0, len);
	if (!(mode & 1) && end > o->size)
		o->size = end;
done:
	inode_put(i);
}

/* Blocks are taken out of a file, or put into it. */
static void do_move_range(struct model *m)
{
	struct inode *i = NULL;
	struct object *o = model_pick_file(m, &i);
	u64 bs, off, len, size;
	bool out = model_below(2);
	int err;

	if (!o)
		return;
	bs = i->sb->block_size;
	off = ALIGN_DOWN(offset(), bs);
	len = bs * (1 + model_below(64));
	size = o->size;
	if (off + len > MAX_SIZE || (!out && size + len > MAX_SIZE))
		goto done;
	err = rig_fallocate(i, out ? 0x08 : 0x20, off, len);
	if (!m->extents) {
		assert_int_equal(err, -EOPNOTSUPP);
	} else if (out && off + len < size) {
		assert_int_equal(err, 0);
		memmove(o->data + off, o->data + off + len, size - off - len);
		memset(o->data + size - len, 0, len);
		o->size -= len;
	} else if (!out && off < size) {
		assert_int_equal(err, 0);
		memmove(o->data + off + len, o->data + off, size - off);
		memset(o->data + off, 0, len);
		o->size += len;
	} else {
		assert_int_equal(err, -EINVAL);
	}
done:
	inode_put(i);
}

static void do_xattr(struct model *m)
{
	static const char *const prefix[] = { "user.", "trusted.",
					      "security." };
	struct inode *i = NULL;
	struct object *o = model_pick_file(m, &i);
	struct xattr *x;
	size_t n = model_below(model_below(3) ? 30 : sizeof(x->value)), k;
	char name[64];

	if (!o)
		return;
	x = &o->xattr[model_below(MAX_XATTRS)];
	if (!x->name[0])
		sprintf(x->name, "%sx%u%s", prefix[model_below(3)],
			(u32)(x - o->xattr),
			model_below(2) ? "" : "_longer_name");
	else if (model_below(3) == 0) {
		assert_int_equal(i->ops->removexattr(i, x->name), 0);
		memset(x, 0, sizeof(*x));
		goto done;
	}
	for (k = 0; k < n; k++)
		m->buf[k] = (u8)next_random(&world_seed);
	strcpy(name, x->name);
	if (i->ops->setxattr(i, name, m->buf, n, 0) == 0) {
		memcpy(x->value, m->buf, n);
		x->size = n;
	} else if (i->ops->getxattr(i, name, NULL, 0) < 0) {
		memset(x, 0, sizeof(*x)); /* no room for a new one */
	}
done:
	inode_put(i);
}

static void step_open(struct model *m)
{
	struct handle *h = &m->open[model_below(NR_HANDLES)];
	struct object *o = h->obj;

	if (o) {
		inode_put(h->inode);
		h->obj = NULL;
		object_put(m, o);
	}
	h->obj = model_pick_file(m, &h->inode);
}

static void check_file(struct model *m, struct object *o, struct inode *i)
{
	u64 done = 0;
	u32 k;

	assert_int_equal(i->i_size, o->size);
	while (done < o->size) {
		u64 n = min(o->size - done, (u64)262144);

		assert_int_equal(rig_read(i, done, m->buf, n), n);
		assert_memory_equal(m->buf, o->data + done, n);
		done += n;
	}
	for (k = 0; k < MAX_XATTRS; k++) {
		struct xattr *x = &o->xattr[k];

		if (!x->name[0])
			continue;
		assert_int_equal(i->ops->getxattr(i, x->name, m->buf, 800),
				 x->size);
		assert_memory_equal(m->buf, x->value, x->size);
	}
}

void model_step(struct model *m)
{
	struct inode *i = NULL;
	struct object *o;

	switch (model_below(17)) {
	case 0 ... 2:
		step_create(m);
		break;
	case 3:
		step_remove(m);
		break;
	case 4:
		step_link(m);
		break;
	case 5:
		step_rename(m);
		break;
	case 6 ... 9:
		step_write(m);
		break;
	case 10:
		step_truncate(m);
		break;
	case 11:
		step_fallocate(m);
		break;
	case 12:
		do_xattr(m);
		break;
	case 13:
		step_open(m);
		break;
	case 14:
		do_move_range(m);
		break;
	default:
		o = model_pick_file(m, &i);
		if (o) {
			if (model_below(2))
				(void)mapping_sync(&i->mapping, 0, ~0ull, true);
			if (model_below(2))
				(void)mapping_invalidate(&i->mapping, 0, ~0ull);
			check_file(m, o, i);
		}
		inode_put(i);
	}
}

struct listing {
	struct object *dir;
	u32 nr;
};

static void check_name(void *ctx, const char *name, size_t len, u64 ino,
		       unsigned int dtype)
{
	struct listing *l = ctx;
	char text[256];
	struct name *n;

	memcpy(text, name, len);
	text[len] = '\0';
	if (!strcmp(text, "lost+found"))
		return;
	n = model_find(l->dir, text);
	assert_non_null(n);
	assert_int_equal(dtype, mode_to_dt(n->obj->mode));
	l->nr++;
}

static void compare_dir(struct model *m, struct object *d, struct inode *dir)
{
	struct listing l = { .dir = d };
	struct name *n;

	assert_int_equal(rig_list(dir, check_name, &l), 0);
	assert_int_equal(l.nr, d->nr_names);
	for (n = d->names; n; n = n->next) {
		struct inode *i = rig_child(dir, n->name);
		struct object *o = n->obj;

		assert_false(IS_ERR(i));
		assert_int_equal(i->mode, o->mode);
		assert_int_equal(i->nlink, o->nlink);
		if (S_ISREG(o->mode)) {
			check_file(m, o, i);
		} else if (S_ISDIR(o->mode)) {
			compare_dir(m, o, i);
		} else if (S_ISLNK(o->mode)) {
			assert_int_equal(i->ops->readlink(i, (char *)m->buf,
							  4096),
					 o->size);
			assert_string_equal((char *)m->buf, o->target);
		} else {
			assert_int_equal(i->rdev, o->rdev);
		}
		inode_put(i);
	}
}

void model_compare(struct model *m)
{
	struct inode *root = rig_lookup(m->rig, "");

	compare_dir(m, m->root, root);
	inode_put(root);
}

struct model *model_new(struct rig *r, bool extents)
{
	struct model *m = calloc(1, sizeof(*m));

	m->rig = r;
	m->extents = extents;
	m->root = object_new(S_IFDIR | 0755);
	m->buf = malloc(300000);
	return m;
}

void model_close_all(struct model *m)
{
	u32 i;

	for (i = 0; i < NR_HANDLES; i++) {
		struct object *o = m->open[i].obj;

		if (!o)
			continue;
		inode_put(m->open[i].inode);
		m->open[i].obj = NULL;
		object_put(m, o);
	}
}

static void free_tree(struct object *d)
{
	struct name *n, *next;

	for (n = d->names; n; n = next) {
		struct object *o = n->obj;

		next = n->next;
		if (S_ISDIR(o->mode)) {
			free_tree(o);
		} else if (--o->nlink == 0) {
			free(o->data);
			free(o->target);
			free(o);
		}
		free(n);
	}
	free(d);
}

void model_free(struct model *m)
{
	free_tree(m->root);
	free(m->buf);
	free(m);
}
