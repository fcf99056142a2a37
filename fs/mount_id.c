/* SPDX-License-Identifier: MIT */
/*
 * fs/mount_id.c - mounts of the trees by their unique numbers, which statmount(2)
 * and listmount(2) know them by: one, and all in order.
 *
 * Numbers are given in order, so the low bits alone spread them evenly.
 *
 * Locking: dcache_lock.
 */
#include <fs/internal.h>
#include <fs/mountns.h>
#include <kernel/sched/thread.h>
#include <lib/sort.h>

#define NR_BUCKETS 1024u

static struct list_head buckets[NR_BUCKETS]; /* [dcache_lock] */

static struct list_head *bucket_of(u64 id)
{
	struct list_head *head = &buckets[id % NR_BUCKETS];

	if (unlikely(!head->next))
		list_init(head);
	return head;
}

void mount_id_add(struct mount *m)
{
	list_add(&m->id_node, bucket_of(m->unique_id));
}

void mount_id_del(struct mount *m)
{
	list_del(&m->id_node);
}

bool mount_covered_top(const struct mount *m)
{
	return !m->parent && m->root->nr_mounted && mount_find(m, m->root);
}

struct mount *mnt_ns_mount(const struct mnt_ns *n, u64 id)
{
	struct mount *m, *found = NULL;

	spin_lock(&dcache_lock);
	list_for_each_entry(m, bucket_of(id), id_node) {
		if (m->unique_id != id)
			continue;
		if (mount_top(m) == n->top && !mount_covered_top(m))
			found = mount_get(m);
		break;
	}
	spin_unlock(&dcache_lock);
	return found;
}

static bool is_hidden(const struct mount *m)
{
	bool yes;

	spin_lock(&dcache_lock);
	yes = mount_covered_top(m);
	spin_unlock(&dcache_lock);
	return yes;
}

/* In the order in which they were made. */
static int by_number(const void *a, const void *b)
{
	const struct mount *m = *(struct mount *const *)a;
	const struct mount *n = *(struct mount *const *)b;

	return m->unique_id < n->unique_id ? -1 : m->unique_id > n->unique_id;
}

/* Mounts are walked in the order of their tree, which mostly is that of numbers. */
static bool in_order(struct mount *const *all, u32 nr)
{
	for (u32 i = 1; i < nr; i++)
		if (all[i - 1]->unique_id > all[i]->unique_id)
			return false;
	return true;
}

void mount_for_each(void (*fn)(struct mount *m, void *ctx), void *ctx)
{
	u32 nr = 0, i;
	struct mount **all = mount_snapshot(&nr);

	if (!all)
		return;
	if (!in_order(all, nr))
		sort(all, nr, sizeof(struct mount *), by_number);
	for (i = 0; i < nr; i++) {
		if (!is_hidden(all[i]))
			fn(all[i], ctx);
		cond_resched_lazy();
	}
	mount_snapshot_free(all, nr);
}
