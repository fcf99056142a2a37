/* SPDX-License-Identifier: MIT */
/*
 * net/unix.h - what the files of the Unix-domain family share.
 *
 * Locks that guard the members:
 *	u	unix_lock: who is connected to whom, names, backlogs
 *	q	us->lock: the receive queue
 *	r	us->rd_mutex: who reads; only a reader takes messages off the queue
 *	I	immutable		a	atomic word
 * us->lock is taken under unix_lock by the collector, and for messages with sockets.
 */
#ifndef NET_UNIX_H
#define NET_UNIX_H

#include <kernel/spinlock.h>
#include <lib/list.h>
#include <net/socket.h>

struct unix_sock;

/* A name that was bound; messages and accepted sockets keep it. */
struct unix_name {
	u32 refs;		 /* [a] */
	struct list_head node;	 /* [u] hash chain */
	struct unix_sock *owner; /* [u] NULL: gone */
	struct sock_addr addr;	 /* [I] owns the node */
};

enum unix_state {
	UNIX_IDLE,
	UNIX_LISTEN,
	UNIX_CONNECTED, /* streams and sequenced packets; or a default target */
};

struct unix_sock {
	struct socket s;
	u32 refs;		       /* [a] */
	struct list_head all_node;     /* [u] every socket, until freed */
	enum unix_state state;	       /* [u] */
	struct unix_sock *peer;	       /* [u] owned */
	struct unix_name *name;	       /* [u] owned; only set once */
	struct list_head backlog;      /* [u] listening: sockets to accept */
	struct list_head backlog_node; /* [u] */
	u32 nr_backlog, max_backlog;   /* [u] */
	/* unix_gc.c */
	u32 flights;		      /* [u] messages that carry it */
	s32 gc_rest;		      /* [u] */
	struct file *file;	      /* [u] ours, while in flight */
	struct list_head flight_node; /* [u] */
	struct list_head carriers; /* [u] messages here with sockets in them */
	u32 shut;		   /* [a] SHUT_* */
	bool dead;		   /* [a] its file is gone */
	struct domain *domain;	   /* [I] of who made it; owned, or NULL */
	struct sock_creds creds;   /* [u] of who connected or listens */
	struct sock_creds peer_creds;  /* [u] */
	struct cred *cred, *peer_cred; /* [u] likewise; owned, or NULL */
	struct spinlock lock;	       /* RANK_PIPE */
	struct list_head queue;	       /* [q] of unix_msg */
	u64 queued;		       /* [q] their cost */
	u64 bytes;		       /* [q] their unread bytes */
	u32 nr_queued;		       /* [q] */
	u32 max_queued; /* [I] net.unix.max_dgram_qlen, when it was made */
	/* unix_room.c */
	struct list_head pollers;   /* [u] who polls for room here */
	struct list_head poll_node; /* [u] in somebody's list of those */
	struct unix_msg *oob;	    /* [q] the urgent byte, queued; NULL */
	struct mutex rd_mutex;
	struct waitq room_wq; /* senders that wait for room here */
};

struct unix_msg {
	struct list_head node;	  /* [q] */
	struct list_head carrier; /* [u] of those with sockets */
	size_t len;		  /* [I] once queued */
	size_t off;		  /* [r] bytes already read */
	bool urgent;		  /* [I] to be us->oob */
	bool peeked;  /* [r] a peek with SO_PEEK_OFF saw that it is empty */
	u64 cost;     /* [I] */
	u64 stamp_ns; /* [q] of arrival, or 0 */
	struct sock_creds creds;  /* [I] */
	struct unix_name *from;	  /* [I] owned, or NULL */
	struct sock_files *files; /* [r, while queued also u] owned, or NULL */
	u8 data[];
};

extern struct spinlock unix_lock;

static inline struct unix_sock *to_unix(struct socket *s)
{
	return container_of(s, struct unix_sock, s);
}
static inline bool unix_is_dgram(const struct unix_sock *us)
{
	return us->s.type == SOCK_DGRAM;
}
struct unix_sock *unix_get(struct unix_sock *us);
void unix_put(struct unix_sock *us); /* no lock held */
/* The peer with a reference, or NULL. */
struct unix_sock *unix_get_peer(struct unix_sock *us);
/* Drop what is queued. */
void unix_purge(struct unix_sock *us);

/* @fn under unix_lock, which is given up in between: those of @net. */
void unix_for_each(const struct net_ns *net,
		   void (*fn)(struct unix_sock *us, void *arg), void *arg);

/* --- unix_name.c */
int unix_bind(struct socket *s, struct sock_addr *addr);
int unix_autobind(struct unix_sock *us);
struct unix_name *unix_name_get(struct unix_name *n); /* NULL is fine */
void unix_name_put(struct unix_name *n);	      /* likewise */
void unix_unbind_locked(struct unix_sock *us);
/* Who is bound to @addr, with a reference; -ECONNREFUSED, -EPROTOTYPE.  Abstract names
 * are @net's, path names everybody's. */
struct unix_sock *unix_find(const struct net_ns *net,
			    const struct sock_addr *addr, u16 type);

/* --- unix_msg.c */
s64 unix_send(struct socket *s, struct sock_msg *m);
s64 unix_recv(struct socket *s, struct sock_msg *m);
/* May a sender go on?  Racy. */
bool unix_has_room(const struct unix_sock *to, u64 limit);
/* Who has sent more than this, and polls, is told when no more is left of it: seldom,
 * and then there is much to do. */
static inline u64 unix_low_water(const struct unix_sock *us)
{
	return load_once(&us->s.sndbuf) / 4;
}

/* What is queued at @us to the end of @list. */
void unix_take_queue(struct unix_sock *us, struct list_head *list);
void unix_free_messages(struct list_head *list);

/* --- unix_room.c */
/* Has the queue of @to as many messages as @us may add to?  Racy. */
bool unix_queue_full(const struct unix_sock *us, const struct unix_sock *to);
/* May @us, which is connected to @to, send?  It is woken when that changes. */
bool unix_dgram_writable(struct unix_sock *us, struct unix_sock *to);
/* There may be room at @us, or it is dead.  No lock held, as for the next one. */
void unix_tell_pollers(struct unix_sock *us);
void unix_stop_polling(struct unix_sock *us); /* its end */

/* --- unix_gc.c: sockets in messages.  No lock held. */
/* They will be queued: 0 or -ETOOMANYREFS.  NULL is fine. */
int unix_take_off(struct sock_files *sf);
/* The files of @um, which has none then: they are in no message any more. */
struct sock_files *unix_land(struct unix_msg *um);
void unix_take_back(struct sock_files *sf); /* they were not queued after all */
/* @us will have no queue any more; unix_lock held. */
void unix_drop_carriers_locked(struct unix_sock *us);
/* A reference of each for somebody who looks at a message that stays queued. */
void unix_hold_files(struct sock_files *sf);
void unix_gc(void); /* a socket was released */

/* --- unix_oob.c: rd_mutex held in all but the last */
/* What a read that is at @um, and @began before, takes next: NULL: it ends here.
 * What it leaves behind goes to @gone. */
struct unix_msg *unix_oob_pass(struct unix_sock *us, struct unix_msg *um,
			       bool peek, bool began, struct list_head *gone);
bool unix_oob_peekable(struct unix_sock *us); /* is there more than that? */
s64 unix_oob_recv(struct unix_sock *us, struct sock_msg *m);
int unix_oob_at_mark(struct socket *s);

#endif /* NET_UNIX_H */
