/* SPDX-License-Identifier: MIT */
/*
 * kernel/ns/user.c - user namespaces; see user.h.
 *
 * ORDERING
 *   NSMAP  a map is complete (release) before user_ns->map points to it; who looks
 *          an id up goes through the pointer (acquire).
 *
 * Locking: user_lock where maps and setgroups are decided.
 */
#include <kernel/ns/user.h>

#include <kernel/assert.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/task/clone.h>
#include <kernel/task/task.h>
#include <kernel/upcalls.h>
#include <lib/errno.h>
#include <lib/fmt.h>
#include <lib/string.h>

#define CAP_ALL ((1ULL << (CAP_LAST + 1)) - 1)

static struct spinlock user_lock = SPINLOCK_INIT("user_ns", RANK_FILE);

static void user_free(struct ns_common *ns)
{
	struct user_ns *n = container_of(ns, struct user_ns, ns);

	kfree(n->map[ID_UID]);
	kfree(n->map[ID_GID]);
	kfree(n);
}

static struct ns_common *user_parent(struct ns_common *ns)
{
	return ns->owner ? &ns->owner->ns : NULL;
}

static int user_install(struct nsset *set, struct ns_common *ns)
{
	struct user_ns *n = container_of(ns, struct user_ns, ns);

	/* It would give back what was dropped. */
	if (n == current_user_ns())
		return -EINVAL;
	if (load_once(&current->proc->nr_threads) > 1 || task_shares_fs())
		return -EINVAL;
	if (!ns_capable(n, CAP_SYS_ADMIN))
		return -EPERM;
	cred_set_user_ns(set->cred, n);
	return 0;
}

const struct ns_ops user_ns_ops = {
	.name = "user",
	.flag = CLONE_NEWUSER,
	.count = &user_ns_count,
	.free = user_free,
	.install = user_install,
	.parent = user_parent,
};

/* Everybody is who he is: it has no maps. */
struct user_ns init_user_ns = {
	.ns = { .refs = 1, .ino = NS_INO_USER, .ops = &user_ns_ops },
};

/* --- ids */

static const struct id_map *map_of(const struct user_ns *ns, enum id_kind k)
{
	/* NSMAP (acquire) - pairs with user_ns_write_map(). */
	return load_acquire(&ns->map[k]);
}

/* [first, first + count) of @ns, or INVALID_ID when it is not in one piece. */
static u32 range_to_global(const struct user_ns *ns, enum id_kind k, u32 first,
			   u32 count)
{
	const struct id_map *m;

	if (ns == &init_user_ns)
		return first;
	m = map_of(ns, k);
	for (u32 i = 0; m && i < m->nr; i++) {
		const struct id_extent *e = &m->ext[i];

		if (first >= e->first && first - e->first < e->count)
			return count <= e->count - (first - e->first)
				       ? e->lower + (first - e->first)
				       : INVALID_ID;
	}
	return INVALID_ID;
}

u32 id_to_global(const struct user_ns *ns, enum id_kind k, u32 id)
{
	return id == INVALID_ID ? id : range_to_global(ns, k, id, 1);
}

u32 id_from_global(const struct user_ns *ns, enum id_kind k, u32 id)
{
	const struct id_map *m;

	if (ns == &init_user_ns)
		return id;
	m = map_of(ns, k);
	for (u32 i = 0; m && i < m->nr; i++) {
		const struct id_extent *e = &m->ext[i];

		if (id >= e->lower && id - e->lower < e->count)
			return e->first + (id - e->lower);
	}
	return INVALID_ID;
}

u32 id_shown_slow(enum id_kind k, u32 id)
{
	u32 r = id_from_global(current_user_ns(), k, id);

	return r == INVALID_ID ? OVERFLOW_ID : r;
}

bool ids_mapped(const struct user_ns *ns, u32 uid, u32 gid)
{
	return id_from_global(ns, ID_UID, uid) != INVALID_ID &&
	       id_from_global(ns, ID_GID, gid) != INVALID_ID;
}

/* --- capabilities */

bool cred_capable(const struct cred *c, const struct user_ns *ns,
		  unsigned int cap)
{
	const struct user_ns *mine = c->user_ns;

	for (; ns; ns = user_ns_parent(ns)) {
		if (ns == mine)
			return (c->cap_effective >> cap) & 1;
		if (ns->level <= mine->level)
			return false;
		/* Who made one has all rights in it. */
		if (user_ns_parent(ns) == mine && ns->owner_uid == c->euid)
			return true;
	}
	return false;
}

bool ns_capable(const struct user_ns *ns, unsigned int cap)
{
	return cred_capable(current_cred(), ns, cap);
}

bool user_ns_below(const struct user_ns *ns, const struct user_ns *top)
{
	while (ns->level > top->level)
		ns = user_ns_parent(ns);
	return ns == top;
}

/* --- made and entered */

bool user_ns_made_below(const struct user_ns *ns, const struct cred *c)
{
	for (; ns; ns = user_ns_parent(ns))
		if (user_ns_parent(ns) == c->user_ns &&
		    ns->owner_uid == c->euid)
			return true;
	return false;
}

void cred_set_user_ns(struct cred *c, struct user_ns *ns)
{
	struct user_ns *old = c->user_ns;

	ns_get(&ns->ns);
	c->user_ns = ns;
	c->securebits = 0;
	c->cap_inheritable = 0;
	c->cap_permitted = CAP_ALL;
	c->cap_effective = CAP_ALL;
	c->cap_bset = CAP_ALL;
	c->cap_ambient = 0;
	ns_put(&old->ns);
}

int cred_new_user_ns(struct cred *c)
{
	struct user_ns *parent = c->user_ns, *n;
	int err;

	if (parent->level > USER_NS_LEVELS)
		return -ENOSPC;
	if (fs_ctx_is_chrooted() || !ids_mapped(parent, c->euid, c->egid))
		return -EPERM;
	n = kzalloc(sizeof(*n));
	if (!n)
		return -ENOMEM;
	err = ns_init(&n->ns, &user_ns_ops, parent);
	if (err) {
		kfree(n);
		return err;
	}
	n->level = parent->level + 1;
	n->owner_uid = c->euid;
	n->owner_gid = c->egid;
	n->parent_could_setfcap = (c->cap_effective >> CAP_SETFCAP) & 1;
	spin_lock(&user_lock);
	n->setgroups_denied = parent->setgroups_denied;
	spin_unlock(&user_lock);
	cred_set_user_ns(c, n);
	ns_put(&n->ns); /* the cred's is the one that is left */
	return 0;
}

bool user_ns_may_setgroups(const struct user_ns *ns)
{
	return ns == &init_user_ns ||
	       (map_of(ns, ID_GID) && !load_once(&ns->setgroups_denied));
}

/* --- maps */

/* One number of a line; *@s moves behind it. */
static int parse_id(char **s, u32 *out)
{
	char *word, end;
	u64 v;
	int err;

	while (**s == ' ' || **s == '\t')
		(*s)++;
	for (word = *s; **s >= '0' && **s <= '9'; (*s)++)
		;
	end = **s;
	if (*s == word || (end && end != ' ' && end != '\t' && end != '\n'))
		return -EINVAL;
	**s = '\0';
	err = kstrtou64(word, 10, &v);
	**s = end;
	if (err || v > 0xffffffffu)
		return -EINVAL;
	*out = (u32)v;
	return 0;
}

static int parse_extent(char **s, struct id_extent *e)
{
	int err = parse_id(s, &e->first);

	if (!err)
		err = parse_id(s, &e->lower);
	if (!err)
		err = parse_id(s, &e->count);
	while (**s == ' ' || **s == '\t')
		(*s)++;
	if (err || (**s && **s != '\n'))
		return -EINVAL;
	if (**s)
		(*s)++;
	/* Neither end may be, or go past, what is no id. */
	if (!e->count || e->first == INVALID_ID || e->lower == INVALID_ID ||
	    e->first + e->count <= e->first || e->lower + e->count <= e->lower)
		return -EINVAL;
	return 0;
}

static bool overlaps(const struct id_map *m, const struct id_extent *e)
{
	for (u32 i = 0; i < m->nr; i++) {
		const struct id_extent *o = &m->ext[i];

		if ((e->first < o->first + o->count &&
		     o->first < e->first + e->count) ||
		    (e->lower < o->lower + o->count &&
		     o->lower < e->lower + e->count))
			return true;
	}
	return false;
}

static int parse_map(struct id_map *m, char *s)
{
	while (*s) {
		struct id_extent e;
		int err = parse_extent(&s, &e);

		if (err || overlaps(m, &e) || m->nr == ID_MAP_EXTENTS)
			return -EINVAL;
		m->ext[m->nr++] = e;
	}
	return m->nr ? 0 : -EINVAL;
}

/* Root of the parent, inside, can give files capabilities there. */
static bool root_permitted(const struct user_ns *ns, const struct cred *opener,
			   const struct id_map *m)
{
	bool has_root = false;

	for (u32 i = 0; i < m->nr; i++)
		has_root |= m->ext[i].lower == 0;
	if (!has_root)
		return true;
	if (opener->user_ns == ns)
		return ns->parent_could_setfcap;
	return cred_capable(opener, user_ns_parent(ns), CAP_SETFCAP);
}

static bool permitted(const struct user_ns *ns, const struct cred *opener,
		      enum id_kind k, const struct id_map *m)
{
	const struct user_ns *parent = user_ns_parent(ns);
	unsigned int cap = k == ID_UID ? CAP_SETUID : CAP_SETGID;
	u32 id;

	if (k == ID_UID && !root_permitted(ns, opener, m))
		return false;
	/* Oneself is allowed to everybody. */
	if (m->nr == 1 && m->ext[0].count == 1 &&
	    ns->owner_uid == opener->euid) {
		id = id_to_global(parent, k, m->ext[0].lower);
		if (k == ID_UID ? id == opener->euid
				: ns->setgroups_denied && id == opener->egid)
			return true;
	}
	return ns_capable(parent, cap) && cred_capable(opener, parent, cap);
}

static int to_global(const struct user_ns *ns, enum id_kind k, struct id_map *m)
{
	for (u32 i = 0; i < m->nr; i++) {
		struct id_extent *e = &m->ext[i];

		e->lower = range_to_global(user_ns_parent(ns), k, e->lower,
					   e->count);
		if (e->lower == INVALID_ID)
			return -EPERM;
	}
	return 0;
}

int user_ns_write_map(struct user_ns *ns, const struct cred *opener,
		      enum id_kind k, char *text)
{
	struct id_map *m;
	int err;

	if (ns == &init_user_ns ||
	    (opener->user_ns != ns && opener->user_ns != user_ns_parent(ns)))
		return -EPERM;
	m = kzalloc(sizeof(*m) + ID_MAP_EXTENTS * sizeof(m->ext[0]));
	if (!m)
		return -ENOMEM;
	spin_lock(&user_lock);
	err = ns->map[k] || !cred_capable(opener, ns, CAP_SYS_ADMIN) ? -EPERM
								     : 0;
	if (!err)
		err = parse_map(m, text);
	if (!err)
		err = permitted(ns, opener, k, m) ? to_global(ns, k, m)
						  : -EPERM;
	/* NSMAP (release) - pairs with map_of(). */
	if (!err)
		store_release(&ns->map[k], m);
	spin_unlock(&user_lock);
	if (err)
		kfree(m);
	return err;
}

int user_ns_write_setgroups(struct user_ns *ns, bool deny)
{
	int err = 0;

	spin_lock(&user_lock);
	if (!deny)
		err = ns->setgroups_denied ? -EPERM : 0;
	else if (ns->map[ID_GID])
		err = -EPERM;
	else if (ns == &init_user_ns)
		err = -EPERM; /* it has maps, so to speak */
	else
		ns->setgroups_denied = true;
	spin_unlock(&user_lock);
	return err;
}
