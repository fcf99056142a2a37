/* SPDX-License-Identifier: MIT */
/*
 * kernel/ipc/ipc.c - keys, ids and rights of System V IPC.
 *
 * Locking: ipc_kind.lock.
 */
#include <kernel/ipc/ipc.h>

#include <kernel/assert.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/ns/user.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/string.h>

#define SEQ_MAX 0x7fffu

struct ipc_limits ipc_limits = {
	.shmmax = ~0ul - (1ul << 24),
	.shmall = ~0ul - (1ul << 24),
	.shmmni = IPC_SLOTS,
	.msgmni = IPC_SLOTS,
	.msgmax = MSG_MAX,
	.msgmnb = MSG_QBYTES,
	.semmsl = SEM_NR_MAX,
	.semmns = IPC_SLOTS * SEM_NR_MAX,
	.semopm = SEM_OPS,
	.semmni = IPC_SLOTS,
};

int ipc_permitted(const struct ipc_obj *o, u32 want)
{
	const struct cred *c = current_cred();
	u32 mode = o->perm.mode;

	if (c->euid == o->perm.uid || c->euid == o->perm.cuid)
		mode >>= 6;
	else if (cred_in_group(c, o->perm.gid) ||
		 cred_in_group(c, o->perm.cgid))
		mode >>= 3;
	if ((want & ~mode & 7) &&
	    !ns_capable(current_nsproxy()->ipc->ns.owner, CAP_IPC_OWNER))
		return -EACCES;
	return 0;
}

int ipc_owner(const struct ipc_obj *o)
{
	u32 euid = current_cred()->euid;

	if (euid == o->perm.uid || euid == o->perm.cuid ||
	    ns_capable(current_nsproxy()->ipc->ns.owner, CAP_SYS_ADMIN))
		return 0;
	return -EPERM;
}

static struct ipc_table *table_of(const struct ipc_kind *k)
{
	return &current_nsproxy()->ipc->table[k->id];
}

/* Slots come with the first object.  0 or -ENOMEM. */
static int make_slots(struct ipc_table *t)
{
	struct ipc_obj **slot;

	if (load_once(&t->slot))
		return 0;
	slot = kcalloc(IPC_SLOTS, sizeof(struct ipc_obj *));
	if (!slot)
		return -ENOMEM;
	if (atomic_cmpxchg(&t->slot, NULL, slot))
		kfree(slot); /* somebody else was faster */
	return 0;
}

static struct ipc_obj *find_key(struct ipc_table *t, s32 key)
{
	for (u32 i = 0, left = t->nr; left && i < IPC_SLOTS; i++) {
		if (!t->slot[i])
			continue;
		if (t->slot[i]->perm.key == key)
			return t->slot[i];
		left--;
	}
	return NULL;
}

/* The first free slot from @i on, which may be beyond the last: modulo IPC_SLOTS. */
static u32 free_slot(const struct ipc_table *t, u32 i)
{
	while (t->slot[i % IPC_SLOTS])
		i++;
	return i;
}

/* The next free slot after the last one that was given, and a sequence number; or
 * those of the id that was asked for. */
static s64 add_locked(struct ipc_table *t, u64 limit, struct ipc_obj *o)
{
	u32 i, seq, id = t->next_id - 1;

	if (t->nr >= min(limit, (u64)IPC_SLOTS))
		return -ENOSPC;
	if (t->next_id) {
		t->next_id = 0;
		i = free_slot(t, id % IPC_SLOTS) % IPC_SLOTS;
		seq = id / IPC_SLOTS;
	} else {
		i = free_slot(t, t->next);
		if (i >= IPC_SLOTS)
			t->seq = (u16)((t->seq + 1) & SEQ_MAX);
		i %= IPC_SLOTS;
		t->next = i + 1;
		seq = t->seq;
	}
	t->slot[i] = o;
	o->table = t;
	t->nr++;
	o->perm.seq = (u16)seq;
	o->id = (s32)(seq * IPC_SLOTS + i);
	return o->id;
}

s64 ipc_next_id(struct ipc_kind *k)
{
	s64 id;

	spin_lock(&k->lock);
	id = (s64)table_of(k)->next_id - 1;
	spin_unlock(&k->lock);
	return id;
}

void ipc_set_next_id(struct ipc_kind *k, s32 id)
{
	spin_lock(&k->lock);
	table_of(k)->next_id = (u32)id + 1;
	spin_unlock(&k->lock);
}

static void fill_perm(struct ipc_perm *p, s32 key, u32 flags)
{
	const struct cred *c = current_cred();

	memset(p, 0, sizeof(*p));
	p->key = key;
	p->uid = p->cuid = c->euid;
	p->gid = p->cgid = c->egid;
	p->mode = flags & 0777;
}

s64 ipc_get(struct ipc_kind *k, s32 key, u32 flags, struct ipc_obj **fresh,
	    int (*check)(const struct ipc_obj *o, void *arg), void *arg)
{
	struct ipc_obj *o = NULL, *new = *fresh;
	struct ipc_table *t = table_of(k);
	s64 r;

	if (new &&make_slots(t))
		return -ENOMEM;
	spin_lock(&k->lock);
	if (key != IPC_PRIVATE)
		o = find_key(t, key);
	if (o) {
		r = (flags & (IPC_CREAT | IPC_EXCL)) == (IPC_CREAT | IPC_EXCL)
			    ? -EEXIST
			    : check(o, arg);
		/* The bits asked for, whichever class they are written in. */
		if (!r)
			r = ipc_permitted(o, (flags >> 6 | flags >> 3 | flags) &
						     7);
		if (!r)
			r = o->id;
	} else if (key != IPC_PRIVATE && !(flags & IPC_CREAT)) {
		r = -ENOENT;
	} else if (!new) {
		r = -ENOMEM;
	} else {
		new->refs = 1;
		fill_perm(&new->perm, key, flags);
		r = add_locked(t, load_once(k->limit), new);
		if (r >= 0)
			*fresh = NULL;
	}
	spin_unlock(&k->lock);
	return r;
}

struct ipc_obj *ipc_at_locked(struct ipc_kind *k, u32 slot)
{
	struct ipc_table *t = table_of(k);

	assert_held(&k->lock);
	return t->nr ? t->slot[slot] : NULL;
}

u32 ipc_count_locked(struct ipc_kind *k)
{
	assert_held(&k->lock);
	return table_of(k)->nr;
}

struct ipc_obj *ipc_find_locked(struct ipc_kind *k, s32 id)
{
	struct ipc_obj *o;

	if (id < 0)
		return ERR_PTR(-EINVAL);
	o = ipc_at_locked(k, (u32)id % IPC_SLOTS);
	return o && o->id == id ? o : ERR_PTR(-EINVAL);
}

struct ipc_obj *ipc_slot_locked(struct ipc_kind *k, s32 index)
{
	struct ipc_obj *o;

	if (index < 0 || (u32)index >= IPC_SLOTS)
		return ERR_PTR(-EINVAL);
	o = ipc_at_locked(k, (u32)index);
	return o ? o : ERR_PTR(-EINVAL);
}

void ipc_remove_locked(struct ipc_kind *k, struct ipc_obj *o)
{
	struct ipc_table *t = o->table;

	assert_held(&k->lock);
	KASSERT(!o->removed && t->nr);
	o->removed = true;
	t->slot[(u32)o->id % IPC_SLOTS] = NULL;
	t->nr--;
	if (k->removed_locked)
		k->removed_locked(o);
}

struct ipc_obj *ipc_hold(struct ipc_obj *o)
{
	atomic_inc(&o->refs);
	return o;
}

void ipc_put(struct ipc_kind *k, struct ipc_obj *o)
{
	if (atomic_dec_and_test(&o->refs))
		k->free(o);
}

s32 ipc_highest_locked(struct ipc_kind *k)
{
	for (u32 i = IPC_SLOTS - 1; i > 0; i--) {
		if (ipc_at_locked(k, i))
			return (s32)i;
	}
	return 0;
}

void ipc_show_perm(struct ipc_perm *to, const struct ipc_obj *o)
{
	*to = o->perm;
	to->uid = uid_shown(to->uid);
	to->gid = gid_shown(to->gid);
	to->cuid = uid_shown(to->cuid);
	to->cgid = gid_shown(to->cgid);
}

int ipc_set_perm(struct ipc_obj *o, const struct ipc_perm *from)
{
	int err = ipc_owner(o);
	u32 uid, gid;

	if (err)
		return err;
	uid = uid_given(from->uid);
	gid = gid_given(from->gid);
	if (uid == INVALID_ID || gid == INVALID_ID)
		return -EINVAL;
	o->perm.uid = uid;
	o->perm.gid = gid;
	o->perm.mode = (o->perm.mode & ~0777u) | (from->mode & 0777u);
	return 0;
}
