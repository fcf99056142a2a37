/* SPDX-License-Identifier: MIT */
/*
 * net/unix_name.c - names of Unix-domain sockets: path nodes and abstract names.
 *
 * Locking: unix_lock.
 */
#include <net/unix.h>

#include <kernel/mm/kmalloc.h>
#include <kernel/init.h>
#include <kernel/task/domain.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/fmt.h>
#include <lib/hash.h>
#include <lib/string.h>

#define NR_BUCKETS 64u

static struct list_head buckets[NR_BUCKETS]; /* [unix_lock] */
static u32 next_auto;			     /* [a] */

static int names_init(void)
{
	for (u32 i = 0; i < NR_BUCKETS; i++)
		list_init(&buckets[i]);
	return 0;
}
INITCALL(INIT_CORE, names_init);

static struct list_head *bucket_of(const struct sock_addr *a)
{
	u64 h = a->abstract ? hash_mem(a->name, a->len)
			    : hash64((u64)(uintptr_t)a->node);

	return &buckets[h % NR_BUCKETS];
}

static bool same(const struct sock_addr *a, const struct sock_addr *b)
{
	if (a->abstract != b->abstract)
		return false;
	if (!a->abstract)
		return a->node == b->node;
	return a->len == b->len && !memcmp(a->name, b->name, a->len);
}

static struct unix_name *lookup(const struct net_ns *net,
				const struct sock_addr *a)
{
	struct unix_name *n;

	list_for_each_entry(n, bucket_of(a), node) {
		if (n->owner && same(&n->addr, a) &&
		    (!a->abstract || n->owner->s.net == net))
			return n;
	}
	return NULL;
}

struct unix_name *unix_name_get(struct unix_name *n)
{
	if (n)
		atomic_inc(&n->refs);
	return n;
}

void unix_name_put(struct unix_name *n)
{
	if (!n || !atomic_dec_and_test(&n->refs))
		return;
	if (n->addr.node)
		net_node_put(&n->addr);
	kfree(n);
}

/* @addr's node goes into the name. */
static struct unix_name *name_new(const struct sock_addr *addr)
{
	struct unix_name *n = kzalloc(sizeof(*n));

	if (!n)
		return NULL;
	n->refs = 1;
	n->addr = *addr;
	list_init(&n->node);
	return n;
}

static int attach(struct unix_sock *us, struct unix_name *n)
{
	int err = 0;

	spin_lock(&unix_lock);
	if (us->name)
		err = -EINVAL;
	else if (lookup(us->s.net, &n->addr))
		err = -EADDRINUSE;
	if (!err) {
		n->owner = us;
		us->name = n;
		list_add(&n->node, bucket_of(&n->addr));
	}
	spin_unlock(&unix_lock);
	return err;
}

#define AUTO_NAMES BIT(20) /* five digits */

int unix_autobind(struct unix_sock *us)
{
	struct sock_addr a = { .family = AF_UNIX, .abstract = true, .len = 5 };
	struct unix_name *n;
	int err = -EADDRINUSE;

	if (load_once(&us->name))
		return 0;
	n = name_new(&a);
	if (!n)
		return -ENOMEM;
	for (u32 i = 0; err == -EADDRINUSE && i < AUTO_NAMES; i++) {
		u32 nr = atomic_add_return(&next_auto, 1u) % AUTO_NAMES;

		snprintf(n->addr.name, sizeof(n->addr.name), "%05x", nr);
		err = attach(us, n);
		cond_resched();
	}
	if (err)
		unix_name_put(n);
	if (err == -EADDRINUSE)
		return -ENOSPC;
	return err == -EINVAL ? 0 : err;
}

int unix_bind(struct socket *s, struct sock_addr *addr)
{
	struct unix_sock *us = to_unix(s);
	struct unix_name *n;
	int err;

	if (!addr->abstract && !addr->node)
		return unix_autobind(us); /* which it may be already */
	if (load_once(&us->name))
		return -EINVAL;
	n = name_new(addr);
	if (!n)
		return -ENOMEM;
	addr->node = NULL; /* taken, and the mount */
	addr->mnt = NULL;
	err = attach(us, n);
	if (err)
		unix_name_put(n);
	return err;
}

void unix_unbind_locked(struct unix_sock *us)
{
	assert_held(&unix_lock);
	if (us->name && us->name->owner == us) {
		us->name->owner = NULL;
		list_del(&us->name->node);
	}
}

struct unix_sock *unix_find(const struct net_ns *net,
			    const struct sock_addr *addr, u16 type)
{
	struct unix_sock *us = ERR_PTR(-ECONNREFUSED);
	struct unix_name *n;

	spin_lock(&unix_lock);
	n = lookup(net, addr);
	if (n && n->owner->s.type != type)
		us = ERR_PTR(-EPROTOTYPE);
	else if (n && addr->abstract &&
		 domain_keeps(n->owner->domain, LANDLOCK_SCOPE_ABSTRACT))
		us = ERR_PTR(-EPERM);
	else if (n)
		us = unix_get(n->owner);
	spin_unlock(&unix_lock);
	return us;
}
