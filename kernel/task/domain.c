/* SPDX-License-Identifier: MIT */
/* kernel/task/domain.c - layers of Landlock; see domain.h. */
#include <kernel/task/domain.h>

#include <lib/errno.h>

static struct spinlock dead_lock = SPINLOCK_INIT("domain", RANK_DEV);
static struct list_head dead = LIST_HEAD_INIT(dead);
struct waitq domain_wq = WAITQ_INIT(domain_wq);

void domain_put(struct domain *d)
{
	if (!d || !atomic_dec_and_test(&d->refs))
		return;
	spin_lock(&dead_lock);
	list_add_tail(&d->node, &dead);
	spin_unlock(&dead_lock);
	wake_up_all(&domain_wq);
}

struct domain *domain_next_dead(void)
{
	struct domain *d;

	spin_lock(&dead_lock);
	d = list_first_entry_or_null(&dead, struct domain, node);
	if (d)
		list_del(&d->node);
	spin_unlock(&dead_lock);
	return d;
}

bool domain_any_dead(void)
{
	bool any;

	spin_lock(&dead_lock);
	any = !list_empty(&dead);
	spin_unlock(&dead_lock);
	return any;
}

bool domain_is_below(const struct domain *d, const struct domain *above)
{
	while (d && d != above)
		d = d->parent;
	return d == above;
}

bool domain_confines(const struct domain *d, const struct domain *other,
		     u32 scope)
{
	for (; d; d = d->parent)
		if ((d->scoped & scope) && !domain_is_below(other, d))
			return true;
	return false;
}

bool domain_keeps_slow(const struct domain *other, u32 scope)
{
	return domain_confines(current_cred()->domain, other, scope);
}

static u32 port_access(const struct domain *l, u16 port)
{
	for (u32 i = 0; i < l->nr_ports; i++)
		if (l->ports[i].port == port)
			return l->ports[i].access;
	return 0;
}

int domain_port_slow(u16 port, u32 access)
{
	const struct domain *l;

	for (l = current_cred()->domain; l; l = l->parent)
		if ((l->net & access) && !(port_access(l, port) & access))
			return -EACCES;
	return 0;
}
