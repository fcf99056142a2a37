/* SPDX-License-Identifier: MIT */
/*
 * tests/model/sleep_wake.pml - can the relay lose a wake-up?
 *
 * Two senders, each with a ring to one receiver (kernel/relay/ring.c, idle.c):
 *
 *	sender				receiver
 *	publish the message		again:
 *	full fence	(SLEEP)		clear SSIP
 *	if notify and			drain the rings
 *	   xchg(notify, 0)		notify = 1
 *		send an IPI		full fence	(SLEEP)
 *					look at the rings
 *					if empty: wfi until SSIP
 *					notify = 0
 *					goto again
 *
 * Memory: each hart has a store buffer that drains at any moment; a fence
 * waits until it is empty; the exchange acts on memory and does not wait for
 * the buffer.  RVWMO allows more than that, but only between accesses that the
 * model has too: each side is one store and then one load of another place,
 * and stores to one place stay in order.
 *
 * The IPI is one bit, as SSIP is: two of them that meet are one.  wfi ends
 * when the bit is set and not before, for what is asked is whether it can
 * sleep for ever: then the receiver is stuck with messages in the rings, and
 * spin reports an invalid end state.
 *
 * Broken on purpose, each must be found:
 *	-DNO_SENDER_FENCE	the sender looks at notify too early
 *	-DNO_RECEIVER_FENCE	the receiver looks at the rings too early
 *	-DNO_SECOND_LOOK	the receiver sleeps right after announcing
 *	-DCLEAR_AFTER_DRAIN	SSIP is cleared after the last look, so the IPI
 *				of a message that came behind it is lost
 * Harmless, and must pass:
 *	-DCLEAR_BEFORE_ANNOUNCE	SSIP is cleared between drain and announcement:
 *				the second look finds what came meanwhile.
 */
#define NR_SENDERS 2
#define MSGS	   2 /* of each sender */

/* Memory. */
byte published[NR_SENDERS]; /* messages in ring i, ever */
bit notify;
bit ssip;

/* Store buffers.  The values of one hart's buffer are all for one place. */
chan sender_buf[NR_SENDERS] = [MSGS] of { byte };
chan receiver_buf = [3] of { bit };

byte taken[NR_SENDERS]; /* by the receiver, private */

inline fence_sender(i)
{
	empty(sender_buf[i])
}

inline fence_receiver()
{
	empty(receiver_buf)
}

proctype drain_sender(byte i)
{
	byte v;
end:
	do
	:: atomic { sender_buf[i] ? v -> published[i] = v }
	od
}

proctype drain_receiver()
{
	bit v;
end:
	do
	:: atomic { receiver_buf ? v -> notify = v }
	od
}

proctype sender(byte i)
{
	byte n = 0;
	bit was;

	do
	:: n == MSGS -> break
	:: else ->
		n++;
		sender_buf[i] ! n; /* MSG */
#ifndef NO_SENDER_FENCE
		fence_sender(i);
#endif
		was = notify;
		if
		:: was ->
			atomic { was = notify; notify = 0 } /* exchange */
			if
			:: was -> ssip = 1
			:: else
			fi
		:: else
		fi
	od
}

/* Take what is there; each ring is looked at once. */
inline drain()
{
	taken[0] = published[0];
	taken[1] = published[1]
}

#define all_taken (taken[0] == MSGS && taken[1] == MSGS)

proctype receiver()
{
	bit empty_seen;

	do
	:: all_taken -> break
	:: else ->
#if !defined(CLEAR_AFTER_DRAIN) && !defined(CLEAR_BEFORE_ANNOUNCE)
		ssip = 0;
#endif
		drain();
#ifdef CLEAR_BEFORE_ANNOUNCE
		ssip = 0;
#endif
		receiver_buf ! 1; /* announce */
#ifndef NO_RECEIVER_FENCE
		fence_receiver();
#endif
		empty_seen = (published[0] == taken[0]);
		empty_seen = empty_seen && (published[1] == taken[1]);
#ifdef NO_SECOND_LOOK
		empty_seen = 1;
#endif
#ifdef CLEAR_AFTER_DRAIN
		ssip = 0;
#endif
		if
		:: empty_seen && !all_taken -> (ssip == 1) /* wfi */
		:: else
		fi;
		receiver_buf ! 0
	od
}

init {
	atomic {
		run drain_sender(0);
		run drain_sender(1);
		run drain_receiver();
		run sender(0);
		run sender(1);
		run receiver()
	}
}
