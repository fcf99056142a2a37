/* SPDX-License-Identifier: MIT */
/*
 * kernel/task/domain.h - Landlock domains: what a thread has forbidden itself.
 *
 * A domain is the newest of a chain of layers, each made by one
 * landlock_restrict_self(2) and immutable from then on; every layer must agree.
 * Credentials have one, or NULL, which is all that the unrestricted pay for.
 *
 * Here is what needs no file system: who stands above whom, ports, scopes.
 * fs/landlock.c has rule sets and the rules about paths.
 */
#ifndef KERNEL_TASK_DOMAIN_H
#define KERNEL_TASK_DOMAIN_H

#include <kernel/task/process.h>
#include <lib/atomic.h>
#include <lib/list.h>

#define LANDLOCK_NET_BIND_TCP	 BIT(0)
#define LANDLOCK_NET_CONNECT_TCP BIT(1)
#define LANDLOCK_NET_ALL	 3u
#define LANDLOCK_SCOPE_ABSTRACT	 BIT(0)
#define LANDLOCK_SCOPE_SIGNAL	 BIT(1)
#define LANDLOCK_SCOPE_ALL	 3u
#define LANDLOCK_MAX_LAYERS	 16u

struct domain_port {
	u16 port;
	u16 access; /* LANDLOCK_NET_* */
};

struct domain {
	u32 refs;		   /* [a] */
	u32 level;		   /* [I] 1: the first layer */
	struct domain *parent;	   /* [I] owned, or NULL */
	u32 fs, net, scoped;	   /* [I] what this layer is about */
	u32 nr_ports;		   /* [I] */
	struct domain_port *ports; /* [I] owned */
	void *rules;		   /* [I] fs/landlock.c's, owned */
	struct list_head node;	   /* [dead_lock] refs is 0: to be freed */
};

static inline struct domain *domain_get(struct domain *d)
{
	if (d)
		atomic_inc(&d->refs);
	return d;
}
/* Any context: the last reference leaves it to domain_next_dead(). */
void domain_put(struct domain *d);
/* One to be freed, or NULL: who does waits at domain_wq. */
struct domain *domain_next_dead(void);
bool domain_any_dead(void);
extern struct waitq domain_wq;

/* Is @d @above, or below it? */
bool domain_is_below(const struct domain *d, const struct domain *above);
/* Does a layer of @d keep @scope within itself, and @other is not in it? */
bool domain_confines(const struct domain *d, const struct domain *other,
		     u32 scope);
/* The same of current's. */
bool domain_keeps_slow(const struct domain *other, u32 scope);
static inline bool domain_keeps(const struct domain *other, u32 scope)
{
	return unlikely(current->cred->domain) &&
	       domain_keeps_slow(other, scope);
}
/* May current bind or connect a TCP socket to @port?  0 or -EACCES. */
int domain_port_slow(u16 port, u32 access);
static inline int domain_port(u16 port, u32 access)
{
	return unlikely(current->cred->domain) ? domain_port_slow(port, access)
					       : 0;
}

#endif /* KERNEL_TASK_DOMAIN_H */
