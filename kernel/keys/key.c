/* SPDX-License-Identifier: MIT */
/*
 * kernel/keys/key.c - keys as objects: types, quotas, permissions, the end.
 */
#include <kernel/keys/keys.h>

#include <kernel/keys/watch.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/random.h>
#include <kernel/sched/wait.h>
#include <kernel/time/clock.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/string.h>

static const struct key_type types[] = {
	{ .name = "keyring", .ring = true, .can_read = true },
	{ .name = "user", .max = 32767, .can_read = true, .can_update = true },
	{ .name = "logon", .max = 32767, .can_update = true, .prefixed = true },
	{ .name = "big_key",
	  .max = KEY_MAX_PAYLOAD,
	  .can_read = true,
	  .can_update = true },
};
const struct key_type *const key_type_keyring = &types[0];

struct key_limits key_limits = {
	.maxkeys = 200,
	.maxbytes = 20000,
	.root_maxkeys = 1000000,
	.root_maxbytes = 25000000,
	.gc_delay = 300,
	.persistent_expiry = 3 * 24 * 3600,
};

static struct mutex keys_mutex = MUTEX_INIT(keys_mutex);
static struct list_head keys = LIST_HEAD_INIT(keys);
static struct list_head users = LIST_HEAD_INIT(users);
static u32 dropped;    /* [a] a key has no references any more */
static u64 next_sweep; /* s: dead keys are looked for then; 0: there are none */

static u64 now_s(void)
{
	return clock_real_ns() / NSEC_PER_SEC;
}

struct key *key_get(struct key *k)
{
	if (k)
		atomic_inc(&k->refs);
	return k;
}

void key_put(struct key *k)
{
	if (k && atomic_dec_and_test(&k->refs))
		store_once(&dropped, 1u);
}

/* --- the end of keys */

static void drop_payload(struct key *k)
{
	if (k->data)
		memset(k->data, 0, k->len);
	kfree(k->data);
	k->data = NULL;
	k->len = 0;
}

static void destroy(struct key *k)
{
	list_del(&k->node);
	key_watches_end(k);
	for (u32 i = 0; i < k->nr; i++)
		key_put(k->links[i]);
	k->user->nr_all--;
	if (k->in_quota) {
		k->user->nr_keys--;
		k->user->nr_bytes -= k->quota;
	}
	kfree(k->links);
	drop_payload(k);
	kfree(k->desc);
	kfree(k);
}

/* Whose time is over leaves the keyrings: at once, or after gc_delay. */
static bool is_over(struct key *k, u64 now)
{
	if (k->invalid)
		return true;
	if (!k->since && (k->revoked || (k->expires && k->expires <= now)))
		k->since = now;
	return k->since && k->since + load_once(&key_limits.gc_delay) <= now;
}

static void sweep_ring(struct key *ring, u64 now)
{
	u32 kept = 0;

	for (u32 i = 0; i < ring->nr; i++) {
		if (is_over(ring->links[i], now))
			key_put(ring->links[i]);
		else
			ring->links[kept++] = ring->links[i];
	}
	if (kept != ring->nr)
		(void)key_reserve(ring, kept * 4);
	ring->nr = kept;
}

static void sweep(void)
{
	u64 now = now_s();
	struct key *k;

	if (!next_sweep || now < next_sweep)
		return;
	next_sweep = 0;
	list_for_each_entry(k, &keys, node)
		sweep_ring(k, now);
	list_for_each_entry(k, &keys, node)
		if (k->revoked || k->expires)
			next_sweep = now + 10;
}

static void collect(void)
{
	struct key *k, *next;

	while (load_once(&dropped)) {
		store_once(&dropped, 0u);
		list_for_each_entry_safe(k, next, &keys, node)
			if (!load_once(&k->refs))
				destroy(k);
	}
}

void keys_begin(void)
{
	mutex_lock(&keys_mutex);
	sweep();
	collect();
}

void keys_end(void)
{
	sweep();
	collect();
	mutex_unlock(&keys_mutex);
}

/* --- types */

const struct key_type *key_type_find(const char *name)
{
	for (u32 i = 0; i < ARRAY_SIZE(types); i++)
		if (!strcmp(types[i].name, name))
			return &types[i];
	return NULL;
}

int key_check(const struct key_type *t, const char *desc, u32 len)
{
	const char *colon = strchr(desc, ':');

	if (!*desc || (t->prefixed && (!colon || colon == desc)))
		return -EINVAL;
	if (t->ring)
		return len ? -EINVAL : 0;
	return !len || len > t->max ? -EINVAL : 0;
}

/* --- users and their quotas */

struct key_user *key_user(u32 uid)
{
	struct key_user *u;

	list_for_each_entry(u, &users, node)
		if (u->uid == uid)
			return u;
	u = kzalloc(sizeof(*u));
	if (!u)
		return NULL;
	u->uid = uid;
	list_add_tail(&u->node, &users);
	return u;
}

static bool fits(const struct key_user *u, u32 keys_more, u32 bytes_more)
{
	u64 max = load_once(u->uid ? &key_limits.maxkeys
				   : &key_limits.root_maxkeys);
	u64 room = load_once(u->uid ? &key_limits.maxbytes
				    : &key_limits.root_maxbytes);

	return u->nr_keys + (u64)keys_more <= max &&
	       u->nr_bytes + (u64)bytes_more <= room;
}

int key_reserve(struct key *k, u32 bytes)
{
	u32 want = (u32)strlen(k->desc) + 1 + bytes;

	if (!k->in_quota)
		return 0;
	if (want > k->quota && !fits(k->user, 0, want - k->quota))
		return -EDQUOT;
	k->user->nr_bytes += want - k->quota;
	k->quota = want;
	return 0;
}

int key_chown(struct key *k, u32 uid, u32 gid)
{
	struct key_user *to;

	if (uid != k->uid) {
		to = key_user(uid);
		if (!to)
			return -ENOMEM;
		if (k->in_quota && !fits(to, 1, k->quota))
			return -EDQUOT;
		k->user->nr_all--;
		to->nr_all++;
		if (k->in_quota) {
			k->user->nr_keys--;
			k->user->nr_bytes -= k->quota;
			to->nr_keys++;
			to->nr_bytes += k->quota;
		}
		k->user = to;
		k->uid = uid;
	}
	k->gid = gid;
	return 0;
}

/* --- making */

/* A number that no key has, and its place in the list. */
static struct list_head *new_serial(s32 *serial)
{
	struct list_head *at;
	struct key *k;
	bool taken;

	do {
		random_bytes(serial, sizeof(*serial));
		*serial &= 0x7fffffff;
		taken = *serial < 3;
		for (at = keys.next; at != &keys && !taken; at = at->next) {
			k = container_of(at, struct key, node);
			taken = k->serial == *serial;
			if (k->serial > *serial)
				break;
		}
	} while (taken);
	return at;
}

struct key *key_new_of(const struct key_type *t, const char *desc, u32 perm,
		       enum key_quota q, u32 uid, u32 gid)
{
	u32 bytes = (u32)strlen(desc) + 1;
	struct key_user *u = key_user(uid);
	struct key *k;

	if (!u)
		return ERR_PTR(-ENOMEM);
	if (q == QUOTA_COUNT && !fits(u, 1, bytes))
		return ERR_PTR(-EDQUOT);
	k = kzalloc(sizeof(*k));
	if (k)
		k->desc = kstrdup(desc);
	if (!k || !k->desc) {
		kfree(k);
		return ERR_PTR(-ENOMEM);
	}
	k->refs = 1;
	list_init(&k->watches);
	k->type = t;
	k->uid = uid;
	k->gid = gid;
	k->perm = perm;
	k->user = u;
	u->nr_all++;
	k->in_quota = q != QUOTA_NONE;
	if (k->in_quota) {
		k->quota = bytes;
		u->nr_keys++;
		u->nr_bytes += bytes;
	}
	list_add_tail(&k->node, new_serial(&k->serial));
	return k;
}

struct key *key_new(const struct key_type *t, const char *desc, u32 perm,
		    enum key_quota q)
{
	return key_new_of(t, desc, perm, q, current_cred()->fsuid,
			  current_cred()->fsgid);
}

int key_set_payload(struct key *k, void *data, u32 len)
{
	int err = key_reserve(k, len);

	if (err) {
		kfree(data);
		return err;
	}
	drop_payload(k);
	k->data = data;
	k->len = len;
	k->error = 0;
	k->expires = 0;
	return 0;
}

/* --- using */

int key_may(struct key_ref r, u32 need)
{
	const struct cred *c = current_cred();
	const struct key *k = r.key;
	u32 perm = k->perm;

	if (k->uid == c->fsuid)
		perm >>= 16;
	else if (k->gid != ~0u && (k->perm & (KEY_ALL << 8)) &&
		 cred_in_group(c, k->gid))
		perm >>= 8;
	if (r.possessed)
		perm |= k->perm >> 24;
	return (perm & need & KEY_ALL) == need ? 0 : -EACCES;
}

int key_validate(struct key *k)
{
	if (k->invalid)
		return -ENOKEY;
	if (k->revoked)
		return -EKEYREVOKED;
	if (k->expires && k->expires <= now_s()) {
		if (!next_sweep)
			next_sweep = now_s();
		return -EKEYEXPIRED;
	}
	return 0;
}

void key_revoke(struct key *k)
{
	if (k->revoked)
		return;
	k->revoked = true;
	key_notify(k, KEY_REVOKED, 0);
	k->since = now_s();
	next_sweep = k->since;
	if (k->type->ring)
		ring_clear(k);
	(void)key_reserve(k, 0);
	drop_payload(k);
}

void key_invalidate(struct key *k)
{
	if (!k->invalid)
		key_notify(k, KEY_INVALIDATED, 0);
	k->invalid = true;
	next_sweep = 1;
}

struct key *key_by_serial(s32 serial)
{
	struct key *k;

	list_for_each_entry(k, &keys, node)
		if (k->serial == serial && load_once(&k->refs))
			return key_get(k);
	return NULL;
}

void key_for_each(void (*fn)(struct key *k, void *ctx), void *ctx)
{
	struct key *k;

	list_for_each_entry(k, &keys, node)
		if (load_once(&k->refs))
			fn(k, ctx);
}

void key_user_for_each(void (*fn)(struct key_user *u, void *ctx), void *ctx)
{
	struct key_user *u;

	list_for_each_entry(u, &users, node)
		fn(u, ctx);
}
