/* SPDX-License-Identifier: MIT */
/*
 * kernel/keys/ctl.c - add_key(2), request_key(2) and what keyctl(2) does.
 *
 * Nobody is called to make a key that is asked for (no /sbin/request-key): what is
 * not there gets a negative key for a minute, as on Linux when that fails.
 */
#include <kernel/keys/keys.h>

#include <kernel/keys/watch.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/ns/user.h>
#include <kernel/time/clock.h>
#include <lib/errno.h>
#include <lib/fmt.h>
#include <lib/string.h>

#define NEGATIVE_S 60

static u64 after(u32 seconds)
{
	return clock_real_ns() / NSEC_PER_SEC + seconds;
}

/* --- making */

static u32 default_perm(const struct key_type *t)
{
	u32 p = KEY_VIEW | KEY_SEARCH | KEY_LINK | KEY_SETATTR;

	if (t->can_read)
		p |= KEY_READ;
	if (t->ring || t->can_update)
		p |= KEY_WRITE;
	return KEY_POS(p) | KEY_USR(KEY_VIEW);
}

/* A new key in @ring, or the payload of the one that is there.  Takes @data. */
static s64 add_in(struct key_ref ring, const struct key_type *t,
		  const char *desc, void *data, u32 len)
{
	struct key_ref old = { NULL, ring.possessed };
	struct key *k;
	int err;

	if (t->can_update)
		old.key = ring_find(ring.key, t, desc);
	if (old.key && key_validate(old.key) == -EKEYREVOKED)
		old.key = NULL;
	if (old.key) {
		err = key_may(old, KEY_WRITE);
		if (err)
			kfree(data);
		else
			err = key_set_payload(old.key, data, len);
		if (!err)
			key_notify(old.key, KEY_UPDATED, 0);
		return err ? err : old.key->serial;
	}
	k = key_new(t, desc, default_perm(t), QUOTA_COUNT);
	if (IS_ERR(k)) {
		kfree(data);
		return PTR_ERR(k);
	}
	err = key_set_payload(k, data, len);
	if (!err)
		err = ring_link(ring.key, k);
	key_put(k);
	return err ? err : k->serial;
}

s64 key_add(const char *type, const char *desc, void *payload, u32 len,
	    s32 ring)
{
	const struct key_type *t = key_type_find(type);
	struct key_ref r;
	s64 n;

	keys_begin();
	r = key_lookup(ring, KEY_LOOKUP_CREATE, KEY_WRITE);
	if (IS_ERR(r.key))
		n = PTR_ERR(r.key);
	else if (!t)
		n = -ENODEV;
	else if (!r.key->type->ring)
		n = -ENOTDIR;
	else
		n = key_check(t, desc, len);
	if (n)
		kfree(payload);
	else
		n = add_in(r, t, desc, payload, len);
	if (!IS_ERR(r.key))
		key_put(r.key);
	keys_end();
	return n;
}

/* Link @k to the keyring @dest, or nothing if that is 0. */
static int link_to(struct key_ref k, s32 dest)
{
	struct key_ref to;
	int err;

	if (!dest)
		return 0;
	to = key_lookup(dest, KEY_LOOKUP_CREATE, KEY_WRITE);
	if (IS_ERR(to.key))
		return (int)PTR_ERR(to.key);
	err = key_may(k, KEY_LINK);
	if (!err)
		err = ring_link(to.key, k.key);
	key_put(to.key);
	return err;
}

/* Where a key that nobody asked to be put somewhere goes. */
static s32 default_dest(void)
{
	const struct cred *c = current_cred();

	switch (c->reqkey_dest) {
	case REQKEY_THREAD:
		return KEY_SPEC_THREAD_KEYRING;
	case REQKEY_PROCESS:
		return KEY_SPEC_PROCESS_KEYRING;
	case REQKEY_SESSION:
		return KEY_SPEC_SESSION_KEYRING;
	case REQKEY_USER:
		return KEY_SPEC_USER_KEYRING;
	case REQKEY_USER_SESSION:
		return KEY_SPEC_USER_SESSION_KEYRING;
	default:
		break;
	}
	if (c->thread_ring)
		return KEY_SPEC_THREAD_KEYRING;
	if (c->process_ring)
		return KEY_SPEC_PROCESS_KEYRING;
	return c->session_ring ? KEY_SPEC_SESSION_KEYRING
			       : KEY_SPEC_USER_SESSION_KEYRING;
}

/* There is none, and nobody to make one: that is remembered. */
static s64 make_negative(const struct key_type *t, const char *desc, s32 dest)
{
	struct key_ref k = { .possessed = true };
	int err;

	k.key = key_new(t, desc, default_perm(t), QUOTA_COUNT);
	if (IS_ERR(k.key))
		return PTR_ERR(k.key);
	k.key->error = -ENOKEY;
	k.key->expires = after(NEGATIVE_S);
	err = link_to(k, dest ? dest : default_dest());
	key_put(k.key);
	return err ? err : -ENOKEY;
}

s64 key_request(const char *type, const char *desc, bool callout, s32 dest)
{
	struct key_search s = { .type = key_type_find(type), .desc = desc };
	struct key_ref r = { ERR_PTR(-ENOKEY), false };
	s64 n = 0;

	keys_begin();
	if (dest) {
		r = key_lookup(dest, KEY_LOOKUP_CREATE, KEY_WRITE);
		if (IS_ERR(r.key))
			n = PTR_ERR(r.key);
		else
			key_put(r.key);
	}
	if (!n && !s.type)
		n = -ENOKEY;
	if (!n) {
		r = keys_search(&s);
		if (!IS_ERR(r.key)) {
			n = link_to(r, dest);
			n = n ? n : r.key->serial;
			key_put(r.key);
		} else if (PTR_ERR(r.key) != -EAGAIN) {
			n = PTR_ERR(r.key);
		} else {
			n = callout ? make_negative(s.type, desc, dest)
				    : -ENOKEY;
		}
	}
	keys_end();
	return n;
}

s64 key_search_in(s32 ring, const char *type, const char *desc, s32 dest)
{
	struct key_search s = { .type = key_type_find(type), .desc = desc };
	struct key_ref r, k;
	s64 n;

	keys_begin();
	r = key_lookup(ring, 0, KEY_SEARCH);
	if (IS_ERR(r.key)) {
		keys_end();
		return PTR_ERR(r.key);
	}
	k = s.type ? ring_search(r, &s) : (struct key_ref){ ERR_PTR(-ENOKEY) };
	if (IS_ERR(k.key)) {
		n = PTR_ERR(k.key);
		n = n == -EAGAIN ? -ENOKEY : n;
	} else {
		n = link_to(k, dest);
		n = n ? n : k.key->serial;
		key_put(k.key);
	}
	key_put(r.key);
	keys_end();
	return n;
}

/* --- one key: look it up, do @fn */

typedef s64 key_fn(struct key_ref r, u64 a, u64 b);

static s64 with_key(s32 id, u32 flags, u32 need, key_fn *fn, u64 a, u64 b)
{
	struct key_ref r;
	s64 n;

	keys_begin();
	r = key_lookup(id, flags, need);
	if (IS_ERR(r.key)) {
		n = PTR_ERR(r.key);
	} else {
		n = fn(r, a, b);
		key_put(r.key);
	}
	keys_end();
	return n;
}

static s64 do_update(struct key_ref r, u64 data, u64 len)
{
	void **payload = (void **)data, *taken = *payload;
	int err = -EOPNOTSUPP;

	if (r.key->type->can_update)
		err = key_check(r.key->type, r.key->desc, (u32)len);
	if (err)
		return err;
	*payload = NULL;
	err = key_set_payload(r.key, taken, (u32)len);
	if (!err)
		key_notify(r.key, KEY_UPDATED, 0);
	return err;
}

s64 key_update(s32 id, void *payload, u32 len)
{
	s64 n = with_key(id, 0, KEY_WRITE, do_update, (u64)(uintptr_t)&payload,
			 len);

	kfree(payload); /* unless it was taken */
	return n;
}

static s64 do_revoke(struct key_ref r, u64 a __unused, u64 b __unused)
{
	key_revoke(r.key);
	return 0;
}

s64 key_ctl_revoke(s32 id)
{
	s64 n = with_key(id, 0, KEY_WRITE, do_revoke, 0, 0);

	return n == -EACCES ? with_key(id, 0, KEY_SETATTR, do_revoke, 0, 0) : n;
}

static s64 do_invalidate(struct key_ref r, u64 a __unused, u64 b __unused)
{
	key_invalidate(r.key);
	return 0;
}

s64 key_ctl_invalidate(s32 id)
{
	return with_key(id, 0, KEY_SEARCH, do_invalidate, 0, 0);
}

static s64 do_chown(struct key_ref r, u64 uid64, u64 gid64)
{
	int err;

	u32 uid = (u32)uid64 == ~0u ? r.key->uid : (u32)uid64;
	u32 gid = (u32)gid64 == ~0u ? r.key->gid : (u32)gid64;

	if (!capable(CAP_SYS_ADMIN) &&
	    (uid != r.key->uid ||
	     (gid != r.key->gid && !cred_in_group(current_cred(), gid))))
		return -EACCES;
	err = key_chown(r.key, uid, gid);
	if (!err)
		key_notify(r.key, KEY_ATTR_SET, 0);
	return err;
}

s64 key_ctl_chown(s32 id, u32 uid, u32 gid)
{
	if (uid == ~0u && gid == ~0u)
		return 0;
	if ((uid != ~0u && uid_given(uid) == INVALID_ID) ||
	    (gid != ~0u && gid_given(gid) == INVALID_ID))
		return -EINVAL;
	uid = uid == ~0u ? uid : uid_given(uid);
	gid = gid == ~0u ? gid : gid_given(gid);
	return with_key(id, KEY_LOOKUP_CREATE | KEY_LOOKUP_PARTIAL, KEY_SETATTR,
			do_chown, uid, gid);
}

static s64 do_setperm(struct key_ref r, u64 perm, u64 b __unused)
{
	if (r.key->uid != current_cred()->fsuid && !capable(CAP_SYS_ADMIN))
		return -EACCES;
	r.key->perm = (u32)perm;
	key_notify(r.key, KEY_ATTR_SET, 0);
	return 0;
}

s64 key_ctl_setperm(s32 id, u32 perm)
{
	if (perm & ~KEY_PERMS)
		return -EINVAL;
	return with_key(id, KEY_LOOKUP_CREATE | KEY_LOOKUP_PARTIAL, KEY_SETATTR,
			do_setperm, perm, 0);
}

static s64 do_timeout(struct key_ref r, u64 seconds, u64 b __unused)
{
	r.key->expires = seconds ? after((u32)seconds) : 0;
	key_notify(r.key, KEY_ATTR_SET, 0);
	return 0;
}

s64 key_ctl_timeout(s32 id, u32 seconds)
{
	return with_key(id, KEY_LOOKUP_CREATE | KEY_LOOKUP_PARTIAL, KEY_SETATTR,
			do_timeout, seconds, 0);
}

static s64 do_clear(struct key_ref r, u64 a __unused, u64 b __unused)
{
	if (!r.key->type->ring)
		return -ENOTDIR;
	ring_clear(r.key);
	key_notify(r.key, KEY_CLEARED, 0);
	return 0;
}

s64 key_ctl_clear(s32 ring)
{
	return with_key(ring, KEY_LOOKUP_CREATE, KEY_WRITE, do_clear, 0, 0);
}

static s64 do_restrict(struct key_ref r, u64 utype, u64 b __unused)
{
	const char *type = (const char *)utype;

	if (!r.key->type->ring)
		return -ENOTDIR;
	if (type) /* no type of key has rules */
		return key_type_find(type) ? -ENOENT : -ENOKEY;
	if (r.key->closed)
		return -EEXIST;
	r.key->closed = true;
	return 0;
}

s64 key_ctl_restrict(s32 ring, const char *type)
{
	return with_key(ring, 0, KEY_SETATTR, do_restrict, (u64)type, 0);
}

static s64 do_serial(struct key_ref r, u64 a __unused, u64 b __unused)
{
	return r.key->serial;
}

s64 key_ctl_ring_id(s32 id, bool create)
{
	return with_key(id, create ? KEY_LOOKUP_CREATE : 0, KEY_SEARCH,
			do_serial, 0, 0);
}

static s64 do_security(struct key_ref r __unused, u64 a __unused,
		       u64 b __unused)
{
	return 1; /* an empty label, with its NUL */
}

s64 key_ctl_security(s32 id)
{
	s64 n = with_key(id, KEY_LOOKUP_PARTIAL, KEY_VIEW, do_security, 0, 0);

	/* who was asked to make it may look, but nobody is asked */
	return n == -EACCES ? -ENOKEY : n;
}

/* The group of a user's own keyrings is nobody. */
u32 key_gid_shown(const struct key *k)
{
	return k->gid == INVALID_ID ? OVERFLOW_ID : gid_shown(k->gid);
}

static s64 do_describe(struct key_ref r, u64 out, u64 b __unused)
{
	const struct key *k = r.key;
	size_t room = strlen(k->desc) + 96;
	char *s = kmalloc(room);

	if (!s)
		return -ENOMEM;
	*(char **)out = s;
	return scnprintf(s, room, "%s;%d;%d;%08x;%s", k->type->name,
			 (int)uid_shown(k->uid), (int)key_gid_shown(k), k->perm,
			 k->desc) +
	       1;
}

s64 key_ctl_describe(s32 id, char **out)
{
	return with_key(id, KEY_LOOKUP_PARTIAL, KEY_VIEW, do_describe,
			(u64)(uintptr_t)out, 0);
}

static s64 read_ring(const struct key *k, void **out)
{
	s32 *ids = kmalloc(k->nr ? k->nr * 4 : 1);

	if (!ids)
		return -ENOMEM;
	for (u32 i = 0; i < k->nr; i++)
		ids[i] = k->links[i]->serial;
	*out = ids;
	return (s64)k->nr * 4;
}

static s64 do_read(struct key_ref r, u64 out, u64 room)
{
	void **to = (void **)out;

	if (r.key->error)
		return -ENOKEY;
	/* who has found it may read it */
	if (key_may(r, KEY_READ) && !r.possessed)
		return -EACCES;
	if (!r.key->type->can_read)
		return -EOPNOTSUPP;
	if (r.key->type->ring)
		return room % sizeof(s32) ? -EINVAL : read_ring(r.key, to);
	*to = kmemdup(r.key->data, r.key->len);
	return *to ? (s64)r.key->len : -ENOMEM;
}

s64 key_ctl_read(s32 id, u64 room, void **out)
{
	*out = NULL;
	return with_key(id, 0, KEY_NEED_NOTHING, do_read, (u64)(uintptr_t)out,
			room);
}

/* --- two keys */

/* @id is looked up after @ring, as on Linux. */
static int with_ring(s32 id, u32 need, u32 flags, s32 ring, u32 ring_flags,
		     struct key_ref *k, struct key_ref *r)
{
	*r = key_lookup(ring, ring_flags, KEY_WRITE);
	if (IS_ERR(r->key))
		return (int)PTR_ERR(r->key);
	*k = key_lookup(id, flags, need);
	if (!IS_ERR(k->key))
		return 0;
	key_put(r->key);
	return (int)PTR_ERR(k->key);
}

s64 key_ctl_link(s32 id, s32 ring)
{
	struct key_ref k = { 0 }, r = { 0 };
	int err;

	keys_begin();
	err = with_ring(id, KEY_LINK, KEY_LOOKUP_CREATE, ring,
			KEY_LOOKUP_CREATE, &k, &r);
	if (!err) {
		err = ring_link(r.key, k.key);
		key_put(k.key);
		key_put(r.key);
	}
	keys_end();
	return err;
}

s64 key_ctl_unlink(s32 id, s32 ring)
{
	struct key_ref k = { 0 }, r = { 0 };
	int err;

	keys_begin();
	err = with_ring(id, KEY_NEED_UNLINK, KEY_LOOKUP_PARTIAL, ring, 0, &k,
			&r);
	if (!err) {
		err = ring_unlink(r.key, k.key);
		key_put(k.key);
		key_put(r.key);
	}
	keys_end();
	return err;
}

static int move(struct key *k, struct key *from, struct key *to, bool excl)
{
	const struct key *there;
	int err;

	if (!from->type->ring || !to->type->ring)
		return -ENOTDIR;
	if (from == to)
		return 0;
	if (!ring_has(from, k))
		return -ENOENT;
	there = ring_find(to, k->type, k->desc);
	if (there && excl)
		return -EEXIST;
	err = ring_link(to, k);
	return err ? err : ring_unlink(from, k);
}

s64 key_ctl_move(s32 id, s32 from, s32 to, bool excl)
{
	struct key_ref k, f, t;
	int err;

	keys_begin();
	k = key_lookup(id, KEY_LOOKUP_CREATE, KEY_LINK);
	err = IS_ERR(k.key) ? (int)PTR_ERR(k.key) : 0;
	if (!err) {
		f = key_lookup(from, 0, KEY_WRITE);
		err = IS_ERR(f.key) ? (int)PTR_ERR(f.key) : 0;
		if (!err) {
			t = key_lookup(to, KEY_LOOKUP_CREATE, KEY_WRITE);
			err = IS_ERR(t.key) ? (int)PTR_ERR(t.key) : 0;
			if (!err) {
				err = move(k.key, f.key, t.key, excl);
				key_put(t.key);
			}
			key_put(f.key);
		}
		key_put(k.key);
	}
	keys_end();
	return err;
}

/* --- of users and credentials */

static s64 persistent(u32 uid, struct key *dest)
{
	struct key_user *u = key_user(uid);
	char name[32];
	int err;

	if (!u)
		return -ENOMEM;
	if (u->persistent && key_validate(u->persistent)) {
		key_put(u->persistent);
		u->persistent = NULL;
	}
	if (!u->persistent) {
		(void)scnprintf(name, sizeof(name), "_persistent.%u", uid);
		u->persistent = key_new_of(key_type_keyring, name,
					   KEY_POS(KEY_ALL & ~KEY_SETATTR) |
						   KEY_USR(KEY_VIEW | KEY_READ),
					   QUOTA_NONE, uid, ~0u);
		if (IS_ERR(u->persistent)) {
			err = (int)PTR_ERR(u->persistent);
			u->persistent = NULL;
			return err;
		}
		u->persistent->of_user = true;
	}
	err = ring_link(dest, u->persistent);
	if (err)
		return err;
	u->persistent->expires =
		after((u32)load_once(&key_limits.persistent_expiry));
	return u->persistent->serial;
}

s64 key_ctl_persistent(u32 uid, s32 dest)
{
	const struct cred *c = current_cred();
	struct key_ref r;
	s64 n;

	uid = uid == ~0u ? c->uid : uid_given(uid);
	if (uid == INVALID_ID)
		return -EINVAL;
	if (uid != c->uid && uid != c->euid && !capable(CAP_SETUID))
		return -EPERM;
	keys_begin();
	r = key_lookup(dest, KEY_LOOKUP_CREATE, KEY_WRITE);
	if (IS_ERR(r.key)) {
		n = PTR_ERR(r.key);
	} else {
		n = r.key->type->ring ? persistent(uid, r.key) : -ENOTDIR;
		key_put(r.key);
	}
	keys_end();
	return n;
}

s64 key_ctl_reqkey_dest(int dest)
{
	int old = current_cred()->reqkey_dest, err = 0;
	struct cred *c;

	if (dest == REQKEY_NO_CHANGE)
		return old;
	if (dest < 0 || dest == REQKEY_GROUP || dest > REQKEY_REQUESTOR)
		return -EINVAL;
	keys_begin();
	if (dest == REQKEY_THREAD)
		err = key_install_thread();
	else if (dest == REQKEY_PROCESS)
		err = key_install_process();
	keys_end();
	c = err ? NULL : cred_dup(current_cred());
	if (!c)
		return err ? err : -ENOMEM;
	c->reqkey_dest = (u8)dest;
	cred_replace(c);
	return old;
}
