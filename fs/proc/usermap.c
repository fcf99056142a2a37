/* SPDX-License-Identifier: MIT */
/*
 * fs/proc/usermap.c - /proc/<pid>/uid_map, gid_map and setgroups: what the ids of a
 * process's user namespace are outside.
 */
#include <fs/proc/proc.h>
#include <kernel/file/file.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/ns/user.h>
#include <lib/errno.h>
#include <lib/string.h>

struct opened {
	struct user_ns *ns; /* owned */
	struct cred *by;    /* owned */
	enum id_kind kind;
};

static void opened_put(void *arg)
{
	struct opened *o = arg;

	ns_put(&o->ns->ns);
	cred_put(o->by);
	kfree(o);
}

/* The lower ids as who opened it has them; in the namespace itself as its parent. */
static int show_map(struct text *t, void *arg)
{
	const struct opened *o = arg;
	const struct user_ns *seen = o->by->user_ns;
	const struct id_map *m = load_once(&o->ns->map[o->kind]);

	if (o->ns == &init_user_ns)
		text_printf(t, "%10u %10u %10u\n", 0u,
			    id_from_global(seen, o->kind, 0), ~0u);
	else if (seen == o->ns)
		seen = user_ns_parent(o->ns);
	for (u32 i = 0; m && i < m->nr; i++)
		text_printf(t, "%10u %10u %10u\n", m->ext[i].first,
			    id_from_global(seen, o->kind, m->ext[i].lower),
			    m->ext[i].count);
	return 0;
}

static s64 write_map(void *arg, char *buf, size_t n)
{
	const struct opened *o = arg;
	int err = user_ns_write_map(o->ns, o->by, o->kind, buf);

	return err ? err : (s64)n;
}

static int show_setgroups(struct text *t, void *arg)
{
	const struct opened *o = arg;

	text_puts(t,
		  load_once(&o->ns->setgroups_denied) ? "deny\n" : "allow\n");
	return 0;
}

static s64 write_setgroups(void *arg, char *buf, size_t n)
{
	const struct opened *o = arg;
	size_t len = proc_line_len(buf);
	bool deny = len == 4 && !strncmp(buf, "deny", 4);
	int err = -EINVAL;

	if (n <= 8 && (deny || (len == 5 && !strncmp(buf, "allow", 5))))
		err = user_ns_write_setgroups(o->ns, deny);
	return err ? err : (s64)n;
}

static int open_with(struct process *p, struct file *f, enum id_kind kind,
		     pseudo_show_fn *show, pseudo_write_fn *write)
{
	struct cred *c = process_cred(p);
	struct opened *o = kmalloc(sizeof(*o));
	int err = -ENOMEM;

	if (o) {
		*o = (struct opened){ .ns = c->user_ns,
				      .by = cred_get(current->cred),
				      .kind = kind };
		ns_get(&o->ns->ns);
		err = text_open(f, show, write, o, opened_put);
		if (err)
			opened_put(o);
	}
	cred_put(c);
	return err;
}

int proc_open_uid_map(struct process *p, struct file *f)
{
	return open_with(p, f, ID_UID, show_map, write_map);
}

int proc_open_gid_map(struct process *p, struct file *f)
{
	return open_with(p, f, ID_GID, show_map, write_map);
}

int proc_open_setgroups(struct process *p, struct file *f)
{
	struct cred *c = process_cred(p);
	bool may = !f->can_write || ns_capable(c->user_ns, CAP_SYS_ADMIN);

	cred_put(c);
	return may ? open_with(p, f, ID_GID, show_setgroups, write_setgroups)
		   : -EACCES;
}
