/* SPDX-License-Identifier: MIT */
/*
 * fs/proc/net.c - /proc/<pid>/net: files that speak of a process's network namespace.
 *
 * What they say is net/'s; the table comes from above (proc_net_table()).  An open file
 * keeps the namespace that its process had then.
 */
#include <fs/proc/net.h>

#include <fs/proc/proc.h>
#include <kernel/assert.h>
#include <kernel/mm/kmalloc.h>
#include <lib/errno.h>
#include <lib/string.h>

static const struct proc_net_entry *table; /* [I] after boot */
static u32 nr_entries;			   /* [I] likewise */

void proc_net_table(const struct proc_net_entry *t, u32 nr)
{
	KASSERT(!table);
	table = t;
	nr_entries = nr;
}

const char *proc_net_name(u32 i)
{
	return i < nr_entries ? table[i].name : NULL;
}

struct opened {
	const struct proc_net_entry *e;
	struct net_ns *net; /* owned */
};

static void opened_put(void *arg)
{
	struct opened *o = arg;

	net_ns_put(o->net);
	kfree(o);
}

static int show(struct text *t, void *arg)
{
	struct opened *o = arg;

	return o->e->show(t, o->net, o->e->arg);
}

int proc_net_open(struct file *f, struct net_ns *net, u32 i)
{
	struct opened *o = kmalloc(sizeof(*o));
	int err;

	if (!o) {
		net_ns_put(net);
		return -ENOMEM;
	}
	*o = (struct opened){ .e = &table[i], .net = net };
	err = text_open(f, show, NULL, o, opened_put);
	if (err)
		opened_put(o);
	return err;
}
