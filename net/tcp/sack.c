/* SPDX-License-Identifier: MIT */
/*
 * net/tcp/sack.c - what the peer has of what was sent: the scoreboard [RFC 2018, 6675].
 *
 * Without selective acknowledgements each duplicate one stands for a full segment that has
 * left the network [RFC 6582], and only the first segment is taken for lost.
 */
#include <net/tcp/tcp.h>

#include <lib/string.h>

#define DUP_THRESH 3u

static void remove_range(struct tcb *t, u32 i)
{
	t->nr_sacks--;
	memmove(&t->sacks[i], &t->sacks[i + 1],
		(t->nr_sacks - i) * sizeof(t->sacks[0]));
}

/* Is there something in it that was not known? */
static bool add_range(struct tcb *t, u32 from, u32 to)
{
	u32 i = 0;

	while (i < t->nr_sacks && seq_lt(t->sacks[i].to, from))
		i++;
	if (i < t->nr_sacks && seq_le(t->sacks[i].from, from) &&
	    seq_le(to, t->sacks[i].to))
		return false;
	while (i < t->nr_sacks && seq_le(t->sacks[i].from, to)) {
		from = seq_min(from, t->sacks[i].from);
		to = seq_max(to, t->sacks[i].to);
		remove_range(t, i);
	}
	if (t->nr_sacks == TCP_SACKS_KEPT) { /* forget: it is sent again */
		if (i == 0)
			return false;
		remove_range(t, 0);
		i--;
	}
	memmove(&t->sacks[i + 1], &t->sacks[i],
		(t->nr_sacks - i) * sizeof(t->sacks[0]));
	t->sacks[i] = (struct tcp_range){ from, to };
	t->nr_sacks++;
	return true;
}

/* True: it tells of something new. */
bool tcb_sack_update(struct tcb *t, const struct tcp_seg *s)
{
	u32 una = seq_max(t->snd_una, s->ack);
	bool news = false;

	if (!t->sack_on)
		return false;
	for (u32 i = 0; i < s->nr_sacks; i++) {
		u32 from = s->sacks[i].from, to = s->sacks[i].to;

		if (!seq_lt(from, to) || !seq_lt(una, from) ||
		    seq_lt(t->snd_max, to))
			continue;
		news |= add_range(t, from, to);
	}
	return news;
}

/* snd_una has moved. */
void tcb_sack_advance(struct tcb *t)
{
	while (t->nr_sacks && seq_le(t->sacks[0].to, t->snd_una))
		remove_range(t, 0);
	/* it begins where it was acknowledged to: the peer has forgotten, or not
	 * yet told */
	if (t->nr_sacks && seq_le(t->sacks[0].from, t->snd_una))
		remove_range(t, 0);
}

static u32 sacked_between(const struct tcb *t, u32 from, u32 to)
{
	u32 sum = 0;

	for (u32 i = 0; i < t->nr_sacks; i++) {
		u32 a = seq_max(from, t->sacks[i].from);
		u32 b = seq_min(to, t->sacks[i].to);

		if (seq_lt(a, b))
			sum += b - a;
	}
	return sum;
}

u32 tcb_sacked_bytes(const struct tcb *t)
{
	return sacked_between(t, t->snd_una, t->snd_max);
}

/* Everything in front of it that the peer has not got is lost. */
static u32 lost_edge(const struct tcb *t)
{
	u32 edge = t->snd_una, bytes = 0, first;

	for (u32 i = t->nr_sacks; i-- > 0;) {
		bytes += t->sacks[i].to - t->sacks[i].from;
		if (t->nr_sacks - i >= DUP_THRESH ||
		    bytes > (DUP_THRESH - 1) * t->mss) {
			edge = t->sacks[i].from;
			break;
		}
	}
	/* what was sent last has come, two round trips after all the others went */
	if (t->tlp_out && t->nr_sacks &&
	    t->sacks[t->nr_sacks - 1].to == t->tlp_end)
		edge = t->sacks[t->nr_sacks - 1].from;
	if (!t->recovery)
		return edge;
	first = seq_min(t->snd_una + t->mss, t->snd_max);
	if (t->nr_sacks)
		first = seq_min(first, t->sacks[0].from);
	return seq_max(edge, first);
}

bool tcb_is_lost(const struct tcb *t)
{
	return t->dupacks >= DUP_THRESH || seq_lt(t->snd_una, lost_edge(t));
}

void tcb_skip_sacked(const struct tcb *t, struct tcp_range *r)
{
	for (u32 i = 0; i < t->nr_sacks; i++) {
		if (seq_le(t->sacks[i].to, r->from))
			continue;
		if (seq_lt(r->from, t->sacks[i].from)) {
			r->to = seq_min(r->to, t->sacks[i].from);
			return;
		}
		r->from = t->sacks[i].to;
		r->to = seq_max(r->to, r->from);
	}
}

bool tcb_next_hole(const struct tcb *t, struct tcp_range *hole)
{
	u32 edge = lost_edge(t);

	hole->from = seq_max(t->snd_una, t->high_rxt);
	hole->to = edge;
	if (!seq_lt(hole->from, edge))
		return false;
	tcb_skip_sacked(t, hole);
	return seq_lt(hole->from, edge) && seq_lt(hole->from, hole->to);
}

u32 tcb_pipe(const struct tcb *t)
{
	u32 out = t->snd_nxt - t->snd_una, gone, lost, from, edge;

	if (!t->nr_sacks && !t->dupacks && !t->recovery)
		return out;
	gone = t->sack_on ? sacked_between(t, t->snd_una, t->snd_nxt)
			  : t->dupacks * t->mss;
	if (t->recovery) {
		edge = seq_min(lost_edge(t), t->snd_nxt);
		from = seq_max(t->snd_una, t->high_rxt);
		lost = seq_lt(from, edge)
			       ? edge - from - sacked_between(t, from, edge)
			       : 0;
		gone += lost;
	}
	return out > gone ? out - gone : 0;
}
