/* SPDX-License-Identifier: MIT */
/*
 * net/route/neigh_conf.c - neighbours that somebody sets, takes away and looks at.
 *
 * Locking: rtnl_mutex is held, and route_lock (neigh.c) guards the tables.
 */
#include <net/route/neigh_int.h>

#include <kernel/mm/kmalloc.h>
#include <kernel/sched/wait.h>
#include <lib/errno.h>

static bool is_of(const struct neigh *n, const struct net_device *dev,
		  const u8 *ip)
{
	return n->i.dev == dev && (!ip || ip_same(n->i.ip, ip));
}

/* The next one of @dev (and @ip, if that is not NULL), unlinked; or NULL. */
static struct neigh *take_one(const struct net_device *dev, const u8 *ip)
{
	struct neigh *n, *found = NULL;
	struct neigh_todo t;

	neigh_todo_init(&t);
	spin_lock(&route_lock);
	for (u32 s = 0; !found && s < NEIGH_SLOTS; s++) {
		list_for_each_entry(n, &neigh_slots[s], node) {
			if (is_of(n, dev, ip)) {
				found = n;
				break;
			}
		}
	}
	if (found)
		neigh_unlink(found, &t);
	spin_unlock(&route_lock);
	while (!list_empty(&t.failed)) {
		struct netbuf *b =
			list_first_entry(&t.failed, struct netbuf, node);

		list_del(&b->node);
		netbuf_free(b);
	}
	return found;
}

void neigh_flush(struct net_device *dev)
{
	struct neigh *n;

	while ((n = take_one(dev, NULL)))
		neigh_free(n);
}

int neigh_del(struct net_ns *net __unused, struct net_device *dev,
	      const u8 ip[16])
{
	struct neigh *n = take_one(dev, ip);

	if (!n)
		return -ENOENT;
	if (n->i.state & NUD_VALID) {
		n->i.state = NUD_FAILED;
		neigh_tell(&n->i, false);
	}
	neigh_free(n);
	return 0;
}

bool neigh_get(const struct net_device *dev, const u8 ip[16],
	       struct neigh_info *n)
{
	const struct neigh *found;

	spin_lock(&route_lock);
	found = neigh_find_locked(dev, ip);
	if (found)
		*n = found->i;
	spin_unlock(&route_lock);
	return found;
}

static void set_locked(struct neigh *n, const struct neigh_info *want,
		       struct neigh_todo *t)
{
	u16 state = want->state ?: NUD_PERMANENT;
	bool differs = state != n->i.state ||
		       memcmp(n->i.lladdr, want->lladdr, sizeof(n->i.lladdr));

	memcpy(n->i.lladdr, want->lladdr, sizeof(n->i.lladdr));
	n->i.flags = want->flags;
	neigh_set_state(n, state,
			state == NUD_REACHABLE ? REACHABLE_NS
			: state == NUD_STALE   ? UNUSED_NS
			: state == NUD_DELAY   ? DELAY_NS
			: state == NUD_PROBE   ? RETRANS_NS
					       : WAIT_FOREVER);
	if (differs)
		neigh_note(n, t);
	if (state & NUD_VALID) {
		memcpy(t->lladdr, n->i.lladdr, sizeof(t->lladdr));
		neigh_take_queue(n, &t->send);
	}
}

int neigh_set(struct net_ns *net __unused, const struct neigh_info *want,
	      u32 nlm)
{
	struct neigh *n, *old = NULL;
	struct neigh_todo t;
	int err = 0;

	neigh_todo_init(&t);
	n = neigh_lock_entry(want->dev, want->ip, &old, &t);
	if (!n)
		err = -ENOBUFS;
	else if (n->i.state && (nlm & NLM_F_EXCL))
		err = -EEXIST;
	else if (n->i.state && !(nlm & NLM_F_REPLACE))
		err = -EEXIST;
	else if (!n->i.state && !(nlm & NLM_F_CREATE)) {
		neigh_unlink(n, &t);
		old = n;
		err = -ENOENT;
	}
	if (!err)
		set_locked(n, want, &t);
	spin_unlock(&route_lock);
	neigh_free(old);
	neigh_do(want->dev, want->ip, &t);
	return err;
}

static u32 count_locked(const struct net_ns *net)
{
	const struct neigh *n;
	u32 nr = 0;

	for (u32 s = 0; s < NEIGH_SLOTS; s++) {
		list_for_each_entry(n, &neigh_slots[s], node)
			nr += load_once(&n->i.dev->net) == net;
	}
	return nr;
}

static u32 copy_locked(const struct net_ns *net, struct neigh_info *to, u32 max)
{
	const struct neigh *n;
	u32 nr = 0;

	for (u32 s = 0; s < NEIGH_SLOTS; s++) {
		list_for_each_entry(n, &neigh_slots[s], node) {
			if (load_once(&n->i.dev->net) != net || nr == max)
				continue;
			to[nr] = n->i;
			netdev_get(to[nr].dev);
			nr++;
		}
	}
	return nr;
}

/* Of a copy: @fn may sleep. */
void neigh_for_each(struct net_ns *net,
		    void (*fn)(const struct neigh_info *n, void *arg),
		    void *arg)
{
	struct neigh_info *all;
	u32 nr;

	spin_lock(&route_lock);
	nr = count_locked(net);
	spin_unlock(&route_lock);
	all = nr ? kcalloc(nr, sizeof(*all)) : NULL;
	if (!all)
		return;
	spin_lock(&route_lock);
	nr = copy_locked(net, all, nr);
	spin_unlock(&route_lock);
	for (u32 i = 0; i < nr; i++) {
		fn(&all[i], arg);
		netdev_put(all[i].dev);
	}
	kfree(all);
}
