/* SPDX-License-Identifier: MIT */
/*
 * kernel/task/user_use.c - see user_use.h.
 *
 * A user has an entry while it has anything in use; root always has one, so that
 * what root does needs no memory here.
 *
 * Locking: use_lock.
 */
#include <kernel/task/user_use.h>

#include <kernel/mm/kmalloc.h>
#include <kernel/spinlock.h>
#include <lib/list.h>

#define NR_BUCKETS 64u

struct user {
	struct user *next;
	u32 uid;
	u64 use[NR_USER_USES];
};

static struct spinlock use_lock = SPINLOCK_INIT("user_use", RANK_SCHED);
static struct user root;	       /* [use_lock] as all of them */
static struct user *users[NR_BUCKETS]; /* [use_lock] by uid */

/* Where the pointer to @uid's entry is, or would be. */
static struct user **place_of(u32 uid)
{
	struct user **p = &users[uid % NR_BUCKETS];

	while (*p && (*p)->uid != uid)
		p = &(*p)->next;
	return p;
}

static struct user *find(u32 uid)
{
	assert_held(&use_lock);
	return uid ? *place_of(uid) : &root;
}

static struct user *find_or_make(u32 uid)
{
	struct user *u = find(uid);

	if (u)
		return u;
	u = kzalloc(sizeof(*u));
	if (u) {
		u->uid = uid;
		*place_of(uid) = u;
	}
	return u;
}

static void drop_unused(struct user *u)
{
	for (u32 i = 0; i < NR_USER_USES; i++)
		if (u->use[i])
			return;
	if (u == &root)
		return;
	*place_of(u->uid) = u->next;
	kfree(u);
}

bool user_charge(u32 uid, enum user_use what, u64 n, u64 limit)
{
	struct user *u;
	bool ok = false;

	spin_lock(&use_lock);
	u = find_or_make(uid);
	if (u) {
		ok = n <= limit && u->use[what] <= limit - n;
		if (ok)
			u->use[what] += n;
		drop_unused(u);
	}
	spin_unlock(&use_lock);
	return ok;
}

void user_uncharge(u32 uid, enum user_use what, u64 n)
{
	struct user *u;

	spin_lock(&use_lock);
	u = find(uid);
	if (u) {
		u->use[what] -= n;
		drop_unused(u);
	}
	spin_unlock(&use_lock);
}

u64 user_used(u32 uid, enum user_use what)
{
	const struct user *u;
	u64 n;

	spin_lock(&use_lock);
	u = find(uid);
	n = u ? u->use[what] : 0;
	spin_unlock(&use_lock);
	return n;
}
