/* SPDX-License-Identifier: MIT */
/*
 * kernel/cgroup/tree.c - groups are made and removed, and which controllers they
 * have; see cgroup.h.
 *
 * A group is a domain (its resources are its own) or threaded (they are those of a
 * group above).  Threaded groups can have some controllers only: CGROUP_CTL_THREADED.
 */
#include <kernel/cgroup/cgroup.h>
#include <kernel/cgroup/devprog.h>

#include <kernel/assert.h>
#include <kernel/init.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/task/process.h>
#include <lib/errno.h>
#include <lib/string.h>

#define ID_STEP 64u /* inode numbers of one group: its directory and files */

struct mutex cgroup_mutex = MUTEX_INIT(cgroup_mutex);

const char *const cgroup_ctl_name[NR_CGROUP_CTL] = { "cpuset", "cpu", "memory",
						     "pids" };

struct cgroup cgroup_root = {
	.refs = 1,
	.id = 1,
	.dom = &cgroup_root,
	.name = (char *)"",
	.children = LIST_HEAD_INIT(cgroup_root.children),
	.sibling = LIST_HEAD_INIT(cgroup_root.sibling),
	.due_node = LIST_HEAD_INIT(cgroup_root.due_node),
	.controllers = CGROUP_CTL_ALL,
	.max_descendants = CGROUP_MAX,
	.max_depth = CGROUP_MAX,
	.max_pids = CGROUP_MAX,
	.event_wq = WAITQ_INIT(cgroup_root.event_wq),
};

static u64 last_id = 1;				   /* [cgroup_mutex] */
static struct list_head due = LIST_HEAD_INIT(due); /* [task_lock] */
static struct waitq due_wq = WAITQ_INIT(due_wq);

static void free_group(struct cgroup *cg)
{
	KASSERT(cg->dead && list_empty(&cg->children));
	cgroup_dev_free(cg);
	kfree(cg->fs);
	kfree(cg->name);
	kfree(cg);
}

/* A long line of dead ones goes at once, so those above are told once of all. */
void cgroup_put(struct cgroup *cg)
{
	struct cgroup *up;
	u64 freed = 0;

	for (; cg; cg = up) {
		/* a dead one of which we have the last reference gets no other */
		if (freed && load_once(&cg->refs) > 1) {
			for (up = cg; up; up = up->parent)
				(void)atomic_fetch_add(&up->nr_dying, -freed);
			freed = 0;
		}
		if (!atomic_dec_and_test(&cg->refs))
			return;
		up = cg->parent;
		free_group(cg);
		freed++;
	}
}

bool cgroup_is_below(const struct cgroup *cg, const struct cgroup *top)
{
	while (cg && cg->level > top->level)
		cg = cg->parent;
	return cg == top;
}

struct cgroup *cgroup_common(struct cgroup *a, struct cgroup *b)
{
	while (a != b) {
		if (a->level >= b->level)
			a = a->parent;
		else
			b = b->parent;
	}
	return a;
}

struct cgroup *cgroup_next(struct cgroup *at, struct cgroup *top)
{
	if (!at)
		return top;
	if (!list_empty(&at->children))
		return list_first_entry(&at->children, struct cgroup, sibling);
	for (; at != top; at = at->parent)
		if (at->sibling.next != &at->parent->children)
			return list_entry(at->sibling.next, struct cgroup,
					  sibling);
	return NULL;
}

/* --- kinds of groups: both locks will do */

bool cgroup_populated_locked(const struct cgroup *cg)
{
	return cg->nr_tasks || cg->nr_populated_dom || cg->nr_populated_thr;
}

bool cgroup_can_be_thread_root(const struct cgroup *cg)
{
	return !cg->parent ||
	       (!cgroup_is_threaded(cg) && !cg->nr_populated_dom &&
		!(cg->subtree_control & ~CGROUP_CTL_THREADED));
}

bool cgroup_is_thread_root(const struct cgroup *cg)
{
	return !cgroup_is_threaded(cg) &&
	       (cg->nr_threaded_children ||
		(cg->nr_tasks && (cg->subtree_control & CGROUP_CTL_THREADED)));
}

bool cgroup_is_valid_domain(const struct cgroup *cg)
{
	if (cgroup_is_threaded(cg))
		return false;
	while ((cg = cg->parent))
		if (cgroup_is_threaded(cg) ||
		    (cg->parent && cgroup_is_thread_root(cg)))
			return false;
	return true;
}

/* What @cg has of what @parent gives. */
static u32 given(const struct cgroup *parent, const struct cgroup *cg)
{
	return parent->subtree_control &
	       (cgroup_is_threaded(cg) ? CGROUP_CTL_THREADED : CGROUP_CTL_ALL);
}

static void set_controllers_locked(struct cgroup *cg, u32 now)
{
	store_once(&cg->controllers, now);
	cgroup_weight_count_locked(cg, now & BIT(CGROUP_CPU));
	if (!(now & BIT(CGROUP_CPUSET)))
		cgroup_cpus_end_locked(cg);
}

/* It may have lost controllers that keep something for it.  cgroup_mutex. */
static void lost(struct cgroup *cg)
{
	if (!(cg->controllers & BIT(CGROUP_CPU)))
		cgroup_cpu_end(cg);
	if (!(cg->controllers & BIT(CGROUP_MEMORY)))
		cgroup_memory_take(cg);
}

static int set_threaded(struct cgroup *cg)
{
	struct cgroup *dom = cg->parent->dom, *c = NULL;

	if (cgroup_is_threaded(cg))
		return 0;
	if (cgroup_populated_locked(cg) || !cgroup_is_valid_domain(dom) ||
	    !cgroup_can_be_thread_root(dom))
		return -EOPNOTSUPP;
	while ((c = cgroup_next(c, cg)))
		if (c == cg || cgroup_is_threaded(c))
			store_once(&c->dom, dom);
	cg->parent->nr_threaded_children++;
	return 0;
}

int cgroup_set_threaded(struct cgroup *cg)
{
	int err;

	mutex_lock(&cgroup_mutex);
	spin_lock(&task_lock);
	err = cg->dead ? -ENODEV : set_threaded(cg);
	if (!err)
		set_controllers_locked(cg, given(cg->parent, cg));
	spin_unlock(&task_lock);
	if (!err)
		lost(cg);
	mutex_unlock(&cgroup_mutex);
	return err;
}

/* --- making and removing */

static bool has_room(const struct cgroup *parent)
{
	u64 level = 0;

	for (const struct cgroup *c = parent; c; c = c->parent, level++)
		if (c->nr_descendants >= c->max_descendants ||
		    level >= c->max_depth)
			return false;
	return true;
}

static struct cgroup *group_alloc(struct cgroup *parent, const char *name)
{
	struct cgroup *cg = kzalloc(sizeof(*cg));

	if (!cg)
		return NULL;
	cg->name = kstrdup(name);
	if (!cg->name) {
		kfree(cg);
		return NULL;
	}
	cg->refs = 1;
	cg->id = last_id += ID_STEP;
	cg->level = parent->level + 1;
	cg->parent = cgroup_get(parent);
	cg->dom = cg;
	list_init(&cg->children);
	list_init(&cg->due_node);
	waitq_init(&cg->event_wq);
	cg->controllers = parent->subtree_control;
	cg->max_descendants = cg->max_depth = cg->max_pids = CGROUP_MAX;
	cgroup_cpu_init(cg);
	cgroup_weight_init(cg);
	if ((cg->controllers & BIT(CGROUP_MEMORY)) && cgroup_memory_give(cg)) {
		cgroup_put(parent);
		kfree(cg->name);
		kfree(cg);
		return NULL;
	}
	return cg;
}

static void link_locked(struct cgroup *cg)
{
	struct cgroup *parent = cg->parent;

	list_add_tail(&cg->sibling, &parent->children);
	parent->nr_children++;
	for (struct cgroup *a = parent; a; a = a->parent)
		a->nr_descendants++;
	cg->e_freeze = parent->e_freeze;
	cg->frozen = cg->e_freeze != 0; /* there is nobody who moves */
	parent->nr_frozen_children += cg->frozen;
	cg->e_throttle = parent->e_throttle;
	set_controllers_locked(cg, parent->subtree_control);
	cgroup_cpus_inherit_locked(cg);
}

struct cgroup *cgroup_make(struct cgroup *parent, const char *name)
{
	struct cgroup *cg = ERR_PTR(-ENODEV);

	mutex_lock(&cgroup_mutex);
	if (parent->controllers & cgroup_file_ctl(name))
		cg = ERR_PTR(-EEXIST); /* a file, since it was asked for */
	else if (!parent->dead)
		cg = has_room(parent) ? group_alloc(parent, name)
				      : ERR_PTR(-EAGAIN);
	if (!cg)
		cg = ERR_PTR(-ENOMEM);
	if (!IS_ERR(cg)) {
		spin_lock(&task_lock);
		link_locked(cg);
		spin_unlock(&task_lock);
	}
	mutex_unlock(&cgroup_mutex);
	return cg;
}

static void unlink_locked(struct cgroup *cg)
{
	if (cgroup_is_threaded(cg))
		cg->parent->nr_threaded_children--;
	store_once(&cg->dead, true);
	cgroup_weight_count_locked(cg, false);
	list_del(&cg->sibling);
	cg->parent->nr_children--;
	cg->parent->nr_frozen_children -= cg->frozen;
	for (struct cgroup *a = cg->parent; a; a = a->parent) {
		a->nr_descendants--;
		atomic_inc(&a->nr_dying);
	}
	list_del(&cg->due_node);
	list_init(&cg->due_node);
	wake_up_all(&cg->event_wq);
	cgroup_update_frozen_locked(cg->parent);
}

int cgroup_remove(struct cgroup *cg)
{
	int err = 0;

	mutex_lock(&cgroup_mutex);
	spin_lock(&task_lock);
	if (cg->dead)
		err = -ENODEV;
	else if (cgroup_populated_locked(cg) || !list_empty(&cg->children))
		err = -EBUSY;
	else
		unlink_locked(cg);
	spin_unlock(&task_lock);
	mutex_unlock(&cgroup_mutex);
	if (err)
		return err;
	cgroup_cpu_end(cg);
	mutex_lock(&cgroup_mutex);
	cgroup_memory_take(cg);
	mutex_unlock(&cgroup_mutex);
	cgroup_put(cg);
	return 0;
}

/* --- looking at the tree */

struct cgroup *cgroup_find_child(struct cgroup *cg, const char *name,
				 size_t len)
{
	struct cgroup *c, *found = NULL;

	mutex_lock(&cgroup_mutex);
	list_for_each_entry(c, &cg->children, sibling)
		if (!strncmp(c->name, name, len) && !c->name[len]) {
			found = cgroup_get(c);
			break;
		}
	mutex_unlock(&cgroup_mutex);
	return found;
}

/* Children stand in the order of their numbers. */
struct cgroup *cgroup_child_after(struct cgroup *cg, struct cgroup *prev,
				  u64 id)
{
	struct list_head *at = &cg->children;
	struct cgroup *found = NULL;

	mutex_lock(&cgroup_mutex);
	if (prev && !prev->dead)
		at = &prev->sibling;
	while (!found && (at = at->next) != &cg->children)
		if (list_entry(at, struct cgroup, sibling)->id > id)
			found = cgroup_get(
				list_entry(at, struct cgroup, sibling));
	mutex_unlock(&cgroup_mutex);
	cgroup_put(prev);
	return found;
}

/* A tree may be deeper than a stack: names are put down from the last one backwards. */
s64 cgroup_path(struct cgroup *cg, struct cgroup *from, char *buf, size_t n)
{
	static const char dots[3] = { '/', '.', '.' };
	const struct cgroup *both = cgroup_common(cg, from), *c;
	size_t up = from->level - both->level, len = 3 * up, i;
	char *p;

	for (c = cg; c != both; c = c->parent)
		len += 1 + strlen(c->name);
	if (len >= n)
		return -ENAMETOOLONG;
	p = buf + len;
	*p = '\0';
	for (c = cg; c != both; c = c->parent) {
		p -= strlen(c->name);
		memcpy(p, c->name, strlen(c->name));
		*--p = '/';
	}
	for (i = 0; i < up; i++)
		memcpy(buf + 3 * i, dots, sizeof(dots));
	return len ? (s64)len : (s64)strlcat(buf, "/", n);
}

/* --- controllers */

/* Have children of @cg groups that are called like a file of theirs? */
static bool names_clash(const struct cgroup *cg, u32 enable)
{
	const struct cgroup *c, *g;

	list_for_each_entry(c, &cg->children, sibling)
		list_for_each_entry(g, &c->children, sibling)
			if (cgroup_file_ctl(g->name) & enable)
				return true;
	return false;
}

/* May the children of @cg, which none has one yet, have controllers? */
static int vet_enable(const struct cgroup *cg, u32 enable)
{
	if (names_clash(cg, enable))
		return -EEXIST;
	if (!cgroup_is_valid_domain(cg->dom))
		return -EOPNOTSUPP;
	if (!cg->parent)
		return 0;
	if (enable & ~CGROUP_CTL_THREADED) {
		if (cgroup_is_thread_root(cg) || cgroup_is_threaded(cg))
			return -EOPNOTSUPP;
	} else if (cgroup_can_be_thread_root(cg) || cgroup_is_threaded(cg)) {
		return 0;
	}
	return cg->nr_tasks ? -EBUSY : 0;
}

/* What is taken from a group goes back to what it was at first. */
static void controllers_went_locked(struct cgroup *c, u32 lost)
{
	if (lost & BIT(CGROUP_PIDS)) {
		c->max_pids = CGROUP_MAX;
		c->pids_events = c->pids_max_local = c->pids_fail_local = 0;
	}
}

static int change_control_locked(struct cgroup *cg, u32 enable, u32 disable)
{
	u32 now = (cg->subtree_control | enable) & ~disable;
	struct cgroup *c;
	int err;

	assert_held(&task_lock);
	enable = now & ~cg->subtree_control;
	disable = cg->subtree_control & ~now;
	if (enable & ~cg->controllers)
		return -ENOENT;
	list_for_each_entry(c, &cg->children, sibling)
		if (disable & c->subtree_control)
			return -EBUSY;
	err = enable ? vet_enable(cg, enable) : 0;
	if (err)
		return err;
	store_once(&cg->subtree_control, now);
	list_for_each_entry(c, &cg->children, sibling) {
		controllers_went_locked(c, disable);
		if (enable & BIT(CGROUP_PIDS))
			c->peak_pids = c->nr_pids;
		set_controllers_locked(c, given(cg, c));
	}
	return 0;
}

/* What controllers keep for the children of @cg is made before they have them. */
static int prepare_children(struct cgroup *cg, u32 enable)
{
	struct cgroup *c;
	int err = 0;

	if (cg->dead || !(enable & cg->controllers & BIT(CGROUP_MEMORY)))
		return 0;
	list_for_each_entry(c, &cg->children, sibling)
		if (!err && !cgroup_is_threaded(c))
			err = cgroup_memory_give(c);
	return err;
}

int cgroup_set_subtree_control(struct cgroup *cg, u32 enable, u32 disable)
{
	struct cgroup *c;
	int err;

	mutex_lock(&cgroup_mutex);
	err = prepare_children(cg, enable);
	if (!err) {
		spin_lock(&task_lock);
		err = cg->dead ? -ENODEV
			       : change_control_locked(cg, enable, disable);
		spin_unlock(&task_lock);
	}
	/* or it was refused, and what was prepared goes again */
	list_for_each_entry(c, &cg->children, sibling)
		lost(c);
	mutex_unlock(&cgroup_mutex);
	return err;
}

/* --- happenings */

void cgroup_event_locked(struct cgroup *cg, enum cgroup_event ev)
{
	assert_held(&task_lock);
	store_once(&cg->event[ev], cg->event[ev] + 1);
	wake_up_all_key(&cg->event_wq, 0);
	cg->events_due |= BIT(ev);
	if (!list_empty(&cg->due_node) || cg->dead)
		return;
	list_add_tail(&cg->due_node, &due);
	wake_up_all(&due_wq);
}

static struct cgroup *take_due(u32 *events)
{
	struct cgroup *cg;

	spin_lock(&task_lock);
	cg = list_first_entry_or_null(&due, struct cgroup, due_node);
	if (cg) {
		list_del(&cg->due_node);
		list_init(&cg->due_node);
		*events = cg->events_due;
		cg->events_due = 0;
		cgroup_get(cg);
	}
	spin_unlock(&task_lock);
	return cg;
}

static void teller(void *arg __unused)
{
	struct cgroup *cg;
	u32 events = 0;

	for (;;) {
		wait_event(&due_wq, (cg = take_due(&events)) != NULL);
		for (u32 i = 0; i < NR_CGROUP_EV; i++)
			if (events & BIT(i))
				cgroup_file_modified(cg, (enum cgroup_event)i);
		cgroup_put(cg);
	}
}

static int cgroup_init(void)
{
	return kthread_create("cgroup", teller, NULL) ? 0 : -ENOMEM;
}
INITCALL(INIT_VFS, cgroup_init);
