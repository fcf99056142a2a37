/* SPDX-License-Identifier: MIT */
/*
 * syscall/ipc.c - System V semaphores, message queues and shared memory.
 *
 * Not here: what they do (kernel/ipc/).
 */
#include <syscall/syscall.h>
#include <syscall/timeout.h>

#include <kernel/ipc/ipc.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/page.h>
#include <kernel/mm/user.h>
#include <kernel/sched/wait.h>
#include <kernel/time/clock.h>
#include <lib/string.h>

/* --- semaphores */

SYSCALL3(190, semget, s32, key, s32, nsems, u32, flags)
{
	return sem_get(key, nsems, flags);
}

static s64 do_semop(s32 id, uaddr_t uops, u32 nr, u64 deadline)
{
	struct sem_op *ops;
	s64 r;

	if (nr > load_once(&ipc_limits.semopm))
		return -E2BIG;
	if (!nr || id < 0)
		return -EINVAL;
	ops = kmalloc(nr * sizeof(*ops));
	if (!ops)
		return -ENOMEM;
	r = copy_from_user(ops, uops, nr * sizeof(*ops));
	if (!r)
		r = sem_operate(id, ops, nr, deadline);
	kfree(ops);
	return r;
}

SYSCALL3(193, semop, s32, id, uaddr_t, ops, u32, nr)
{
	return do_semop(id, ops, nr, WAIT_FOREVER);
}

SYSCALL4(192, semtimedop, s32, id, uaddr_t, ops, u32, nr, uaddr_t, uts)
{
	u64 deadline = WAIT_FOREVER;
	int err = uts ? timeout_read(uts, &deadline) : 0;

	return err ? err : do_semop(id, ops, nr, deadline);
}

enum {
	GETPID = 11,
	GETVAL = 12,
	GETALL = 13,
	GETNCNT = 14,
	GETZCNT = 15,
	SETVAL = 16,
	SETALL = 17,
	SEM_STAT = 18,
	SEM_INFO = 19,
	SEM_STAT_ANY = 20,
};

struct seminfo {
	s32 semmap, semmni, semmns, semmnu, semmsl, semopm, semume, semusz,
		semvmx, semaem;
};

static s64 sem_info(bool usage, uaddr_t to)
{
	struct seminfo si = {
		.semmap = (s32)load_once(&ipc_limits.semmns),
		.semmni = (s32)load_once(&ipc_limits.semmni),
		.semmns = (s32)load_once(&ipc_limits.semmns),
		.semmnu = (s32)load_once(&ipc_limits.semmns),
		.semmsl = (s32)load_once(&ipc_limits.semmsl),
		.semopm = (s32)load_once(&ipc_limits.semopm),
		.semume = SEM_OPS,
		.semusz = 20,
		.semvmx = SEM_VALUE,
		.semaem = SEM_VALUE,
	};
	u32 sets, nr;
	s32 highest = sem_usage(&sets, &nr);

	if (usage) {
		si.semusz = (s32)sets;
		si.semaem = (s32)nr;
	}
	return copy_to_user(to, &si, sizeof(si)) ? -EFAULT : highest;
}

static s64 sem_array(s32 id, uaddr_t arg, bool set)
{
	s64 nr = sem_count(id), r = 0;
	u16 *vals;

	if (nr < 0)
		return nr;
	vals = kmalloc((size_t)nr * sizeof(*vals));
	if (!vals)
		return -ENOMEM;
	if (set && copy_from_user(vals, arg, (size_t)nr * sizeof(*vals)))
		r = -EFAULT;
	for (s64 i = 0; set && !r && i < nr; i++) {
		if (vals[i] > SEM_VALUE)
			r = -ERANGE;
	}
	if (!r)
		r = sem_all(id, vals, (u32)nr, set);
	if (!r && !set && copy_to_user(arg, vals, (size_t)nr * sizeof(*vals)))
		r = -EFAULT;
	kfree(vals);
	return r;
}

static s64 sem_get_ds(s32 id, u32 cmd, uaddr_t to)
{
	struct sem_ds ds;
	s64 r = sem_stat(id, cmd != IPC_STAT, cmd == SEM_STAT_ANY, &ds);

	if (r >= 0 && copy_to_user(to, &ds, sizeof(ds)))
		return -EFAULT;
	return r;
}

SYSCALL4(191, semctl, s32, id, s32, num, u32, cmd, u64, arg)
{
	struct sem_ds ds;

	if (id < 0)
		return -EINVAL;
	switch (cmd) {
	case IPC_INFO:
	case SEM_INFO:
		return sem_info(cmd == SEM_INFO, arg);
	case IPC_STAT:
	case SEM_STAT:
	case SEM_STAT_ANY:
		return sem_get_ds(id, cmd, arg);
	case IPC_SET:
		if (copy_from_user(&ds, arg, sizeof(ds)))
			return -EFAULT;
		return sem_set(id, &ds.perm);
	case IPC_RMID:
		return sem_remove(id);
	case GETALL:
	case SETALL:
		return sem_array(id, arg, cmd == SETALL);
	case GETVAL:
		return sem_look(id, num, SEM_GETVAL);
	case GETPID:
		return sem_look(id, num, SEM_GETPID);
	case GETNCNT:
		return sem_look(id, num, SEM_GETNCNT);
	case GETZCNT:
		return sem_look(id, num, SEM_GETZCNT);
	case SETVAL:
		return sem_setval(id, num, (s32)arg);
	default:
		return -EINVAL;
	}
}

/* --- message queues */

enum {
	MSG_STAT = 11,
	MSG_INFO = 12,
	MSG_STAT_ANY = 13,
};

struct msginfo {
	s32 msgpool, msgmap, msgmax, msgmnb, msgmni, msgssz, msgtql;
	u16 msgseg, pad;
};

SYSCALL2(186, msgget, s32, key, u32, flags)
{
	return msq_get(key, flags);
}

SYSCALL4(189, msgsnd, s32, id, uaddr_t, buf, u64, len, u32, flags)
{
	struct msq_msg *m;
	s64 r;
	u64 type;

	if (get_user_u64(&type, buf))
		return -EFAULT;
	if (id < 0 || len > load_once(&ipc_limits.msgmax) || (s64)type < 1)
		return -EINVAL;
	m = msq_msg_new(len);
	if (!m)
		return -ENOMEM;
	m->type = (s64)type;
	r = copy_from_user(m->data, buf + 8, len);
	if (!r)
		r = msq_send(id, m, flags);
	if (r)
		kfree(m);
	return r;
}

SYSCALL5(188, msgrcv, s32, id, uaddr_t, buf, u64, len, s64, type, u32, flags)
{
	struct msq_msg *m;
	s64 n;

	if (id < 0 || (s64)len < 0)
		return -EINVAL;
	if ((flags & MSG_COPY) &&
	    ((flags & MSG_EXCEPT) || !(flags & IPC_NOWAIT)))
		return -EINVAL;
	m = msq_receive(id, type, len, flags);
	if (IS_ERR(m))
		return PTR_ERR(m);
	n = (s64)min((u64)m->len, len);
	if (put_user_u64((u64)m->type, buf) ||
	    copy_to_user(buf + 8, m->data, (size_t)n))
		n = -EFAULT;
	kfree(m);
	return n;
}

static s64 msg_info(bool usage, uaddr_t to)
{
	struct msginfo mi = {
		.msgpool = IPC_SLOTS * MSG_QBYTES / 1024,
		.msgmap = MSG_QBYTES,
		.msgmax = (s32)load_once(&ipc_limits.msgmax),
		.msgmnb = (s32)load_once(&ipc_limits.msgmnb),
		.msgmni = (s32)load_once(&ipc_limits.msgmni),
		.msgssz = 16,
		.msgtql = MSG_QBYTES,
		.msgseg = 0xffff,
	};
	u32 queues, msgs;
	u64 bytes;
	s32 highest = msq_usage(&queues, &msgs, &bytes);

	if (usage) {
		mi.msgpool = (s32)queues;
		mi.msgmap = (s32)msgs;
		mi.msgtql = (s32)bytes;
	}
	return copy_to_user(to, &mi, sizeof(mi)) ? -EFAULT : highest;
}

SYSCALL3(187, msgctl, s32, id, u32, cmd, uaddr_t, arg)
{
	struct msq_ds ds;
	s64 r;

	if (id < 0)
		return -EINVAL;
	switch (cmd) {
	case IPC_INFO:
	case MSG_INFO:
		return msg_info(cmd == MSG_INFO, arg);
	case IPC_STAT:
	case MSG_STAT:
	case MSG_STAT_ANY:
		r = msq_stat(id, cmd != IPC_STAT, cmd == MSG_STAT_ANY, &ds);
		if (r >= 0 && copy_to_user(arg, &ds, sizeof(ds)))
			return -EFAULT;
		return r;
	case IPC_SET:
		if (copy_from_user(&ds, arg, sizeof(ds)))
			return -EFAULT;
		return msq_set(id, &ds);
	case IPC_RMID:
		return msq_remove(id);
	default:
		return -EINVAL;
	}
}

/* --- shared memory */

enum {
	SHM_LOCK = 11,
	SHM_UNLOCK = 12,
	SHM_STAT = 13,
	SHM_INFO = 14,
	SHM_STAT_ANY = 15,
};

struct shminfo {
	u64 shmmax, shmmin, shmmni, shmseg, shmall, unused[4];
};

struct shm_info {
	s32 used_ids, pad;
	u64 tot, rss, swp, swap_attempts, swap_successes;
};

SYSCALL3(194, shmget, s32, key, u64, size, u32, flags)
{
	return shm_get(key, size, flags);
}

SYSCALL3(196, shmat, s32, id, u64, addr, u32, flags)
{
	return id < 0 ? -EINVAL : shm_attach(id, addr, flags);
}

SYSCALL1(197, shmdt, u64, addr)
{
	return shm_detach(addr);
}

static s64 shm_limits(uaddr_t to)
{
	struct shminfo si = {
		.shmmax = load_once(&ipc_limits.shmmax),
		.shmmin = 1,
		.shmmni = load_once(&ipc_limits.shmmni),
		.shmseg = load_once(&ipc_limits.shmmni),
		.shmall = load_once(&ipc_limits.shmall),
	};
	u64 pages, rss;
	u32 nr;
	s32 highest = shm_usage(&nr, &pages, &rss);

	return copy_to_user(to, &si, sizeof(si)) ? -EFAULT : highest;
}

static s64 shm_use(uaddr_t to)
{
	struct shm_info si = { 0 };
	u32 nr;
	s32 highest = shm_usage(&nr, &si.tot, &si.rss);

	si.used_ids = (s32)nr;
	return copy_to_user(to, &si, sizeof(si)) ? -EFAULT : highest;
}

SYSCALL3(195, shmctl, s32, id, u32, cmd, uaddr_t, arg)
{
	struct shm_ds ds;
	s64 r;

	if (id < 0)
		return -EINVAL;
	switch (cmd) {
	case IPC_INFO:
		return shm_limits(arg);
	case SHM_INFO:
		return shm_use(arg);
	case IPC_STAT:
	case SHM_STAT:
	case SHM_STAT_ANY:
		r = shm_stat(id, cmd != IPC_STAT, cmd == SHM_STAT_ANY, &ds);
		if (r >= 0 && copy_to_user(arg, &ds, sizeof(ds)))
			return -EFAULT;
		return r;
	case IPC_SET:
		if (copy_from_user(&ds, arg, sizeof(ds)))
			return -EFAULT;
		return shm_set(id, &ds.perm);
	case IPC_RMID:
		return shm_remove(id);
	case SHM_LOCK:
	case SHM_UNLOCK:
		return shm_lock(id, cmd == SHM_LOCK);
	default:
		return -EINVAL;
	}
}
