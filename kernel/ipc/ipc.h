/* SPDX-License-Identifier: MIT */
/*
 * kernel/ipc/ipc.h - System V IPC: what its three kinds of objects share.
 *
 * An object begins with a struct ipc_obj and is found by key or by id; an id is a
 * slot and a sequence number, so that a stale one is seen.  Each IPC namespace has
 * two trees for each kind (ns.h), by slot and by key; a kind has one spinlock, which
 * guards its trees and the objects in them.  A removed object is out of its table at once and
 * freed with its last reference.
 *
 * Layouts are Linux's (asm-generic/ipcbuf.h and its like), 64 bit.
 * Context: coroutine.
 */
#ifndef KERNEL_IPC_IPC_H
#define KERNEL_IPC_IPC_H

#include <kernel/ipc/ns.h>
#include <kernel/spinlock.h>
#include <kernel/task/process.h>
#include <lib/types.h>

#define IPC_PRIVATE 0
#define IPC_CREAT   01000
#define IPC_EXCL    02000
#define IPC_NOWAIT  04000

#define IPC_RMID 0
#define IPC_SET	 1
#define IPC_STAT 2
#define IPC_INFO 3

#define IPC_SLOTS 32768u

/* What /proc/sys/kernel lets root change.  [a], read once by each call. */
struct ipc_limits {
	u64 shmmax, shmall; /* bytes of one, pages of all */
	u64 shmmni, msgmni; /* objects, IPC_SLOTS at most */
	u64 msgmax, msgmnb; /* bytes of a message, of a queue */
	u64 semmsl, semmns; /* semaphores of a set, of all */
	u64 semopm, semmni; /* operations of a call; sets */
};
extern struct ipc_limits ipc_limits;

struct ipc_perm {
	s32 key;
	u32 uid, gid, cuid, cgid, mode;
	u16 seq, pad2;
	u32 pad3;
	u64 unused[2];
};
STATIC_ASSERT(sizeof(struct ipc_perm) == 48, "Linux's struct ipc64_perm");

struct ipc_obj {
	u32 refs; /* [a] */
	s32 id;	  /* [I] */
	bool removed;
	struct ipc_table *table; /* [I]; of use while it is not removed */
	struct ipc_perm perm;
};

/* What the tables of a kind have in common. */
struct ipc_kind {
	struct spinlock lock; /* RANK_FILE: tables, and what is in them */
	enum ipc_kind_id id;  /* [I] which table of a namespace */
	const u64 *limit;     /* [I] of ipc_limits: how many */
	void (*free)(struct ipc_obj *o); /* last reference gone; no lock held */
	/* It is out of its table: who waits for it is told.  Lock held. */
	void (*removed_locked)(struct ipc_obj *o);
	/* What a new one takes of ipc_table.used, of which there is *@most. */
	u64 (*share)(const struct ipc_obj *o);
	const u64 *most; /* [I] of ipc_limits */
};
extern struct ipc_kind ipc_sems, ipc_msqs, ipc_shms;

#define IPC_KIND_INIT(nm, nr, mni, fn, rm)                              \
	.lock = SPINLOCK_INIT(nm, RANK_FILE), .id = (nr), .free = (fn), \
	.removed_locked = (rm), .limit = &ipc_limits.mni

/* Rights are the file system's bits: 4 to read, 2 to write. */
int ipc_permitted(const struct ipc_obj *o, u32 want);
/* -EPERM unless current owns or made it. */
int ipc_owner(const struct ipc_obj *o);

/*
 * xxxget(2): the id of @key's object, or that of *@fresh, which is then taken
 * (*@fresh becomes NULL).  @check looks at an existing one, under the lock.
 */
s64 ipc_get(struct ipc_kind *k, s32 key, u32 flags, struct ipc_obj **fresh,
	    int (*check)(const struct ipc_obj *o, void *arg), void *arg);
/* These look into the table of current's namespace.  Lock held, no reference.
 * Object @id, or ERR_PTR: -EINVAL. */
struct ipc_obj *ipc_find_locked(struct ipc_kind *k, s32 id);
/* By slot, for the _STAT commands. */
struct ipc_obj *ipc_slot_locked(struct ipc_kind *k, s32 index);
/* The first object at or behind slot *@slot, which is then its; NULL: none. */
struct ipc_obj *ipc_next_locked(struct ipc_kind *k, u64 *slot);
u32 ipc_count_locked(struct ipc_kind *k);
/* The highest slot in use, or 0. */
s32 ipc_highest_locked(struct ipc_kind *k);
/* It is found by its id only from here on; its key becomes IPC_PRIVATE. */
void ipc_drop_key_locked(struct ipc_kind *k, struct ipc_obj *o);
/* Out of its table; the caller puts its reference with the lock let go. */
void ipc_remove_locked(struct ipc_kind *k, struct ipc_obj *o);
void ipc_put(struct ipc_kind *k, struct ipc_obj *o);
struct ipc_obj *ipc_hold(struct ipc_obj *o);
/* The id that the next object of current's namespace shall have, if its slot is free;
 * -1: none was asked for. */
s64 ipc_next_id(struct ipc_kind *k);
void ipc_set_next_id(struct ipc_kind *k, s32 id); /* not negative */
/* As current may see it. */
void ipc_show_perm(struct ipc_perm *to, const struct ipc_obj *o);
/* IPC_SET's part of @from. */
int ipc_set_perm(struct ipc_obj *o, const struct ipc_perm *from);

/* --- sem.c */
#define SEM_UNDO   0x1000
#define SEM_NR_MAX 32000u
#define SEM_OPS	   500u
#define SEM_VALUE  32767

struct sem_op {
	u16 num;
	s16 op, flags;
};

struct sem_ds {
	struct ipc_perm perm;
	s64 otime, ctime;
	u64 nsems, unused[2];
};
STATIC_ASSERT(sizeof(struct sem_ds) == 88, "Linux's struct semid64_ds");

s64 sem_get(s32 key, s32 nsems, u32 flags);
s64 sem_operate(s32 id, const struct sem_op *ops, u32 nr, u64 deadline_ns);
s64 sem_stat(s32 id, bool by_index, bool any, struct sem_ds *out);
s64 sem_set(s32 id, const struct ipc_perm *perm);
s64 sem_remove(s32 id);
enum sem_what {
	SEM_GETVAL,
	SEM_GETPID,
	SEM_GETNCNT,
	SEM_GETZCNT
};
s64 sem_look(s32 id, s32 num, enum sem_what what);
s64 sem_setval(s32 id, s32 num, s32 val);
/* All values at once: @vals has room for what sem_count() said. */
s64 sem_count(s32 id);
s64 sem_all(s32 id, u16 *vals, u32 nr, bool set);
s32 sem_usage(u32 *sets, u32 *nr); /* how many; the highest slot */
void sem_process_exit(struct process *p);
void sem_leave_ns(void); /* current enters another IPC namespace */
void sem_for_each(void (*fn)(const struct sem_ds *ds, s32 id, void *arg),
		  void *arg);

/* --- msg.c */
#define MSG_MAX	     8192u
#define MSG_MAX_HARD 65536 /* of msgmax */
#define MSG_QBYTES   16384u
#define MSG_NOERROR  010000
#define MSG_EXCEPT   020000
#define MSG_COPY     040000

struct msq_ds {
	struct ipc_perm perm;
	s64 stime, rtime, ctime;
	u64 cbytes, qnum, qbytes;
	s32 lspid, lrpid;
	u64 unused[2];
};
STATIC_ASSERT(sizeof(struct msq_ds) == 120, "Linux's struct msqid64_ds");

struct msq_msg {
	struct list_head node;
	s64 type;
	size_t len;
	u8 data[];
};

s64 msq_get(s32 key, u32 flags);
struct msq_msg *msq_msg_new(size_t len); /* or NULL; kfree() */
/* Takes @m when it returns 0. */
s64 msq_send(s32 id, struct msq_msg *m, u32 flags);
struct msq_msg *msq_receive(s32 id, s64 type, size_t room, u32 flags);
s64 msq_stat(s32 id, bool by_index, bool any, struct msq_ds *out);
s64 msq_set(s32 id, const struct msq_ds *from);
s64 msq_remove(s32 id);
s32 msq_usage(u32 *queues, u32 *msgs, u64 *bytes);
void msq_for_each(void (*fn)(const struct msq_ds *ds, s32 id, void *arg),
		  void *arg);

/* --- shm.c */
#define SHM_RDONLY    010000
#define SHM_RND	      020000
#define SHM_REMAP     040000
#define SHM_EXEC      0100000
#define SHM_NORESERVE 010000
#define SHM_DEST      01000
#define SHM_LOCKED    02000

struct shm_ds {
	struct ipc_perm perm;
	u64 size;
	s64 atime, dtime, ctime;
	s32 cpid, lpid;
	u64 nattch, unused[2];
};
STATIC_ASSERT(sizeof(struct shm_ds) == 112, "Linux's struct shmid64_ds");

s64 shm_get(s32 key, u64 size, u32 flags);
s64 shm_attach(s32 id, u64 addr, u32 flags);
s64 shm_detach(u64 addr);
s64 shm_stat(s32 id, bool by_index, bool any, struct shm_ds *out);
s64 shm_set(s32 id, const struct ipc_perm *perm);
s64 shm_lock(s32 id, bool on);
s64 shm_remove(s32 id);
s32 shm_usage(u32 *segments, u64 *pages, u64 *resident);
void shm_for_each(void (*fn)(const struct shm_ds *ds, s32 id, u64 resident,
			     void *arg),
		  void *arg); /* resident: pages */

#endif /* KERNEL_IPC_IPC_H */
