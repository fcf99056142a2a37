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
 *	flusher				hart that takes up the address space
 *	clear the entry			set its bit in mm->active
 *	full fence	(TLBGEN)	full fence	(TLBGEN)
 *	active? RFENCE			load satp: the TLB is empty
 *	free the frame			user code: fill the TLB, use the frame
 *
 * Memory as in sleep_wake.pml.  An RFENCE empties the TLB at once; later it
 * is filled from the table as it then is.
 *
 * Broken on purpose, each must be found:
 *	-DNO_FLUSHER_FENCE -DNO_COPIER_FENCE -DNO_USER_FENCE
 *	-DLATE_ANNOUNCE		the bit is set when satp was loaded already
 */

/* Memory. */
bit entry = 1;
bit ucopy;
bit mm_active;
bit freed;

bit tlb; /* of the hart: it holds the entry */

/* Store buffers; each is for one place. */
chan flusher_buf = [1] of { bit };
chan copier_buf = [1] of { bit };
chan user_buf = [1] of { bit };

proctype drain()
{
end:
	do
	:: atomic { flusher_buf ? 0 -> entry = 0 }
	:: atomic { copier_buf ? 1 -> ucopy = 1 }
	:: atomic { user_buf ? 1 -> mm_active = 1 }
	od
}

proctype flusher()
{
	flusher_buf ! 0;
#ifndef NO_FLUSHER_FENCE
	empty(flusher_buf);
#endif
	if
	:: mm_active -> tlb = 0
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

/* A load by user code: the walk and the filling are one step of the MMU. */
inline user_load()
{
	atomic {
		if
		:: entry -> tlb = 1
		:: else
		fi
	}
	assert(!(tlb && freed))
}

proctype user()
{
#ifdef LATE_ANNOUNCE
	user_load();
	announce();
#else
	announce();
#endif
	user_load();
	user_load()
}

init {
	atomic {
		run drain();
		run flusher();
		run copier();
		run user()
	}
}
