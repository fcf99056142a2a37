/* SPDX-License-Identifier: MIT */
/*
 * net/route/table.c - routes are found: by a table, the length of a prefix and its bits.
 *
 * Each table of a family knows which lengths its prefixes have; a look-up tries those from
 * the longest on, each in one hash table of all routes of the namespace.  In a bucket the
 * routes of one prefix stand as in fib.c's list: the first that fits is the best.
 *
 * Locking: route_lock is held, but for fib_index_grow(); rtnl_mutex by who changes.
 *
 * INVARIANTS
 *   T1  A route is in the bucket of its table, family and prefix; t->nr[len] counts those of
 *	 that length of t, and bit len of t->lens says that it is not 0.
 */
#include <net/route/route_int.h>

#include <kernel/mm/kmalloc.h>
#include <lib/bitmap.h>
#include <lib/errno.h>
#include <lib/hash.h>

#define BUCKETS_FIRST 16u
#define PREFIXES      129u

struct fib_table {
	struct list_head node; /* [route_lock] of its namespace's */
	u32 id;		       /* [I] */
	u16 family;	       /* [I] */
	u32 nr[PREFIXES];      /* [route_lock] */
	u64 lens[3];	       /* [route_lock] */
};

static struct list_head *bucket_of(const struct route_ns *rn, u32 table,
				   u32 bits, const u8 ip[16])
{
	u64 w[2];

	memcpy(w, ip, sizeof(w));
	w[0] = hash64(w[0] ^ w[1] * 31 ^ (u64)table << 32 ^ bits);
	return &rn->bucket[w[0] & (rn->nr_buckets - 1)];
}

static struct list_head *bucket_of_route(const struct route_ns *rn,
					 const struct fib_route *r)
{
	return bucket_of(rn, r->table, ip_bits(r->family, r->dst_len), r->dst);
}

static struct fib_table *find_table(const struct route_ns *rn, u16 family,
				    u32 id)
{
	struct fib_table *t;

	list_for_each_entry(t, &rn->tables, node) {
		if (t->id == id && t->family == family)
			return t;
	}
	return NULL;
}

static int make_table(struct route_ns *rn, u16 family, u32 id)
{
	struct fib_table *t;

	if (find_table(rn, family, id))
		return 0;
	t = kzalloc(sizeof(*t));
	if (!t)
		return -ENOMEM;
	t->id = id;
	t->family = family;
	spin_lock(&route_lock);
	/* the local one is looked at first, and so it is made */
	list_add_tail(&t->node, &rn->tables);
	spin_unlock(&route_lock);
	return 0;
}

/* The lists keep their order. */
static void move_all(struct route_ns *rn, struct list_head *to, u32 nr)
{
	struct list_head *old = rn->bucket;
	u32 nr_old = rn->nr_buckets;
	struct fib_route *r, *next;

	rn->bucket = to;
	rn->nr_buckets = nr;
	for (u32 i = 0; i < nr_old; i++) {
		list_for_each_entry_safe(r, next, &old[i], hash) {
			list_del(&r->hash);
			list_add_tail(&r->hash, bucket_of_route(rn, r));
		}
	}
}

static int more_buckets(struct route_ns *rn)
{
	u32 nr = rn->nr_buckets ? rn->nr_buckets * 2 : BUCKETS_FIRST;
	struct list_head *to, *old = rn->bucket;

	if (rn->nr_routes < rn->nr_buckets)
		return 0;
	to = kcalloc(nr, sizeof(*to));
	if (!to) /* longer chains do, if there are any */
		return old ? 0 : -ENOMEM;
	for (u32 i = 0; i < nr; i++)
		list_init(&to[i]);
	spin_lock(&route_lock);
	move_all(rn, to, nr);
	spin_unlock(&route_lock);
	kfree(old);
	return 0;
}

int fib_index_grow(struct route_ns *rn, const struct fib_route *r)
{
	int err = more_buckets(rn);

	return err ? err : make_table(rn, r->family, r->table);
}

void fib_index_add(struct route_ns *rn, struct fib_route *r,
		   struct fib_route *before)
{
	struct fib_table *t = find_table(rn, r->family, r->table);
	struct list_head *bucket = bucket_of_route(rn, r);
	struct fib_route *o;

	list_for_each_entry(o, bucket, hash) {
		if (before ? o == before
			   : fib_same_prefix(o, r) && r->metric < o->metric)
			break;
	}
	list_add_tail(&r->hash, &o->hash);
	t->nr[r->dst_len]++;
	t->lens[r->dst_len / 64] |= BIT(r->dst_len % 64);
}

void fib_index_del(struct route_ns *rn, struct fib_route *r)
{
	struct fib_table *t = find_table(rn, r->family, r->table);

	list_del(&r->hash);
	if (!--t->nr[r->dst_len])
		t->lens[r->dst_len / 64] &= ~BIT(r->dst_len % 64);
}

void fib_index_free(struct route_ns *rn)
{
	struct fib_table *t, *next;

	list_for_each_entry_safe(t, next, &rn->tables, node) {
		list_del(&t->node);
		kfree(t);
	}
	kfree(rn->bucket);
}

/* --- looking */

/* The longest length of @t's up to @most; -1: there is none. */
static int longest(const struct fib_table *t, int most)
{
	for (int w = most / 64; most >= 0 && w >= 0; w--) {
		u64 lens = t->lens[w];

		if (w == most / 64 && most % 64 < 63)
			lens &= BIT(most % 64 + 1) - 1;
		if (lens)
			return w * 64 + (int)log2_floor(lens);
	}
	return -1;
}

static bool goes_by(const struct fib_route *r, u32 oif)
{
	return !oif || !r->dev || (u32)r->dev->index == oif ||
	       (r->type == ROUTE_LOCAL && oif == LOOPBACK_INDEX);
}

static const struct fib_route *find_in(const struct route_ns *rn,
				       const struct fib_table *t,
				       const u8 dst[16], u32 oif)
{
	const struct fib_route *r;
	u8 ip[16];

	memcpy(ip, dst, sizeof(ip));
	for (int n = longest(t, 128); n >= 0; n = longest(t, n - 1)) {
		u32 bits = ip_bits(t->family, (u32)n);

		ip_cut_prefix(ip, bits);
		list_for_each_entry(r, bucket_of(rn, t->id, bits, ip), hash) {
			if (r->table == t->id && r->dst_len == n &&
			    r->family == t->family && ip_same(r->dst, ip) &&
			    goes_by(r, oif))
				return r;
		}
	}
	return NULL;
}

const struct fib_route *fib_find_in(const struct route_ns *rn, u32 table,
				    const u8 dst[16], u32 oif)
{
	const struct fib_table *t =
		find_table(rn, ip_is_v4(dst) ? AF_INET : AF_INET6, table);

	assert_held(&route_lock);
	return t ? find_in(rn, t, dst, oif) : NULL;
}

struct fib_route *fib_find_like(const struct route_ns *rn,
				const struct fib_route *r,
				bool (*like)(const struct fib_route *a,
					     const struct fib_route *b))
{
	struct fib_route *o;

	if (!rn->nr_buckets)
		return NULL;
	list_for_each_entry(o, bucket_of_route(rn, r), hash) {
		if (fib_same_prefix(o, r) && like(o, r))
			return o;
	}
	return NULL;
}
