/* SPDX-License-Identifier: MIT */
/*
 * kernel/ipc/ipc.c - keys, ids and rights of System V IPC.
 *
 * Locking: ipc_kind.lock.
 */
#include <kernel/ipc/ipc.h>

#include <kernel/assert.h>
#include <kernel/ns/user.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/string.h>

#define SEQ_MAX 0x7fffu

struct ipc_limits ipc_limits = {
	.shmmax = ~0ul - (1ul << 24),
	.shmall = ~0ul - (1ul << 24),
	.shmmni = 4096,
	.msgmni = 32000,
	.msgmax = MSG_MAX,
	.msgmnb = MSG_QBYTES,
	.semmsl = SEM_NR_MAX,
	.semmns = 32000ul * SEM_NR_MAX,
	.semopm = SEM_OPS,
	.semmni = 32000,
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

/* The first free slot from @i on that is below @end; or @end. */
static u32 free_slot(const struct ipc_table *t, u32 i, u32 end)
{
	while (i < end && radix_find(&t->slots, i))
		i++;
	return i;
}

/*
 * The next free slot after the last one that was given, and a sequence number; or
 * those of the id that was asked for.  Slots are few more than there are objects.
 */
static u32 pick_slot(struct ipc_table *t, u32 *seq)
{
	u32 end = clamp(t->nr * 3 / 2, 64u, IPC_SLOTS), i;

	if (t->next_id) {
		u32 id = t->next_id - 1;

		t->next_id = 0;
		*seq = id / IPC_SLOTS;
		i = free_slot(t, id % IPC_SLOTS, IPC_SLOTS);
		return i < IPC_SLOTS ? i : free_slot(t, 0, IPC_SLOTS);
	}
	i = free_slot(t, t->next, end);
	if (i >= end) {
		i = free_slot(t, 0, end);
		t->seq = (u16)((t->seq + 1) & SEQ_MAX);
	}
	t->next = i + 1;
	*seq = t->seq;
	return i;
}

/* Into both trees, or neither: 0 or -ENOMEM. */
static int insert_locked(struct ipc_table *t, u32 slot, struct ipc_obj *o)
{
	int err = radix_insert(&t->slots, slot, o);

	if (err || o->perm.key == IPC_PRIVATE)
		return err;
	err = radix_insert(&t->keys, (u32)o->perm.key, o);
	if (err)
		(void)radix_remove(&t->slots, slot);
	return err;
}

static s64 add_locked(struct ipc_kind *k, struct ipc_table *t,
		      struct ipc_obj *o)
{
	u64 limit = min(load_once(k->limit), (u64)IPC_SLOTS);
	u64 share = k->share ? k->share(o) : 0;
	u32 seq, slot;
	int err;

	if (t->nr >= limit || (share && t->used + share > load_once(k->most)))
		return -ENOSPC;
	slot = pick_slot(t, &seq);
	err = insert_locked(t, slot, o);
	if (err)
		return err;
	o->table = t;
	t->nr++;
	t->used += share;
	o->perm.seq = (u16)seq;
	o->id = (s32)(seq * IPC_SLOTS + slot);
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

	spin_lock(&k->lock);
	if (key != IPC_PRIVATE)
		o = radix_find(&t->keys, (u32)key);
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
		r = add_locked(k, t, new);
		if (r >= 0)
			*fresh = NULL;
	}
	spin_unlock(&k->lock);
	return r;
}

struct ipc_obj *ipc_next_locked(struct ipc_kind *k, u64 *slot)
{
	assert_held(&k->lock);
	return radix_next(&table_of(k)->slots, slot, -1);
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
	assert_held(&k->lock);
	o = radix_find(&table_of(k)->slots, (u32)id % IPC_SLOTS);
	return o && o->id == id ? o : ERR_PTR(-EINVAL);
}

struct ipc_obj *ipc_slot_locked(struct ipc_kind *k, s32 index)
{
	struct ipc_obj *o;

	if (index < 0 || (u32)index >= IPC_SLOTS)
		return ERR_PTR(-EINVAL);
	assert_held(&k->lock);
	o = radix_find(&table_of(k)->slots, (u32)index);
	return o ? o : ERR_PTR(-EINVAL);
}

void ipc_drop_key_locked(struct ipc_kind *k, struct ipc_obj *o)
{
	assert_held(&k->lock);
	if (o->perm.key != IPC_PRIVATE)
		(void)radix_remove(&o->table->keys, (u32)o->perm.key);
	o->perm.key = IPC_PRIVATE;
}

void ipc_remove_locked(struct ipc_kind *k, struct ipc_obj *o)
{
	struct ipc_table *t = o->table;

	assert_held(&k->lock);
	KASSERT(!o->removed && t->nr);
	o->removed = true;
	ipc_drop_key_locked(k, o);
	(void)radix_remove(&t->slots, (u32)o->id % IPC_SLOTS);
	t->nr--;
	if (k->share)
		t->used -= k->share(o);
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
	s32 highest = 0;

	for (u64 i = 0; ipc_next_locked(k, &i); i++)
		highest = (s32)i;
	return highest;
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
