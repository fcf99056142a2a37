/* SPDX-License-Identifier: MIT */
/*
 * kernel/dev/tty/pty.c - pseudo terminals: /dev/ptmx and /dev/pts/N.
 *
 * Opening ptmx makes a pair.  The slave is a tty; the master is a plain file
 * that takes what the slave's line discipline puts out and feeds it what it is
 * given.  There is one buffer in each direction and nothing is copied twice.
 *
 *	master open      master closed
 *	PAIRED --------> GONE: slaves hung up, the name is gone, opens fail
 *	slave last close: the master reads what is left, then -EIO, until a
 *	slave is opened again
 *
 * INVARIANTS
 *   I1  A pty is in slots[n] from ptmx's open to the master's release, and as long
 *       it has a node n in its home (pty.h).  A home has one pty of each number.
 *   I2  A slot is never freed: an open of pts/n that comes late finds it empty.
 *   I3  Its device is registered while it has ptys.
 *
 * Locking: pts_mutex for who gives and takes numbers; pts_lock (RANK_DEV, a leaf)
 * besides for the lists; everything else of a pty is under its tty's lock.
 * Ownership: the master file owns a reference to the slave's tty.
 */
#include <kernel/dev/tty/pty.h>

#include <kernel/dev/tty/ioctls.h>
#include <kernel/dev/tty/tty_int.h>
#include <kernel/file/iov.h>
#include <kernel/init.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/user.h>
#include <kernel/task/process.h>
#include <kernel/task/signal.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/fmt.h>

#define TTY_GID 5 /* group "tty" */

struct pty {
	struct tty tty; /* the slave */
	u32 index;	/* [I] */
	void *home;	/* [I] where that counts; referenced by the master */
	struct list_head node;	/* [pts_lock] in the slot */
	bool locked;		/* [tty.lock] until unlockpt() */
	bool packet;		/* [tty.lock] TIOCPKT */
	u8 status;		/* [tty.lock] TIOCPKT_* to report */
	bool slave_closed;	/* [tty.lock] was open, is not any more */
	struct waitq master_wq; /* output, input room, status, slave closed */
};

struct pts_slot {
	struct chrdev cd; /* [I] */
	char name[16];	  /* [I] */
	struct list_head
		ptys; /* [pts_lock] of all homes, borrowed from masters */
};

static struct spinlock pts_lock = SPINLOCK_INIT("pts", RANK_DEV);
static struct pts_slot *slots[PTY_MAX]; /* [pts_lock] */

static struct mutex pts_mutex = MUTEX_INIT(pts_mutex);
static u32 nr_ptys; /* [pts_mutex] */

const struct pty_home_ops *pty_home;

static struct pty *pty_of(struct tty *t)
{
	return container_of(t, struct pty, tty);
}

static void wake_master(struct pty *p)
{
	wake_up_all_key(&p->master_wq, POLLIN | POLLOUT | POLLPRI | POLLHUP);
}

/* --- the slave as a tty */

static int slave_open(struct tty *t)
{
	tty_lock(t);
	pty_of(t)->slave_closed = false;
	tty_unlock(t);
	return 0;
}

static void slave_close(struct tty *t)
{
	tty_lock(t);
	pty_of(t)->slave_closed = true;
	tty_unlock(t);
	wake_master(pty_of(t));
}

static u8 status_of(u32 ev)
{
	u8 st = 0;

	if (ev & LD_FLUSH_RD)
		st |= TIOCPKT_FLUSHREAD;
	if (ev & LD_FLUSH_WR)
		st |= TIOCPKT_FLUSHWRITE;
	if (ev & LD_STOP)
		st |= TIOCPKT_STOP;
	if (ev & LD_START)
		st |= TIOCPKT_START;
	return st;
}

/* A later status takes the place of its opposite. */
static void add_status(struct pty *p, u8 st)
{
	if (st & (TIOCPKT_STOP | TIOCPKT_START))
		p->status &= (u8) ~(TIOCPKT_STOP | TIOCPKT_START);
	if (st & (TIOCPKT_DOSTOP | TIOCPKT_NOSTOP))
		p->status &= (u8) ~(TIOCPKT_DOSTOP | TIOCPKT_NOSTOP);
	p->status |= st;
}

static void slave_events(struct tty *t, u32 ev)
{
	struct pty *p = pty_of(t);

	ldisc_queue_xchar(&t->ld);
	(void)ldisc_take_events(&t->ld);
	if (p->packet)
		add_status(p, status_of(ev));
	if (p->status || (ev & (LD_TX | LD_IN_ROOM | LD_FLUSH_WR)))
		wake_master(p);
}

static bool standard_flow(const struct termios2 *m)
{
	return (m->c_iflag & IXON) && m->c_cc[VSTOP] == 023 &&
	       m->c_cc[VSTART] == 021;
}

static void slave_set_termios(struct tty *t, const struct termios2 *old)
{
	struct pty *p = pty_of(t);
	struct termios2 *m = &t->ld.t;
	bool ext = ((old->c_lflag | m->c_lflag) & EXTPROC) != 0;
	bool is_std = standard_flow(m);

	m->c_cflag = (m->c_cflag & ~(CSIZE | PARENB)) | CS8 | CREAD;
	if (!p->packet || (standard_flow(old) == is_std && !ext))
		return;
	add_status(p, is_std ? TIOCPKT_DOSTOP : TIOCPKT_NOSTOP);
	if (ext)
		add_status(p, TIOCPKT_IOCTL);
}

static void pty_free(struct tty *t)
{
	tty_destroy(t);
	kfree(pty_of(t));
}

static const struct tty_ops slave_ops = {
	.open = slave_open,
	.close = slave_close,
	.events = slave_events,
	.set_termios = slave_set_termios,
	.free = pty_free,
};

/* That of @home, or NULL; pts_lock or pts_mutex held. */
static struct pty *in_slot(const struct pts_slot *s, const void *home)
{
	struct pty *p;

	list_for_each_entry(p, &s->ptys, node)
		if (p->home == home)
			return p;
	return NULL;
}

static int pts_open(struct chrdev *cd, struct file *f)
{
	struct pts_slot *slot = cd->priv;
	void *home = pty_home->of_node(f);
	struct tty *t = NULL;
	struct pty *p;
	int err;

	spin_lock(&pts_lock);
	p = home ? in_slot(slot, home) : NULL;
	if (p)
		t = tty_get(&p->tty);
	spin_unlock(&pts_lock);
	if (!t)
		return -EIO;
	err = load_once(&pty_of(t)->locked) ? -EIO : tty_open_file(t, f, false);
	tty_put(t);
	return err;
}

/* --- slots; pts_mutex held */

static struct pts_slot *slot_make(u32 index)
{
	struct pts_slot *s = kzalloc(sizeof(*s));

	if (!s)
		return NULL;
	(void)snprintf(s->name, sizeof(s->name), "pts/%u", index);
	list_init(&s->ptys);
	s->cd = (struct chrdev){
		.name = s->name,
		.dev = MKDEV(PTS_MAJOR, index),
		.gid = TTY_GID,
		.fops = &tty_fops,
		.open = pts_open,
		.priv = s,
	};
	slots[index] = s;
	return s;
}

u32 pty_count(void)
{
	return load_once(&nr_ptys);
}

/* @p gets the lowest number that is free in its home: 0 or -errno. */
static int slot_take(struct pty *p)
{
	struct pts_slot *s;
	int err = 0;
	u32 i = 0;

	while (i < PTY_MAX && slots[i] && in_slot(slots[i], p->home))
		i++;
	if (i == PTY_MAX || nr_ptys == PTY_MAX)
		return -ENOSPC;
	s = slots[i] ? slots[i] : slot_make(i);
	if (!s)
		return -ENOMEM;
	if (list_empty(&s->ptys))
		err = chrdev_register(&s->cd);
	if (err)
		return err;
	p->index = i;
	nr_ptys++;
	spin_lock(&pts_lock);
	list_add_tail(&p->node, &s->ptys);
	spin_unlock(&pts_lock);
	return 0;
}

static void slot_give_back(struct pty *p)
{
	struct pts_slot *s = slots[p->index];

	spin_lock(&pts_lock);
	list_del(&p->node);
	spin_unlock(&pts_lock);
	nr_ptys--;
	if (list_empty(&s->ptys))
		chrdev_unregister(&s->cd);
}

static struct pty *pty_create(void)
{
	static const struct termios2 modes = TERMIOS_DEFAULT;
	struct pty *p = kzalloc(sizeof(*p));

	if (!p)
		return NULL;
	if (tty_init(&p->tty, "pts", 0, &slave_ops)) {
		kfree(p);
		return NULL;
	}
	p->tty.ld.t = modes;
	p->tty.ld.t.c_cflag &= ~HUPCL; /* there is no line to drop */
	p->tty.is_pty = true;
	p->locked = true;
	waitq_init(&p->master_wq);
	return p;
}

/* Give @p a number, and a name in its home. */
static int pty_publish(struct pty *p)
{
	int err;

	mutex_lock(&pts_mutex);
	err = slot_take(p);
	if (!err) {
		p->tty.dev = MKDEV(PTS_MAJOR, p->index);
		(void)snprintf(p->tty.name, sizeof(p->tty.name), "pts/%u",
			       p->index);
		err = pty_home->add(p->home, p->index, p->tty.dev);
		if (err)
			slot_give_back(p);
	}
	mutex_unlock(&pts_mutex);
	return err;
}

/* --- the master */

static bool master_readable(struct pty *p)
{
	bool yes;

	tty_lock(&p->tty);
	yes = p->status || ldisc_out_bytes(&p->tty.ld) || p->slave_closed;
	tty_unlock(&p->tty);
	return yes;
}

/* Up to @max bytes for the master, 0 when none; *@eof: nor will there be. */
static size_t master_take(struct pty *p, u8 *buf, size_t max, bool *eof)
{
	struct tty *t = &p->tty;
	size_t n = 0;

	tty_lock(t);
	if (p->packet && p->status) {
		buf[n++] = p->status;
		p->status = 0;
	} else if (!p->packet) {
		n = ldisc_take_output(&t->ld, buf, max);
	} else if (ldisc_out_bytes(&t->ld)) {
		buf[n++] = TIOCPKT_DATA;
		n += ldisc_take_output(&t->ld, buf + 1, max - 1);
	}
	*eof = p->slave_closed;
	tty_unlock(t);
	return n;
}

static s64 master_read(struct file *f, struct iov_iter *to, u64 *pos)
{
	struct pty *p = f->priv;
	u8 buf[TTY_CHUNK];
	s64 got = 0;

	(void)pos;
	while (iov_iter_count(to) > 0) {
		size_t max = min_t(size_t, sizeof(buf), iov_iter_count(to));
		bool eof;
		size_t n = master_take(p, buf, max, &eof), copied;
		int err;

		if (n) {
			copied = copy_to_iter(buf, n, to);
			got += (s64)copied;
			if (copied < n)
				return got ? got : -EFAULT;
			if (n < max || p->packet)
				return got;
			continue;
		}
		if (got)
			break;
		if (eof)
			return -EIO;
		if (load_once(&f->flags) & O_NONBLOCK)
			return -EAGAIN;
		err = wait_event_interruptible(&p->master_wq,
					       master_readable(p));
		if (err)
			return err;
	}
	return got;
}

static bool master_writable(struct pty *p)
{
	bool yes;

	tty_lock(&p->tty);
	yes = ldisc_room(&p->tty.ld) > 0;
	tty_unlock(&p->tty);
	return yes;
}

static size_t master_put(struct pty *p, struct file *f, const u8 *buf,
			 size_t len, int *err)
{
	size_t done = 0;

	*err = 0;
	for (;;) {
		tty_lock(&p->tty);
		done += ldisc_receive(&p->tty.ld, buf + done, len - done);
		tty_unlock(&p->tty);
		if (done == len)
			return done;
		if (load_once(&f->flags) & O_NONBLOCK)
			*err = -EAGAIN;
		else
			*err = wait_event_interruptible(&p->master_wq,
							master_writable(p));
		if (*err)
			return done;
	}
}

static s64 master_write(struct file *f, struct iov_iter *from, u64 *pos)
{
	u8 buf[TTY_CHUNK];
	s64 done = 0;

	(void)pos;
	while (iov_iter_count(from) > 0) {
		size_t len = min_t(size_t, sizeof(buf), iov_iter_count(from));
		size_t n = copy_from_iter(buf, len, from);
		int err;

		if (n == 0)
			return done ? done : -EFAULT;
		done += (s64)master_put(f->priv, f, buf, n, &err);
		if (err)
			return done ? done : err;
		if (n < len)
			break;
		cond_resched();
	}
	return done;
}

static u32 master_poll(struct file *f, struct poll_table *pt)
{
	struct pty *p = f->priv;
	u32 mask = 0;

	poll_wait(pt, f, &p->master_wq);
	tty_lock(&p->tty);
	if (p->status || ldisc_out_bytes(&p->tty.ld))
		mask |= POLLIN | POLLRDNORM;
	if (p->status)
		mask |= POLLPRI;
	if (ldisc_room(&p->tty.ld))
		mask |= POLLOUT | POLLWRNORM;
	if (p->slave_closed)
		mask |= POLLHUP;
	tty_unlock(&p->tty);
	return mask;
}

static s64 set_flag(struct pty *p, bool *flag, uaddr_t arg)
{
	u32 on;

	if (get_user_u32(&on, arg))
		return -EFAULT;
	tty_lock(&p->tty);
	if (flag == &p->packet && (on != 0) != p->packet)
		p->status = 0; /* without packets nobody could read it */
	store_once(flag, on != 0);
	tty_unlock(&p->tty);
	return 0;
}

/* The slave by its name, else (nobody gets there) without one. */
static struct file *slave_file(const struct file *master, u32 flags)
{
	struct pty *p = master->priv;
	struct file *f = pty_home->open(master, p->home, p->index, flags);

	if (f)
		return f;
	f = file_alloc(&tty_fops, flags, NULL);
	if (f && tty_open_file(&p->tty, f, false)) {
		file_put(f);
		f = NULL;
	}
	return f;
}

static s64 open_peer(const struct file *master, u64 flags)
{
	const struct pty *p = master->priv;
	struct file *f = NULL;

	if (!load_once(&p->locked))
		f = slave_file(master, (u32)flags | O_NOCTTY);
	if (!f)
		return -EIO;
	f->flags &= ~(u32)O_NOCTTY;
	return fd_open(f, (u32)flags);
}

static s64 signal_slave(struct pty *p, u64 sig)
{
	if (sig != SIGINT && sig != SIGQUIT && sig != SIGTSTP)
		return -EINVAL;
	tty_signal(&p->tty, (int)sig);
	return 0;
}

static s64 master_ioctl(struct file *f, unsigned int cmd, u64 arg)
{
	struct pty *p = f->priv;
	s64 ret;

	switch (cmd) {
	case TIOCGPTN:
		return put_user_u32(p->index, arg);
	case TIOCSPTLCK:
		return set_flag(p, &p->locked, arg);
	case TIOCGPTLCK:
		return put_user_u32(load_once(&p->locked), arg);
	case TIOCPKT:
		return set_flag(p, &p->packet, arg);
	case TIOCGPKT:
		return put_user_u32(load_once(&p->packet), arg);
	case TIOCGPTPEER:
		return open_peer(f, arg);
	case TIOCSIG:
		return signal_slave(p, arg);
	case FIONREAD:
		return put_user_u32(ldisc_out_bytes(&p->tty.ld), arg);
	case TIOCOUTQ:
		return put_user_u32(0, arg);
	case TIOCGDEV:
		return put_user_u32((u32)dev_encode(p->tty.dev), arg);
	case TCSBRK:
	case TCSBRKP:
		return 0;
	default:
		break;
	}
	ret = tty_job_ioctl(&p->tty, f, cmd, arg, true);
	if (ret == -ENOIOCTLCMD)
		ret = tty_common_ioctl(&p->tty, cmd, arg, true);
	return ret == -ENOIOCTLCMD ? -ENOTTY : ret;
}

static void master_release(struct file *f)
{
	struct pty *p = f->priv;

	if (!p)
		return;
	mutex_lock(&pts_mutex);
	pty_home->del(p->home, p->index);
	slot_give_back(p);
	mutex_unlock(&pts_mutex);
	pty_home->put(p->home);
	tty_lock(&p->tty);
	p->tty.gone = true;
	tty_unlock(&p->tty);
	tty_hangup(&p->tty);
	tty_put(&p->tty);
}

static size_t master_fdinfo(struct file *f, char *buf, size_t n)
{
	const struct pty *p = f->priv;

	return (size_t)scnprintf(buf, n, "tty-index:\t%u\n", p->index);
}

static const struct file_ops master_fops = {
	.sigio = true,
	.read = master_read,
	.write = master_write,
	.poll = master_poll,
	.fdinfo = master_fdinfo,
	.ioctl = master_ioctl,
	.release = master_release,
};

static int ptmx_open(struct chrdev *cd __unused, struct file *f)
{
	void *home = pty_home->find(f);
	struct pty *p;
	int err;

	if (IS_ERR(home))
		return (int)PTR_ERR(home);
	p = pty_create();
	if (p)
		p->home = home;
	err = p ? pty_publish(p) : -ENOMEM;
	if (err) {
		if (p)
			tty_put(&p->tty);
		pty_home->put(home);
		return err;
	}
	f->ops = &master_fops;
	f->priv = p;
	return 0;
}

static struct chrdev ptmx = {
	.name = "ptmx",
	.dev = PTMX_DEV,
	.mode = 0666,
	.gid = TTY_GID,
	.fops = &master_fops,
	.open = ptmx_open,
	.sys_class = "tty",
};

static int pty_init(void)
{
	return chrdev_register(&ptmx);
}
INITCALL(INIT_DRIVER, pty_init);
