/* SPDX-License-Identifier: MIT */
/*
 * syscall/acct.c - acct(2): a record of every process that ends, at the end of a file.
 *
 * The record is Linux's struct acct_v3 [include/uapi/linux/acct.h]; times are in
 * hundredths of a second.  One that cannot be written is lost, as on a disk that
 * is full; the file stays open until accounting ends, so that its file system
 * cannot be unmounted before.
 *
 * Locking: acct_mutex for the file and for writing to it.
 */
#include <syscall/syscall.h>
#include <syscall/upath.h>

#include <fs/vfs.h>
#include <kernel/dev/tty/tty.h>
#include <kernel/file/iov.h>
#include <kernel/mm/vm.h>
#include <kernel/sched/wait.h>
#include <kernel/task/task.h>
#include <kernel/time/clock.h>
#include <kernel/upcalls.h>
#include <lib/atomic.h>
#include <lib/bitmap.h>
#include <lib/string.h>

#define ACCT_VERSION 3 /* little-endian */
#define ACCT_HZ	     100u
#define AFORK	     0x01u /* has not executed a program */
#define ACORE	     0x08u
#define AXSIG	     0x10u

struct acct_v3 {
	u8 flag, version;
	u16 tty;
	u32 exitcode, uid, gid, pid, ppid, btime;
	u32 etime; /* a float */
	u16 utime, stime, mem, io, rw, minflt, majflt, swap;
	char comm[16];
};
STATIC_ASSERT(sizeof(struct acct_v3) == 64, "as in the ABI");

static struct mutex acct_mutex = MUTEX_INIT(acct_mutex);
static struct file *acct_file; /* [acct_mutex; a] owned; NULL: off */

/* A comp_t: 13 bits, and an exponent of 8 in 3 bits. */
static u16 comp(u64 v)
{
	u32 exp = 0;
	bool up = false;

	while (v > 0x1fff) {
		up = v & 4;
		v >>= 3;
		exp++;
	}
	v += up;
	if (v > 0x1fff) {
		v >>= 3;
		exp++;
	}
	return exp > 7 ? 0xffff : (u16)(exp << 13 | v);
}

/* A whole number as a float of 32 bits, cut off. */
static u32 float_bits(u64 v)
{
	u32 msb;

	if (!v)
		return 0;
	msb = fls64(v) - 1;
	v = msb > 23 ? v >> (msb - 23) : v << (23 - msb);
	return (127 + msb) << 23 | ((u32)v & 0x7fffff);
}

static u64 ticks(s64 sec, s64 usec)
{
	return (u64)sec * ACCT_HZ + (u64)usec / (1000000 / ACCT_HZ);
}

static void fill(struct acct_v3 *a, struct process *p, u32 status)
{
	struct thread *t = current;
	u64 age = clock_mono_ns() - p->start_ns;
	struct rusage ru;

	spin_lock(&task_lock);
	rusage_of_locked(p, RUSAGE_OF_ITSELF, &ru);
	if (p->ctty)
		a->tty = (u16)dev_encode(p->ctty->dev);
	spin_unlock(&task_lock);
	a->version = ACCT_VERSION;
	a->flag =
		(u8)((load_once(&p->did_exec) ? 0 : AFORK) |
		     (status & 0x80 ? ACORE : 0) | (status & 0x7f ? AXSIG : 0));
	a->exitcode = status;
	a->uid = t->cred->uid;
	a->gid = t->cred->gid;
	a->pid = (u32)p->pid;
	a->ppid = load_once(&p->ppid);
	a->btime = (u32)((clock_real_ns() - age) / NSEC_PER_SEC);
	a->etime = float_bits(age / (NSEC_PER_SEC / ACCT_HZ));
	a->utime = comp(ticks(ru.utime.sec, ru.utime.usec));
	a->stime = comp(ticks(ru.stime.sec, ru.stime.usec));
	a->mem = comp(t->mm ? t->mm->total_pages * (PAGE_SIZE / 1024) : 0);
	a->minflt = comp((u64)ru.minflt);
	a->majflt = comp((u64)ru.majflt);
	memcpy(a->comm, t->name, min(sizeof(a->comm), sizeof(t->name)));
}

void acct_process_exit(struct process *p, int status)
{
	struct acct_v3 a = { 0 };
	struct iov_iter it;
	u64 pos = 0;

	if (likely(!load_once(&acct_file)))
		return;
	fill(&a, p, (u32)status);
	/* The limit is the program's, not the record's. */
	store_once(&p->rlim[RLIMIT_FSIZE].cur, RLIM_INFINITY);
	mutex_lock(&acct_mutex);
	if (acct_file) {
		iov_iter_kernel(&it, &a, sizeof(a));
		(void)vfs_write(acct_file, &it, &pos);
	}
	mutex_unlock(&acct_mutex);
}

static struct file *acct_open(uaddr_t uname)
{
	struct upath path;
	struct file *f;
	int err = upath_get(&path, uname);

	if (err)
		return ERR_PTR(err);
	f = vfs_open(AT_FDCWD, path.s, O_WRONLY | O_APPEND, 0);
	upath_put(&path);
	if (IS_ERR(f) || (f->inode && S_ISREG(f->inode->mode)))
		return f;
	file_put(f);
	return ERR_PTR(-EACCES);
}

SYSCALL1(89, acct, uaddr_t, uname)
{
	struct file *f = NULL, *old;

	if (!capable(CAP_SYS_PACCT))
		return -EPERM;
	if (uname)
		f = acct_open(uname);
	if (IS_ERR(f))
		return PTR_ERR(f);
	mutex_lock(&acct_mutex);
	old = acct_file;
	store_once(&acct_file, f);
	mutex_unlock(&acct_mutex);
	if (old)
		file_put(old);
	return 0;
}
