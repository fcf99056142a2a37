/* SPDX-License-Identifier: MIT */
/*
 * kernel/keys/ring.c - keyrings: what is in them, and how it is found.
 */
#include <kernel/keys/keys.h>

#include <kernel/keys/watch.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/sched/thread.h>
#include <lib/errno.h>
#include <lib/string.h>

#define MAX_LINKS 65535u

static u64 last_walk;

/* Keyrings in keyrings may be reached on very many ways.  Was @ring looked at in this
 * walk already, as near to its beginning (or, @deep: as far from it)? */
static bool seen(struct key *ring, u64 walk, u32 depth, bool deep)
{
	cond_resched_lazy();
	if (ring->seen == walk &&
	    (deep ? ring->seen_depth >= depth : ring->seen_depth <= depth))
		return true;
	ring->seen = walk;
	ring->seen_depth = depth;
	return false;
}

static bool is_called(const struct key *k, const struct key_type *t,
		      const char *desc)
{
	return k->type == t && !strcmp(k->desc, desc);
}

struct key *ring_find(const struct key *ring, const struct key_type *t,
		      const char *desc)
{
	for (u32 i = 0; i < ring->nr; i++)
		if (is_called(ring->links[i], t, desc) &&
		    !ring->links[i]->invalid)
			return ring->links[i];
	return NULL;
}

bool ring_has(const struct key *ring, const struct key *k)
{
	for (u32 i = 0; i < ring->nr; i++)
		if (ring->links[i] == k)
			return true;
	return false;
}

/* 0; -EDEADLK: @ring is @k or somewhere in it; -ELOOP: it is too deep. */
static int check_cycle(const struct key *ring, struct key *k, u64 walk,
		       u32 depth)
{
	int err = 0;

	if (k == ring)
		return -EDEADLK;
	if (!k->type->ring)
		return 0;
	if (depth > KEYRING_DEPTH)
		return -ELOOP;
	if (seen(k, walk, depth, true))
		return 0;
	for (u32 i = 0; i < k->nr && !err; i++)
		err = check_cycle(ring, k->links[i], walk, depth + 1);
	return err;
}

static int make_room(struct key *ring)
{
	u32 room = ring->room ? 2 * ring->room : 8;
	struct key **links;

	if (ring->nr < ring->room)
		return 0;
	if (ring->nr >= MAX_LINKS)
		return -ENFILE;
	links = krealloc(ring->links, room * sizeof(struct key *));
	if (!links)
		return -ENOMEM;
	ring->links = links;
	ring->room = room;
	return 0;
}

static int may_link(struct key *ring, struct key *k)
{
	int err;

	if (!ring->type->ring)
		return -ENOTDIR;
	err = key_validate(ring);
	if (err)
		return err;
	if (ring->closed)
		return -EPERM;
	return k->type->ring ? check_cycle(ring, k, ++last_walk, 1) : 0;
}

int ring_link(struct key *ring, struct key *k)
{
	int err = may_link(ring, k);

	if (err)
		return err;
	for (u32 i = 0; i < ring->nr; i++) {
		struct key *old = ring->links[i];

		if (old != k && !is_called(old, k->type, k->desc))
			continue;
		ring->links[i] = key_get(k);
		key_put(old);
		key_notify(ring, KEY_LINKED, (u32)k->serial);
		return 0;
	}
	err = make_room(ring);
	if (!err)
		err = key_reserve(ring, (ring->nr + 1) * 4);
	if (err)
		return err;
	ring->links[ring->nr++] = key_get(k);
	key_notify(ring, KEY_LINKED, (u32)k->serial);
	return 0;
}

int ring_unlink(struct key *ring, struct key *k)
{
	if (!ring->type->ring)
		return -ENOTDIR;
	for (u32 i = 0; i < ring->nr; i++) {
		if (ring->links[i] != k)
			continue;
		ring->nr--;
		memmove(&ring->links[i], &ring->links[i + 1],
			(ring->nr - i) * sizeof(struct key *));
		(void)key_reserve(ring, ring->nr * 4);
		key_notify(ring, KEY_UNLINKED, (u32)k->serial);
		key_put(k);
		return 0;
	}
	return -ENOENT;
}

void ring_clear(struct key *ring)
{
	while (ring->nr)
		key_put(ring->links[--ring->nr]);
	(void)key_reserve(ring, 0);
}

static bool matches(const struct key_search *s, const struct key *k)
{
	return s->exact ? k == s->exact : is_called(k, s->type, s->desc);
}

/* Is it of use?  0 or why not. */
static int usable(struct key_ref r, const struct key_search *s)
{
	int err = s->exact ? 0 : key_validate(r.key);

	if (!err)
		err = key_may(r, KEY_SEARCH);
	return err || s->exact ? err : r.key->error;
}

/* Depth first, as deep as links may be (K2).  *@err: the best reason so far. */
static struct key *search_ring(struct key_ref ring, const struct key_search *s,
			       u64 walk, u32 depth, int *err)
{
	struct key_ref r = { .possessed = ring.possessed };
	struct key *found;
	int why;

	if (seen(ring.key, walk, depth, false))
		return NULL;
	for (u32 i = 0; i < ring.key->nr; i++) {
		r.key = ring.key->links[i];
		if (!matches(s, r.key))
			continue;
		why = usable(r, s);
		if (!why)
			return r.key;
		if (!r.key->invalid)
			*err = why;
	}
	for (u32 i = 0; i < ring.key->nr && depth < KEYRING_DEPTH; i++) {
		r.key = ring.key->links[i];
		if (!r.key->type->ring || key_validate(r.key) ||
		    key_may(r, KEY_SEARCH))
			continue;
		found = search_ring(r, s, walk, depth + 1, err);
		if (found)
			return found;
	}
	return NULL;
}

struct key_ref ring_search(struct key_ref ring, const struct key_search *s)
{
	struct key_ref r = { .possessed = ring.possessed };
	int err = -EAGAIN;

	if (!ring.key->type->ring) {
		r.key = ERR_PTR(-ENOTDIR);
		return r;
	}
	if (key_may(ring, KEY_SEARCH)) {
		r.key = ERR_PTR(-EACCES);
		return r;
	}
	if (matches(s, ring.key) && !usable(ring, s))
		r.key = ring.key;
	else
		r.key = search_ring(ring, s, ++last_walk, 0, &err);
	r.key = r.key ? key_get(r.key) : ERR_PTR(err);
	return r;
}
