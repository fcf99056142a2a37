/* SPDX-License-Identifier: MIT */
/*
 * lib/atomic.h - the only spelling of shared-memory access in this tree.
 *
 * load_once/store_once	  one access, no order
 * load_acquire		  nothing after it moves before it
 * store_release	  nothing before it moves after it
 * store_release_io	  nor does an access to a device: for locks that guard registers
 * smp_mb		  full fence for memory
 * atomic_*		  one read-modify-write of a u32, u64 or pointer, with a
 *			  full fence on both sides; atomic_add_relaxed has none
 *			  and is for statistics
 *
 * Anything stronger or stranger is a sign that the algorithm belongs in lib/,
 * with a model and a stress test.  Fences for devices: arch/riscv/.
 *
 * On RISC-V the instructions are written out.  gcc 12 turns a release store
 * into "fence iorw,ow; amoswap.w" and an acquire load into "lw; fence
 * iorw,iorw"; clang 14 emits what stands here.  Host builds use the builtins,
 * which is what lets ThreadSanitizer see them.
 */
#ifndef LIB_ATOMIC_H
#define LIB_ATOMIC_H

#include <lib/types.h>

#if defined(__riscv) && !defined(__SANITIZE_THREAD__)

#define load_once(p)	 (*(const volatile __typeof__(*(p)) *)(p))
#define store_once(p, v) ((void)(*(volatile __typeof__(*(p)) *)(p) = (v)))
#define load_acquire(p)                                       \
	({                                                    \
		__typeof__(*(p)) la_v = load_once(p);         \
		__asm__ volatile("fence r, rw" ::: "memory"); \
		la_v;                                         \
	})
#define store_release(p, v)                                   \
	do {                                                  \
		__asm__ volatile("fence rw, w" ::: "memory"); \
		store_once(p, v);                             \
	} while (0)
#define store_release_io(p, v)                                  \
	do {                                                    \
		__asm__ volatile("fence iorw, w" ::: "memory"); \
		store_once(p, v);                               \
	} while (0)
#define smp_mb() __asm__ volatile("fence rw, rw" ::: "memory")

/* One AMO: @op is the mnemonic without its width, @order its suffix. */
#define RV_AMO(op, order, p, v)                                         \
	({                                                              \
		__typeof__(*(p)) amo_v = (v), amo_r;                    \
		STATIC_ASSERT(sizeof(amo_v) == 4 || sizeof(amo_v) == 8, \
			      "atomics are 32 or 64 bits wide");        \
		if (sizeof(amo_v) == 4)                                 \
			__asm__ volatile(op ".w" order " %0, %2, %1"    \
					 : "=r"(amo_r), "+A"(*(p))      \
					 : "r"(amo_v)                   \
					 : "memory");                   \
		else                                                    \
			__asm__ volatile(op ".d" order " %0, %2, %1"    \
					 : "=r"(amo_r), "+A"(*(p))      \
					 : "r"(amo_v)                   \
					 : "memory");                   \
		amo_r;                                                  \
	})

/*
 * lr.w sign-extends what it reads, so the expected value must be extended in
 * the same way.  The closing fence makes even a failed exchange a full fence.
 */
#define RV_CMPXCHG(width, r, p, ext, new)                               \
	do {                                                            \
		unsigned long cx_fail;                                  \
		__asm__ volatile("0: lr." width " %0, %2\n"             \
				 "bne %0, %z3, 1f\n"                    \
				 "sc." width ".rl %1, %z4, %2\n"        \
				 "bnez %1, 0b\n"                        \
				 "1: fence rw, rw\n"                    \
				 : "=&r"(r), "=&r"(cx_fail), "+A"(*(p)) \
				 : "rJ"(ext), "rJ"(new)                 \
				 : "memory");                           \
	} while (0)

#define atomic_xchg(p, v)	 RV_AMO("amoswap", ".aqrl", p, v)
#define atomic_fetch_add(p, v)	 RV_AMO("amoadd", ".aqrl", p, v)
#define atomic_fetch_or(p, v)	 RV_AMO("amoor", ".aqrl", p, v)
#define atomic_fetch_and(p, v)	 RV_AMO("amoand", ".aqrl", p, v)
#define atomic_add_relaxed(p, v) ((void)RV_AMO("amoadd", "", p, v))
#define atomic_cmpxchg(p, old, new)                                            \
	({                                                                     \
		__typeof__(*(p)) cx_r, cx_o = (old), cx_n = (new);             \
		STATIC_ASSERT(sizeof(cx_r) == 4 || sizeof(cx_r) == 8,          \
			      "atomics are 32 or 64 bits wide");               \
		if (sizeof(cx_r) == 4)                                         \
			RV_CMPXCHG("w", cx_r, p, (long)(s32)(long)cx_o, cx_n); \
		else                                                           \
			RV_CMPXCHG("d", cx_r, p, cx_o, cx_n);                  \
		cx_r;                                                          \
	})

/* "pause", a hint: the other hart is about to do what we wait for. */
/*
 * Not Zihintpause's `pause`: the U74 has none, and QEMU leaves its translated code
 * for it, which costs a spinning hart 100 ns of latency a time.
 */
#define cpu_relax() __asm__ volatile("nop" ::: "memory")

#else

#define load_once(p)	       __atomic_load_n((p), __ATOMIC_RELAXED)
#define store_once(p, v)       __atomic_store_n((p), (v), __ATOMIC_RELAXED)
#define load_acquire(p)	       __atomic_load_n((p), __ATOMIC_ACQUIRE)
#define store_release(p, v)    __atomic_store_n((p), (v), __ATOMIC_RELEASE)
#define store_release_io(p, v) store_release(p, v)
#define smp_mb()	       __atomic_thread_fence(__ATOMIC_SEQ_CST)

#define atomic_xchg(p, v)      __atomic_exchange_n((p), (v), __ATOMIC_SEQ_CST)
#define atomic_fetch_add(p, v) __atomic_fetch_add((p), (v), __ATOMIC_SEQ_CST)
#define atomic_fetch_or(p, v)  __atomic_fetch_or((p), (v), __ATOMIC_SEQ_CST)
#define atomic_fetch_and(p, v) __atomic_fetch_and((p), (v), __ATOMIC_SEQ_CST)
#define atomic_add_relaxed(p, v) \
	((void)__atomic_fetch_add((p), (v), __ATOMIC_RELAXED))
#define atomic_cmpxchg(p, old, new)                                     \
	({                                                              \
		__typeof__(*(p)) cx_r = (old);                          \
		(void)__atomic_compare_exchange_n((p), &cx_r, (new), 0, \
						  __ATOMIC_SEQ_CST,     \
						  __ATOMIC_SEQ_CST);    \
		cx_r;                                                   \
	})
#define cpu_relax() __asm__ volatile("" ::: "memory")

#endif

/* The new value. */
#define atomic_add_return(p, v)                                       \
	({                                                            \
		__typeof__(*(p)) ar_v = (v);                          \
		(__typeof__(*(p)))(atomic_fetch_add(p, ar_v) + ar_v); \
	})
#define atomic_inc(p)	       ((void)atomic_fetch_add(p, 1))
#define atomic_dec(p)	       ((void)atomic_fetch_add(p, (__typeof__(*(p)))-1))
#define atomic_dec_and_test(p) (atomic_add_return(p, (__typeof__(*(p)))-1) == 0)

#endif /* LIB_ATOMIC_H */
