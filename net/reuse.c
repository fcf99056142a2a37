/* SPDX-License-Identifier: MIT */
/*
 * net/reuse.c - SO_ATTACH_REUSEPORT_CBPF: a program chooses among sockets that share a port.
 *
 * A program is the group's: whoever joins has it, whoever sets another one sets it for all.
 * Sockets are numbered in the order in which they were bound; when one leaves, the last one
 * takes its number.  What the program sees of a datagram begins behind the header of UDP; of a
 * connection there is nothing to see.
 *
 * Locking: inet_lock.
 */
#include <net/ip.h>

#include <kernel/mm/kmalloc.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <net/filter.h>

struct inet_chooser {
	u32 refs;	       /* [inet_lock] sockets that have it */
	struct sock_filter *f; /* [I] owned */
};

/* Dropped at last by the caller, without the lock: NULL if others have it still. */
static struct inet_chooser *leave(struct inet_sock *is)
{
	struct inet_chooser *c = is->chooser;

	is->chooser = NULL;
	return c && --c->refs == 0 ? c : NULL;
}

static void chooser_free(struct inet_chooser *c)
{
	if (c)
		kfree(c->f);
	kfree(c);
}

static void take(struct inet_sock *is, struct inet_chooser *c)
{
	is->chooser = c;
	if (c)
		c->refs++;
}

struct change {
	struct inet_sock *is;
	struct inet_chooser *c;	      /* in the place of what they have */
	struct inet_chooser *garbage; /* what was, if nobody has it any more */
	bool had;
};

static void change(struct inet_sock *o, void *arg)
{
	struct change *ch = arg;
	struct inet_chooser *was;

	if (o != ch->is && !inet_same_group(o, ch->is))
		return;
	ch->had |= o->chooser != NULL;
	was = leave(o);
	if (was)
		ch->garbage = was; /* a group has one */
	take(o, ch->c);
}

/* Takes @f, or NULL: none from now on. */
static int set_chooser(struct inet_sock *is, struct sock_filter *f)
{
	struct change ch = { .is = is };
	int err = 0;

	if (f) {
		ch.c = kzalloc(sizeof(*ch.c));
		if (!ch.c) {
			kfree(f);
			return -ENOMEM;
		}
		ch.c->f = f;
	}
	spin_lock(&inet_lock);
	if (!is->s.reuseport)
		err = -EINVAL;
	else if (is->bound)
		inet_for_port_locked(is->s.net, is->local.port, change, &ch);
	else
		change(is, &ch);
	if (!err && !f && !ch.had)
		err = -ENOENT;
	spin_unlock(&inet_lock);
	chooser_free(ch.garbage);
	if (err)
		chooser_free(ch.c);
	return err;
}

int inet_set_chooser(struct socket *s, struct sock_filter *f)
{
	int err = f ? cbpf_check_packet(f->insns, f->len) : 0;

	if (!err && ((s->family != AF_INET && s->family != AF_INET6) ||
		     s->type == SOCK_RAW))
		err = -EINVAL;
	if (!err)
		return set_chooser(to_inet(s), f);
	kfree(f);
	return err;
}

void inet_join_group_locked(struct inet_sock *is, struct inet_sock *with)
{
	/* what @is had before it was bound is nobody else's */
	struct inet_chooser *was = leave(is);

	take(is, with->chooser);
	chooser_free(was);
}

void inet_leave_group_locked(struct inet_sock *is)
{
	chooser_free(leave(is));
}

u32 inet_choose_locked(const struct inet_sock *is, const struct inet_buf *b)
{
	u8 h[PACKET_HEADERS];
	u32 n = b ? ip_packet_headers(false, is->proto, b, h) : 0;
	struct cbpf_packet p = {
		.part[0] = { h, n },
		.part[2] = { b ? b->data : NULL, b ? b->len : 0 },
		.start = n,
		.net = n ? ETHER_HEADER : 0,
		.protocol = n ? get_be16(h + 12) : 0,
	};

	sock_filter_fill(&is->s, &p);
	return cbpf_run_packet(is->chooser->f->insns, &p);
}
