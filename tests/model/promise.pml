/* SPDX-License-Identifier: MIT */
/*
 * tests/model/promise.pml - may an application hart run user code unannounced?
 *
 * One application hart A with two threads, one service hart S (kernel/relay/
 * plain.h, ring.c, user.c).  A thread makes calls; S completes them in any order
 * and at any later time, as calls that wait do.  While A runs one thread's user
 * code the other's completion must interrupt it, and A pays for that by announcing
 * (notify, SLEEP) only when S has not promised to interrupt anyway:
 *
 *	S, on a request of A	last = its thread, promised = 0
 *	S, on completing t	promised:	promised = 0, send, IPI
 *				last == t:	promised = 1, send with P
 *				else:		send
 *				(not promised: fence, IPI if notify)
 *	A, on posting t		last_posted = t, believes = 0
 *	A, on a completion of t	believes = P && last_posted == t
 *	A, entering user mode	if the other is away: go when believes and the ring
 *				is empty, or when notify is 1; else announce
 *
 * Memory: store buffers for what A stores to notify and what S publishes, as in
 * sleep_wake.pml.  The IPI is one bit and is seen some time after it was sent.
 *
 * What is asked: A in user mode with a completion in its ring, no IPI on its way
 * and S done with it, is a lost wake-up, for user code may run for ever.
 *
 * Broken on purpose, each must be found:
 *	-DNO_LAST_POSTED	A believes whatever P says
 *	-DNO_LOOK		A does not look at the ring before it goes
 *	-DNO_KEEP		S does not keep its promise
 * Harmless, and must pass:
 *	-DNO_LAST		S promises with every completion: more IPIs
 */
#define NR    2
#define CALLS 2 /* of each thread */

#define NONE 9

/* Memory. */
byte pub_ring[8]; /* completions to A: thread, plus 8 for P */
byte published;	  /* how many of them A can see */
bit notify;
bit ssip;	  /* pending at A */

chan s_buf = [4] of { byte }; /* S's stores of `published` */
chan a_buf = [4] of { bit };  /* A's stores to notify */
chan requests = [4] of { byte };

/* A's own. */
byte taken, last_posted = NONE, user = NONE;
bit believes;
bit in_user;
byte away;
byte left[NR];
bit done_a;

/* S's own. */
byte pushed, last = NONE;
bit promised;
bit in_call[NR];

proctype drain_s()
{
	byte v;
end:
	do
	:: atomic { s_buf ? v -> published = v }
	od
}

proctype drain_a()
{
	bit v;
end:
	do
	:: atomic { a_buf ? v -> notify = v }
	od
}

/* What a load of notify by A itself sees: its own newest store. */
inline store_notify(v)
{
	a_buf ! v;
	mine = v
}

proctype S()
{
	byte t, c;
	bit rang;
end:
	do
	:: atomic { requests ? t -> in_call[t] = 1; last = t; promised = 0 }
	:: atomic { in_call[0] || in_call[1] ->
		if
		:: in_call[0] -> c = 0
		:: in_call[1] -> c = 1
		fi;
		in_call[c] = 0;
		rang = 0;
#ifndef NO_KEEP
		if
		:: promised -> promised = 0; rang = 1; pub_ring[pushed] = c
		:: else ->
#endif
			if
#ifdef NO_LAST
			:: true -> promised = 1; pub_ring[pushed] = c + 8
#else
			:: last == c -> promised = 1; pub_ring[pushed] = c + 8
			:: last != c -> pub_ring[pushed] = c
#endif
			fi
#ifndef NO_KEEP
		fi
#endif
		;
		pushed++;
		s_buf ! pushed
	   };
		empty(s_buf);
		if
		:: rang -> ssip = 1
		:: else ->
			if
			:: atomic { notify -> notify = 0 } ; ssip = 1
			:: !notify -> skip
			fi
		fi
	od
}

proctype A()
{
	byte w;
	bit mine; /* notify as A wrote it last; S may have taken it */
	byte queued = NONE;

	/* Both threads are here; 0 runs, 1 waits for the hart. */
	user = 0;
	queued = 1;
kernel:
	/* The loop: take back the announcement, interrupts, one message. */
	if
	:: mine -> store_notify(0)
	:: else
	fi;
	do
	:: ssip -> ssip = 0; empty(a_buf)
	:: atomic { published > taken ->
		w = pub_ring[taken];
		taken++;
		away--;
#ifdef NO_LAST_POSTED
		believes = (w >= 8);
#else
		believes = (w >= 8 && last_posted == w % 8);
#endif
		if
		:: user == NONE -> user = w % 8
		:: else -> queued = w % 8
		fi }
	:: user != NONE -> goto enter
	:: user == NONE && queued != NONE -> user = queued; queued = NONE
	:: user == NONE && queued == NONE && away == 0 -> goto end_all
	:: user == NONE && queued == NONE && away > 0 && published == taken ->
		/* Polls, which needs nothing.  Sleep is sleep_wake.pml's. */
		(published > taken || ssip)
	od;
enter:
	if
	:: away == 0 -> skip
#ifdef NO_LOOK
	:: away > 0 && believes -> skip
#else
	:: away > 0 && believes && published == taken -> skip
#endif
	:: else ->
		store_notify(1);
		empty(a_buf);
		if
		:: published == taken
		:: else -> goto kernel
		fi
	fi;
	in_user = 1;
	/* User code: it ends by itself, or runs for ever if nothing interrupts. */
	if
	:: ssip -> in_user = 0; goto kernel
	:: left[user] > 0 ->
		in_user = 0;
		atomic {
			left[user]--;
			last_posted = user;
			believes = 0;
			away++
		};
		requests ! user;
		user = NONE;
		goto kernel
	:: left[user] == 0 && away == 0 ->
		/* It exits. */
		in_user = 0;
		user = NONE;
		goto kernel
	:: away > 0 ->
		/* It computes: only an interrupt ends it. */
		ssip;
		in_user = 0;
		goto kernel
	fi;
end_all:
	skip
}

init {
	left[0] = CALLS;
	left[1] = CALLS;
	atomic {
		run drain_s();
		run drain_a();
		run S();
		run A()
	}
}
