/* SPDX-License-Identifier: MIT */
/*
 * fs/notify.c - who watches what, and the fan-out to them.
 *
 * Context: coroutine, no spinlock; inode locks may be held.
 */
#include <fs/mark.h>

#include <fs/internal.h>
#include <kernel/init.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/task/process.h>
#include <lib/errno.h>
#include <lib/fmt.h>
#include <lib/hash.h>
#include <lib/string.h>

#define NR_BUCKETS 256u

u32 notify_nr_watches, notify_nr_perm;
struct spinlock notify_lock = SPINLOCK_INIT("notify", RANK_PIPE);

static struct list_head groups = LIST_HEAD_INIT(groups);
static struct list_head buckets[NR_BUCKETS]; /* [notify_lock] */
static u32 cookies;			     /* [a] */

static int notify_init(void)
{
	for (u32 i = 0; i < NR_BUCKETS; i++)
		list_init(&buckets[i]);
	return 0;
}
INITCALL(INIT_CORE, notify_init);

struct list_head *mark_bucket(const void *obj)
{
	return &buckets[hash64((u64)(uintptr_t)obj) % NR_BUCKETS];
}

/* --- groups and marks */

void group_init(struct notify_group *g, const struct group_ops *ops)
{
	g->ops = ops;
	list_init(&g->marks);
	list_init(&g->all);
	list_init(&g->hit_node);
	list_init(&g->events);
	waitq_init(&g->wq);
	g->uid = fs_cred()->uid;
}

void group_queue(struct notify_group *g, struct list_head *node)
{
	list_add_tail(node, &g->events);
	g->nr_events++;
	wake_up_all_key(&g->wq, POLLIN | POLLRDNORM);
}

u32 group_poll(struct file *f, struct poll_table *pt)
{
	struct notify_group *g = f->priv;

	poll_wait(pt, f, &g->wq);
	return list_empty(&g->events) ? 0 : POLLIN | POLLRDNORM;
}

int group_wait(struct file *f)
{
	struct notify_group *g = f->priv;

	if (f->flags & O_NONBLOCK)
		return -EAGAIN;
	return (int)wait_event_interruptible(&g->wq, !list_empty(&g->events));
}

bool group_enlist(struct notify_group *g, u64 max)
{
	const struct notify_group *other;
	u64 nr = 0;

	spin_lock(&notify_lock);
	list_for_each_entry(other, &groups, all)
		nr += other->ops == g->ops && other->uid == g->uid;
	if (nr < max)
		list_add_tail(&g->all, &groups);
	spin_unlock(&notify_lock);
	return nr < max;
}

void group_end(struct notify_group *g)
{
	struct list_head gone;
	struct mark *m, *next;

	list_init(&gone);
	spin_lock(&notify_lock);
	if (list_is_linked(&g->all))
		list_del(&g->all);
	list_for_each_entry_safe(m, next, &g->marks, node)
		mark_unlink(m, &gone);
	spin_unlock(&notify_lock);
	marks_free(&gone);
}

u64 group_user_marks(const struct notify_group *g)
{
	const struct notify_group *other;
	u64 nr = 0;

	list_for_each_entry(other, &groups, all)
		if (other->ops == g->ops && other->uid == g->uid)
			nr += other->nr_marks;
	return nr;
}

struct mark *mark_find(const struct notify_group *g, const void *obj)
{
	struct mark *m;

	list_for_each_entry(m, mark_bucket(obj), bucket) {
		if (m->group == g && m->obj == obj)
			return m;
	}
	return NULL;
}

void mark_link(struct mark *m, struct notify_group *g)
{
	m->group = g;
	if (m->pins)
		(void)inode_get(m->obj);
	list_add(&m->node, &g->marks);
	list_add_tail(&m->bucket, mark_bucket(m->obj));
	g->nr_marks++;
	atomic_inc(&notify_nr_watches);
}

void mark_unlink(struct mark *m, struct list_head *gone)
{
	list_del(&m->node);
	list_del(&m->bucket);
	m->group->nr_marks--;
	atomic_dec(&notify_nr_watches);
	list_add_tail(&m->node, gone);
}

void marks_free(struct list_head *gone)
{
	struct mark *m, *next;

	list_for_each_entry_safe(m, next, gone, node) {
		list_del(&m->node);
		if (m->pins)
			inode_put(m->obj);
		kfree(m);
	}
}

/* The object goes, and with it who watched it.  notify_lock held. */
static void end_marks(const void *obj, struct list_head *gone)
{
	struct mark *m, *next;

	list_for_each_entry_safe(m, next, mark_bucket(obj), bucket) {
		if (m->obj != obj)
			continue;
		if (m->group->ops->ended)
			m->group->ops->ended(m);
		mark_unlink(m, gone);
	}
}

static void drop_marks(const void *obj)
{
	struct list_head gone;

	list_init(&gone);
	spin_lock(&notify_lock);
	end_marks(obj, &gone);
	spin_unlock(&notify_lock);
	marks_free(&gone);
}

/* --- the fan-out */

void happening_objects(const struct happening *h, const void *objs[NR_ON])
{
	bool names = h->mask & FS_NAME_EVENTS;

	objs[ON_PARENT] = h->mask & FS_ON_CHILD ? h->dir : NULL;
	objs[ON_INODE] = names ? h->dir : h->inode;
	objs[ON_DIR2] = h->dir2;
	objs[ON_MOUNT] = h->path ? h->path->mnt : NULL;
	objs[ON_SB] = h->sb;
}

/* One object: tell who wants each mark, note who wants all of them. */
static void fan_object(const struct happening *h, enum mark_on on,
		       const void *obj, struct list_head *hit, struct fan *fan)
{
	struct mark *m, *next;

	list_for_each_entry_safe(m, next, mark_bucket(obj), bucket) {
		struct notify_group *g = m->group;

		if (m->obj != obj)
			continue;
		if (g->ops->mark) {
			g->ops->mark(m, on, h, fan);
			continue;
		}
		if (!list_is_linked(&g->hit_node)) {
			memset(g->hit, 0, sizeof(g->hit));
			list_add_tail(&g->hit_node, hit);
		}
		g->hit[on] = m;
	}
}

static void fan_locked(const struct happening *h, struct fan *fan)
{
	const void *objs[NR_ON];
	struct notify_group *g, *next;
	struct list_head hit;

	list_init(&hit);
	happening_objects(h, objs);
	for (u32 on = 0; on < NR_ON; on++)
		if (objs[on])
			fan_object(h, (enum mark_on)on, objs[on], &hit, fan);
	list_for_each_entry_safe(g, next, &hit, hit_node) {
		list_del(&g->hit_node);
		g->ops->group(g, h);
	}
	if (h->mask & (IN_DELETE_SELF | IN_UNMOUNT))
		end_marks(h->inode, &fan->gone);
}

/* The numbers of @i may be given out by someone who holds a spinlock. */
static void prepare_handle(struct inode *i)
{
	if (i && i->sb->ops->fh_prepare)
		i->sb->ops->fh_prepare(i);
}

void notify_fan(const struct happening *h)
{
	struct later *l, *next;
	struct fan fan;

	prepare_handle(h->inode);
	prepare_handle(h->dir);
	prepare_handle(h->dir2);
	list_init(&fan.gone);
	list_init(&fan.later);
	spin_lock(&notify_lock);
	fan_locked(h, &fan);
	spin_unlock(&notify_lock);
	marks_free(&fan.gone);
	list_for_each_entry_safe(l, next, &fan.later, node)
		l->run(l);
}

/* --- what the VFS says */

static u32 dir_flag(const struct inode *i)
{
	return i && S_ISDIR(i->mode) ? IN_ISDIR : 0;
}

void notify_self_slow(struct inode *inode, u32 event)
{
	const struct happening h = { .mask = event | dir_flag(inode),
				     .inode = inode,
				     .sb = inode->sb };

	notify_fan(&h);
}

void notify_unlinked_slow(struct dentry *d)
{
	struct inode *i = d->inode;

	if (!S_ISDIR(i->mode))
		notify_self_slow(i, IN_ATTRIB); /* its link count */
	/* In use otherwise: later, by notify_dentry_gone(). */
	if (!load_once(&i->nlink) && load_once(&d->refs) == (DREF_DEAD | 1))
		notify_self_slow(i, IN_DELETE_SELF);
}

void notify_name_slow(struct inode *dir, u32 event, const char *name,
		      size_t len, struct inode *inode, u32 cookie)
{
	const struct happening h = { .mask = event | dir_flag(inode),
				     .cookie = cookie,
				     .inode = inode,
				     .dir = dir,
				     .name = name,
				     .len = (u32)len,
				     .sb = dir->sb };

	notify_fan(&h);
}

void notify_renamed(const struct notify_rename *r)
{
	struct happening h = { .mask = FS_RENAME | dir_flag(r->moved),
			       .inode = r->moved,
			       .dir = r->old_dir,
			       .name = r->old_name,
			       .len = r->old_len,
			       .dir2 = r->new_dir,
			       .name2 = r->new_name,
			       .len2 = r->new_len,
			       .sb = r->old_dir->sb };
	u32 cookie = atomic_add_return(&cookies, 1u);

	notify_fan(&h);
	notify_name_slow(r->old_dir, IN_MOVED_FROM, r->old_name, r->old_len,
			 r->moved, cookie);
	notify_name_slow(r->new_dir, IN_MOVED_TO, r->new_name, r->new_len,
			 r->moved, cookie);
	if (r->victim && !S_ISDIR(r->victim->mode))
		notify_self_slow(r->victim, IN_ATTRIB); /* its link count */
	notify_self_slow(r->moved, IN_MOVE_SELF);
}

/* A file under the name @d; its name may change at any time, so it is copied. */
struct named {
	struct happening h;
	char name[NAME_MAX + 1];
};

static void named_begin(struct named *n, struct dentry *d, u32 event)
{
	struct inode *dir;

	spin_lock(&dcache_lock);
	dir = d->parent != d ? d->parent->inode : NULL;
	n->h = (struct happening){ .mask = event | dir_flag(d->inode),
				   .inode = d->inode,
				   .dir = dir ? inode_get(dir) : NULL,
				   .nameless = d_dead(d),
				   .name = n->name,
				   .len = min(d->name_len, (u32)NAME_MAX),
				   .sb = d->sb };
	memcpy(n->name, d->name, n->h.len);
	spin_unlock(&dcache_lock);
	if (dir)
		n->h.mask |= FS_ON_CHILD;
}

static void named_end(struct named *n)
{
	if (n->h.dir)
		inode_put(n->h.dir);
}

static void report_dentry(struct dentry *d, const struct path *p, u32 event)
{
	struct named n;

	named_begin(&n, d, event);
	n.h.path = p;
	notify_fan(&n.h);
	named_end(&n);
}

void notify_file_slow(struct file *f, u32 event)
{
	const struct path p = { f->mnt, f->dentry };

	if (!f->nonotify)
		report_dentry(f->dentry, &p, event);
}

int notify_perm_slow(struct file *f, u32 event)
{
	const struct path p = { f->mnt, f->dentry };
	struct named n;
	int err;

	if (f->nonotify || !current->proc)
		return 0;
	named_begin(&n, f->dentry, event);
	n.h.path = &p;
	err = fanotify_ask(&n.h);
	named_end(&n);
	return err;
}

void notify_inode_slow(struct inode *inode, u32 event)
{
	struct dentry *d = NULL;

	spin_lock(&dcache_lock);
	if (!list_empty(&inode->dentries))
		d = dentry_get(list_first_entry(&inode->dentries, struct dentry,
						alias));
	spin_unlock(&dcache_lock);
	if (!d) {
		notify_self_slow(inode, event);
		return;
	}
	report_dentry(d, NULL, event);
	dentry_put(d);
}

void notify_error_slow(struct super_block *sb, struct inode *inode, int err)
{
	const struct happening h = {
		.mask = FS_ERROR, .inode = inode, .sb = sb, .error = err
	};

	notify_fan(&h);
}

size_t inode_handle_str(const struct inode *i, char *buf, size_t n)
{
	struct fhandle h;
	size_t len;

	inode_handle(i, &h);
	len = (size_t)scnprintf(
		buf, n, "fhandle-bytes:%x fhandle-type:%x f_handle:", h.bytes,
		h.type);
	for (u32 b = 0; b < h.bytes; b++)
		len += (size_t)scnprintf(buf + len, n - len, "%02x",
					 ((const u8 *)h.data)[b]);
	return len + (size_t)scnprintf(buf + len, n - len, "\n");
}

/* --- objects that go */

void notify_drop_mount_slow(const struct mount *m)
{
	drop_marks(m);
}

void notify_evicted_slow(struct inode *inode)
{
	drop_marks(inode);
}

/* A watched inode of @sb with a reference, or NULL. */
static struct inode *watched_inode(const struct super_block *sb)
{
	struct inode *found = NULL, *i;
	struct mark *m;

	spin_lock(&notify_lock);
	for (u32 b = 0; b < NR_BUCKETS && !found; b++) {
		list_for_each_entry(m, &buckets[b], bucket) {
			i = m->obj;
			if (m->kind == ON_INODE && m->pins && i->sb == sb) {
				found = inode_get(i);
				break;
			}
		}
	}
	spin_unlock(&notify_lock);
	return found;
}

void notify_drop_sb(struct super_block *sb)
{
	struct inode *i;

	if (notify_active())
		drop_marks(sb);
	while (notify_active() && (i = watched_inode(sb))) {
		const struct happening h = { .mask = IN_UNMOUNT, .inode = i };

		notify_fan(&h);
		inode_put(i);
		cond_resched();
	}
}
