/* SPDX-License-Identifier: MIT */
/*
 * tests/model/wait.pml - can a thread sleep through its event, or be made
 * ready twice?
 *
 * One thread in wait_event() (kernel/sched/wait.h); a waker that makes the
 * condition true and calls wake_up_all(); a kicker, as a signal or a timer is,
 * that calls thread_wake() at any time:
 *
 *	thread				waker
 *	again:				cond = 1
 *	lock; onto the queue;		full fence	(WAKE)
 *	   state = WAITING; unlock	queue empty? done
 *	full fence	(WAKE)		lock; off the queue;
 *	cond? finish			   WAITING -> READY? onto the ready list
 *	suspend; goto again		unlock
 *
 *	finish: WAITING -> RUNNING; or, READY already: leave once, so that the
 *	ready list gives it back; off the queue
 *
 * Memory as in sleep_wake.pml: a store buffer per hart for what is read
 * without the lock.  The lock's own order is taken for granted.
 *
 * Broken on purpose, each must be found:
 *	-DNO_WAKER_FENCE	the queue is looked at before cond is visible
 *	-DNO_WAITER_FENCE	cond is looked at before the queue is visible
 *	-DNO_FINISH		the thread goes on although somebody made it
 *				ready: it runs, and is on the ready list
 *	-DBLIND_WAKE		thread_wake() does not ask whether it waits
 */
mtype = { RUNNING, WAITING, READY };

/* Memory. */
mtype state = RUNNING;
bit queued;
bit cond;
bit lock;
byte ready_list; /* how often the thread is on it */

/* Store buffers: queued of the thread's hart, cond of the waker's. */
chan thread_buf = [4] of { bit };
chan waker_buf = [1] of { bit };

bit done; /* the thread is out of wait_event() */

proctype drain_thread()
{
	bit v;
end:
	do
	:: atomic { thread_buf ? v -> queued = v }
	od
}

proctype drain_waker()
{
	bit v;
end:
	do
	:: atomic { waker_buf ? v -> cond = v }
	od
}

inline spin_lock()
{
	atomic { lock == 0 -> lock = 1 }
}

inline thread_wake()
{
	atomic {
		if
#ifdef BLIND_WAKE
		:: true ->
#else
		:: state == WAITING ->
#endif
			state = READY;
			ready_list++;
			assert(ready_list == 1)
		:: else
		fi
	}
}

/* The hart takes the thread from its ready list and runs it. */
inline leave()
{
	atomic {
		ready_list > 0 ->
		ready_list--;
		assert(state == READY);
		state = RUNNING
	}
}

proctype thread()
{
	bit seen;

	do
	:: true ->
		/* wait_prepare() */
		spin_lock();
		thread_buf ! 1;
		if
		:: atomic { state == RUNNING -> state = WAITING }
		:: else
		fi;
		lock = 0;
#ifndef NO_WAITER_FENCE
		empty(thread_buf);
#endif
		seen = cond;
		if
		:: seen -> break
		:: else -> leave() /* wait_suspend() */
		fi
	od;
	/* wait_finish() */
#ifdef NO_FINISH
	state = RUNNING;
#else
	if
	:: atomic { state == WAITING -> state = RUNNING }
	:: else ->
		if
		:: state == READY -> leave()
		:: else
		fi
	fi;
#endif
	empty(thread_buf); /* the lock of waitq_del() */
	spin_lock();
	queued = 0;
	lock = 0;
	done = 1;
	assert(state == RUNNING && ready_list == 0)
}

proctype waker()
{
	bit seen;

	waker_buf ! 1;
#ifndef NO_WAKER_FENCE
	empty(waker_buf);
#endif
	seen = queued;
	if
	:: seen ->
		spin_lock();
		/* Under the lock the thread's stores are seen. */
		if
		:: queued || nempty(thread_buf) ->
			empty(thread_buf);
			queued = 0;
			thread_wake()
		:: else
		fi;
		lock = 0
	:: else
	fi
}

/* Only while the thread lives; a dead one is somebody else's matter. */
proctype kicker()
{
	byte n = 0;

	do
	:: n == 2 -> break
	:: else ->
		n++;
		if
		:: atomic { !done && state != RUNNING -> thread_wake() }
		:: true
		fi
	od
}

init {
	atomic {
		run drain_thread();
		run drain_waker();
		run thread();
		run waker();
		run kicker()
	}
}
