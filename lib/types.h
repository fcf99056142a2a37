/* SPDX-License-Identifier: MIT */
/*
 * lib/types.h - fixed-width names, address kinds and the usual macros.
 *
 * Host tests include their system headers before this one: names such as
 * __unused are members of some libc structures.
 */
#ifndef LIB_TYPES_H
#define LIB_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef int64_t s64;

/*
 * Address kinds.  A kernel pointer is a pointer; these three are numbers that
 * must be translated before anything can be read through them.
 */
typedef u64 paddr_t;   /* CPU physical */
typedef u64 busaddr_t; /* what a bus master must be given */
typedef u64 uaddr_t;   /* user virtual, see kernel/mm/user.h */

/* Checked by sparse; nothing to the compiler. */
#ifdef __CHECKER__
#define __iomem __attribute__((noderef, address_space(2)))
#define __user	__attribute__((noderef, address_space(1)))
#else
#define __iomem
#define __user
#endif

#define __printf(a, b) __attribute__((format(printf, a, b)))
#define __noreturn     __attribute__((noreturn))
#define __packed       __attribute__((packed))
#define __aligned(n)   __attribute__((aligned(n)))
#define __must_check   __attribute__((warn_unused_result))
#undef __unused
#define __unused      __attribute__((unused))
#define STATIC_ASSERT _Static_assert

/*
 * On the way of every system call: kept together behind the trap entry, in as few
 * pages as possible (kernel.lds), so that the way costs few TLB and cache misses.
 */
#define __hotpath __attribute__((section(".text.hotpath")))
/* Behind it: the loop, for calls that need more. */
#define __hotpath_loop __attribute__((section(".text.hotpath_loop")))
/* Likewise while calls are counted or traced: kernel/relay/watched.c. */
#define __hotpath_watched __attribute__((section(".text.hotpath_watched")))
/* Read on hot ways, hardly ever written: kept away from what is written. */
#define __read_mostly __attribute__((section(".data.read_mostly")))
#define __cold	      __attribute__((noinline, cold))

#define likely(e)   __builtin_expect(!!(e), 1)
#define unlikely(e) __builtin_expect(!!(e), 0)

/* Bit fields of registers; the mask is a constant. */
#define BIT(n)		    (1ULL << (n))
#define GENMASK(hi, lo)	    (((~0ULL) << (lo)) & (~0ULL >> (63 - (hi))))
#define FIELD_GET(mask, v)  (((v) & (mask)) >> __builtin_ctzll(mask))
#define FIELD_PREP(mask, v) (((u64)(v) << __builtin_ctzll(mask)) & (mask))

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define container_of(p, type, m) \
	((type *)(void *)((uintptr_t)(p)-offsetof(type, m)))

/* @a is a power of two. */
#define ALIGN_DOWN(x, a)   ((x) & ~((__typeof__(x))(a)-1))
#define ALIGN_UP(x, a)	   ALIGN_DOWN((x) + ((__typeof__(x))(a)-1), a)
#define IS_ALIGNED(x, a)   (((x) & ((__typeof__(x))(a)-1)) == 0)
#define DIV_ROUND_UP(n, d) (((n) + (d)-1) / (d))

/*
 * min, max, clamp: each argument once, both of one type (else the comparison
 * of the two addresses warns).  min_t and max_t convert first.  The counter
 * keeps nested uses from shadowing each other.
 */
#define MINMAX_CAT_(a, b) a##b
#define MINMAX_CAT(a, b)  MINMAX_CAT_(a, b)
#define MINMAX_(op, a, b, x, y)        \
	({                             \
		__typeof__(a) x = (a); \
		__typeof__(b) y = (b); \
		(void)(&x == &y);      \
		x op y ? x : y;        \
	})
#define MINMAX(op, a, b, n) \
	MINMAX_(op, a, b, MINMAX_CAT(mm_x, n), MINMAX_CAT(mm_y, n))
#define min(a, b)	  MINMAX(<, a, b, __COUNTER__)
#define max(a, b)	  MINMAX(>, a, b, __COUNTER__)
#define min_t(type, a, b) min((type)(a), (type)(b))
#define max_t(type, a, b) max((type)(a), (type)(b))
#define clamp(v, lo, hi)  min(max(v, lo), hi)

#endif /* LIB_TYPES_H */
