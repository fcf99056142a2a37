/* SPDX-License-Identifier: MIT */
/*
 * kernel/mm/user.c - copies to and from the current address space.
 *
 * A copy announces the address space in its hart's struct, walks the table, and
 * goes through the direct map; no lock is taken.  Whoever takes a frame or a
 * permission away changes the entry and then calls mm_flush(), which waits for the
 * announcements, as it does for TLBs.  So a copy is to the rest of the kernel what
 * a user instruction is.
 *
 * INVARIANTS
 *   I1  Between user_begin() and user_end() nothing is called that could suspend,
 *       fault, or wait for another hart.
 *   I2  A copy never leaves the page whose entry was looked at.
 *
 * ORDERING
 *   UCOPY  see kernel/mm/vm.h.
 *
 * Context and locking: as user.h says.  Not here: other address spaces
 * (access.c), filling the table (fault.c).
 */
#include <kernel/mm/user.h>

#include <kernel/hart.h>
#include <kernel/mm/fault.h>
#include <kernel/mm/pt.h>
#include <kernel/mm/user_walk.h>
#include <kernel/sched/thread.h>
#include <lib/errno.h>
#include <lib/string.h>

#define RETRIES 64 /* of a fault that was answered but did not help */

enum copy_op {
	COPY_IN,
	COPY_OUT,
	COPY_ZERO,
};

static inline void move(void *user, void *buf, size_t n, enum copy_op op)
{
	if (op == COPY_IN)
		memcpy(buf, user, n);
	else if (op == COPY_OUT)
		memcpy(user, buf, n);
	else
		memset(user, 0, n);
}

/* The general form: bytes moved. */
static size_t copy_pages(void *buf, uaddr_t a, size_t n, enum copy_op op,
			 bool may_fault)
{
	struct mm *mm = current->mm;
	u64 need = op == COPY_IN ? USER_READ : USER_WRITE;
	size_t done = 0;
	int tries = 0;

	while (done < n) {
		size_t step = min(n - done, PAGE_SIZE - (a & (PAGE_SIZE - 1)));
		struct hart *h = this_hart();
		void *p = user_begin(h, mm, a, need);

		if (p) {
			move(p, (char *)buf + (op == COPY_ZERO ? 0 : done),
			     step, op);
			user_end(h);
			done += step;
			a += step;
			tries = 0;
		} else if (!may_fault || tries++ == RETRIES ||
			   user_fault(mm, a, op != COPY_IN)) {
			break;
		}
	}
	return done;
}

int user_fault(struct mm *mm, uaddr_t a, bool write)
{
	int code;

	return mm_fault(mm, a, write ? VM_WRITE : VM_READ, &code) ? -EFAULT : 0;
}

/* Within one page that is there: most copies. */
static inline bool copy_fast(void *buf, uaddr_t a, size_t n, enum copy_op op)
{
	struct hart *h = this_hart();
	void *p;

	if (unlikely((a & (PAGE_SIZE - 1)) + n > PAGE_SIZE || n > PAGE_SIZE))
		return false;
	p = user_begin(h, current->mm, a,
		       op == COPY_IN ? USER_READ : USER_WRITE);
	if (unlikely(!p))
		return false;
	move(p, buf, n, op);
	user_end(h);
	return true;
}

int copy_from_user(void *dst, uaddr_t src, size_t n)
{
	if (likely(copy_fast(dst, src, n, COPY_IN)))
		return 0;
	return copy_pages(dst, src, n, COPY_IN, true) == n ? 0 : -EFAULT;
}

int copy_to_user(uaddr_t dst, const void *src, size_t n)
{
	void *buf = (void *)(u64)src;

	if (likely(copy_fast(buf, dst, n, COPY_OUT)))
		return 0;
	return copy_pages(buf, dst, n, COPY_OUT, true) == n ? 0 : -EFAULT;
}

int clear_user(uaddr_t dst, size_t n)
{
	if (likely(copy_fast(NULL, dst, n, COPY_ZERO)))
		return 0;
	return copy_pages(NULL, dst, n, COPY_ZERO, true) == n ? 0 : -EFAULT;
}

size_t copy_from_user_partial(void *dst, uaddr_t src, size_t n)
{
	if (likely(copy_fast(dst, src, n, COPY_IN)))
		return n;
	return copy_pages(dst, src, n, COPY_IN, true);
}

size_t copy_to_user_partial(uaddr_t dst, const void *src, size_t n)
{
	void *buf = (void *)(u64)src;

	if (likely(copy_fast(buf, dst, n, COPY_OUT)))
		return n;
	return copy_pages(buf, dst, n, COPY_OUT, true);
}

size_t copy_from_user_nofault(void *dst, uaddr_t src, size_t n)
{
	return copy_pages(dst, src, n, COPY_IN, false);
}

size_t copy_to_user_nofault(uaddr_t dst, const void *src, size_t n)
{
	return copy_pages((void *)(u64)src, dst, n, COPY_OUT, false);
}

/* --- single words: aligned ones are one access */

#define DEFINE_WORD(type, nm)                                      \
	int get_user_##nm(type *v, uaddr_t a)                      \
	{                                                          \
		struct hart *h = this_hart();                      \
		type *p;                                           \
                                                                   \
		if (unlikely(a & (sizeof(type) - 1)))              \
			return copy_from_user(v, a, sizeof(type)); \
		p = user_begin(h, current->mm, a, USER_READ);      \
		if (unlikely(!p))                                  \
			return copy_from_user(v, a, sizeof(type)); \
		*v = load_once(p);                                 \
		user_end(h);                                       \
		return 0;                                          \
	}                                                          \
	int put_user_##nm(type v, uaddr_t a)                       \
	{                                                          \
		struct hart *h = this_hart();                      \
		type *p;                                           \
                                                                   \
		if (unlikely(a & (sizeof(type) - 1)))              \
			return copy_to_user(a, &v, sizeof(type));  \
		p = user_begin(h, current->mm, a, USER_WRITE);     \
		if (unlikely(!p))                                  \
			return copy_to_user(a, &v, sizeof(type));  \
		store_once(p, v);                                  \
		user_end(h);                                       \
		return 0;                                          \
	}

DEFINE_WORD(u8, u8)
DEFINE_WORD(u32, u32)
DEFINE_WORD(u64, u64)

int get_user_u32_nofault(u32 *v, uaddr_t a)
{
	struct hart *h = this_hart();
	u32 *p;

	if (a & 3)
		return -EINVAL;
	p = user_begin(h, current->mm, a, USER_READ);
	if (!p)
		return -EAGAIN;
	*v = load_once(p);
	user_end(h);
	return 0;
}

/* user_begin() for a word to change, faulting it in. */
static u32 *begin_word(struct hart **h, uaddr_t a)
{
	struct mm *mm = current->mm;

	for (int tries = 0; tries < RETRIES; tries++) {
		u32 *p;

		*h = this_hart();
		p = user_begin(*h, mm, a, USER_WRITE);
		if (p)
			return p;
		if (user_fault(mm, a, true))
			break;
	}
	return NULL;
}

int user_cmpxchg_u32(uaddr_t a, u32 old, u32 new, u32 *prev)
{
	struct hart *h;
	u32 *p;

	if (a & 3)
		return -EINVAL;
	p = begin_word(&h, a);
	if (!p)
		return -EFAULT;
	*prev = atomic_cmpxchg(p, old, new);
	user_end(h);
	return 0;
}

int user_cmpxchg_u32_nofault(uaddr_t a, u32 old, u32 new, u32 *prev)
{
	struct hart *h = this_hart();
	u32 *p;

	if (a & 3)
		return -EINVAL;
	p = user_begin(h, current->mm, a, USER_WRITE);
	if (!p)
		return -EAGAIN;
	*prev = atomic_cmpxchg(p, old, new);
	user_end(h);
	return 0;
}

int user_atomic_op_u32(uaddr_t a, int op, u32 arg, u32 *prev)
{
	struct hart *h;
	u32 *p, seen, want;

	if (a & 3 || op < UA_SET || op > UA_XOR)
		return -EINVAL;
	p = begin_word(&h, a);
	if (!p)
		return -EFAULT;
	switch (op) {
	case UA_SET:
		*prev = atomic_xchg(p, arg);
		break;
	case UA_ADD:
		*prev = atomic_fetch_add(p, arg);
		break;
	case UA_OR:
		*prev = atomic_fetch_or(p, arg);
		break;
	case UA_ANDN:
		*prev = atomic_fetch_and(p, ~arg);
		break;
	default:
		do {
			seen = load_once(p);
			want = seen ^ arg;
		} while (atomic_cmpxchg(p, seen, want) != seen);
		*prev = seen;
		break;
	}
	user_end(h);
	return 0;
}

/* --- strings */

#define ONES  0x0101010101010101ull
#define HIGHS 0x8080808080808080ull

static inline bool has_zero(u64 w)
{
	return ((w - ONES) & ~w & HIGHS) != 0;
}

/*
 * Copy from @s, at most @n bytes, up to and with the NUL.  Each byte of @s is read
 * once, in aligned words: what is checked is what was copied, whatever the user
 * does meanwhile.  Words begin in the page in which @s is.  Bytes copied; *@end:
 * the last one is the NUL.
 */
static size_t copy_string(char *dst, const char *s, size_t n, bool *end)
{
	const u64 *w = (const void *)ALIGN_DOWN((u64)s, sizeof(u64));
	u32 skip = (u64)s & 7;
	u64 word = load_once(w) >> (8 * skip);
	size_t have = 8 - skip, done = 0;

	*end = false;
	for (;;) {
		if (have == 8 && n - done >= 8 && !has_zero(word)) {
			char *d = dst + done;

			if (((u64)d & 7) == 0) {
				*(u64 *)(void *)d = word;
			} else {
				for (u32 i = 0; i < 8; i++)
					d[i] = (char)(word >> (8 * i));
			}
			done += 8;
		} else {
			for (; have > 0 && done < n; have--, word >>= 8) {
				dst[done++] = (char)word;
				if ((word & 0xff) == 0) {
					*end = true;
					return done;
				}
			}
		}
		if (done == n)
			return done;
		word = load_once(++w);
		have = 8;
	}
}

s64 strncpy_from_user(char *dst, uaddr_t src, size_t size)
{
	struct mm *mm = current->mm;
	size_t done = 0;
	int tries = 0;
	bool end;

	while (done < size) {
		size_t step =
			min(size - done, PAGE_SIZE - (src & (PAGE_SIZE - 1)));
		struct hart *h = this_hart();
		const char *p = user_begin(h, mm, src, USER_READ);

		if (!p) {
			if (tries++ == RETRIES || user_fault(mm, src, false))
				return -EFAULT;
			continue;
		}
		step = copy_string(dst + done, p, step, &end);
		user_end(h);
		done += step;
		src += step;
		if (end)
			return (s64)done - 1;
	}
	return -ENAMETOOLONG;
}

/* --- presence */

int user_fault_in(uaddr_t a, size_t n, bool write)
{
	struct mm *mm = current->mm;
	uaddr_t end = a + n, va = ALIGN_DOWN(a, PAGE_SIZE);

	if (n == 0)
		return 0;
	if (end < a || end > USER_TOP)
		return -EFAULT;
	for (; va < end; va += PAGE_SIZE) {
		for (int tries = 0;; tries++) {
			struct hart *h = this_hart();

			if (user_begin(h, mm, va,
				       write ? USER_WRITE : USER_READ)) {
				user_end(h);
				break;
			}
			if (tries == RETRIES || user_fault(mm, va, write))
				return -EFAULT;
		}
	}
	return 0;
}

int user_get_page(uaddr_t a, bool write, struct page **pg)
{
	struct mm *mm = current->mm;
	u64 need = write ? USER_WRITE : USER_READ;

	if (a >= USER_TOP)
		return -EFAULT;
	for (int tries = 0; tries < RETRIES; tries++) {
		pte_t *p, e;

		*pg = NULL;
		spin_lock(&mm->pt_lock);
		p = pt_find(mm, a);
		e = p ? *p : 0;
		if ((e & need) == need &&
		    (!(e & PTE_SPECIAL) || pte_phys(e) == zero_page_phys))
			*pg = page_get(pte_page(e));
		spin_unlock(&mm->pt_lock);
		if (*pg)
			return 0;
		if (user_fault(mm, a, write))
			break;
	}
	return -EFAULT;
}
