/* SPDX-License-Identifier: MIT */
/*
 * tests/host/route_table_test.c - routes are found: the index beside a look at every route.
 *
 * sources: net/route/table.c net/route/prefix.c tests/host/fake/locks.c
 */
#include <tests/host/cmocka.h>

#include <kernel/mm/kmalloc.h>
#include <net/route/route_int.h>

#define NR 400u

struct spinlock route_lock = SPINLOCK_INIT("route", RANK_NET);
static u64 rng = 4711;
static struct net_device devs[2] = { { .index = 2 }, { .index = 3 } };

void *kzalloc(size_t n)
{
	return calloc(1, n);
}

void *kcalloc(size_t n, size_t size)
{
	return calloc(n, size);
}

void kfree(const void *p)
{
	free((void *)(uintptr_t)p);
}

static u32 below(u32 n)
{
	rng = rng * 6364136223846793005ul + 1442695040888963407ul;
	return (u32)(rng >> 33) % n;
}

/* Few bits, so that prefixes lie in each other. */
static void any_ip(u8 ip[16], bool v4)
{
	memset(ip, 0, 16);
	if (v4)
		ip[10] = ip[11] = 0xff;
	for (u32 i = v4 ? 12 : 0; i < 16; i++)
		ip[i] = (u8)(below(2) << 7 | below(2));
}

static void any_route(struct fib_route *r)
{
	static const u32 tables[] = { RT_TABLE_LOCAL, RT_TABLE_MAIN, 100 };
	bool v4 = below(2);

	memset(r, 0, sizeof(*r));
	list_init(&r->hash);
	r->family = v4 ? AF_INET : AF_INET6;
	r->dst_len = (u8)below(v4 ? 33 : 129);
	r->table = tables[below(3)];
	r->metric = below(3);
	r->type = ROUTE_UNICAST;
	r->dev = &devs[below(2)];
	any_ip(r->dst, v4);
	ip_cut_prefix(r->dst, ip_bits(r->family, r->dst_len));
}

/* The first of the best: routes[] is in the order in which they came. */
static const struct fib_route *look(const struct fib_route *routes,
				    const bool *there, u32 table, const u8 *ip,
				    u32 oif)
{
	const struct fib_route *best = NULL;

	for (u32 i = 0; i < NR; i++) {
		const struct fib_route *r = &routes[i];

		if (!there[i] || r->table != table ||
		    (r->family == AF_INET) != ip_is_v4(ip) ||
		    (oif && (u32)r->dev->index != oif) ||
		    !ip_same_prefix(r->dst, ip, ip_bits(r->family, r->dst_len)))
			continue;
		if (!best || r->dst_len > best->dst_len ||
		    (r->dst_len == best->dst_len && r->metric < best->metric))
			best = r;
	}
	return best;
}

static void compare(const struct route_ns *rn, const struct fib_route *routes,
		    const bool *there)
{
	static const u32 tables[] = { RT_TABLE_LOCAL, RT_TABLE_MAIN, 100, 5 };

	for (u32 i = 0; i < 300; i++) {
		u32 table = tables[below(4)], oif = below(2) ? 0 : 2 + below(2);
		u8 ip[16];

		any_ip(ip, below(2));
		spin_lock(&route_lock);
		assert_ptr_equal(fib_find_in(rn, table, ip, oif),
				 look(routes, there, table, ip, oif));
		spin_unlock(&route_lock);
	}
}

static bool anything(const struct fib_route *a, const struct fib_route *b)
{
	return true;
}

static void finds_the_best(void **state)
{
	static struct fib_route routes[NR];
	struct route_ns rn = { .nr_routes = 0 };
	bool there[NR] = { false };

	list_init(&rn.tables);
	compare(&rn, routes, there);
	for (u32 i = 0; i < NR;
	     i++) { /* in order, so that the model is right */
		any_route(&routes[i]);
		assert_int_equal(fib_index_grow(&rn, &routes[i]), 0);
		spin_lock(&route_lock);
		fib_index_add(&rn, &routes[i], NULL);
		spin_unlock(&route_lock);
		rn.nr_routes++;
		there[i] = true;
		assert_non_null(fib_find_like(&rn, &routes[i], anything));
		if (i % 20 == 0)
			compare(&rn, routes, there);
	}
	assert_true(rn.nr_buckets >= NR / 2);
	for (u32 i = 0; i < NR; i++) {
		u32 n = (i * 7) % NR;

		spin_lock(&route_lock);
		fib_index_del(&rn, &routes[n]);
		spin_unlock(&route_lock);
		rn.nr_routes--;
		there[n] = false;
		if (i % 20 == 0)
			compare(&rn, routes, there);
	}
	compare(&rn, routes, there);
	fib_index_free(&rn);
}

/* One that is put before another is found instead of it. */
static void goes_before(void **state)
{
	struct route_ns rn = { .nr_routes = 0 };
	struct fib_route a, b;

	list_init(&rn.tables);
	any_route(&a);
	b = a;
	list_init(&b.hash);
	assert_int_equal(fib_index_grow(&rn, &a), 0);
	spin_lock(&route_lock);
	fib_index_add(&rn, &a, NULL);
	fib_index_add(&rn, &b, &a);
	assert_ptr_equal(fib_find_in(&rn, a.table, a.dst, 0), &b);
	fib_index_del(&rn, &b);
	assert_ptr_equal(fib_find_in(&rn, a.table, a.dst, 0), &a);
	fib_index_del(&rn, &a);
	assert_null(fib_find_in(&rn, a.table, a.dst, 0));
	spin_unlock(&route_lock);
	fib_index_free(&rn);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_the_best),
		cmocka_unit_test(goes_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
