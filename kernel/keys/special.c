/* SPDX-License-Identifier: MIT */
/*
 * kernel/keys/special.c - the keyrings that come with credentials, and keys by the
 * numbers that programs give.
 *
 *	thread	 cred->thread_ring: of one thread, gone with it or with exec
 *	process	 cred->process_ring: of threads made after it, gone with exec
 *	session	 cred->session_ring: inherited by everything; none: the user's
 *	user	 key_user->ring, ->session: of a user, for good
 */
#include <kernel/keys/keys.h>

#include <kernel/mm/kmalloc.h>
#include <lib/errno.h>
#include <lib/fmt.h>
#include <lib/string.h>

#define PERM_OWN   (KEY_POS(KEY_ALL) | KEY_USR(KEY_VIEW))
#define PERM_ANON  (PERM_OWN | KEY_USR(KEY_READ))
#define PERM_NAMED (PERM_ANON | KEY_USR(KEY_LINK))
#define PERM_USER  (KEY_POS(KEY_ALL & ~KEY_SETATTR) | KEY_USR(KEY_ALL))

/* One of a private copy of current's credentials: *@slot is set to @ring, which is
 * taken, also on error. */
static int put_in_cred(size_t offset, struct key *ring)
{
	struct cred *c = cred_dup(current_cred());
	struct key **slot;

	if (!c) {
		key_put(ring);
		return -ENOMEM;
	}
	slot = (struct key **)((char *)c + offset);
	key_put(*slot);
	*slot = ring;
	cred_replace(c);
	return 0;
}

static int install(size_t offset, const char *desc, u32 perm, enum key_quota q)
{
	struct key *k = key_new(key_type_keyring, desc, perm, q);

	return IS_ERR(k) ? (int)PTR_ERR(k) : put_in_cred(offset, k);
}

int key_install_thread(void)
{
	if (current_cred()->thread_ring)
		return 0;
	return install(offsetof(struct cred, thread_ring), "_tid", PERM_OWN,
		       QUOTA_OVERRUN);
}

int key_install_process(void)
{
	if (current_cred()->process_ring)
		return 0;
	return install(offsetof(struct cred, process_ring), "_pid", PERM_OWN,
		       QUOTA_OVERRUN);
}

struct named {
	const char *name;
	struct key *found; /* referenced */
};

/* A session's keyring that current may search. */
static void match_name(struct key *k, void *ctx)
{
	struct named *n = ctx;
	struct key_ref r = { k, false };

	if (!n->found && k->type->ring && !strcmp(k->desc, n->name) &&
	    !k->of_user && !key_validate(k) && !key_may(r, KEY_SEARCH))
		n->found = key_get(k);
}

static int new_session(void)
{
	return install(offsetof(struct cred, session_ring), "_ses", PERM_ANON,
		       current_cred()->session_ring ? QUOTA_COUNT
						    : QUOTA_OVERRUN);
}

s64 key_join_session(const char *name)
{
	struct named n = { .name = name };
	int err;

	if (!name) {
		err = new_session();
		return err ? err : current_cred()->session_ring->serial;
	}
	key_for_each(match_name, &n);
	if (n.found && n.found == current_cred()->session_ring) {
		key_put(n.found);
		return 0;
	}
	if (!n.found)
		n.found = key_new(key_type_keyring, name, PERM_NAMED,
				  QUOTA_COUNT);
	if (IS_ERR(n.found))
		return PTR_ERR(n.found);
	err = put_in_cred(offsetof(struct cred, session_ring), n.found);
	return err ? err : current_cred()->session_ring->serial;
}

/* *@slot, made if need be. */
static int user_ring(struct key **slot, const char *fmt, u32 uid)
{
	char name[32];
	struct key *k;

	if (*slot && !key_validate(*slot))
		return 0;
	(void)scnprintf(name, sizeof(name), fmt, uid);
	k = key_new_of(key_type_keyring, name, PERM_USER, QUOTA_COUNT, uid,
		       ~0u);
	if (IS_ERR(k))
		return (int)PTR_ERR(k);
	k->of_user = true;
	key_put(*slot);
	*slot = k;
	return 0;
}

struct key *key_user_ring(bool session)
{
	u32 uid = current_cred()->uid;
	struct key_user *u = key_user(uid);
	int err;

	if (!u)
		return ERR_PTR(-ENOMEM);
	err = user_ring(&u->ring, "_uid.%u", uid);
	if (!err)
		err = user_ring(&u->session, "_uid_ses.%u", uid);
	if (!err && !ring_has(u->session, u->ring))
		err = ring_link(u->session, u->ring);
	if (err)
		return ERR_PTR(err);
	return key_get(session ? u->session : u->ring);
}

static int ensure_session(bool create)
{
	struct key *s = current_cred()->session_ring;

	if (s && !(s->of_user && create))
		return 0;
	if (create) {
		s = key_user_ring(true); /* they come with a first session */
		if (IS_ERR(s))
			return (int)PTR_ERR(s);
		key_put(s);
		return new_session();
	}
	s = key_user_ring(true);
	return IS_ERR(s) ? (int)PTR_ERR(s)
			 : put_in_cred(offsetof(struct cred, session_ring), s);
}

/* A keyring of current's by its special number, referenced. */
static struct key *special(s32 id, bool create)
{
	int err = 0;

	switch (id) {
	case KEY_SPEC_THREAD_KEYRING:
		if (create)
			err = key_install_thread();
		else if (!current_cred()->thread_ring)
			err = -ENOKEY;
		return err ? ERR_PTR(err)
			   : key_get(current_cred()->thread_ring);
	case KEY_SPEC_PROCESS_KEYRING:
		if (create)
			err = key_install_process();
		else if (!current_cred()->process_ring)
			err = -ENOKEY;
		return err ? ERR_PTR(err)
			   : key_get(current_cred()->process_ring);
	case KEY_SPEC_SESSION_KEYRING:
		err = ensure_session(create);
		return err ? ERR_PTR(err)
			   : key_get(current_cred()->session_ring);
	case KEY_SPEC_USER_KEYRING:
		return key_user_ring(false);
	case KEY_SPEC_USER_SESSION_KEYRING:
		return key_user_ring(true);
	case KEY_SPEC_REQKEY_AUTH_KEY: /* nobody is asked to make a key */
	case KEY_SPEC_REQUESTOR_KEYRING:
		return ERR_PTR(-ENOKEY);
	default:
		return ERR_PTR(-EINVAL);
	}
}

static int check_found(struct key_ref r, u32 flags, u32 need)
{
	int err = 0;

	if (need == KEY_NEED_UNLINK)
		return 0;
	if (!(flags & KEY_LOOKUP_PARTIAL)) {
		err = r.key->error;
		if (!err)
			err = key_validate(r.key);
	} else if (need != KEY_NEED_NOTHING) {
		err = key_validate(r.key);
	}
	return err || !need ? err : key_may(r, need);
}

struct key_ref key_lookup(s32 id, u32 flags, u32 need)
{
	struct key_ref r = { .possessed = id < 0 };
	struct key_search s = { 0 };
	struct key_ref mine;
	int err;

	if (id < 0) {
		r.key = special(id, flags & KEY_LOOKUP_CREATE);
	} else {
		r.key = id ? key_by_serial(id) : ERR_PTR(-EINVAL);
		if (!r.key)
			r.key = ERR_PTR(-ENOKEY);
		if (!IS_ERR(r.key)) {
			s.exact = r.key;
			mine = keys_search(&s);
			r.possessed = !IS_ERR(mine.key);
			if (r.possessed)
				key_put(mine.key);
		}
	}
	if (IS_ERR(r.key))
		return r;
	err = check_found(r, flags, need);
	if (err) {
		key_put(r.key);
		r.key = ERR_PTR(err);
	}
	return r;
}

/* What searches of several keyrings come to: no key, or a negative one, in any of
 * them says more than another error. */
struct outcome {
	struct key_ref r;
	int none, err; /* -EAGAIN or -ENOKEY; another one */
};

static bool search_one(struct key *ring, const struct key_search *s,
		       struct outcome *o)
{
	struct key_ref one = { ring, true };
	int err;

	if (!ring)
		return false;
	o->r = ring_search(one, s);
	if (!IS_ERR(o->r.key))
		return true;
	err = (int)PTR_ERR(o->r.key);
	if (err == -ENOKEY || (err == -EAGAIN && !o->none))
		o->none = err;
	else if (err != -EAGAIN)
		o->err = err;
	return false;
}

struct key_ref keys_search(const struct key_search *s)
{
	struct outcome o = { .r = { NULL, true }, .err = -EAGAIN };
	const struct cred *c = current_cred();
	struct key_user *u = c->session_ring ? NULL : key_user(c->uid);

	if (search_one(c->thread_ring, s, &o) ||
	    search_one(c->process_ring, s, &o) ||
	    search_one(u ? u->session : c->session_ring, s, &o))
		return o.r;
	o.r.key = ERR_PTR(o.none ? o.none : o.err);
	return o.r;
}

/* --- life of a thread */

int keys_fork(struct cred *c, bool thread)
{
	struct key *k = NULL;

	if (!thread) {
		key_put(c->process_ring);
		c->process_ring = NULL;
	}
	if (!c->thread_ring)
		return 0;
	if (thread) {
		keys_begin();
		k = key_new_of(key_type_keyring, "_tid", PERM_OWN,
			       QUOTA_OVERRUN, c->fsuid, c->fsgid);
		keys_end();
		if (IS_ERR(k))
			return (int)PTR_ERR(k);
	}
	key_put(c->thread_ring);
	c->thread_ring = k;
	return 0;
}

void keys_exec(struct cred *c)
{
	key_put(c->thread_ring);
	key_put(c->process_ring);
	c->thread_ring = c->process_ring = NULL;
}
