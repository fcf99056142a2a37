/* SPDX-License-Identifier: MIT */
/*
 * kernel/cgroup/devprog.c - programs that guard devices: numbers, groups, questions.
 *
 * Locking: devprog_lock guards the list of all programs and what is attached to each
 * group; programs run with it held, which is bounded by their length.
 */
#include <kernel/cgroup/devprog.h>

#include <kernel/mm/kmalloc.h>
#include <kernel/spinlock.h>
#include <kernel/task/task.h>
#include <lib/errno.h>
#include <lib/string.h>

struct cgroup_devices {
	u32 flags, nr;
	struct dev_prog *prog[DEV_PROGS_MAX]; /* owned */
};

static struct spinlock devprog_lock = SPINLOCK_INIT("devprog_lock", RANK_FILE);
static struct list_head all_progs = LIST_HEAD_INIT(all_progs); /* [lock] */
static u32 last_id;					       /* [lock] */
u32 nr_dev_progs;

/* --- programs */

struct dev_prog *dev_prog_alloc(u32 len, u32 words)
{
	struct dev_prog *p = kzalloc(sizeof(*p) + len * sizeof(p->insns[0]));

	if (!p)
		return NULL;
	p->refs = 1;
	p->len = len;
	p->words = words;
	list_init(&p->node);
	return p;
}

int dev_prog_ready(struct dev_prog *p)
{
	struct ebpf_state *st = kmalloc(p->len * sizeof(*st));
	int err;

	if (!st)
		return -ENOMEM;
	err = ebpf_check(p->insns, p->len, p->words, st);
	kfree(st);
	if (err)
		return err;
	spin_lock(&devprog_lock);
	p->id = ++last_id;
	list_add_tail(&p->node, &all_progs);
	spin_unlock(&devprog_lock);
	return 0;
}

/* Whether it was the last reference; devprog_lock held. */
static bool drop_locked(struct dev_prog *p)
{
	if (!atomic_dec_and_test(&p->refs))
		return false;
	list_del(&p->node);
	return true;
}

void dev_prog_put(struct dev_prog *p)
{
	bool last;

	if (!p)
		return;
	spin_lock(&devprog_lock);
	last = drop_locked(p);
	spin_unlock(&devprog_lock);
	if (last)
		kfree(p);
}

struct dev_prog *dev_prog_find(u32 id)
{
	struct dev_prog *p, *found = NULL;

	spin_lock(&devprog_lock);
	list_for_each_entry(p, &all_progs, node) {
		if (p->id == id) {
			atomic_inc(&p->refs);
			found = p;
			break;
		}
	}
	spin_unlock(&devprog_lock);
	return found;
}

u32 dev_prog_after(u32 id)
{
	struct dev_prog *p;
	u32 next = 0;

	spin_lock(&devprog_lock);
	list_for_each_entry(p, &all_progs, node) {
		if (p->id > id) {
			next = p->id;
			break;
		}
	}
	spin_unlock(&devprog_lock);
	return next;
}

/* --- groups */

static u32 count(const struct cgroup *cg)
{
	return cg->devices ? cg->devices->nr : 0;
}

static u32 flags_of(const struct cgroup *cg)
{
	return count(cg) ? cg->devices->flags : 0;
}

/* Does a group above keep its word for itself? */
static bool may_attach(const struct cgroup *cg)
{
	for (cg = cg->parent; cg; cg = cg->parent) {
		if (flags_of(cg) & DEV_PROG_MULTI)
			return true;
		if (count(cg))
			return flags_of(cg) & DEV_PROG_OVERRIDE;
	}
	return true;
}

/* Where @p goes, or -errno. */
static int place_of(const struct cgroup_devices *d, const struct dev_prog *p,
		    u32 flags, const struct dev_prog *old)
{
	int at = -1;

	if (!(flags & DEV_PROG_MULTI))
		return 0;
	for (u32 i = 0; i < d->nr; i++) {
		if (d->prog[i] == p && p != old)
			return -EINVAL;
		if (old && d->prog[i] == old)
			at = (int)i;
	}
	if (old)
		return at < 0 ? -ENOENT : at;
	return d->nr < DEV_PROGS_MAX ? (int)d->nr : -E2BIG;
}

/* *@gone: what was there, to be put.  devprog_lock held. */
static int attach(struct cgroup *cg, struct dev_prog *p, u32 flags,
		  const struct dev_prog *old, struct dev_prog **gone)
{
	u32 kind = flags & (DEV_PROG_MULTI | DEV_PROG_OVERRIDE);
	struct cgroup_devices *d = cg->devices;
	int at;

	if (!may_attach(cg) || (count(cg) && d->flags != kind))
		return -EPERM;
	at = place_of(d, p, flags, old);
	if (at < 0)
		return at;
	if ((u32)at == d->nr) {
		d->nr++;
		atomic_inc(&nr_dev_progs);
	}
	*gone = d->prog[at];
	d->prog[at] = p;
	d->flags = kind;
	atomic_inc(&p->refs);
	return 0;
}

int cgroup_dev_attach(struct cgroup *cg, struct dev_prog *p, u32 flags,
		      struct dev_prog *old)
{
	struct cgroup_devices *spare = NULL;
	struct dev_prog *gone = NULL;
	int err;

	if ((flags & DEV_PROG_MULTI) ? flags & DEV_PROG_OVERRIDE
				     : flags & DEV_PROG_REPLACE)
		return -EINVAL;
	if (!load_once(&cg->devices)) {
		spare = kzalloc(sizeof(*spare));
		if (!spare)
			return -ENOMEM;
	}
	spin_lock(&devprog_lock);
	if (!cg->devices) {
		store_once(&cg->devices, spare);
		spare = NULL;
	}
	err = attach(cg, p, flags, old, &gone);
	spin_unlock(&devprog_lock);
	kfree(spare);
	dev_prog_put(gone);
	return err;
}

/* Which of @d is @p; of one alone nobody has to say.  -errno. */
static int find_attached(const struct cgroup_devices *d,
			 const struct dev_prog *p)
{
	if (!d || !d->nr)
		return -ENOENT;
	if (!(d->flags & DEV_PROG_MULTI))
		return 0;
	for (u32 i = 0; p && i < d->nr; i++) {
		if (d->prog[i] == p)
			return (int)i;
	}
	return p ? -ENOENT : -EINVAL;
}

int cgroup_dev_detach(struct cgroup *cg, struct dev_prog *p)
{
	struct cgroup_devices *d;
	struct dev_prog *gone = NULL;
	int at;

	spin_lock(&devprog_lock);
	d = cg->devices;
	at = find_attached(d, p);
	if (at >= 0) {
		gone = d->prog[at];
		d->nr--;
		memmove(&d->prog[at], &d->prog[at + 1],
			(d->nr - (u32)at) * sizeof(d->prog[0]));
		d->prog[d->nr] = NULL;
		if (!d->nr)
			d->flags = 0;
		(void)atomic_fetch_add(&nr_dev_progs, -1u);
	}
	spin_unlock(&devprog_lock);
	dev_prog_put(gone);
	return at < 0 ? at : 0;
}

u32 cgroup_dev_query(struct cgroup *cg, bool effective, u32 *ids, u32 room,
		     u32 *flags)
{
	u32 nr = 0;

	spin_lock(&devprog_lock);
	*flags = effective ? 0 : flags_of(cg);
	for (const struct cgroup *g = cg; g; g = g->parent) {
		if (g != cg &&
		    (!effective || (nr && !(flags_of(g) & DEV_PROG_MULTI))))
			continue;
		for (u32 i = 0; i < count(g); i++, nr++) {
			if (nr < room)
				ids[nr] = g->devices->prog[i]->id;
		}
	}
	spin_unlock(&devprog_lock);
	return nr;
}

void cgroup_dev_free(struct cgroup *cg)
{
	struct cgroup_devices *d = cg->devices;

	if (!d)
		return;
	(void)atomic_fetch_add(&nr_dev_progs, -d->nr);
	for (u32 i = 0; i < d->nr; i++)
		dev_prog_put(d->prog[i]);
	kfree(d);
}

/* --- the question */

/* devprog_lock held. */
static bool allowed(const struct cgroup *cg, const u32 *words)
{
	u32 asked = 0;

	for (; cg; cg = cg->parent) {
		if (asked && !(flags_of(cg) & DEV_PROG_MULTI))
			continue;
		for (u32 i = 0; i < count(cg); i++, asked++) {
			if (!ebpf_run(cg->devices->prog[i]->insns, words))
				return false;
		}
	}
	return true;
}

int cgroup_dev_ask(bool block, kdev_t dev, u32 access)
{
	u32 words[DEV_PROG_WORDS] = { access << 16 | (block ? 1 : 2),
				      MAJOR(dev), MINOR(dev) };
	struct cgroup *cg;
	bool ok;

	spin_lock(&task_lock);
	cg = cgroup_get(thread_cgroup(current));
	spin_unlock(&task_lock);
	spin_lock(&devprog_lock);
	ok = allowed(cg, words);
	spin_unlock(&devprog_lock);
	cgroup_put(cg);
	return ok ? 0 : -EPERM;
}
