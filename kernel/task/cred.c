/* SPDX-License-Identifier: MIT */
/*
 * kernel/task/cred.c - who a thread acts for.
 *
 * A struct cred is immutable once it is shared; a change makes a copy and puts
 * it in the place of current's.  Readers of other threads' credentials take a
 * reference under task_lock, readers of current's need nothing.
 */
#include <kernel/task/task.h>

#include <kernel/assert.h>
#include <kernel/keys/keys.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/ns/user.h>
#include <kernel/task/domain.h>
#include <lib/errno.h>
#include <lib/string.h>

#define CAP_ALL ((1ULL << (CAP_LAST + 1)) - 1)

struct cred init_cred = {
	.refs = 1,
	.cap_permitted = CAP_ALL,
	.cap_effective = CAP_ALL,
	.cap_bset = CAP_ALL,
	.user_ns = &init_user_ns,
};

bool capable(unsigned int cap)
{
	const struct cred *c = current_cred();

	return (c->cap_effective >> cap) & 1 && c->user_ns == &init_user_ns;
}

bool cred_in_group(const struct cred *c, u32 gid)
{
	u32 lo = 0, hi = c->nr_groups;

	if (c->fsgid == gid)
		return true;
	while (lo < hi) {
		u32 mid = lo + (hi - lo) / 2;

		if (c->groups[mid] == gid)
			return true;
		if (c->groups[mid] < gid)
			lo = mid + 1;
		else
			hi = mid;
	}
	return false;
}

struct cred *cred_get(struct cred *c)
{
	atomic_inc(&c->refs);
	return c;
}

void cred_put(struct cred *c)
{
	if (!c || !atomic_dec_and_test(&c->refs))
		return;
	KASSERT(c != &init_cred);
	ns_put(&c->user_ns->ns);
	key_put(c->thread_ring);
	key_put(c->process_ring);
	key_put(c->session_ring);
	domain_put(c->domain);
	kfree(c->groups);
	kfree(c);
}

struct cred *cred_dup(const struct cred *c)
{
	struct cred *n = kmemdup(c, sizeof(*c));

	if (!n)
		return NULL;
	n->refs = 1;
	n->groups = NULL;
	ns_get(&c->user_ns->ns);
	(void)key_get(c->thread_ring);
	(void)key_get(c->process_ring);
	(void)key_get(c->session_ring);
	(void)domain_get(c->domain);
	if (!c->nr_groups)
		return n;
	n->groups = kmemdup(c->groups, c->nr_groups * sizeof(u32));
	if (!n->groups) {
		n->nr_groups = 0;
		cred_put(n);
		return NULL;
	}
	return n;
}

void cred_replace(struct cred *new_cred)
{
	struct thread *t = current;
	struct cred *old = t->real_cred;

	KASSERT(t->cred == old);
	spin_lock(&task_lock);
	thread_set_cred(t, new_cred);
	spin_unlock(&task_lock);
	cred_put(old);
}
