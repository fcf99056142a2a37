/* SPDX-License-Identifier: MIT */
/*
 * net/tcp/rcv.c - data that comes: in order to the reader, the rest into ofo until it is its
 * turn; the window that is told; when to acknowledge [RFC 9293 3.8.6, RFC 1122 4.2.3.2].
 */
#include <net/tcp/tcp.h>

#include <kernel/mm/kmalloc.h>
#include <kernel/time/clock.h>
#include <lib/string.h>

#define DELACK	   (40 * NSEC_PER_MSEC)
#define RCVBUF_MAX (6u << 20)
#define DRS_MIN	   (10 * NSEC_PER_MSEC)
#define PIECE_MIN \
	512u /* counts for a piece of ofo at least: single bytes are dear */

/* --- the window */

/* What could be told, if nothing had been before. */
static u32 fresh_window(const struct tcb *t)
{
	u32 most, space = tcb_up_space(t, &most), top;

	if (t->conf.window_clamp)
		space = min(space, t->conf.window_clamp);
	top = tcb_synchronized(t) ? 0xffffu << t->rcv_ws : 0xffffu;
	space = min(space, top);
	if (space < min(most / 2, t->rcv_mss)) /* not in silly pieces */
		return 0;
	return space;
}

u32 tcb_window(struct tcb *t)
{
	u32 unit = tcb_synchronized(t) ? 1u << t->rcv_ws : 1;
	u32 now = seq_lt(t->rcv_nxt, t->rcv_adv) ? t->rcv_adv - t->rcv_nxt : 0;
	u32 wnd = ALIGN_DOWN(fresh_window(t), unit);

	if (wnd < now)
		wnd = ALIGN_UP(now, unit);
	wnd = min(wnd, tcb_synchronized(t) ? 0xffffu << t->rcv_ws : 0xffffu);
	t->rcv_adv = seq_max(t->rcv_adv, t->rcv_nxt + wnd);
	return wnd;
}

bool tcb_window_grew(const struct tcb *t)
{
	u32 now = seq_lt(t->rcv_nxt, t->rcv_adv) ? t->rcv_adv - t->rcv_nxt : 0;
	u32 fresh = fresh_window(t);

	return fresh && fresh >= 2 * now;
}

/* A reader that takes what comes in a round trip gets a queue for twice as much. */
static void fit_queue(struct tcb *t, u32 n)
{
	u64 now = clock_mono_ns(), trip = max(t->srtt, DRS_MIN);
	u32 most;

	t->read_bytes += n;
	if (!t->drs_at)
		t->drs_at = now;
	if (now - t->drs_at < trip)
		return;
	(void)tcb_up_space(t, &most);
	if (t->read_bytes * 2 > most && most < RCVBUF_MAX)
		tcb_up_grow_rcv(t,
				(u32)min(t->read_bytes * 2, (u64)RCVBUF_MAX));
	t->read_bytes = 0;
	t->drs_at = now;
}

void tcb_read_done(struct tcb *t, u32 n)
{
	if (!tcb_synchronized(t) || t->state == TCP_TIME_WAIT)
		return;
	fit_queue(t, n);
	if (t->fin_rcvd || !tcb_window_grew(t))
		return;
	tcb_send_ack(t);
	tcb_up_deadline(t);
}

/* --- what came too early */

void tcb_drop_ofo(struct tcb *t)
{
	while (!list_empty(&t->ofo)) {
		struct tcp_ofo *o =
			list_first_entry(&t->ofo, struct tcp_ofo, node);

		list_del(&o->node);
		kfree(o);
	}
	t->ofo_cost = 0;
}

/* Of a piece with @len bytes. */
static u32 cost_of(u32 len)
{
	return max((u32)sizeof(struct tcp_ofo) + len, PIECE_MIN);
}

static void drop_piece(struct tcb *t, struct tcp_ofo *o)
{
	t->ofo_cost -= cost_of(o->len);
	list_del(&o->node);
	kfree(o);
}

/* Bytes in front of @from, in the piece @o of them, that are not there yet. */
static struct tcp_ofo *new_piece(u32 seq, const u8 *data, u32 len)
{
	struct tcp_ofo *o = kmalloc(sizeof(*o) + len);

	if (!o)
		return NULL;
	*o = (struct tcp_ofo){ .seq = seq, .len = len };
	memcpy(o->data, data, len);
	list_init(&o->node);
	return o;
}

static u32 first_of(const struct tcp_ofo *o)
{
	return o->seq + o->off;
}

static u32 end_of(const struct tcp_ofo *o)
{
	return o->seq + o->len;
}

/* The place of what begins at @seq: in front of what is returned, a piece or the head. */
static struct list_head *place_of(struct tcb *t, u32 seq)
{
	struct list_head *at = &t->ofo;

	while (at->prev != &t->ofo &&
	       seq_lt(seq,
		      first_of(list_entry(at->prev, struct tcp_ofo, node))))
		at = at->prev;
	return at;
}

/* Pieces from @at on that [@seq, @end) covers go; one that goes beyond is kept, and the
 * new one ends in front of it. */
static u32 cut_behind(struct tcb *t, struct list_head *at, u32 end)
{
	while (at != &t->ofo) {
		struct tcp_ofo *o = list_entry(at, struct tcp_ofo, node);

		if (!seq_lt(first_of(o), end))
			return end;
		if (seq_lt(end, end_of(o)))
			return first_of(o);
		at = at->next;
		drop_piece(t, o);
	}
	return end;
}

static void insert_ofo(struct tcb *t, const struct tcp_seg *s)
{
	struct list_head *at = place_of(t, s->seq);
	u32 from = s->seq, end = s->seq + s->len, most;
	struct tcp_ofo *o;

	if (at->prev != &t->ofo) {
		o = list_entry(at->prev, struct tcp_ofo, node);
		from = seq_max(from, end_of(o));
	}
	t->last_ofo = s->seq;
	if (!seq_lt(from, end))
		return;
	end = cut_behind(t, at, end);
	(void)tcb_up_space(t, &most);
	if (!seq_lt(from, end) || t->ofo_cost + cost_of(end - from) > most)
		return;
	/* cut_behind() has taken pieces away behind the place */
	at = place_of(t, from);
	o = new_piece(from, s->data + (from - s->seq), end - from);
	if (!o)
		return;
	list_add_tail(&o->node, at);
	t->ofo_cost += cost_of(o->len);
	t->ofo_segs++;
}

/* Ranges of ofo, the newest first [RFC 2018 4]. */
u32 tcb_sacks_told(const struct tcb *t, struct tcp_range out[TCP_SACKS_TOLD])
{
	struct tcp_range r = { 0, 0 };
	const struct tcp_ofo *o;
	bool newest = false;
	u32 n = 1; /* out[0] is for the newest */

	if (list_empty(&t->ofo))
		return 0;
	list_for_each_entry(o, &t->ofo, node) {
		bool last = o->node.next == &t->ofo;

		if (r.from == r.to)
			r.from = first_of(o);
		r.to = end_of(o);
		if (!last && first_of(list_next_entry(o, node)) == r.to)
			continue;
		if (!newest && seq_le(r.from, t->last_ofo) &&
		    seq_lt(t->last_ofo, r.to)) {
			out[0] = r;
			newest = true;
		} else if (n < TCP_SACKS_TOLD) {
			out[n++] = r;
		}
		r.from = r.to;
	}
	if (newest)
		return n;
	memmove(&out[0], &out[1], (n - 1) * sizeof(out[0]));
	return n - 1;
}

/* --- in order */

static bool deliver(struct tcb *t, const u8 *data, u32 len, struct netbuf **b)
{
	if (len && tcb_up_data(t, data, len, b))
		return false; /* no memory: it comes again */
	t->rcv_nxt += len;
	t->bytes_received += len;
	if (len && t->urgent_in && seq_lt(t->rcv_up, t->rcv_nxt)) {
		t->urgent_in = false;
		tcb_up_urgent(t, true);
	}
	return true;
}

/* Up to the urgent byte in one go: who is told of it finds it last. */
static bool deliver_parts(struct tcb *t, const u8 *data, u32 len,
			  struct netbuf **b)
{
	u32 n;

	if (t->urgent_in && seq_le(t->rcv_nxt, t->rcv_up) &&
	    t->rcv_up - t->rcv_nxt + 1 < len) {
		n = t->rcv_up - t->rcv_nxt + 1;
		if (!deliver(t, data, n, NULL))
			return false;
		data += n;
		len -= n;
	}
	return deliver(t, data, len, b);
}

static void pull_ofo(struct tcb *t)
{
	struct tcp_ofo *o;

	while (!list_empty(&t->ofo)) {
		o = list_first_entry(&t->ofo, struct tcp_ofo, node);
		if (seq_lt(t->rcv_nxt, first_of(o)))
			return;
		if (seq_lt(first_of(o), t->rcv_nxt))
			o->off = min(t->rcv_nxt - o->seq, o->len);
		if (!deliver_parts(t, o->data + o->off, o->len - o->off, NULL))
			return;
		drop_piece(t, o);
	}
}

static void take_fin(struct tcb *t)
{
	t->rcv_nxt++;
	t->fin_rcvd = true;
	t->ack_now = true;
	tcb_drop_ofo(t);
	tcb_up_fin(t);
	if (t->state == TCP_ESTABLISHED)
		tcb_set_state(t, TCP_CLOSE_WAIT);
	else if (t->state == TCP_FIN_WAIT1)
		tcb_set_state(t, TCP_CLOSING);
	else if (t->state == TCP_FIN_WAIT2)
		tcb_enter_time_wait(t);
}

/* --- when to acknowledge */

static void schedule_ack(struct tcb *t, u32 len)
{
	t->unacked += len;
	if (len > t->rcv_mss)
		t->rcv_mss = min(len, t->mss + 12);
	if (t->conf.no_quickack)
		t->quick = 0;
	if (t->quick) {
		t->quick--;
		t->ack_now = true;
	} else if (t->unacked > t->rcv_mss) {
		t->ack_now = true;
	} else if (!t->timers[TT_DELACK]) {
		tcb_arm(t, TT_DELACK, clock_mono_ns() + DELACK);
	}
}

/* Cut away what was there before, and what there is no window for. */
static void trim(struct tcb *t, struct tcp_seg *s)
{
	u32 n, room;

	if (seq_lt(s->seq, t->rcv_nxt)) {
		n = min(t->rcv_nxt - s->seq, s->len);
		t->ack_now = true;
		s->data += n;
		s->len -= n;
		s->seq += n;
	}
	room = seq_lt(s->seq, t->rcv_adv) ? t->rcv_adv - s->seq : 0;
	if (s->len > room) {
		s->len = room;
		s->flags &= (u8)~TCP_FIN;
		t->ack_now = true;
	}
}

void tcb_receive(struct tcb *t, struct tcp_seg *s)
{
	u32 before = t->rcv_nxt;

	trim(t, s);
	if ((s->flags & TCP_FIN) && seq_le(t->rcv_nxt, s->seq + s->len)) {
		t->fin_early = true;
		t->fin_seq = s->seq + s->len;
	}
	if (s->len && s->seq == t->rcv_nxt) {
		if (!deliver_parts(t, s->data, s->len, &s->b))
			return;
		if (!list_empty(&t->ofo)) {
			t->ack_now = true;
			pull_ofo(t);
		}
		schedule_ack(t, t->rcv_nxt - before);
	} else if (s->len) {
		insert_ofo(t, s);
		t->ack_now = true;
	} else if (t->fin_early && t->fin_seq != t->rcv_nxt) {
		t->ack_now = true;
	}
	if (t->fin_early && t->fin_seq == t->rcv_nxt && !t->fin_rcvd)
		take_fin(t);
}
