/* SPDX-License-Identifier: MIT */
/*
 * fs/landlock_set.c - rule sets, and the layers made from them.
 *
 *	rule set  behind a descriptor; grows rules; not in force
 *	layer	  a copy of one, below the domain of who called restrict_self
 *
 * Locking: set->lock for a rule set; ll_lock (RANK_INODE) for the list of tables
 * and for taking a dying super block's inodes out of them.  Layers are freed by a
 * thread: whoever drops the last reference may hold spinlocks.
 */
#include <fs/landlock.h>

#include <fs/internal.h>
#include <fs/landlock_rules.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/task/domain.h>
#include <lib/errno.h>
#include <lib/string.h>

#define MAX_RULES 65536u

struct ruleset {
	struct landlock_attr attr; /* [I] */
	struct mutex lock;
	struct ll_rules *rules;	   /* [lock] contents; owned */
	struct domain_port *ports; /* [lock] owned */
	u32 nr_ports;		   /* [lock] */
};

static struct spinlock ll_lock = SPINLOCK_INIT("landlock", RANK_INODE);
static struct list_head tables = LIST_HEAD_INIT(tables);
static u32 has_reaper; /* [a] */

/* --- tables */

static struct ll_rules *rules_new(u32 room)
{
	struct ll_rules *t = kzalloc(sizeof(*t));

	if (t && room)
		t->rule = kcalloc(room, sizeof(*t->rule));
	if (!t || (room && !t->rule)) {
		kfree(t);
		return NULL;
	}
	t->room = room;
	spin_lock(&ll_lock);
	list_add(&t->node, &tables);
	spin_unlock(&ll_lock);
	return t;
}

static void rules_free(struct ll_rules *t)
{
	if (!t)
		return;
	spin_lock(&ll_lock);
	list_del(&t->node);
	spin_unlock(&ll_lock);
	for (u32 k = 0; k < t->nr; k++)
		inode_put(t->rule[k].inode);
	kfree(t->rule);
	kfree(t);
}

static int rules_grow(struct ll_rules *t)
{
	u32 room = t->room ? 2 * t->room : 8;
	struct ll_rule *fresh, *old;

	if (t->nr < t->room)
		return 0;
	if (room > MAX_RULES)
		return -E2BIG;
	fresh = kcalloc(room, sizeof(*fresh));
	if (!fresh)
		return -ENOMEM;
	spin_lock(&ll_lock);
	memcpy(fresh, t->rule, t->nr * sizeof(*fresh));
	old = t->rule;
	t->rule = fresh;
	t->room = room;
	spin_unlock(&ll_lock);
	kfree(old);
	return 0;
}

static int rules_add(struct ll_rules *t, struct inode *i, u32 access)
{
	int err;
	u32 at;

	for (u32 k = 0; k < t->nr; k++) {
		if (t->rule[k].inode != i)
			continue;
		t->rule[k].access |= access;
		return 0;
	}
	err = rules_grow(t);
	if (err)
		return err;
	spin_lock(&ll_lock);
	at = rules_place(t, i);
	memmove(&t->rule[at + 1], &t->rule[at],
		(t->nr - at) * sizeof(t->rule[0]));
	t->rule[at] = (struct ll_rule){ inode_get(i), i->sb, i->ino, access };
	t->nr++;
	spin_unlock(&ll_lock);
	return 0;
}

static struct ll_rules *rules_copy(const struct ll_rules *t)
{
	struct ll_rules *c = rules_new(t->nr);

	if (!c)
		return NULL;
	spin_lock(&ll_lock);
	for (u32 k = 0; k < t->nr; k++) {
		c->rule[k] = t->rule[k];
		if (c->rule[k].inode)
			(void)inode_get(c->rule[k].inode);
	}
	c->nr = t->nr;
	spin_unlock(&ll_lock);
	return c;
}

/* An inode of @sb that a rule had, referenced, or NULL. */
static struct inode *take_one(const struct super_block *sb)
{
	struct ll_rules *t;
	struct inode *i;

	list_for_each_entry(t, &tables, node) {
		for (u32 k = 0; k < t->nr; k++) {
			i = t->rule[k].inode;
			if (!i || i->sb != sb)
				continue;
			store_once(&t->rule[k].inode, NULL);
			return i;
		}
	}
	return NULL;
}

void landlock_drop_sb(struct super_block *sb)
{
	struct inode *i;

	do {
		spin_lock(&ll_lock);
		i = take_one(sb);
		spin_unlock(&ll_lock);
		inode_put(i);
		cond_resched();
	} while (i);
}

/* --- layers */

static void layer_free(struct domain *d)
{
	domain_put(d->parent);
	rules_free(d->rules);
	kfree(d->ports);
	kfree(d);
}

static void reaper(void *arg __unused)
{
	struct domain *d;

	for (;;) {
		wait_event(&domain_wq, domain_any_dead());
		while ((d = domain_next_dead()) != NULL)
			layer_free(d);
	}
}

/* *@out: what @set says, on top of current's domain. */
static int layer_new(const struct ruleset *set, struct domain **out)
{
	struct domain *parent = current_cred()->domain, *d;

	if (parent && parent->level >= LANDLOCK_MAX_LAYERS)
		return -E2BIG;
	d = kzalloc(sizeof(*d));
	if (!d)
		return -ENOMEM;
	d->refs = 1;
	d->rules = rules_copy(set->rules);
	if (set->nr_ports)
		d->ports = kmemdup(set->ports,
				   set->nr_ports * sizeof(*set->ports));
	if (!d->rules || (set->nr_ports && !d->ports)) {
		rules_free(d->rules);
		kfree(d);
		return -ENOMEM;
	}
	d->nr_ports = set->nr_ports;
	d->fs = (u32)set->attr.fs;
	d->net = (u32)set->attr.net;
	d->scoped = (u32)set->attr.scoped;
	d->level = parent ? parent->level + 1 : 1;
	d->parent = domain_get(parent);
	*out = d;
	return 0;
}

/* --- rule sets */

static void set_release(struct file *f)
{
	struct ruleset *set = f->priv;

	rules_free(set->rules);
	kfree(set->ports);
	kfree(set);
}

static const struct file_ops ruleset_ops = {
	.release = set_release,
	.anon_name = "anon_inode:[landlock-ruleset]",
};

bool landlock_is_ruleset(const struct file *f)
{
	return f->ops == &ruleset_ops;
}

static int start_reaper(void)
{
	if (atomic_xchg(&has_reaper, 1u))
		return 0;
	if (kthread_create("landlock", reaper, NULL))
		return 0;
	store_once(&has_reaper, 0u);
	return -ENOMEM;
}

struct file *landlock_create(const struct landlock_attr *a)
{
	struct ruleset *set;
	struct file *f;
	int err = start_reaper();

	if (err)
		return ERR_PTR(err);
	set = kzalloc(sizeof(*set));
	if (!set)
		return ERR_PTR(-ENOMEM);
	set->attr = *a;
	mutex_init(&set->lock);
	set->rules = rules_new(0);
	f = set->rules ? file_alloc(&ruleset_ops, O_RDWR, set) : NULL;
	if (f)
		return f;
	rules_free(set->rules);
	kfree(set);
	return ERR_PTR(-ENOMEM);
}

int landlock_add_path(struct file *f, const struct path *p, u64 access)
{
	struct ruleset *set = f->priv;
	struct inode *i = p->dentry->inode;
	u64 handled = set->attr.fs;
	int err;

	if (!S_ISDIR(i->mode) && (access & ~(u64)LL_OF_FILES))
		return -EINVAL;
	/* What is not handled is allowed, but for this. */
	if (!(handled & LL_REFER))
		access &= ~(u64)LL_REFER;
	mutex_lock(&set->lock);
	err = rules_add(set->rules, i, (u32)access);
	mutex_unlock(&set->lock);
	return err;
}

static int add_port(struct ruleset *set, u16 port, u16 access)
{
	struct domain_port *fresh;

	for (u32 k = 0; k < set->nr_ports; k++) {
		if (set->ports[k].port != port)
			continue;
		set->ports[k].access |= access;
		return 0;
	}
	if (set->nr_ports >= MAX_RULES)
		return -E2BIG;
	fresh = krealloc(set->ports, (set->nr_ports + 1) * sizeof(*fresh));
	if (!fresh)
		return -ENOMEM;
	set->ports = fresh;
	fresh[set->nr_ports++] = (struct domain_port){ port, access };
	return 0;
}

int landlock_add_port(struct file *f, u64 port, u64 access)
{
	struct ruleset *set = f->priv;
	int err;

	mutex_lock(&set->lock);
	err = add_port(set, (u16)port, (u16)access);
	mutex_unlock(&set->lock);
	return err;
}

u64 landlock_handled(const struct file *f, bool net)
{
	const struct ruleset *set = f->priv;

	return net ? set->attr.net : set->attr.fs;
}

int landlock_restrict(struct file *f)
{
	struct ruleset *set = f->priv;
	struct domain *d;
	struct cred *c;
	int err;

	mutex_lock(&set->lock);
	err = layer_new(set, &d);
	mutex_unlock(&set->lock);
	if (err)
		return err;
	c = cred_dup(current_cred());
	if (!c) {
		domain_put(d);
		return -ENOMEM;
	}
	domain_put(c->domain);
	c->domain = d;
	cred_replace(c);
	return 0;
}
