/* SPDX-License-Identifier: MIT */
/*
 * tests/host/fake/crash_work.c - see crash.h: the work, and what is noted of it.
 */
#include <stdlib.h>

#include <tests/host/cmocka.h>

#include <tests/host/fake/crash_int.h>

#include <fs/ext4/journal.h>
#include <lib/errno.h>

#define MAX_SIZE (96u << 10)

static u64 below(u64 n)
{
	return random_below(&world_seed, n);
}

static u32 now(struct worker *w)
{
	return w->trace ? trace_tick(w->trace) : 0;
}

/* --- the model */

static void add_version(struct worker *w, struct object *o, u64 size, u8 *data,
			u32 begun)
{
	if (o->nr_versions == o->room_versions) {
		o->room_versions = o->room_versions ? 2 * o->room_versions : 8;
		o->version = realloc(o->version,
				     o->room_versions * sizeof(*o->version));
	}
	o->version[o->nr_versions++] = (struct version){
		.size = size,
		.data = data,
		.begun = begun,
		.ended = now(w),
		.synced = EVENT_NEVER,
	};
}

static struct version *newest(struct object *o)
{
	return &o->version[o->nr_versions - 1];
}

/* The newest contents, in room for MAX_SIZE bytes. */
static u8 *copy_newest(struct object *o)
{
	u8 *p = calloc(1, MAX_SIZE);

	if (newest(o)->data)
		memcpy(p, newest(o)->data, MAX_SIZE);
	return p;
}

static struct object *add_object(struct worker *w, struct inode *i, u32 begun)
{
	struct object *o = calloc(1, sizeof(*o));

	o->ino = i->ino;
	o->generation = i->generation;
	o->mode = i->mode;
	o->nlink = S_ISDIR(i->mode) ? 2 : 1;
	o->next = w->objects;
	w->objects = o;
	if (S_ISREG(i->mode))
		add_version(w, o, 0, NULL, begun);
	return o;
}

static struct name *find(struct object *dir, const char *name)
{
	struct name *n = dir->names;

	while (n && strcmp(n->name, name) != 0)
		n = n->next;
	return n;
}

static void link_name(struct object *dir, const char *name, struct object *o)
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

static struct object *unlink_name(struct object *dir, const char *name)
{
	struct name **at = &dir->names, *n;
	struct object *o;

	while (strcmp((*at)->name, name) != 0)
		at = &(*at)->next;
	n = *at;
	*at = n->next;
	o = n->obj;
	dir->nr_names--;
	if (S_ISDIR(o->mode))
		dir->nlink--;
	free(n);
	return o;
}

static void describe(struct text *t, const struct object *o, const char *path)
{
	const struct name *n;
	char sub[1024];

	text_add(t, "%s ino %llu.%u mode %o nlink %u%s%s%s%s\n", path,
		 (unsigned long long)o->ino, o->generation, o->mode, o->nlink,
		 *o->target ? " -> " : "", o->target, *o->value ? " x=" : "",
		 o->value);
	for (n = o->names; n; n = n->next) {
		snprintf(sub, sizeof(sub), "%s/%s", path, n->name);
		describe(t, n->obj, sub);
	}
}

static struct step *add_step(struct worker *w, u32 begun)
{
	struct text t = { 0 };
	char path[32];

	if (w->nr_steps == w->room_steps) {
		w->room_steps = w->room_steps ? 2 * w->room_steps : 64;
		w->step = realloc(w->step, w->room_steps * sizeof(*w->step));
	}
	snprintf(path, sizeof(path), "/%s", w->name);
	describe(&t, w->root, path);
	w->step[w->nr_steps] = (struct step){
		.begun = begun,
		.ended = now(w),
		.names = text_join(&t),
		.confirmed_at = EVENT_NEVER,
	};
	return &w->step[w->nr_steps++];
}

/* --- choosing */

struct place {
	struct object *obj;  /* a directory */
	struct inode *inode; /* referenced */
};

static void put(struct place *p)
{
	inode_put(p->inode);
}

static struct place pick_dir(struct worker *w)
{
	struct place p = { w->root, rig_lookup(w->rig, w->name) };

	while (below(3)) {
		struct name *n = p.obj->names;
		u64 skip = below(p.obj->nr_names + 1);
		struct inode *i;

		while (n && skip--)
			n = n->next;
		while (n && !S_ISDIR(n->obj->mode))
			n = n->next;
		if (!n)
			break;
		i = rig_child(p.inode, n->name);
		assert_false(IS_ERR(i));
		inode_put(p.inode);
		p = (struct place){ n->obj, i };
	}
	return p;
}

static struct name *pick_name(struct object *dir)
{
	struct name *n = dir->names;
	u64 skip = dir->nr_names ? below(dir->nr_names) : 0;

	while (n && skip--)
		n = n->next;
	return n;
}

/* Some regular file that has a name, or NULL. */
static struct object *pick_file(struct worker *w, struct inode **out)
{
	u32 tries;

	for (tries = 0; tries < 4; tries++) {
		struct place d = pick_dir(w);
		struct name *n = pick_name(d.obj);

		while (n && !S_ISREG(n->obj->mode))
			n = n->next;
		if (n) {
			*out = rig_child(d.inode, n->name);
			assert_false(IS_ERR(*out));
			put(&d);
			return n->obj;
		}
		put(&d);
	}
	return NULL;
}

static void new_name(char *name)
{
	size_t n = (size_t)sprintf(name, "n%u", (u32)below(300));
	size_t len = below(4) ? n : n + (size_t)below(120);

	for (; n < len; n++)
		name[n] = (char)('a' + below(26));
	name[n] = '\0';
}

/* --- steps that change names */

static bool do_create(struct worker *w)
{
	struct place d = pick_dir(w);
	u32 kind = (u32)below(10), begun = now(w);
	struct inode *i = NULL;
	struct object *o;
	char name[256], target[1000];

	new_name(name);
	if (find(d.obj, name) || d.obj->nr_names > 40) {
		put(&d);
		return false;
	}
	if (kind < 6) {
		assert_int_equal(rig_create(d.inode, name, 0644, &i), 0);
	} else if (kind < 8) {
		assert_int_equal(rig_mkdir(d.inode, name, &i), 0);
	} else {
		size_t n = 1 + below(below(2) ? 50 : 900);

		memset(target, 'y', n);
		target[n] = '\0';
		assert_int_equal(rig_symlink(d.inode, name, target), 0);
		i = rig_child(d.inode, name);
	}
	o = add_object(w, i, begun);
	if (kind >= 8)
		strcpy(o->target, target);
	link_name(d.obj, name, o);
	o->last_step = w->nr_steps;
	inode_put(i);
	put(&d);
	add_step(w, begun);
	return true;
}

static void crowd(struct worker *w, struct place *d)
{
	u32 k;

	for (k = 0; k < 25; k++) {
		u32 begun = now(w);
		struct inode *i;
		struct object *o;
		char name[160];

		snprintf(name, sizeof(name), "crowd%u-%0*u", w->serial++,
			 40 + (int)below(60), k);
		assert_int_equal(rig_create(d->inode, name, 0600, &i), 0);
		o = add_object(w, i, begun);
		link_name(d->obj, name, o);
		o->last_step = w->nr_steps;
		inode_put(i);
		add_step(w, begun);
	}
}

/* Many names in a row, so that the directory grows and is split; often in one
 * of its own, whose blocks are given back sometime. */
static bool do_crowd(struct worker *w)
{
	struct place d = pick_dir(w), sub = d;
	u32 begun = now(w);
	char name[32];

	if (below(4)) {
		snprintf(name, sizeof(name), "many%u", w->serial++);
		assert_int_equal(rig_mkdir(d.inode, name, &sub.inode), 0);
		sub.obj = add_object(w, sub.inode, begun);
		link_name(d.obj, name, sub.obj);
		sub.obj->last_step = w->nr_steps;
		put(&d);
		add_step(w, begun);
	}
	crowd(w, &sub);
	put(&sub);
	return true;
}

static bool do_remove(struct worker *w)
{
	struct place d = pick_dir(w);
	struct name *n = pick_name(d.obj);
	u32 begun = now(w);
	struct object *o;

	if (!n || n->obj->names) {
		put(&d);
		return false;
	}
	o = n->obj;
	if (S_ISDIR(o->mode))
		assert_int_equal(rig_rmdir(d.inode, n->name), 0);
	else
		assert_int_equal(rig_unlink(d.inode, n->name), 0);
	unlink_name(d.obj, n->name);
	o->nlink = S_ISDIR(o->mode) ? 0 : o->nlink - 1;
	o->last_step = w->nr_steps;
	put(&d);
	add_step(w, begun);
	return true;
}

/* A crowded directory goes, with all that is in it. */
static bool do_purge(struct worker *w)
{
	struct place top = { w->root, rig_lookup(w->rig, w->name) };
	struct name *n = w->root->names, *in;
	struct inode *dir;
	struct object *o;
	u32 begun;

	while (n && (n->obj->nr_names < 20 || !S_ISDIR(n->obj->mode)))
		n = n->next;
	for (in = n ? n->obj->names : NULL; in; in = in->next) {
		if (in->obj->names)
			n = NULL;
	}
	if (!n) {
		put(&top);
		return false;
	}
	o = n->obj;
	dir = rig_child(top.inode, n->name);
	while ((in = o->names) != NULL) {
		begun = now(w);
		if (S_ISDIR(in->obj->mode))
			assert_int_equal(rig_rmdir(dir, in->name), 0);
		else
			assert_int_equal(rig_unlink(dir, in->name), 0);
		in->obj->nlink =
			S_ISDIR(in->obj->mode) ? 0 : in->obj->nlink - 1;
		unlink_name(o, in->name);
		add_step(w, begun);
	}
	inode_put(dir);
	begun = now(w);
	assert_int_equal(rig_rmdir(top.inode, n->name), 0);
	unlink_name(w->root, n->name);
	o->nlink = 0;
	put(&top);
	add_step(w, begun);
	return true;
}

static bool do_link(struct worker *w)
{
	struct inode *i = NULL;
	struct object *o = pick_file(w, &i);
	struct place d = pick_dir(w);
	u32 begun = now(w);
	char name[256];
	bool done = false;

	new_name(name);
	if (o && !find(d.obj, name)) {
		assert_int_equal(rig_link(d.inode, name, i), 0);
		o->nlink++;
		link_name(d.obj, name, o);
		o->last_step = w->nr_steps;
		add_step(w, begun);
		done = true;
	}
	inode_put(i);
	put(&d);
	return done;
}

static bool is_below(const struct object *o, const struct object *top)
{
	for (; o; o = o->parent) {
		if (o == top)
			return true;
	}
	return false;
}

static void move(struct worker *w, struct place *a, const char *old,
		 struct place *b, const char *name, bool swap)
{
	struct object *o = find(a->obj, old)->obj, *v = NULL;

	if (find(b->obj, name))
		v = unlink_name(b->obj, name);
	unlink_name(a->obj, old);
	if (v && swap) {
		link_name(a->obj, old, v);
		v->last_step = w->nr_steps;
	} else if (v) {
		v->nlink = S_ISDIR(v->mode) ? 0 : v->nlink - 1;
	}
	link_name(b->obj, name, o);
	o->last_step = w->nr_steps;
}

static bool do_rename(struct worker *w)
{
	struct place a = pick_dir(w), b = pick_dir(w);
	struct name *n = pick_name(a.obj), *t = below(2) ? pick_name(b.obj) : 0;
	bool swap = t && below(3) == 0, done = false;
	char name[256], old[256];
	u32 begun = now(w);

	new_name(name);
	if (t)
		strcpy(name, t->name);
	t = find(b.obj, name);
	if (!n || (t && t->obj == n->obj) || is_below(b.obj, n->obj) ||
	    (t && is_below(a.obj, t->obj)) ||
	    (t && !swap &&
	     (S_ISDIR(t->obj->mode) != S_ISDIR(n->obj->mode) || t->obj->names)))
		goto out;
	strcpy(old, n->name);
	swap = swap && t;
	assert_int_equal(rig_rename(a.inode, old, b.inode, name, swap ? 2 : 0),
			 0);
	move(w, &a, old, &b, name, swap);
	add_step(w, begun);
	done = true;
out:
	put(&a);
	put(&b);
	return done;
}

static bool do_attributes(struct worker *w)
{
	struct inode *i = NULL;
	struct object *o = pick_file(w, &i);
	u32 begun = now(w);

	if (!o)
		return false;
	if (below(2)) {
		struct iattr a = { .valid = ATTR_MODE | ATTR_CTIME,
				   .mode = 0600 + (u32)below(64),
				   .ctime = inode_now(i) };

		down_write(&i->lock);
		assert_int_equal(i->ops->setattr(i, &a), 0);
		up_write(&i->lock);
		o->mode = (o->mode & S_IFMT) | a.mode;
	} else {
		snprintf(o->value, sizeof(o->value), "%0*u", 1 + (int)below(50),
			 w->serial++);
		assert_int_equal(i->ops->setxattr(i, "user.crash", o->value,
						  strlen(o->value), 0),
				 0);
	}
	o->last_step = w->nr_steps;
	inode_put(i);
	add_step(w, begun);
	return true;
}

/* --- steps that change contents */

static void fill(struct worker *w, u8 *p, u64 n)
{
	u64 seed = 0x100000001ull * ++w->serial + 77, k;

	for (k = 0; k < n; k++)
		p[k] = (u8)(next_random(&seed) | 1); /* not zero */
}

static bool do_write(struct worker *w)
{
	struct inode *i = NULL;
	struct object *o = pick_file(w, &i);
	u64 n = 1 + below(below(3) ? 3000 : 30000), size, pos;
	u32 begun = now(w);
	u8 *data;

	if (!o)
		return false;
	size = newest(o)->size;
	pos = below(3) ? size : below(size + 5000);
	if (pos + n > MAX_SIZE) {
		inode_put(i);
		return false;
	}
	data = copy_newest(o);
	fill(w, data + pos, n);
	/* A sector may be written before the call is over. */
	add_version(w, o, max(size, pos + n), data, begun);
	newest(o)->ended = EVENT_NEVER;
	assert_int_equal(rig_write(i, pos, data + pos, n), n);
	newest(o)->ended = now(w);
	inode_put(i);
	add_step(w, begun);
	return true;
}

static bool do_truncate(struct worker *w)
{
	struct inode *i = NULL;
	struct object *o = pick_file(w, &i);
	u64 size = below(3) ? below(MAX_SIZE / 2) : 0;
	u32 begun = now(w);
	u8 *data;

	if (!o)
		return false;
	data = copy_newest(o);
	if (size < newest(o)->size)
		memset(data + size, 0, MAX_SIZE - size);
	add_version(w, o, size, data, begun);
	newest(o)->ended = EVENT_NEVER;
	assert_int_equal(rig_truncate(i, size), 0);
	newest(o)->ended = now(w);
	o->last_step = w->nr_steps;
	inode_put(i);
	add_step(w, begun);
	return true;
}

static bool do_fallocate(struct worker *w)
{
	static const int modes[] = { 0, 1, 3, 0x10, 0x11 };
	int mode = modes[below(ARRAY_SIZE(modes))], err;
	struct inode *i = NULL;
	struct object *o = pick_file(w, &i);
	u64 off = below(MAX_SIZE / 2), len = 1 + below(MAX_SIZE / 2);
	u32 begun = now(w);
	u64 size;
	u8 *data;

	if (!o)
		return false;
	data = copy_newest(o);
	if (mode & 0x12)
		memset(data + off, 0, len);
	size = newest(o)->size;
	if (!(mode & 1))
		size = max(size, off + len);
	add_version(w, o, size, data, begun);
	newest(o)->ended = EVENT_NEVER;
	err = rig_fallocate(i, mode, off, len);
	newest(o)->ended = now(w);
	if (err == -EOPNOTSUPP) {
		free(data);
		o->nr_versions--;
	} else {
		assert_int_equal(err, 0);
		o->last_step = w->nr_steps;
	}
	inode_put(i);
	add_step(w, begun);
	return true;
}

/* The file's blocks go elsewhere; nothing of it changes. */
static bool do_exchange(struct worker *w)
{
	struct inode *i = NULL, *donor = NULL, *root = rig_lookup(w->rig, "");
	struct object *o = pick_file(w, &i);
	struct file f = { .inode = i }, d;
	u32 begun = now(w);
	u64 moved = 0;
	int err;

	if (!o) {
		inode_put(root);
		return false;
	}
	down_write(&root->lock);
	err = root->ops->tmpfile(root, S_IFREG | 0600, &donor);
	up_write(&root->lock);
	inode_put(root);
	if (!err) {
		d = (struct file){ .inode = donor };
		err = rig_fallocate(donor, 0, 0, MAX_SIZE / 2);
		if (!err)
			err = i->fops->move_blocks(&f, &d, 0, 0,
						   MAX_SIZE / i->sb->block_size,
						   &moved);
		inode_put(donor);
	}
	assert_true(!err || err == -EINVAL || err == -EOPNOTSUPP ||
		    err == -ENOSPC);
	inode_put(i);
	add_step(w, begun);
	return true;
}

/* --- steps that bring it to the disk */

static bool do_fsync(struct worker *w)
{
	struct inode *i = NULL;
	struct object *o = pick_file(w, &i);
	bool datasync = below(3) == 0;
	struct file f = { .inode = i };
	u32 begun = now(w), nr, step;
	struct step *s;

	if (!o)
		return false;
	nr = o->nr_versions - 1;
	step = o->last_step;
	assert_int_equal(i->fops->fsync(&f, datasync), 0);
	o->version[nr].synced = now(w);
	inode_put(i);
	s = add_step(w, begun);
	if (!datasync) {
		s->confirms = step;
		s->confirmed_at = now(w);
	}
	return true;
}

static bool do_sync(struct worker *w)
{
	u32 begun = now(w);

	assert_int_equal(rig_sync(w->rig), 0);
	crash_note_sync(begun, now(w));
	add_step(w, begun);
	return true;
}

/* What the volume's and the page cache's threads do, now. */
static bool do_background(struct worker *w)
{
	struct ext4_sb *sbi = w->rig->sb->priv;
	struct inode *i = NULL;
	u32 begun = now(w);

	switch (below(4)) {
	case 0:
		assert_int_equal(ext4_commit_running(sbi), 0);
		break;
	case 1:
		assert_int_equal(ext4_checkpoint_all(sbi->journal, below(2)),
				 0);
		break;
	default:
		if (!pick_file(w, &i))
			return false;
		(void)mapping_sync(&i->mapping, 0, ~0ull, false);
		if (below(2))
			(void)mapping_invalidate(&i->mapping, 0, ~0ull);
		inode_put(i);
	}
	add_step(w, begun);
	return true;
}

/* The volume gets more of its disk. */
static bool do_grow(struct worker *w)
{
	struct ext4_sb *sbi = w->rig->sb->priv;
	u64 have = w->rig->disk.size >> sbi->block_bits;
	u64 end = min(have, sbi->nr_blocks + 1 + below(5000));
	u32 begun = now(w);
	int err;

	err = ext4_resize(sbi, end);
	assert_true(!err || err == -EBUSY);
	add_step(w, begun);
	return true;
}

/* Files that are open keep what they had when their names go. */
static bool do_open(struct worker *w)
{
	u32 k = (u32)below(NR_OPEN);

	inode_put(w->open[k]);
	w->open[k] = NULL;
	(void)pick_file(w, &w->open[k]);
	add_step(w, now(w));
	return true;
}

/* --- workers */

typedef bool step_fn(struct worker *w);

static const struct {
	step_fn *fn;
	u8 weight[6]; /* by enum crash_mix */
} kinds[] = {
	{ do_create, { 10, 4, 6, 6, 8, 10 } },
	{ do_crowd, { 1, 1, 0, 2, 0, 1 } },
	{ do_remove, { 6, 2, 2, 6, 6, 4 } },
	{ do_purge, { 1, 2, 0, 4, 0, 1 } },
	{ do_link, { 3, 0, 1, 0, 2, 1 } },
	{ do_rename, { 6, 1, 2, 1, 4, 2 } },
	{ do_attributes, { 3, 1, 1, 0, 6, 1 } },
	{ do_write, { 4, 12, 10, 12, 6, 10 } },
	{ do_truncate, { 1, 3, 1, 8, 2, 3 } },
	{ do_fallocate, { 0, 3, 1, 8, 1, 2 } },
	{ do_exchange, { 0, 2, 1, 3, 0, 1 } },
	{ do_fsync, { 2, 4, 16, 2, 4, 4 } },
	{ do_sync, { 1, 1, 1, 1, 0, 1 } },
	{ do_background, { 2, 3, 1, 4, 30, 4 } },
	{ do_open, { 2, 1, 0, 1, 1, 1 } },
	{ do_grow, { 0, 0, 0, 0, 0, 6 } },
};

void worker_step(struct worker *w)
{
	u32 sum = 0, k, pick;

	for (k = 0; k < ARRAY_SIZE(kinds); k++)
		sum += kinds[k].weight[w->mix];
	do {
		pick = (u32)below(sum);
		for (k = 0; pick >= kinds[k].weight[w->mix]; k++)
			pick -= kinds[k].weight[w->mix];
	} while (!kinds[k].fn(w));
}

struct worker *worker_new(struct rig *r, u32 nr, enum crash_mix mix)
{
	struct worker *w = calloc(1, sizeof(*w));
	struct inode *root = rig_lookup(r, ""), *dir, *f;
	u32 k;

	w->rig = r;
	w->mix = mix;
	w->serial = nr << 24;
	snprintf(w->name, sizeof(w->name), "t%u", nr);
	assert_int_equal(rig_mkdir(root, w->name, &dir), 0);
	w->root = add_object(w, dir, 0);
	for (k = 0; k < 4; k++) {
		char name[16];

		snprintf(name, sizeof(name), "f%u", k);
		assert_int_equal(rig_create(dir, name, 0644, &f), 0);
		link_name(w->root, name, add_object(w, f, 0));
		inode_put(f);
	}
	inode_put(dir);
	inode_put(root);
	add_step(w, 0);
	return w;
}

void worker_start(struct worker *w, struct trace *t)
{
	w->trace = t;
}

void worker_stop(struct worker *w)
{
	u32 k;

	for (k = 0; k < NR_OPEN; k++) {
		inode_put(w->open[k]);
		w->open[k] = NULL;
	}
}

void worker_free(struct worker *w)
{
	struct object *o, *next;
	u32 k;

	for (o = w->objects; o; o = next) {
		struct name *n, *after;

		next = o->next;
		for (n = o->names; n; n = after) {
			after = n->next;
			free(n);
		}
		for (k = 0; k < o->nr_versions; k++)
			free(o->version[k].data);
		free(o->version);
		free(o);
	}
	for (k = 0; k < w->nr_steps; k++)
		free(w->step[k].names);
	free(w->step);
	free(w);
}
