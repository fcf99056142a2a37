/* SPDX-License-Identifier: MIT */
/*
 * kernel/keys/keys.h - keys: secrets and the keyrings in which programs find them.
 *
 *	key.c	  objects, types, quotas, what may be done with one, collection
 *	ring.c	  keyrings: links and searches
 *	special.c the keyrings of a thread, process, session and user; keys by number
 *	ctl.c	  what keyctl(2) does with them
 *	watch.c	  who is told what happens to them
 *
 * A key lives as long as it is referenced: by credentials, by keyrings, by an
 * operation under way.  Who drops the last reference may hold spinlocks, so a key
 * without references is collected by the next operation (collect()), and with it
 * what it linked to.
 *
 * INVARIANTS
 *   K1  refs rise from zero never; a key at zero is found by nobody.
 *   K2  Keyrings have no cycles, and are KEYRING_DEPTH deep at most.
 *
 * Locking: keys_mutex for everything but refs; keys_begin() and keys_end() bracket
 * an operation.  Names and numbers are Linux's (linux/keyctl.h).
 */
#ifndef KERNEL_KEYS_KEYS_H
#define KERNEL_KEYS_KEYS_H

#include <kernel/task/process.h>
#include <lib/list.h>

#define KEY_SPEC_THREAD_KEYRING	      (-1)
#define KEY_SPEC_PROCESS_KEYRING      (-2)
#define KEY_SPEC_SESSION_KEYRING      (-3)
#define KEY_SPEC_USER_KEYRING	      (-4)
#define KEY_SPEC_USER_SESSION_KEYRING (-5)
#define KEY_SPEC_GROUP_KEYRING	      (-6)
#define KEY_SPEC_REQKEY_AUTH_KEY      (-7)
#define KEY_SPEC_REQUESTOR_KEYRING    (-8)

/* What may be done: by its possessor (<< 24), user (16), group (8), others. */
#define KEY_VIEW    0x01u
#define KEY_READ    0x02u
#define KEY_WRITE   0x04u
#define KEY_SEARCH  0x08u
#define KEY_LINK    0x10u
#define KEY_SETATTR 0x20u
#define KEY_ALL	    0x3fu
#define KEY_POS(p)  ((u32)(p) << 24)
#define KEY_USR(p)  ((u32)(p) << 16)
#define KEY_PERMS   0x3f3f3f3fu

#define KEY_MAX_PAYLOAD (1024 * 1024 - 1)
#define KEY_DESC_MAX	4096
#define KEYRING_DEPTH	6

/* Where request_key() puts what it makes: cred->reqkey_dest. */
enum reqkey_dest {
	REQKEY_NO_CHANGE = -1,
	REQKEY_DEFAULT,
	REQKEY_THREAD,
	REQKEY_PROCESS,
	REQKEY_SESSION,
	REQKEY_USER,
	REQKEY_USER_SESSION,
	REQKEY_GROUP,
	REQKEY_REQUESTOR,
};

struct key;

struct key_type {
	const char *name;
	u32 max;       /* bytes of payload */
	bool ring;     /* a keyring: without payload */
	bool can_read; /* by programs */
	bool can_update;
	bool prefixed; /* described as "service:name" */
};

/* One user's keys. */
struct key_user {
	struct list_head node;
	u32 uid;		    /* [I] */
	u32 nr_keys, nr_bytes;	    /* counted against the quota */
	u32 nr_all;		    /* keys, counted or not */
	struct key *ring, *session; /* owned, or NULL */
	struct key *persistent;	    /* likewise */
};

struct key {
	u32 refs;		     /* [a] */
	s32 serial;		     /* [I] > 2 */
	struct list_head node;	     /* of all keys, by serial */
	const struct key_type *type; /* [I] */
	char *desc;		     /* [I] owned */
	u32 uid, gid, perm;
	struct key_user *user; /* whose quota it counts against */
	u32 quota;	       /* bytes of it */
	bool in_quota;	       /* [I] */
	bool revoked,
		invalid; /* invalid: out of all keyrings at the next sweep */
	bool closed;	 /* a keyring that takes no more links */
	bool of_user; /* a keyring that belongs to a user, not to a session */
	s32 error;    /* 0, or what a negative key answers: -ENOKEY ... */
	u64 expires;  /* s of CLOCK_REALTIME; 0: never */
	u64 since;    /* revoked or found to be expired then; 0: not */
	void *data;   /* payload, owned */
	u32 len;
	struct list_head watches; /* watch.h */
	struct key **links;	  /* of a keyring: owned references */
	u32 nr, room;
	u64 seen;	/* the last walk through keyrings that came by */
	u32 seen_depth; /* and how deep in them */
};

/* A key, and whether current possesses it: found from its own keyrings. */
struct key_ref {
	struct key *key; /* or ERR_PTR */
	bool possessed;
};

struct key_limits {
	u64 maxkeys, maxbytes, root_maxkeys, root_maxbytes; /* [a] */
	u64 gc_delay, persistent_expiry;		    /* [a] s */
};
extern struct key_limits key_limits;

/* --- references; any context.  NULL is fine. */
struct key *key_get(struct key *k);
void key_put(struct key *k);

/* --- the rest: a coroutine without spinlocks; between these two */
void keys_begin(void);
void keys_end(void);

/* --- key.c */
/* NULL: no such type. */
const struct key_type *key_type_find(const char *name);
extern const struct key_type *const key_type_keyring;
/* 0 or -EINVAL: can @desc and @len bytes be a key of this type? */
int key_check(const struct key_type *t, const char *desc, u32 len);
enum key_quota {
	QUOTA_COUNT,
	QUOTA_OVERRUN, /* counted, never refused */
	QUOTA_NONE,
};
/* A key without payload, of current's fsuid and fsgid; -EDQUOT, -ENOMEM. */
struct key *key_new(const struct key_type *t, const char *desc, u32 perm,
		    enum key_quota q);
struct key *key_new_of(const struct key_type *t, const char *desc, u32 perm,
		       enum key_quota q, u32 uid, u32 gid);
/* Takes @data, also on error. */
int key_set_payload(struct key *k, void *data, u32 len);
int key_reserve(struct key *k, u32 bytes); /* payload's share of the quota */
int key_chown(struct key *k, u32 uid, u32 gid);
int key_may(struct key_ref r, u32 need); /* 0 or -EACCES */
/* 0, -EKEYREVOKED, -EKEYEXPIRED or -ENOKEY (invalid). */
int key_validate(struct key *k);
void key_revoke(struct key *k);
void key_invalidate(struct key *k);
struct key *key_by_serial(s32 serial); /* referenced, or NULL */
struct key_user *key_user(u32 uid);    /* made if need be; NULL: no memory */
/* In order of serials; @fn must not change the list. */
void key_for_each(void (*fn)(struct key *k, void *ctx), void *ctx);
void key_user_for_each(void (*fn)(struct key_user *u, void *ctx), void *ctx);

/* --- ring.c */
/* What stands for the same as @k in @ring goes.  -ENOTDIR, -EDEADLK (a cycle),
 * -ELOOP (too deep), -EPERM (closed), -EKEYREVOKED ..., -EDQUOT, -ENFILE. */
int ring_link(struct key *ring, struct key *k);
int ring_unlink(struct key *ring, struct key *k); /* -ENOENT */
void ring_clear(struct key *ring);
/* The key of that type and name in @ring itself, not referenced, or NULL. */
struct key *ring_find(const struct key *ring, const struct key_type *t,
		      const char *desc);
bool ring_has(const struct key *ring, const struct key *k);

struct key_search {
	const struct key_type *type; /* what is looked for, or */
	const char *desc;
	const struct key *exact; /* this one, in whatever state */
};
/* In @ring and the keyrings in it.  Referenced; -EAGAIN: none; -ENOKEY and others:
 * only what cannot be used. */
struct key_ref ring_search(struct key_ref ring, const struct key_search *s);

/* --- special.c */
#define KEY_LOOKUP_CREATE  BIT(0) /* its keyring is made */
#define KEY_LOOKUP_PARTIAL BIT(1) /* also one that cannot be used */
#define KEY_NEED_NOTHING   0u
#define KEY_NEED_UNLINK	   (~0u) /* not even that it is in order */
struct key_ref key_lookup(s32 id, u32 flags, u32 need); /* referenced */
/* In current's keyrings. */
struct key_ref keys_search(const struct key_search *s);
/* 0 or -errno: current has such a keyring from now on. */
int key_install_thread(void);
int key_install_process(void);
/* A new session keyring, anonymous or (NULL: not) the one of that name. */
s64 key_join_session(const char *name);
struct key *key_user_ring(bool session); /* referenced; or ERR_PTR */
/* What a new thread (@thread: of the same process) and a new program have of their
 * keyrings: @c is private. */
int keys_fork(struct cred *c, bool thread);
static inline bool keys_of_process(const struct cred *c)
{
	return c->thread_ring || c->process_ring;
}
void keys_exec(struct cred *c);

/* --- ctl.c: results of keyctl(2) and its sisters */
u32 key_gid_shown(const struct key *k); /* as current's namespace has it */
s64 key_add(const char *type, const char *desc, void *payload, u32 len,
	    s32 ring); /* takes @payload */
s64 key_request(const char *type, const char *desc, bool callout, s32 dest);
s64 key_search_in(s32 ring, const char *type, const char *desc, s32 dest);
s64 key_update(s32 id, void *payload, u32 len); /* takes @payload */
s64 key_ctl_revoke(s32 id);
s64 key_ctl_invalidate(s32 id);
s64 key_ctl_chown(s32 id, u32 uid, u32 gid);
s64 key_ctl_setperm(s32 id, u32 perm);
s64 key_ctl_timeout(s32 id, u32 seconds);
s64 key_ctl_clear(s32 ring);
s64 key_ctl_link(s32 id, s32 ring);
s64 key_ctl_unlink(s32 id, s32 ring);
s64 key_ctl_move(s32 id, s32 from, s32 to, bool excl);
/* By rules of keys of @type, NULL: nothing may be added. */
s64 key_ctl_restrict(s32 ring, const char *type);
s64 key_ctl_ring_id(s32 id, bool create);
s64 key_ctl_persistent(u32 uid, s32 dest);
s64 key_ctl_reqkey_dest(int dest);
s64 key_ctl_security(s32 id);
/* A copy in *@out, which is the caller's, and its length; of a key's payload
 * @room bytes will be used. */
s64 key_ctl_describe(s32 id, char **out);
s64 key_ctl_read(s32 id, u64 room, void **out);

#endif /* KERNEL_KEYS_KEYS_H */
