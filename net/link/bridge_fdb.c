/* SPDX-License-Identifier: MIT */
/* net/link/bridge_fdb.c - behind which port of a bridge an address was heard; see bridge.h. */
#include <net/link/bridge.h>

#include <kernel/mm/kmalloc.h>
#include <kernel/time/clock.h>
#include <lib/atomic.h>
#include <lib/hash.h>
#include <lib/string.h>

static struct list_head *slot_of(struct bridge *br, const u8 *mac)
{
	return &br->slots[hash_mem(mac, ETH_ALEN) % FDB_SLOTS];
}

static struct fdb *find(struct bridge *br, const u8 *mac)
{
	struct fdb *f;

	list_for_each_entry(f, slot_of(br, mac), node) {
		if (!memcmp(f->mac, mac, ETH_ALEN))
			return f;
	}
	return NULL;
}

static void drop(struct bridge *br, struct fdb *f)
{
	list_del(&f->node);
	br->nr_fdb--;
	kfree(f);
}

static bool is_old(const struct bridge *br, const struct fdb *f)
{
	return clock_mono_ns() > f->heard + load_once(&br->ageing_ns);
}

static void drop_if(struct bridge *br, const struct bridge_port *p, bool old)
{
	struct fdb *f, *next;

	for (u32 i = 0; i < FDB_SLOTS; i++) {
		list_for_each_entry_safe(f, next, &br->slots[i], node) {
			if (old ? is_old(br, f) : !p || f->port == p)
				drop(br, f);
		}
	}
}

void bridge_forget(struct bridge *br, const struct bridge_port *p)
{
	drop_if(br, p, false);
}

/* A full table keeps those it has until they are too old. */
static bool has_room(struct bridge *br)
{
	if (br->nr_fdb >= FDB_MAX)
		drop_if(br, NULL, true);
	return br->nr_fdb < FDB_MAX;
}

void bridge_learn(struct bridge_port *p, const u8 *mac)
{
	struct bridge *br = p->br;
	struct fdb *f;

	if (mac[0] & 1)
		return;
	f = find(br, mac);
	if (!f && has_room(br)) {
		f = kzalloc(sizeof(*f));
		if (!f)
			return;
		memcpy(f->mac, mac, ETH_ALEN);
		list_add(&f->node, slot_of(br, mac));
		br->nr_fdb++;
	}
	if (!f)
		return;
	f->port = p;
	f->heard = clock_mono_ns();
}

struct bridge_port *bridge_find(struct bridge *br, const u8 *mac)
{
	struct fdb *f = find(br, mac);

	if (!f)
		return NULL;
	if (!is_old(br, f))
		return f->port;
	drop(br, f);
	return NULL;
}
