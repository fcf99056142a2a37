/* SPDX-License-Identifier: MIT */
/* fs/proc/keys.c - /proc/keys, of which each reader sees his own, and /proc/key-users. */
#include <fs/proc/proc.h>

#include <kernel/keys/keys.h>
#include <kernel/ns/user.h>
#include <kernel/time/clock.h>
#include <lib/errno.h>
#include <lib/fmt.h>

static void time_left(const struct key *k, char *buf, size_t n)
{
	static const struct {
		u64 below, unit;
		char c;
	} units[] = {
		{ 60, 1, 's' },
		{ 3600, 60, 'm' },
		{ 24 * 3600, 3600, 'h' },
		{ 7 * 24 * 3600, 24 * 3600, 'd' },
		{ ~0ull, 7 * 24 * 3600, 'w' },
	};
	u64 now = clock_real_ns() / NSEC_PER_SEC, left;

	if (!k->expires || k->expires <= now) {
		(void)scnprintf(buf, n, "%s", k->expires ? "expd" : "perm");
		return;
	}
	left = k->expires - now;
	for (u32 i = 0; i < ARRAY_SIZE(units); i++) {
		if (left >= units[i].below)
			continue;
		(void)scnprintf(buf, n, "%llu%c",
				(unsigned long long)(left / units[i].unit),
				units[i].c);
		return;
	}
}

static void show_key(struct key *k, void *ctx)
{
	struct key_search s = { .exact = k };
	struct key_ref mine = keys_search(&s), r = { k, false };
	struct text *t = ctx;
	char left[24];

	r.possessed = !IS_ERR(mine.key);
	if (r.possessed)
		key_put(mine.key);
	if (key_may(r, KEY_VIEW))
		return;
	time_left(k, left, sizeof(left));
	text_printf(t, "%08x %c%c-%c-%c%c %5u %4s %08x %5d %5d %-9.9s %s",
		    (u32)k->serial, 'I', k->revoked ? 'R' : '-',
		    k->in_quota ? 'Q' : '-', k->error ? 'N' : '-',
		    k->invalid ? 'i' : '-', load_once(&k->refs), left, k->perm,
		    (int)uid_shown(k->uid), (int)key_gid_shown(k),
		    k->type->name, k->desc);
	if (k->error)
		text_printf(t, "\n");
	else if (!k->type->ring)
		text_printf(t, ": %u\n", k->len);
	else if (k->nr)
		text_printf(t, ": %u\n", k->nr);
	else
		text_printf(t, ": empty\n");
}

static int show_keys(struct text *t, void *arg __unused)
{
	keys_begin();
	key_for_each(show_key, t);
	keys_end();
	return 0;
}

static void show_user(struct key_user *u, void *ctx)
{
	u64 max = load_once(u->uid ? &key_limits.maxkeys
				   : &key_limits.root_maxkeys);
	u64 room = load_once(u->uid ? &key_limits.maxbytes
				    : &key_limits.root_maxbytes);

	if (u->nr_all)
		text_printf(ctx, "%5u: %5u %u/%u %u/%lu %u/%lu\n",
			    uid_shown(u->uid), u->nr_all, u->nr_all, u->nr_all,
			    u->nr_keys, max, u->nr_bytes, room);
}

static int show_users(struct text *t, void *arg __unused)
{
	keys_begin();
	key_user_for_each(show_user, t);
	keys_end();
	return 0;
}

int proc_keys_init(struct pnode *root)
{
	if (!pseudo_file(root, "keys", 0444, show_keys, NULL, NULL) ||
	    !pseudo_file(root, "key-users", 0444, show_users, NULL, NULL))
		return -ENOMEM;
	return 0;
}
