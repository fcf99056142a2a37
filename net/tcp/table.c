/* SPDX-License-Identifier: MIT */
/*
 * net/tcp/table.c - connections by their addresses.
 *
 * Locking: tcp_lock (RANK_NET).  The table owns a reference to each connection in it.
 */
#include <net/tcp/conn.h>

#include <kernel/random.h>
#include <lib/errno.h>
#include <lib/hash.h>
#include <lib/string.h>

#define NR_BUCKETS 2048u

struct spinlock tcp_lock = SPINLOCK_INIT("tcp", RANK_NET);
static struct list_head
	buckets[NR_BUCKETS]; /* [tcp_lock] next is NULL until first used */
static u64 secret;	     /* [tcp_lock] so that nobody fills one bucket */

static struct list_head *bucket_of(const struct inet_ep *local,
				   const struct inet_ep *remote)
{
	struct {
		u8 ip[16];
		u16 ports[2];
		u32 zero;
		u64 secret;
	} key = { .ports = { local->port, remote->port } };
	struct list_head *l;

	if (unlikely(!secret))
		secret = random_u64() | 1;
	key.secret = secret;
	memcpy(key.ip, remote->ip, 16);
	l = &buckets[hash_mem(&key, sizeof(key)) % NR_BUCKETS];
	if (!l->next)
		list_init(l);
	return l;
}

static bool same(const struct inet_ep *a, const struct inet_ep *b)
{
	return a->port == b->port && inet_same_ip(a, b);
}

struct tcp_entry *tcp_table_look_locked(const struct net_ns *net,
					const struct inet_ep *local,
					const struct inet_ep *remote)
{
	struct tcp_entry *e;

	assert_held(&tcp_lock);
	list_for_each_entry(e, bucket_of(local, remote), node) {
		if (e->net == net && same(&e->local, local) &&
		    same(&e->remote, remote))
			return e;
	}
	return NULL;
}

void tcp_table_put_locked(struct tcp_entry *e)
{
	assert_held(&tcp_lock);
	list_add(&e->node, bucket_of(&e->local, &e->remote));
}

int tcp_table_add(struct tcp_conn *c)
{
	int err = 0;

	spin_lock(&tcp_lock);
	if (tcp_table_look_locked(c->e.net, &c->e.local, &c->e.remote))
		err = -EADDRINUSE;
	else
		tcp_table_put_locked(&tcp_conn_get(c)->e);
	spin_unlock(&tcp_lock);
	return err;
}

void tcp_table_del(struct tcp_conn *c)
{
	bool listed;

	spin_lock(&tcp_lock);
	listed = list_is_linked(&c->e.node);
	list_del(&c->e.node);
	spin_unlock(&tcp_lock);
	if (listed)
		tcp_conn_put(c);
}

struct tcp_conn *tcp_table_find(const struct net_ns *net,
				const struct inet_ep *local,
				const struct inet_ep *remote, bool *waits)
{
	struct tcp_conn *c = NULL;
	struct tcp_entry *e;

	*waits = false;
	spin_lock(&tcp_lock);
	e = tcp_table_look_locked(net, local, remote);
	if (e && e->waits)
		*waits = true;
	else if (e)
		c = tcp_conn_get(container_of(e, struct tcp_conn, e));
	spin_unlock(&tcp_lock);
	return c;
}
