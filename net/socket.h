/* SPDX-License-Identifier: MIT */
/*
 * net/socket.h - sockets: what the system calls use and families fill in.
 *
 * A socket is the object behind a file; its family's operations do the work.  User
 * memory is reached through iterators only: addresses, control messages and options
 * are decoded by syscall/.
 *
 * Context: coroutine.  Errors: 0 or positive, or -errno.
 */
#ifndef NET_SOCKET_H
#define NET_SOCKET_H

#include <kernel/file/file.h>
#include <kernel/file/iov.h>
#include <kernel/ns/net.h>
#include <lib/atomic.h>
#include <lib/types.h>

#define AF_UNSPEC  0
#define AF_UNIX	   1
#define AF_INET	   2
#define AF_INET6   10
#define AF_NETLINK 16
#define AF_PACKET  17

#define SOCK_STREAM    1
#define SOCK_DGRAM     2
#define SOCK_RAW       3
#define SOCK_SEQPACKET 5

#define MSG_OOB		 0x1u
#define MSG_PEEK	 0x2u
#define MSG_CTRUNC	 0x8u
#define MSG_TRUNC	 0x20u
#define MSG_DONTWAIT	 0x40u
#define MSG_EOR		 0x80u
#define MSG_WAITALL	 0x100u
#define MSG_MORE	 0x8000u
#define MSG_ERRQUEUE	 0x2000u
#define MSG_NOSIGNAL	 0x4000u
#define MSG_ZEROCOPY	 0x4000000u
#define MSG_FASTOPEN	 0x20000000u
#define MSG_CMSG_CLOEXEC 0x40000000u

/* Options that ask for the time of arrival; the control message has their number. */
#define SO_TIMESTAMP	   29 /* struct timeval */
#define SO_TIMESTAMPNS	   35 /* struct timespec */
#define SO_TIMESTAMP_NEW   63
#define SO_TIMESTAMPNS_NEW 64

/* SO_TIMESTAMPING: which times, and how they are told. */
#define SO_TIMESTAMPING		       37
#define SO_TIMESTAMPING_NEW	       65
#define SOF_TIMESTAMPING_TX_HARDWARE   BIT(0)
#define SOF_TIMESTAMPING_TX_SOFTWARE   BIT(1)
#define SOF_TIMESTAMPING_RX_SOFTWARE   BIT(3)
#define SOF_TIMESTAMPING_SOFTWARE      BIT(4)
#define SOF_TIMESTAMPING_OPT_ID	       BIT(7)
#define SOF_TIMESTAMPING_TX_SCHED      BIT(8)
#define SOF_TIMESTAMPING_TX_ACK	       BIT(9)
#define SOF_TIMESTAMPING_OPT_TSONLY    BIT(11)
#define SOF_TIMESTAMPING_OPT_STATS     BIT(12)
#define SOF_TIMESTAMPING_OPT_ID_TCP    BIT(16)
#define SOF_TIMESTAMPING_OPT_RX_FILTER BIT(17)
#define SOF_TIMESTAMPING_MASK	       0x3ffffu
#define SOF_TIMESTAMPING_TX_RECORD                                     \
	(SOF_TIMESTAMPING_TX_HARDWARE | SOF_TIMESTAMPING_TX_SOFTWARE | \
	 SOF_TIMESTAMPING_TX_SCHED | SOF_TIMESTAMPING_TX_ACK)

/* Options that say what is told with what is received, or when it goes. */
#define SO_MARK		   36
#define SO_RXQ_OVFL	   40
#define SO_TXTIME	   61
#define SO_RCVMARK	   75
#define SOCK_KEPT_RXQ_OVFL 6 /* bits of s->kept */
#define SOCK_KEPT_RCVMARK  7
#define TXTIME_ON	   0x100u

#define SHUT_RD 1u /* bits: how of shutdown(2) + 1 */
#define SHUT_WR 2u

#define LOOPBACK_INDEX 1 /* of the one interface */

#define UNIX_PATH_MAX 108
#define SCM_MAX_FD    253

struct vma;	  /* kernel/mm/vm.h */
struct cbpf_insn; /* lib/cbpf.h */
struct cred;	  /* kernel/task/process.h */
struct inode;	  /* fs/vfs.h: the node of a path name */
struct mount;	  /* likewise: what it is on */

/* An address, decoded. */
struct sock_addr {
	u16 family;
	u16 len; /* of name */
	bool abstract;
	/* AF_UNIX: path, or what follows the NUL; else what follows the family */
	char name[UNIX_PATH_MAX + 1];
	struct inode *node; /* owned; path names only */
	struct mount *mnt;  /* owned, with the node: keeps its file system */
};

struct sock_creds {
	s32 pid;
	u32 uid, gid;
	u64 born; /* when the process was: tells it from others of that number */
};
#define SOCK_UCRED_SIZE 12u /* what user space sees of it: struct ucred */

/* Files on their way; owns them. */
struct sock_files {
	u32 nr;
	u32 uid;      /* whose flights these are, while */
	bool flights; /* they count: unix_take_off() to unix_land() */
	u32 nr_unix;  /* of them are Unix-domain sockets, while they count */
	struct file *f[SCM_MAX_FD];
};
void sock_files_put(struct sock_files *sf); /* NULL is fine */

/* A control message of the family's own. */
struct sock_cmsg {
	s32 level, type;
	u32 len;
	u8 data[28]; /* a sockaddr_in6 */
};
#define SOCK_CMSG_MAX 4u
/* One that is longer, or comes behind so many. */
struct sock_cmsg_big {
	struct sock_cmsg_big *next;
	s32 level, type;
	u32 len;
	u8 data[48];
};

/* One sendmsg or recvmsg. */
struct sock_msg {
	struct iov_iter *it;
	u32 flags;		    /* MSG_* */
	const struct sock_addr *to; /* send: borrowed, or NULL */
	struct sock_addr *from; /* recv: to fill (node stays NULL), or NULL */
	struct sock_files
		*files;		 /* send: taken if sent; recv: given, or NULL */
	struct sock_creds creds; /* send: to be sent; recv: the sender's */
	u32 tx_stamps;	 /* send: TX_STAMPS_SET with the times to be told of, or
			* 0: as the socket says */
	s16 hops, class; /* send: 1 more than what the packet shall have; 0: as
			  * the socket says */
	union {
		u32 out_flags; /* recv: MSG_TRUNC, MSG_EOR */
		u32 segment;   /* send: UDP_SEGMENT, or 0 */
	};
	u64 stamp_ns; /* recv: CLOCK_REALTIME of arrival; 0: not known */
	u32 nr_cmsg;  /* recv */
	struct sock_cmsg_big *big; /* recv: given, or NULL */
	union {
		struct sock_cmsg cmsg[SOCK_CMSG_MAX]; /* recv */
		struct { /* send, to internet sockets: */
			bool src_set, mark_set;
			u8 src[16]; /* the address to send from */
			u32 index;  /* of the interface to send by; 0: any */
			u32 mark;
		} tx;
	};
};

#define TX_STAMPS_SET BIT(31)

struct socket;

struct socket_ops {
	int (*bind)(struct socket *s, struct sock_addr *addr); /* takes node */
	int (*connect)(struct socket *s, const struct sock_addr *addr,
		       bool nonblock);
	int (*listen)(struct socket *s, int backlog);
	/* A new connected socket, or ERR_PTR. */
	struct socket *(*accept)(struct socket *s, bool nonblock);
	s64 (*send)(struct socket *s, struct sock_msg *m);
	s64 (*recv)(struct socket *s, struct sock_msg *m);
	int (*shutdown)(struct socket *s, u32 how);
	/* Own or peer's address; out->node stays NULL. */
	int (*name)(struct socket *s, bool peer, struct sock_addr *out);
	int (*peer_creds)(struct socket *s, struct sock_creds *out);
	u32 (*poll)(struct socket *s, struct file *f, struct poll_table *pt);
	u64 (*inq)(struct socket *s);  /* bytes to read */
	u64 (*outq)(struct socket *s); /* bytes not yet read by the peer */
	void (*release)(struct socket *s);
	/* Levels other than SOL_SOCKET; NULL: -ENOPROTOOPT.  Length or -errno. */
	int (*setopt)(struct socket *s, int level, int opt, const void *val,
		      u32 len);
	int (*getopt)(struct socket *s, int level, int opt, void *val, u32 len);
	/* Of its queue, if it has filters. */
	struct spinlock *(*queue_lock)(struct socket *s);
	/* NULL: -ENOTTY */
	s64 (*ioctl)(struct socket *s, unsigned int cmd, u64 arg);
	/* SO_RCVLOWAT, at least 1; NULL: it is kept. */
	void (*set_lowat)(struct socket *s, u32 v);
	/* SO_KEEPALIVE was set; NULL: there is nothing to do */
	void (*changed)(struct socket *s);
	bool peek_off; /* it has SO_PEEK_OFF */
	/* As file_ops.mmap; NULL: -ENODEV. */
	int (*mmap)(struct socket *s, struct vma *v);
};
#define SOCK_OPT_MAX 256u

#define SOCK_BUF_DEFAULT 212992u
#define SOCK_BUF_MIN	 4608u
#define SOCK_RCVBUF_MIN	 2304u
#define SOCK_SNDBUF_LOCK 1u
#define SOCK_RCVBUF_LOCK 2u

struct socket {
	const struct socket_ops *ops; /* [I] */
	u16 family;		      /* [a] IPV6_ADDRFORM alone changes it */
	u16 type;		      /* [I] */
	u16 protocol;		      /* [I] */
	u64 ino;		      /* [I] of its file; 0: none yet */
	struct net_ns *net;	      /* [I] owned */
	struct file_owner owner;      /* of its file: of SIGURG */
	struct waitq rd_wq, wr_wq;
	u32 rcvbuf, sndbuf; /* [a] bytes */
	u32 lowat;     /* [a] SO_RCVLOWAT: a read of streams wants so many */
	s32 peek_off;  /* [a] SO_PEEK_OFF; -1: none */
	u32 buf_locks; /* [a] SO_BUF_LOCK: sizes that were set */
	u64 rcv_timeout_ns, snd_timeout_ns; /* [a] 0: none */
	bool passcred, passpidfd;	    /* [a] */
	u32 bound_dev; /* [a] index of the device it is bound to; 0: none */
	u8 stamp;      /* [a] option of SO_TIMESTAMP's kin that is on, or 0 */
	bool stamped;  /* [a] somebody asks when packets come */
	bool stamping_new,
		stamp_asked; /* [a] SO_TIMESTAMPING_NEW, SIOCGSTAMP */
	u32 stamping;	     /* [a] SOF_TIMESTAMPING_* */
	u32 stamp_key;	     /* [a] OPT_ID: of what is sent next */
	s64 last_stamp; /* [a] of what was read last; 0: now, -1: nothing was */
	bool listening; /* [a] */
	bool reuseaddr, reuseport;	      /* [a] */
	bool keepalive, broadcast, dontroute; /* [a] kept: nothing to do */
	bool linger_on, oobinline;	      /* [a] */
	u32 linger_s;			      /* [a] */
	u32 priority, mark;		      /* [a] kept */
	u32 error;			      /* [a] pending, reported once */
	u32 kept;		    /* [a] sockopt.c: switches that only stay */
	u32 drops;		    /* [a] packets that there was no room for */
	u32 wanted_cpu;		    /* [a] SO_INCOMING_CPU, kept */
	u32 busy_poll, busy_budget; /* [a] kept */
	u32 txtime;		    /* [a] SO_TXTIME: TXTIME_ON, flags; kept */
	u32 txtime_clock;	    /* [a] kept */
	bool zerocopy, txrehash;    /* [a] the other one is kept */
	u64 pacing;		    /* [a] SO_MAX_PACING_RATE, kept */
	u64 cookie;		    /* [a] SO_COOKIE; 0: nobody has asked */
	bool select_err;    /* [a] POLLPRI says that errors are queued */
	bool filter_locked; /* [a] never off again */
	struct sock_filter *filter; /* [queue_lock] owned, or NULL: filter.h */
};

/* One more control message of a receive; MSG_CTRUNC if there is no memory for it. */
void sock_put_cmsg(struct sock_msg *m, s32 level, s32 type, const void *data,
		   u32 len);
/* Let go of what a receive gave. */
void sock_msg_end(struct sock_msg *m);

/* In that network namespace, of which it gets a reference till socket_fini(). */
void socket_init(struct socket *s, const struct socket_ops *ops, u16 family,
		 u16 type, struct net_ns *net);
void socket_fini(struct socket *s); /* no lock held */
/* A socket of the family, or ERR_PTR. */
struct socket *socket_create(int family, int type, int protocol);
int socket_create_pair(int family, int type, int protocol,
		       struct socket *pair[2]);
/* The file of a socket, which it takes; NULL: -ENOMEM, nothing taken. */
struct file *socket_file(struct socket *s, bool nonblock);
struct socket *socket_of(struct file *f); /* NULL: -ENOTSOCK */
/* Take the pending error: 0 or -errno. */
int socket_take_error(struct socket *s);
/* The same, and it stays. */
static inline int socket_error(const struct socket *s)
{
	return -(int)load_once(&s->error);
}
/* When a call that begins now gives up. */
u64 socket_deadline(u64 timeout_ns);
/* -ERESTARTSYS with a time limit cannot be restarted: -EINTR. */
s64 socket_interrupted(s64 err, u64 timeout_ns);
/* As much of a packet as @m has room for, and MSG_TRUNC if that is not all.  What
 * recvmsg(2) returns of it: the length given, or asked for (MSG_TRUNC), or -EFAULT. */
s64 socket_put_packet(struct sock_msg *m, const void *data, size_t len);
/*
 * Nothing is queued: wait, @rd given up meanwhile, until something is, or an error; who
 * returns 0 looks again.  -EAGAIN: @m does not wait, or @deadline (socket_deadline() of
 * the receiver's time limit) has come.  May sleep.
 */
struct mutex;
s64 socket_await_packet(struct socket *s, struct mutex *rd,
			const struct list_head *queue, const struct sock_msg *m,
			u64 deadline);
/* When a packet came to @s, if anybody asks: sock_msg.stamp_ns. */
u64 socket_stamp(const struct socket *s);
#define SIOCGSTAMP	 0x8906u
#define SIOCGSTAMPNS	 0x8907u
#define SIOCGSTAMP_NEW	 0x80108906u
#define SIOCGSTAMPNS_NEW 0x80108907u
/* --- stamp.c: SO_TIMESTAMP and its like, SO_TIMESTAMPING, SIOCGSTAMP */
void socket_set_stamp(struct socket *s, u8 opt); /* 0: off */
int socket_set_stamping(struct socket *s, u32 flags, bool new_form);
/* Which times of what is being sent are to be told of: SOF_TIMESTAMPING_TX_*. */
u32 socket_tx_stamps(const struct socket *s, const struct sock_msg *m);
s64 socket_stamp_ioctl(struct socket *s, unsigned int cmd, u64 arg);
/* Where in what is queued a read begins that is a peek. */
static inline u32 socket_peek_at(const struct socket *s, u32 flags)
{
	s32 off = load_once(&s->peek_off);

	return unlikely(off > 0) && (flags & MSG_PEEK) ? (u32)off : 0;
}
/* It went over @n bytes, or took them: SO_PEEK_OFF moves. */
void socket_move_peek(struct socket *s, u32 flags, u64 n);
static inline void socket_peeked(struct socket *s, u32 flags, u64 n)
{
	if (unlikely(load_once(&s->peek_off) >= 0))
		socket_move_peek(s, flags, n);
}
/* How many bytes a read of @len waits for. */
static inline u64 socket_wanted(const struct socket *s, u32 flags, u64 len)
{
	u64 lowat = load_once(&s->lowat);

	return flags & MSG_WAITALL ? len : min(lowat, len);
}
/* What the waits of a socket give at the deadline: -EAGAIN. */
struct sock_creds sock_creds_current(void);
/* A descriptor of that process, or -ENODATA (nobody), -EINVAL (gone), -EMFILE ... */
int sock_creds_pidfd(const struct sock_creds *c);
/* As current's namespaces have them; ids of ~0 say that there is nobody. */
struct sock_creds sock_creds_shown(const struct sock_creds *c);

/* Send the owner SIGURG.  (SIGIO: kernel/file/async.c) */
void socket_urgent(struct socket *s);

/* --- families */
struct socket *inet_create(int family, int type, int protocol);
struct socket *netlink_create(int type, int protocol);
struct socket *packet_create(int type, int protocol);
struct socket *uevent_create(int type); /* NETLINK_KOBJECT_UEVENT */

/* --- dev.c: interfaces of the socket's namespace, for options */
bool sock_dev_exists(const struct socket *s, u32 index);
s32 sock_dev_index(const struct socket *s, const char *name); /* or -ENODEV */
/* Its name with its NUL: the length, or -ENODEV. */
int sock_dev_name(const struct socket *s, s32 index, u8 name[16]);

/* Of socket_ops, for who has no such thing: -EOPNOTSUPP; and what is sent is read. */
int sock_no_listen(struct socket *s, int backlog);
struct socket *sock_no_accept(struct socket *s, bool nonblock);
int sock_no_shutdown(struct socket *s, u32 how);
u64 sock_no_outq(struct socket *s);
struct socket *unix_create(int type, int protocol);
/* The peer's, as it connected, with a reference; or NULL. */
struct cred *unix_peer_cred(struct socket *s);
int unix_create_pair(int type, int protocol, struct socket *pair[2]);

/* --- defined above (syscall/): release the node of a path name; may sleep */
void net_node_put(struct sock_addr *a);

#endif /* NET_SOCKET_H */
