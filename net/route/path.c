/* SPDX-License-Identifier: MIT */
/*
 * net/route/path.c - what routers have said of the path to somebody: its MTU [RFC 1191,
 * 8201].  It is forgotten after ten minutes; there are PATHS_MAX of them at most, and the
 * oldest goes.
 *
 * Locking: route_lock.
 */
#include <net/route/route_int.h>

#include <kernel/mm/kmalloc.h>
#include <kernel/time/clock.h>

#define PATHS_MAX 256u
#define PATH_NS	  (600 * NSEC_PER_SEC)
#define MTU_MIN4  552u /* as Linux: who says less is not believed */
#define MTU_MIN6  1280u

struct path {
	struct list_head node; /* newest last */
	u8 dst[16];
	u32 mtu;
	u64 until;
};

u32 path_mtu_locked(const struct route_ns *rn, const u8 dst[16])
{
	const struct path *p;

	if (likely(!rn->nr_paths))
		return 0;
	list_for_each_entry(p, &rn->paths, node) {
		if (ip_same(p->dst, dst))
			return p->until > clock_mono_ns() ? p->mtu : 0;
	}
	return 0;
}

/* The one of @dst, or the oldest if there are too many: off the list; or NULL. */
static struct path *old_path(struct route_ns *rn, const u8 dst[16])
{
	struct path *p, *found = NULL;

	list_for_each_entry(p, &rn->paths, node) {
		if (ip_same(p->dst, dst))
			found = p;
	}
	if (!found && rn->nr_paths >= PATHS_MAX)
		found = list_first_entry(&rn->paths, struct path, node);
	if (found) {
		list_del(&found->node);
		rn->nr_paths--;
	}
	return found;
}

void route_path_mtu(struct net_ns *net, const u8 dst[16], u32 mtu)
{
	struct route_ns *rn = route_ns(net);
	struct path *p = kzalloc(sizeof(*p)), *old;

	if (!rn || !p) {
		kfree(p);
		return;
	}
	list_init(&p->node);
	memcpy(p->dst, dst, 16);
	p->mtu = max(mtu, ip_is_v4(dst) ? MTU_MIN4 : MTU_MIN6);
	p->until = clock_mono_ns() + PATH_NS;
	spin_lock(&route_lock);
	old = old_path(rn, dst);
	list_add_tail(&p->node, &rn->paths);
	rn->nr_paths++;
	spin_unlock(&route_lock);
	kfree(old);
	route_changed(net);
}

void path_free_all(struct route_ns *rn)
{
	while (!list_empty(&rn->paths)) {
		struct path *p =
			list_first_entry(&rn->paths, struct path, node);

		list_del(&p->node);
		kfree(p);
	}
	rn->nr_paths = 0;
}
