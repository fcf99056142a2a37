/* SPDX-License-Identifier: MIT */
/*
 * kernel/ipc/shm.c - System V shared memory.
 *
 * A segment is a page cache without a file behind it, as MAP_SHARED|MAP_ANONYMOUS
 * has it (kernel/mm/shm.c), with a key.  An attachment is an ordinary area whose
 * file stands for the segment; each area holds a reference and counts.  A segment
 * that was removed stays until its last attachment is gone.
 *
 * Locking: ipc_shms.lock for the table and the counts, the mapping's for pages.
 */
#include <kernel/ipc/ipc.h>

#include <kernel/file/file.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/pagecache.h>
#include <kernel/mm/shm.h>
#include <kernel/mm/vma.h>
#include <kernel/ns/pid.h>
#include <kernel/time/clock.h>
#include <lib/errno.h>
#include <lib/fmt.h>
#include <lib/string.h>

#define SIZE_MAX_SEG (1ull << 38)
#define SHM_HUGETLB  04000u

struct segment {
	struct ipc_obj obj;
	struct shm_ds ds;	/* all but perm */
	struct mapping mapping; /* [I] but for its pages */
	char name[20];		/* [I] for /proc/<pid>/maps */
};

static void seg_free(struct ipc_obj *o);
static u64 seg_share(const struct ipc_obj *o);
struct ipc_kind ipc_shms = {
	IPC_KIND_INIT("ipc_shm", IPC_SHM, shmmni, seg_free, NULL),
	.share = seg_share,
	.most = &ipc_limits.shmall,
};

static struct segment *to_seg(struct ipc_obj *o)
{
	return container_of(o, struct segment, obj);
}

static u64 seg_share(const struct ipc_obj *o)
{
	const struct segment *s = container_of(o, struct segment, obj);

	return DIV_ROUND_UP(s->ds.size, PAGE_SIZE);
}

static void seg_free(struct ipc_obj *o)
{
	struct segment *s = to_seg(o);

	mapping_destroy(&s->mapping);
	kfree(s);
}

static s64 now(void)
{
	return (s64)(clock_real_ns() / NSEC_PER_SEC);
}

/* --- segments */

static int check_size(const struct ipc_obj *o, void *arg)
{
	const struct segment *s = container_of(o, struct segment, obj);

	return *(u64 *)arg > s->ds.size ? -EINVAL : 0;
}

static struct ipc_obj *seg_alloc(s32 key, u64 size)
{
	struct segment *s = kzalloc(sizeof(*s));

	if (!s)
		return NULL;
	s->ds.size = size;
	s->ds.ctime = now();
	s->ds.cpid = current->proc->pid;
	shm_mapping_init(&s->mapping, ALIGN_UP(size, PAGE_SIZE), s);
	(void)snprintf(s->name, sizeof(s->name), "/SYSV%08x", (u32)key);
	return &s->obj;
}

s64 shm_get(s32 key, u64 size, u32 flags)
{
	struct ipc_obj *fresh = NULL;
	u64 most = min_t(u64, load_once(&ipc_limits.shmmax), SIZE_MAX_SEG);
	s64 r;

	if ((flags & SHM_HUGETLB) && size) /* none were set aside */
		return capable(CAP_IPC_LOCK) ? -ENOMEM : -EPERM;
	if (size && size <= most)
		fresh = seg_alloc(key, size);
	r = ipc_get(&ipc_shms, key, flags, &fresh, check_size, &size);
	if (r == -ENOMEM && (!size || size > load_once(&ipc_limits.shmmax)))
		r = -EINVAL;
	if (fresh)
		seg_free(fresh);
	return r;
}

/* --- attachments */

static int seg_fault(struct vma *v, u64 pgoff, bool write __unused,
		     struct page **pg)
{
	struct segment *s = v->priv;

	return shm_mapping_fault(&s->mapping, pgoff, pg);
}

static void seg_open(struct vma *v)
{
	struct segment *s = v->priv;

	ipc_hold(&s->obj);
	spin_lock(&ipc_shms.lock);
	s->ds.nattch++;
	spin_unlock(&ipc_shms.lock);
}

static void seg_close(struct vma *v)
{
	struct segment *s = v->priv;

	struct thread *t = current;
	bool last;

	spin_lock(&ipc_shms.lock);
	last = !--s->ds.nattch && (s->obj.perm.mode & SHM_DEST) &&
	       !s->obj.removed;
	s->ds.dtime = now();
	s->ds.lpid = t && t->proc ? t->proc->pid : 0;
	if (last)
		ipc_remove_locked(&ipc_shms, &s->obj);
	spin_unlock(&ipc_shms.lock);
	if (last)
		ipc_put(&ipc_shms, &s->obj);
	ipc_put(&ipc_shms, &s->obj);
}

static const char *seg_name(struct vma *v)
{
	struct segment *s = v->priv;

	return s->name;
}

static const struct vm_ops seg_vm_ops = {
	.fault = seg_fault,
	.open = seg_open,
	.close = seg_close,
	.name = seg_name,
};

static int seg_mmap(struct file *f, struct vma *v)
{
	struct segment *s = f->priv;

	v->mapping = &s->mapping;
	v->ops = &seg_vm_ops;
	v->priv = s;
	seg_open(v);
	spin_lock(&ipc_shms.lock);
	s->ds.atime = now();
	s->ds.lpid = current->proc->pid;
	spin_unlock(&ipc_shms.lock);
	return 0;
}

static void seg_release(struct file *f)
{
	ipc_put(&ipc_shms, f->priv);
}

static const struct file_ops seg_fops = {
	.mmap = seg_mmap,
	.release = seg_release,
};

static struct segment *hold(s32 id, u32 want)
{
	struct ipc_obj *o;
	int err;

	spin_lock(&ipc_shms.lock);
	o = ipc_find_locked(&ipc_shms, id);
	err = IS_ERR(o) ? (int)PTR_ERR(o) : ipc_permitted(o, want);
	if (!err)
		ipc_hold(o);
	spin_unlock(&ipc_shms.lock);
	return err ? ERR_PTR(err) : to_seg(o);
}

/* Where, and mmap(2)'s flags for it: 0 or -EINVAL. */
static int place(u64 *addr, u32 flags, u32 *mflags)
{
	*mflags = MAP_SHARED;
	if (!*addr)
		return flags & SHM_REMAP ? -EINVAL : 0;
	if (*addr & (PAGE_SIZE - 1)) {
		if (!(flags & SHM_RND))
			return -EINVAL;
		*addr &= PAGE_MASK;
		if (!*addr && (flags & SHM_REMAP))
			return -EINVAL;
	}
	*mflags |=
		flags & SHM_REMAP ? MAP_FIXED : MAP_FIXED | MAP_FIXED_NOREPLACE;
	return 0;
}

s64 shm_attach(s32 id, u64 addr, u32 flags)
{
	bool ro = flags & SHM_RDONLY;
	u32 prot = PROT_READ | (ro ? 0 : PROT_WRITE), mflags;
	struct segment *s;
	struct file *f;
	s64 r = place(&addr, flags, &mflags);

	if (r)
		return r;
	if (flags & SHM_EXEC)
		prot |= PROT_EXEC;
	s = hold(id, (ro ? 4 : 6) | (flags & SHM_EXEC ? 1 : 0));
	if (IS_ERR(s))
		return PTR_ERR(s);
	f = file_alloc(&seg_fops, ro ? O_RDONLY : O_RDWR, &s->obj);
	if (!f) {
		ipc_put(&ipc_shms, &s->obj);
		return file_no_alloc();
	}
	f->can_read = true;
	f->can_write = !ro;
	r = mm_mmap(current->mm, addr, s->ds.size, prot, mflags, f, 0);
	file_put(f);
	return r == -EEXIST ? -EINVAL : r;
}

/* The first piece of the attachment at @addr from @from on. */
static bool next_piece(struct mm *mm, u64 addr, u64 from, void **seg,
		       u64 *start, u64 *end)
{
	struct vma *v;
	bool found = false;

	down_read(&mm->lock);
	for (v = mm_find_vma(mm, from); v && !found; v = vma_next(v)) {
		if (v->ops != &seg_vm_ops || v->start < addr ||
		    (*seg && v->priv != *seg) ||
		    v->pgoff != (v->start - addr) >> PAGE_SHIFT)
			continue;
		*seg = v->priv;
		*start = v->start;
		*end = v->end;
		found = true;
	}
	up_read(&mm->lock);
	return found;
}

s64 shm_detach(u64 addr)
{
	struct mm *mm = current->mm;
	void *seg = NULL;
	u64 from = addr, start, end;
	bool any = false;

	if (addr & (PAGE_SIZE - 1))
		return -EINVAL;
	while (next_piece(mm, addr, from, &seg, &start, &end)) {
		if (!any && start != addr)
			break;
		any = true;
		(void)mm_munmap(mm, start, end - start);
		from = end;
	}
	return any ? 0 : -EINVAL;
}

/* --- shmctl */

static void fill_ds(const struct segment *s, struct shm_ds *ds)
{
	*ds = s->ds;
	ds->cpid = pid_shown(ds->cpid);
	ds->lpid = pid_shown(ds->lpid);
	ipc_show_perm(&ds->perm, &s->obj);
}

s64 shm_stat(s32 id, bool by_index, bool any, struct shm_ds *out)
{
	struct ipc_obj *o;
	s64 r;

	spin_lock(&ipc_shms.lock);
	o = by_index ? ipc_slot_locked(&ipc_shms, id)
		     : ipc_find_locked(&ipc_shms, id);
	r = IS_ERR(o) ? PTR_ERR(o) : any ? 0 : ipc_permitted(o, 4);
	if (!r) {
		fill_ds(to_seg(o), out);
		r = by_index ? o->id : 0;
	}
	spin_unlock(&ipc_shms.lock);
	return r;
}

s64 shm_set(s32 id, const struct ipc_perm *perm)
{
	struct ipc_obj *o;
	s64 r;

	spin_lock(&ipc_shms.lock);
	o = ipc_find_locked(&ipc_shms, id);
	r = IS_ERR(o) ? PTR_ERR(o) : ipc_set_perm(o, perm);
	if (!r)
		to_seg(o)->ds.ctime = now();
	spin_unlock(&ipc_shms.lock);
	return r;
}

/* Who has no privilege locks what is his, within his limit. */
static s64 may_lock(struct ipc_obj *o, bool on)
{
	u64 limit = rlimit_cur(RLIMIT_MEMLOCK);
	s64 r;

	if (ns_capable(current_nsproxy()->ipc->ns.owner, CAP_IPC_LOCK))
		return 0;
	r = ipc_owner(o);
	if (r || !on)
		return r;
	if (limit == 0)
		return -EPERM;
	return to_seg(o)->ds.size > limit ? -ENOMEM : 0;
}

/* There is no swap: a segment's pages stay in any case. */
s64 shm_lock(s32 id, bool on)
{
	struct ipc_obj *o;
	s64 r;

	spin_lock(&ipc_shms.lock);
	o = ipc_find_locked(&ipc_shms, id);
	r = IS_ERR(o) ? PTR_ERR(o) : may_lock(o, on);
	if (!r && on)
		o->perm.mode |= SHM_LOCKED;
	else if (!r)
		o->perm.mode &= ~(u32)SHM_LOCKED;
	spin_unlock(&ipc_shms.lock);
	return r;
}

/* While it is attached it can still be found by its id, but not by its key. */
s64 shm_remove(s32 id)
{
	struct ipc_obj *o;
	bool now_gone = false;
	s64 r;

	spin_lock(&ipc_shms.lock);
	o = ipc_find_locked(&ipc_shms, id);
	r = IS_ERR(o) ? PTR_ERR(o) : ipc_owner(o);
	if (!r && to_seg(o)->ds.nattch) {
		o->perm.mode |= SHM_DEST;
		ipc_drop_key_locked(&ipc_shms, o);
	} else if (!r) {
		ipc_remove_locked(&ipc_shms, o);
		now_gone = true;
	}
	spin_unlock(&ipc_shms.lock);
	if (now_gone)
		ipc_put(&ipc_shms, o);
	return r;
}

s32 shm_usage(u32 *segments, u64 *pages, u64 *resident)
{
	struct ipc_obj *o;
	s32 r;

	*pages = *resident = 0;
	spin_lock(&ipc_shms.lock);
	*segments = ipc_count_locked(&ipc_shms);
	for (u64 i = 0; (o = ipc_next_locked(&ipc_shms, &i)); i++) {
		struct segment *s = to_seg(o);

		*pages += DIV_ROUND_UP(s->ds.size, PAGE_SIZE);
		*resident += load_once(&s->mapping.nr_pages);
	}
	r = ipc_highest_locked(&ipc_shms);
	spin_unlock(&ipc_shms.lock);
	return r;
}

void shm_for_each(void (*fn)(const struct shm_ds *ds, s32 id, u64 resident,
			     void *arg),
		  void *arg)
{
	struct ipc_obj *o;
	struct shm_ds ds;

	spin_lock(&ipc_shms.lock);
	for (u64 i = 0; (o = ipc_next_locked(&ipc_shms, &i)); i++) {
		fill_ds(to_seg(o), &ds);
		fn(&ds, o->id, load_once(&to_seg(o)->mapping.nr_pages), arg);
	}
	spin_unlock(&ipc_shms.lock);
}
