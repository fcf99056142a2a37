/* SPDX-License-Identifier: MIT */
/*
 * syscall/poll.c - ppoll(2) and pselect6(2).
 *
 * Both look at all files, suspend until one of them has something, and look again.
 * A file that is closed meanwhile by another thread stays open for the wait.
 */
#include <syscall/syscall.h>
#include <syscall/timeout.h>

#include <kernel/file/poll.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/user.h>
#include <kernel/time/clock.h>
#include <lib/bitmap.h>

struct pollfd {
	s32 fd;
	s16 events;
	s16 revents;
};

#define NR_INLINE 24
#define POLL_MAX  (256u * 1024u)

/* Run @look until it finds something, the deadline passes or a signal comes. */
typedef int look_fn(void *set, struct poll_waits *w);

static int poll_loop(look_fn *look, void *set, u64 deadline)
{
	struct poll_waits w;
	int n, r = 0;

	poll_init(&w);
	if (!deadline)
		poll_queued(&w); /* just a look */
	for (;;) {
		poll_arm(&w);
		n = look(set, &w);
		if (n || r || !deadline)
			break;
		if (w.err) {
			r = w.err;
			break;
		}
		poll_queued(&w);
		r = poll_suspend(&w, deadline);
	}
	poll_end(&w);
	if (n)
		return n;
	return r == -ETIMEDOUT ? 0 : r == -ERESTARTSYS ? -ERESTARTNOHAND : r;
}

/* --- ppoll */

struct poll_set {
	struct pollfd *fds;
	u32 nr;
};

static u32 look_fd(struct pollfd *p, struct poll_waits *w)
{
	u32 want = (u16)p->events | POLLERR | POLLHUP, got;
	struct fdref r;

	if (p->fd < 0)
		return 0;
	r = fd_ref(p->fd);
	if (!r.f)
		return POLLNVAL;
	got = file_poll(r.f, poll_queue(w, want)) & want;
	fd_unref(r);
	return got;
}

static int look_fds(void *arg, struct poll_waits *w)
{
	struct poll_set *s = arg;
	int ready = 0;

	for (u32 i = 0; i < s->nr; i++) {
		s->fds[i].revents = (s16)look_fd(&s->fds[i], w);
		if (s->fds[i].revents) {
			ready++;
			poll_queued(w); /* no need to wait for the others */
		}
	}
	return ready;
}

static int write_revents(uaddr_t ufds, const struct poll_set *s)
{
	/* The whole array, as it was read: one copy. */
	return copy_to_user(ufds, s->fds, s->nr * sizeof(*s->fds));
}

static s64 poll_fds(uaddr_t ufds, u32 nr, u64 deadline)
{
	struct pollfd inl[NR_INLINE];
	struct poll_set s = { .fds = inl, .nr = nr };
	s64 r = -EFAULT;

	if (nr > NR_INLINE) {
		s.fds = kmalloc(nr * sizeof(*s.fds));
		if (!s.fds)
			return -ENOMEM;
	}
	if (!copy_from_user(s.fds, ufds, nr * sizeof(*s.fds))) {
		r = poll_loop(look_fds, &s, deadline);
		if (r >= 0 && write_revents(ufds, &s))
			r = -EFAULT;
	}
	if (s.fds != inl)
		kfree(s.fds);
	return r;
}

SYSCALL5(73, ppoll, uaddr_t, ufds, u32, nr, uaddr_t, uts, uaddr_t, uset, size_t,
	 size)
{
	u64 deadline;
	s64 r = timeout_read(uts, &deadline);

	if (!r && nr > min_t(u64, rlimit_cur(RLIMIT_NOFILE), POLL_MAX))
		r = -EINVAL;
	if (!r)
		r = sigmask_enter(uset, size);
	if (r)
		return r;
	r = poll_fds(ufds, nr, deadline);
	timeout_write_left(uts, deadline);
	sigmask_leave(r);
	return r;
}

/* --- pselect6 */

enum {
	SEL_IN,
	SEL_OUT,
	SEL_EX,
	NR_SEL
};

#define SEL_IN_SET  (POLLRDNORM | POLLRDBAND | POLLIN | POLLHUP | POLLERR)
#define SEL_OUT_SET (POLLWRBAND | POLLWRNORM | POLLOUT | POLLERR)
#define SEL_EX_SET  POLLPRI

static const u32 sel_bits[NR_SEL] = { SEL_IN_SET, SEL_OUT_SET, SEL_EX_SET };

/* What is asked of a file that is in the sets @wanted. */
static u32 sel_events(u32 wanted)
{
	return (wanted & BIT(SEL_IN) ? SEL_IN_SET : 0) |
	       (wanted & BIT(SEL_OUT) ? SEL_OUT_SET : 0) |
	       (wanted & BIT(SEL_EX) ? SEL_EX_SET : 0);
}

#define SEL_WORDS_INLINE 4 /* 256 descriptors */

struct select_set {
	u32 nr;	   /* descriptors */
	u32 words; /* per set */
	u64 *in[NR_SEL], *out[NR_SEL];
};

/* Ready sets of @fd, or -EBADF. */
static int select_fd(struct select_set *s, u32 fd, u32 wanted,
		     struct poll_waits *w)
{
	struct fdref r = fd_ref((int)fd);
	u32 events = sel_events(wanted), got;
	int ready = 0;

	if (!r.f)
		return -EBADF;
	got = file_poll(r.f, poll_queue(w, events)) & events;
	fd_unref(r);
	if (!got)
		return 0;
	for (u32 k = 0; k < NR_SEL; k++) {
		if ((wanted & BIT(k)) && (got & sel_bits[k])) {
			s->out[k][fd / 64] |= 1ull << (fd % 64);
			ready++;
		}
	}
	return ready;
}

static int look_word(struct select_set *s, u32 word, struct poll_waits *w)
{
	u64 in = s->in[SEL_IN][word], out = s->in[SEL_OUT][word];
	u64 ex = s->in[SEL_EX][word], any = in | out | ex;
	int ready = 0;

	while (any) {
		u32 bit = ctz64(any), wanted;
		int r;

		any &= any - 1;
		if (word * 64 + bit >= s->nr)
			break;
		wanted = (u32)(in >> bit & 1) << SEL_IN |
			 (u32)(out >> bit & 1) << SEL_OUT |
			 (u32)(ex >> bit & 1) << SEL_EX;
		r = select_fd(s, word * 64 + bit, wanted, w);
		if (r < 0)
			return r;
		ready += r;
		if (ready)
			poll_queued(w);
	}
	return ready;
}

static int look_sets(void *arg, struct poll_waits *w)
{
	struct select_set *s = arg;
	int ready = 0;

	for (u32 word = 0; word < s->words; word++) {
		int r = look_word(s, word, w);

		if (r < 0)
			return r;
		ready += r;
	}
	return ready;
}

static int read_sets(struct select_set *s, const uaddr_t *usets)
{
	for (u32 k = 0; k < NR_SEL; k++) {
		if (usets[k] &&
		    copy_from_user(s->in[k], usets[k], s->words * 8))
			return -EFAULT;
	}
	return 0;
}

static int write_sets(const struct select_set *s, const uaddr_t *usets)
{
	for (u32 k = 0; k < NR_SEL; k++) {
		if (usets[k] && copy_to_user(usets[k], s->out[k], s->words * 8))
			return -EFAULT;
	}
	return 0;
}

static s64 do_select(u32 nr, const uaddr_t *usets, u64 deadline)
{
	u64 inl[2 * NR_SEL * SEL_WORDS_INLINE] = { 0 };
	struct select_set s = { .nr = nr, .words = DIV_ROUND_UP(nr, 64) };
	u64 *mem = inl;
	s64 r;

	if (s.words > SEL_WORDS_INLINE) {
		mem = kcalloc(2 * NR_SEL * s.words, 8);
		if (!mem)
			return -ENOMEM;
	}
	for (u32 k = 0; k < NR_SEL; k++) {
		s.in[k] = mem + k * s.words;
		s.out[k] = mem + (NR_SEL + k) * s.words;
	}
	r = read_sets(&s, usets);
	if (!r)
		r = poll_loop(look_sets, &s, deadline);
	if (r >= 0 && write_sets(&s, usets))
		r = -EFAULT;
	if (mem != inl)
		kfree(mem);
	return r;
}

SYSCALL6(72, pselect6, int, nr, uaddr_t, uin, uaddr_t, uout, uaddr_t, uex,
	 uaddr_t, uts, uaddr_t, umask)
{
	const uaddr_t usets[NR_SEL] = { uin, uout, uex };
	u64 deadline, mask[2] = { 0, 0 };
	s64 r = timeout_read(uts, &deadline);

	if (!r && nr < 0)
		r = -EINVAL;
	if (!r && umask && copy_from_user(mask, umask, sizeof(mask)))
		r = -EFAULT;
	if (!r)
		r = sigmask_enter(mask[0], mask[1]);
	if (r)
		return r;
	r = do_select(min((u32)nr, POLL_MAX), usets, deadline);
	timeout_write_left(uts, deadline);
	sigmask_leave(r);
	return r;
}
