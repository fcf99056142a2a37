/* SPDX-License-Identifier: MIT */
/*
 * kernel/file/files.c - descriptor tables: from a small number to an open file.
 *
 * INVARIANTS
 *   I1  slot[fd] != NULL implies bit fd of used; used without slot is a
 *       descriptor that was reserved and will be installed or unreserved.
 *   I2  No descriptor below hint is free.
 *   I3  While refs == 1 only current's own thread changes the table: everybody
 *       else (/proc) holds a reference and reads under the lock.  So the owner
 *       may read without the lock, and a file found there stays open for the
 *       length of the call: fd_ref() then takes no reference.
 *
 * Locking: files->lock (RANK_FILE) for every change and for readers that are
 * not the sole owner.  Files are put after it was released.
 */
#include <kernel/assert.h>
#include <kernel/file/file.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/vmap.h>
#include <kernel/task/process.h>
#include <kernel/upcalls.h>
#include <lib/atomic.h>
#include <lib/bitmap.h>
#include <lib/errno.h>
#include <lib/string.h>

u64 nr_open = NR_OPEN_MAX;

#define NR_INLINE  64u
#define NR_KMALLOC (256u * 1024u) /* slots that kmalloc() gives: 2 MiB */

struct files {
	u32 refs;	      /* [a] threads that share it, and readers */
	u32 max;	      /* [lock] slots */
	struct file **slot;   /* [lock] */
	struct spinlock lock; /* RANK_FILE */
	u32 hint;	      /* [lock] I2 */
	u64 *used;	      /* [lock] bitmap of max bits */
	u64 *cloexec;	      /* [lock] likewise */
	struct file *inl_slot[NR_INLINE];
	u64 inl_used, inl_cloexec;
};

struct files *files_new(void)
{
	struct files *fs = kzalloc(sizeof(*fs));

	if (!fs)
		return NULL;
	fs->refs = 1;
	fs->max = NR_INLINE;
	fs->slot = fs->inl_slot;
	fs->used = &fs->inl_used;
	fs->cloexec = &fs->inl_cloexec;
	spin_init(&fs->lock, "files", RANK_FILE);
	return fs;
}

struct files *files_get(struct files *fs)
{
	atomic_inc(&fs->refs);
	return fs;
}

static struct file **slots_alloc(u32 max)
{
	if (unlikely(max > NR_KMALLOC))
		return vmalloc(max * sizeof(struct file *));
	return kcalloc(max, sizeof(struct file *));
}

static void slots_free(struct file **slot, u32 max)
{
	if (unlikely(max > NR_KMALLOC))
		vfree(slot);
	else
		kfree(slot);
}

static void free_arrays(struct files *fs)
{
	if (fs->slot == fs->inl_slot)
		return;
	slots_free(fs->slot, fs->max);
	kfree(fs->used);
	kfree(fs->cloexec);
}

/* Room for descriptor @fd.  The lock is held.  0 or -ENOMEM. */
static int grow(struct files *fs, u32 fd)
{
	u32 max = fs->max;
	struct file **slot;
	u64 *used, *cloexec;

	while (max <= fd)
		max *= 2;
	slot = slots_alloc(max);
	used = kcalloc(max / 64, sizeof(*used));
	cloexec = kcalloc(max / 64, sizeof(*cloexec));
	if (!slot || !used || !cloexec) {
		slots_free(slot, max);
		kfree(used);
		kfree(cloexec);
		return -ENOMEM;
	}
	memcpy(slot, fs->slot, fs->max * sizeof(*slot));
	memcpy(used, fs->used, fs->max / 8);
	memcpy(cloexec, fs->cloexec, fs->max / 8);
	free_arrays(fs);
	fs->slot = slot;
	fs->used = used;
	fs->cloexec = cloexec;
	fs->max = max;
	return 0;
}

static u32 fd_limit(void)
{
	return (u32)min_t(u64, rlimit_cur(RLIMIT_NOFILE), NR_OPEN_MAX);
}

/* Lowest free descriptor from @min on, marked used.  The lock is held. */
static int reserve(struct files *fs, u32 min_fd, bool cloexec)
{
	u32 from = max_t(u32, min_fd, fs->hint);
	u32 fd = (u32)find_next_zero(fs->used, fs->max, from);
	int err;

	if (fd < from)
		fd = from;
	if (fd >= fd_limit())
		return -EMFILE;
	if (fd >= fs->max) {
		err = grow(fs, fd);
		if (err)
			return err;
	}
	set_bit(fd, fs->used);
	if (cloexec)
		set_bit(fd, fs->cloexec);
	else
		clear_bit(fd, fs->cloexec);
	if (min_fd <= fs->hint)
		fs->hint = fd + 1;
	return (int)fd;
}

static void unreserve(struct files *fs, u32 fd)
{
	clear_bit(fd, fs->used);
	clear_bit(fd, fs->cloexec);
	if (fd < fs->hint)
		fs->hint = fd;
}

/* What close(2) does to the file that was in a slot of @fs. */
static int close_file(struct files *fs, struct file *f)
{
	int err = 0;

	if (f->ops && f->ops->flush)
		err = f->ops->flush(f);
	if (!(f->flags & O_PATH))
		posix_locks_release(f, fs);
	file_put(f);
	return err;
}

/* Take the file out of slot @fd and free the descriptor; the lock is held. */
static struct file *take(struct files *fs, u32 fd)
{
	struct file *f = fd < fs->max ? fs->slot[fd] : NULL;

	if (f) {
		fs->slot[fd] = NULL;
		unreserve(fs, fd);
	}
	return f;
}

void files_put(struct files *fs)
{
	u64 fd;

	if (!atomic_dec_and_test(&fs->refs))
		return;
	for_each_set_bit(fd, fs->used, fs->max) {
		struct file *f = fs->slot[fd];

		fs->slot[fd] = NULL;
		if (f)
			close_file(fs, f);
		cond_resched();
	}
	free_arrays(fs);
	kfree(fs);
}

/* Highest used descriptor + 1. */
static u32 extent(const struct files *fs)
{
	u32 word = fs->max / 64;

	while (word && !fs->used[word - 1])
		word--;
	return word ? (word - 1) * 64 + fls64(fs->used[word - 1]) : 0;
}

struct files *files_dup(struct files *old)
{
	struct files *fs = files_new();
	int err = 0;
	u64 fd;
	u32 end;

	if (!fs)
		return ERR_PTR(-ENOMEM);
	spin_lock(&old->lock);
	end = extent(old);
	if (end > ALIGN_UP(load_once(&nr_open), 64ul))
		err = -EMFILE;
	else if (end > fs->max)
		err = grow(fs, end - 1);
	if (err) {
		spin_unlock(&old->lock);
		files_put(fs);
		return ERR_PTR(err);
	}
	for_each_set_bit(fd, old->used, end) {
		if (!old->slot[fd])
			continue;
		fs->slot[fd] = file_get(old->slot[fd]);
		set_bit(fd, fs->used);
		if (test_bit(fd, old->cloexec))
			set_bit(fd, fs->cloexec);
	}
	spin_unlock(&old->lock);
	fs->hint = (u32)find_first_zero(fs->used, fs->max);
	return fs;
}

int files_unshare(void)
{
	struct files *old = current->files, *fs;

	if (load_once(&old->refs) == 1)
		return 0;
	fs = files_dup(old);
	if (IS_ERR(fs))
		return (int)PTR_ERR(fs);
	spin_lock(&task_lock); /* /proc looks at it from elsewhere */
	current->files = fs;
	spin_unlock(&task_lock);
	files_put(old);
	return 0;
}

/* Close, or mark, what is open in [first, last] and, if asked,
 * close-on-exec. */
static void close_some(struct files *fs, u32 first, u32 last, bool only_cloexec)
{
	struct file *f;
	u64 fd;

	for (;;) {
		spin_lock(&fs->lock);
		fd = find_next_bit(only_cloexec ? fs->cloexec : fs->used,
				   fs->max, first);
		f = fd < fs->max && fd <= last ? take(fs, (u32)fd) : NULL;
		spin_unlock(&fs->lock);
		if (fd >= fs->max || fd > last)
			return;
		if (f)
			close_file(fs, f);
		first = (u32)fd + 1;
		cond_resched();
	}
}

void files_close_on_exec(struct files *fs)
{
	close_some(fs, 0, ~0u, true);
}

int fd_close_range(unsigned int first, unsigned int last, bool cloexec_only)
{
	struct files *fs = current->files;
	u64 fd;

	if (first > last)
		return -EINVAL;
	if (!cloexec_only) {
		close_some(fs, first, last, false);
		return 0;
	}
	spin_lock(&fs->lock);
	for (fd = first; fd <= last && fd < fs->max; fd++)
		if (test_bit(fd, fs->used))
			set_bit(fd, fs->cloexec);
	spin_unlock(&fs->lock);
	return 0;
}

static struct file *peek(const struct files *fs, u32 fd)
{
	return fd < fs->max ? fs->slot[fd] : NULL;
}

struct file *files_lookup(struct files *fs, int fd)
{
	struct file *f;

	spin_lock(&fs->lock);
	f = peek(fs, (u32)fd);
	if (f)
		file_get(f);
	spin_unlock(&fs->lock);
	return f;
}

struct fdref fd_ref_path(int fd)
{
	struct files *fs = current->files;

	if (likely(load_once(&fs->refs) == 1)) /* I3 */
		return (struct fdref){ peek(fs, (u32)fd), false };
	return (struct fdref){ files_lookup(fs, fd), true };
}

/* The table has others, or what is asked for is no open file. */
static __attribute__((noinline)) struct fdref fd_ref_slow(int fd)
{
	struct fdref r = fd_ref_path(fd);

	if (r.f && !(r.f->flags & O_PATH))
		return r;
	if (r.f)
		fd_unref(r);
	else if (fd == FD_GIVEN && current->fd_given)
		return (struct fdref){ file_get(current->fd_given), true };
	return (struct fdref){ NULL, false };
}

struct fdref fd_ref(int fd)
{
	const struct files *fs = current->files;
	struct file *f;

	if (likely(load_once(&fs->refs) == 1)) { /* I3 */
		f = peek(fs, (u32)fd);
		if (likely(f && !(f->flags & O_PATH)))
			return (struct fdref){ f, false };
	}
	return fd_ref_slow(fd);
}

struct file *fd_get_path(int fd)
{
	struct fdref r = fd_ref_path(fd);

	if (r.f && !r.owned)
		file_get(r.f);
	return r.f;
}

struct file *fd_get(int fd)
{
	struct fdref r = fd_ref(fd);

	if (r.f && !r.owned)
		file_get(r.f);
	return r.f;
}

int fd_alloc(int min_fd, bool cloexec)
{
	struct files *fs = current->files;
	int fd;

	spin_lock(&fs->lock);
	fd = reserve(fs, (u32)min_fd, cloexec);
	spin_unlock(&fs->lock);
	return fd;
}

void fd_install(int fd, struct file *f)
{
	struct files *fs = current->files;

	spin_lock(&fs->lock);
	KASSERT((u32)fd < fs->max && !fs->slot[fd]);
	fs->slot[fd] = f;
	spin_unlock(&fs->lock);
}

void fd_unreserve(int fd)
{
	struct files *fs = current->files;

	spin_lock(&fs->lock);
	KASSERT((u32)fd < fs->max && !fs->slot[fd]);
	unreserve(fs, (u32)fd);
	spin_unlock(&fs->lock);
}

int fd_open(struct file *f, u32 flags)
{
	struct files *fs = current->files;
	int fd;

	spin_lock(&fs->lock);
	fd = reserve(fs, 0, flags & O_CLOEXEC);
	if (fd >= 0)
		fs->slot[fd] = f;
	spin_unlock(&fs->lock);
	if (fd < 0)
		file_put(f);
	return fd;
}

int fd_close(int fd)
{
	struct files *fs = current->files;
	struct file *f;

	spin_lock(&fs->lock);
	f = take(fs, (u32)fd);
	spin_unlock(&fs->lock);
	return f ? close_file(fs, f) : -EBADF;
}

int fd_dup(int oldfd, int min_fd, bool cloexec)
{
	struct files *fs = current->files;
	struct file *f;
	int fd;

	spin_lock(&fs->lock);
	f = peek(fs, (u32)oldfd);
	if (!f)
		fd = -EBADF;
	else if (min_fd < 0 || (u32)min_fd >= fd_limit())
		fd = -EINVAL;
	else
		fd = reserve(fs, (u32)min_fd, cloexec);
	if (fd >= 0)
		fs->slot[fd] = file_get(f);
	spin_unlock(&fs->lock);
	return fd;
}

/* @f (NULL: EBADF) becomes @newfd; the lock is held.  *@old: what was there, to be
 * closed. */
static int put_at(struct files *fs, struct file *f, u32 newfd, bool cloexec,
		  struct file **old)
{
	int err;

	if (!f || newfd >= fd_limit())
		return -EBADF;
	if (newfd >= fs->max) {
		err = grow(fs, newfd);
		if (err)
			return err;
	}
	*old = fs->slot[newfd];
	if (!*old && test_bit(newfd, fs->used))
		return -EBUSY; /* reserved by an open() in progress */
	set_bit(newfd, fs->used);
	if (cloexec)
		set_bit(newfd, fs->cloexec);
	else
		clear_bit(newfd, fs->cloexec);
	fs->slot[newfd] = file_get(f);
	return (int)newfd;
}

int fd_dup2(int oldfd, int newfd, bool cloexec, bool same_ok)
{
	struct files *fs = current->files;
	struct file *old = NULL;
	int r;

	if (oldfd == newfd && !same_ok)
		return -EINVAL;
	spin_lock(&fs->lock);
	if (oldfd == newfd)
		r = peek(fs, (u32)oldfd) ? newfd : -EBADF;
	else
		r = put_at(fs, peek(fs, (u32)oldfd), (u32)newfd, cloexec, &old);
	spin_unlock(&fs->lock);
	if (r >= 0 && old)
		close_file(fs, old);
	return r;
}

int fd_replace(int fd, struct file *f, bool cloexec)
{
	struct files *fs = current->files;
	struct file *old = NULL;
	int r;

	spin_lock(&fs->lock);
	r = put_at(fs, f, (u32)fd, cloexec, &old);
	spin_unlock(&fs->lock);
	if (r >= 0 && old)
		close_file(fs, old);
	return r;
}

u32 files_size(struct files *fs)
{
	u32 n;

	spin_lock(&fs->lock);
	n = fs->max;
	spin_unlock(&fs->lock);
	return n;
}

bool files_cloexec(struct files *fs, int fd)
{
	bool on;

	spin_lock(&fs->lock);
	on = peek(fs, (u32)fd) && test_bit((u32)fd, fs->cloexec);
	spin_unlock(&fs->lock);
	return on;
}

int fd_get_cloexec(int fd)
{
	struct files *fs = current->files;
	int r = -EBADF;

	spin_lock(&fs->lock);
	if (peek(fs, (u32)fd))
		r = test_bit((u32)fd, fs->cloexec);
	spin_unlock(&fs->lock);
	return r;
}

int fd_set_cloexec(int fd, bool on)
{
	struct files *fs = current->files;
	int r = -EBADF;

	spin_lock(&fs->lock);
	if (peek(fs, (u32)fd)) {
		if (on)
			set_bit((u32)fd, fs->cloexec);
		else
			clear_bit((u32)fd, fs->cloexec);
		r = 0;
	}
	spin_unlock(&fs->lock);
	return r;
}

int files_next(struct files *fs, int fd)
{
	u64 next = (u32)fd;

	spin_lock(&fs->lock);
	do {
		next = find_next_bit(fs->used, fs->max, next);
	} while (next < fs->max && !fs->slot[next] && ++next);
	if (next >= fs->max)
		next = (u64)-1;
	spin_unlock(&fs->lock);
	return (int)next;
}
