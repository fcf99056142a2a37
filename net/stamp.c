/* SPDX-License-Identifier: MIT */
/*
 * net/stamp.c - when packets came and went: SO_TIMESTAMP and its like of socket(7),
 * SO_TIMESTAMPING, SIOCGSTAMP.
 *
 * Only those of software: the loopback has no clock.  What is told with what is received
 * is syscall/'s (sockmsg.c), what is told of what was sent txstamp.c's.
 */
#include <net/socket.h>

#include <kernel/mm/user.h>
#include <kernel/time/clock.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <net/inet.h>

/* Do packets that come need a time? */
static void settle(struct socket *s)
{
	store_once(&s->stamped,
		   s->stamp || s->stamp_asked ||
			   (s->stamping & SOF_TIMESTAMPING_RX_SOFTWARE));
}

void socket_set_stamp(struct socket *s, u8 opt)
{
	store_once(&s->stamp, opt);
	settle(s);
}

static bool is_tcp(const struct socket *s)
{
	return s->type == SOCK_STREAM && s->protocol == IPPROTO_TCP;
}

int socket_set_stamping(struct socket *s, u32 flags, bool new_form)
{
	if (flags & ~SOF_TIMESTAMPING_MASK)
		return -EINVAL;
	if ((flags & SOF_TIMESTAMPING_OPT_ID_TCP) &&
	    !(flags & SOF_TIMESTAMPING_OPT_ID))
		return -EINVAL;
	if ((flags & SOF_TIMESTAMPING_OPT_ID) &&
	    !(s->stamping & SOF_TIMESTAMPING_OPT_ID)) {
		if (is_tcp(s) &&
		    load_once(&to_inet(s)->state) != INET_CONNECTED)
			return -EINVAL;
		store_once(&s->stamp_key, 0);
	}
	if ((flags & SOF_TIMESTAMPING_OPT_STATS) &&
	    !(flags & SOF_TIMESTAMPING_OPT_TSONLY))
		return -EINVAL;
	store_once(&s->stamping_new, new_form);
	store_once(&s->stamping, flags);
	settle(s);
	return 0;
}

u32 socket_tx_stamps(const struct socket *s, const struct sock_msg *m)
{
	return (m->tx_stamps ?: load_once(&s->stamping)) &
	       SOF_TIMESTAMPING_TX_RECORD;
}

/* From the first such call on packets have a time. */
s64 socket_stamp_ioctl(struct socket *s, unsigned int cmd, u64 arg)
{
	bool nano = cmd == SIOCGSTAMPNS || cmd == SIOCGSTAMPNS_NEW;
	s64 at = load_once(&s->last_stamp), t[2];

	s->stamp_asked = true;
	settle(s);
	if (at < 0)
		return -ENOENT;
	if (!at) {
		at = (s64)clock_real_ns();
		store_once(&s->last_stamp, at);
	}
	t[0] = at / (s64)NSEC_PER_SEC;
	t[1] = at % (s64)NSEC_PER_SEC;
	if (!nano)
		t[1] /= (s64)NSEC_PER_USEC;
	return copy_to_user(arg, t, sizeof(t));
}
