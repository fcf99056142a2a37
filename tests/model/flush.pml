/* SPDX-License-Identifier: MIT */
/*
 * tests/model/flush.pml - is a frame given back while somebody still reaches
 * it?  Edges UCOPY (kernel/mm/user.c) and TLBGEN (kernel/mm/vm.h).
 *
 *	flusher				copier
 *	clear the entry			ucopy = mm
 *	full fence	(UCOPY)		full fence	(UCOPY)
 *	wait while ucopy == mm		walk: entry there? use the frame
 *	free the frame			ucopy = none (release)
 *
 *	flusher				hart that goes to user mode
 *	clear the entry, tlb_gen++	announce user mode
 *	full fence	(TLBGEN)	full fence	(TLBGEN)
 *	in user mode? RFENCE		tlb_gen new? flush the TLB
 *	free the frame			run user code
 *
 * Memory as in sleep_wake.pml.  The TLB holds the entry from the beginning; an
 * RFENCE takes it away at once.
 *
 * Broken on purpose, each must be found:
 *	-DNO_FLUSHER_FENCE -DNO_COPIER_FENCE -DNO_USER_FENCE
 *	-DCHECK_BEFORE_ANNOUNCE	   tlb_gen is looked at first
 */

/* Memory. */
bit entry = 1;
bit gen;
bit ucopy;
bit in_user;
bit freed;

bit tlb = 1; /* of the hart */

/* Store buffers.  The flusher's: the entry, then the generation. */
chan flusher_buf = [2] of { bit };
chan copier_buf = [1] of { bit };
chan user_buf = [1] of { bit };

proctype drain()
{
end:
	do
	:: atomic { flusher_buf ? 0 -> entry = 0 }
	:: atomic { flusher_buf ? 1 -> gen = 1 }
	:: atomic { copier_buf ? 1 -> ucopy = 1 }
	:: atomic { user_buf ? 1 -> in_user = 1 }
	od
}

proctype flusher()
{
	flusher_buf ! 0;
	flusher_buf ! 1;
#ifndef NO_FLUSHER_FENCE
	empty(flusher_buf);
#endif
	if
	:: in_user -> tlb = 0
	:: else
	fi;
	ucopy == 0;
	freed = 1
}

proctype copier()
{
	bit seen;

	copier_buf ! 1;
#ifndef NO_COPIER_FENCE
	empty(copier_buf);
#endif
	seen = entry;
	if
	:: seen -> assert(!freed) /* the copy */
	:: else
	fi;
	empty(copier_buf);
	ucopy = 0
}

inline announce()
{
	user_buf ! 1;
#ifndef NO_USER_FENCE
	empty(user_buf)
#endif
}

inline look_at_gen()
{
	seen = gen;
	if
	:: seen -> tlb = 0
	:: else
	fi
}

proctype user()
{
	bit seen;

#ifdef CHECK_BEFORE_ANNOUNCE
	look_at_gen();
	announce();
#else
	announce();
	look_at_gen();
#endif
	/* User code: a load through the TLB, or through the table. */
	atomic { tlb -> assert(!freed) } unless { !tlb }
}

init {
	atomic {
		run drain();
		run flusher();
		run copier();
		run user()
	}
}
