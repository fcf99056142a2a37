/* SPDX-License-Identifier: MIT */
/*
 * kernel/task/sigframe.c - the frame that a handler runs on: Linux's rt_sigframe
 * of riscv64, built on the user's stack and read back by rt_sigreturn(2).
 *
 *	sp ->	siginfo_t		128
 *		ucontext: flags, link, stack, mask padded to 1024 bits	176
 *		mcontext: pc, x1..x31	256
 *		floating point union	528: d state, rest zero, then an
 *					extension header that must be zero
 *
 * Bad frames give SIGSEGV.  What a program puts into its frame is its own
 * business but for three words: the reserved ones must be zero, and the status
 * register is not taken from there.
 *
 * Not here: restart and blocked sets (signal_deliver.c).
 */
#include <kernel/task/task.h>

#include <kernel/mm/user.h>
#include <kernel/mm/vm.h>
#include <lib/errno.h>
#include <lib/string.h>

#define GREGS_SIZE	256
#define FP_SIZE		528
#define FP_D_SIZE	264 /* d state: f0-f31, fcsr and four bytes of padding */
#define FP_RESERVED_OFF 516

struct frame_head {
	struct siginfo info;
	u64 uc_flags;
	u64 uc_link;
	struct user_stack_t uc_stack;
	u64 uc_sigmask;
	u8 uc_unused[120];
	u64 uc_pad;
};
STATIC_ASSERT(sizeof(struct frame_head) == 128 + 176, "riscv rt_sigframe");
STATIC_ASSERT(offsetof(struct frame_head, uc_sigmask) == 128 + 40,
	      "riscv ucontext");
STATIC_ASSERT(sizeof(struct fpstate) == FP_D_SIZE, "riscv d state");
#define FRAME_UC   128
#define FRAME_REGS sizeof(struct frame_head)
#define FRAME_FP   (FRAME_REGS + GREGS_SIZE)
#define FRAME_SIZE (FRAME_FP + FP_SIZE)

static bool on_altstack(const struct thread *t, u64 sp)
{
	return sp > t->sas_sp && sp - t->sas_sp <= t->sas_size;
}

/* Where the frame goes, or 0 when it would run off the alternate stack. */
static u64 frame_address(const struct thread *t, const struct ksigaction *ka)
{
	u64 sp = t->tf.sp;
	bool nested = !(t->sas_flags & SS_AUTODISARM) && on_altstack(t, sp);

	if (nested && !on_altstack(t, sp - FRAME_SIZE))
		return 0;
	if ((ka->flags & SA_ONSTACK) && t->sas_size && !nested)
		sp = t->sas_sp + t->sas_size;
	return (sp - FRAME_SIZE) & ~15ULL;
}

static int write_frame(struct thread *t, u64 at, const struct siginfo *si,
		       u64 saved_mask)
{
	struct frame_head h;

	memset(&h, 0, sizeof(h));
	h.info = *si;
	(void)signal_altstack(NULL, &h.uc_stack, t->tf.sp);
	h.uc_sigmask = saved_mask;
	if (copy_to_user(at, &h, sizeof(h)) ||
	    copy_to_user(at + FRAME_REGS, &t->tf, GREGS_SIZE) ||
	    copy_to_user(at + FRAME_FP, &t->fp, FP_D_SIZE) ||
	    clear_user(at + FRAME_FP + FP_D_SIZE, FP_SIZE - FP_D_SIZE))
		return -EFAULT;
	return 0;
}

int sigframe_setup(struct thread *t, int sig, const struct ksigaction *ka,
		   const struct siginfo *si, u64 saved_mask)
{
	u64 at = frame_address(t, ka);

	if (!at || write_frame(t, at, si, saved_mask))
		return -EFAULT;
	if (t->sas_flags & SS_AUTODISARM) {
		t->sas_sp = 0;
		t->sas_size = 0;
		t->sas_flags = 0;
	}
	t->tf.ra = t->mm->sigpage;
	t->tf.pc = ka->handler;
	t->tf.sp = at;
	t->tf.a0 = (u64)sig;
	t->tf.a1 = at;
	t->tf.a2 = at + FRAME_UC;
	return 0;
}

/* Words that must be zero: extensions to come. */
static bool reserved_clear(u64 at)
{
	u32 w[3];

	if (copy_from_user(w, at + FRAME_FP + FP_RESERVED_OFF, sizeof(w)))
		return false;
	return !(w[0] | w[1] | w[2]);
}

static int read_frame(struct thread *t, u64 at)
{
	struct frame_head h;
	struct user_stack_t old;
	u64 regs[GREGS_SIZE / 8];
	struct fpstate fp;

	if ((at & 15) || copy_from_user(&h, at, sizeof(h)) ||
	    copy_from_user(regs, at + FRAME_REGS, sizeof(regs)) ||
	    copy_from_user(&fp, at + FRAME_FP, sizeof(fp)) ||
	    !reserved_clear(at))
		return -EFAULT;
	memcpy(&t->tf, regs, sizeof(regs));
	fp.pad = 0;
	t->fp = fp;
	t->fp_hart = NULL;
	signal_set_blocked(h.uc_sigmask);
	/* Best effort, as on Linux: a bad stack is no reason to die. */
	(void)signal_altstack(&h.uc_stack, &old, t->tf.sp);
	return 0;
}

s64 sigframe_return(struct thread *t)
{
	memset(&t->restart, 0, sizeof(t->restart));
	t->syscall_nr = -1;
	if (read_frame(t, t->tf.sp))
		signal_force_segv(SIGSEGV);
	return (s64)t->tf.a0;
}
