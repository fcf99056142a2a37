/* SPDX-License-Identifier: MIT */
/*
 * kernel/keys/watch.h - watch queues: what happens to keys that somebody looks at.
 *
 * A queue is what pipe2(O_NOTIFICATION_PIPE) makes (fs/watchqueue.c) and keyctl(2)
 * is given; a watch joins it to a key.  A note that finds no room is lost, and the
 * last one in the queue is marked: who has read it is told of the loss.
 *
 * OWNERSHIP  key ---> struct key_watch <--- queue: it ends with either.
 * Locking: keys_mutex for watches and both their lists; queue.lock, inside of it, for
 * what is queued.  Numbers are Linux's (linux/watch_queue.h).
 *
 * Context: coroutine.
 */
#ifndef KERNEL_KEYS_WATCH_H
#define KERNEL_KEYS_WATCH_H

#include <kernel/sched/wait.h>
#include <lib/list.h>

struct key;

#define WATCH_META	   0u
#define WATCH_KEY	   1u
#define WATCH_TYPES	   2u
#define WATCH_INFO_LENGTH  0x7fu
#define WATCH_ID_SHIFT	   8
#define WATCH_META_REMOVAL 0u
#define WATCH_META_LOSS	   1u
#define WATCH_NOTES_MAX	   512u
#define WATCH_FILTERS_MAX  16u

/* subtypes of WATCH_KEY */
enum key_event {
	KEY_INSTANTIATED,
	KEY_UPDATED,
	KEY_LINKED,
	KEY_UNLINKED,
	KEY_CLEARED,
	KEY_REVOKED,
	KEY_INVALIDATED,
	KEY_ATTR_SET,
};

/* As programs read it: both kinds have this length, but for a loss, which ends
 * behind info. */
struct watch_note {
	u32 type : 24, subtype : 8;
	u32 info;
	union {
		struct {
			u32 id, aux;
		} key;
		u64 removed_id; /* a serial */
	};
};
#define WATCH_LOSS_LEN 8u

struct watch_filter {
	u32 type, info_filter, info_mask, subtypes[8];
};

struct watch_queue {
	struct list_head watches; /* [keys_mutex] */
	u32 files;		  /* [a] open ends */
	struct mutex lock;
	struct waitq wq;	  /* readers */
	struct watch_note *notes; /* [lock] owned ring; NULL: no size was set */
	bool *lossy;	/* [lock] owned: notes were lost behind this one */
	u32 nr;		/* [lock] power of two */
	u32 head, tail; /* [lock] */
	bool lost;	/* [lock] to be told next */
	struct watch_filter *filter; /* [lock] owned; NULL: all pass */
	u32 nr_filter;		     /* [lock] */
};

void watch_queue_init(struct watch_queue *q);
/* Nobody has it any more: its watches end. */
void watch_queue_drop(struct watch_queue *q);
/* Room for at least @nr notes: 0, -EBUSY (set before), -EINVAL, -ENOMEM. */
int watch_queue_set_size(struct watch_queue *q, u64 nr);
/* Takes @f, of which @nr are of use; NULL: all pass. */
void watch_queue_set_filter(struct watch_queue *q, struct watch_filter *f,
			    u32 nr);

/* keyctl(KEYCTL_WATCH_KEY): @id 0 to 255, or -1: no longer. */
s64 key_ctl_watch(s32 key, struct watch_queue *q, int id);

/* keys_mutex held: @k's watchers hear of it; @k ends, and so do they. */
void key_notify(struct key *k, enum key_event what, u32 aux);
void key_watches_end(struct key *k);

#endif /* KERNEL_KEYS_WATCH_H */
