/* SPDX-License-Identifier: MIT */
/*
 * syscall/ptrace.c - ptrace(2): numbers and structures of its requests.
 *
 * There is no hardware single step on riscv (-EIO, as on Linux) and no user area
 * to peek at.  Not here: what the requests do (kernel/task/trace.h), access to the
 * memory of others without stopping them (syscall/procvm.c).
 */
#include <syscall/ptrace.h>
#include <syscall/syscall.h>

#include <kernel/mm/user.h>
#include <kernel/ns/pid.h>
#include <kernel/mm/vm.h>
#include <kernel/task/sigqueue.h>
#include <kernel/task/trace.h>
#include <lib/string.h>

enum {
	PTRACE_TRACEME = 0,
	PTRACE_PEEKTEXT = 1,
	PTRACE_PEEKDATA = 2,
	PTRACE_POKETEXT = 4,
	PTRACE_POKEDATA = 5,
	PTRACE_CONT = 7,
	PTRACE_KILL = 8,
	PTRACE_ATTACH = 16,
	PTRACE_DETACH = 17,
	PTRACE_SYSCALL = 24,
	PTRACE_SETOPTIONS = 0x4200,
	PTRACE_GETEVENTMSG = 0x4201,
	PTRACE_GETSIGINFO = 0x4202,
	PTRACE_SETSIGINFO = 0x4203,
	PTRACE_GETREGSET = 0x4204,
	PTRACE_SETREGSET = 0x4205,
	PTRACE_SEIZE = 0x4206,
	PTRACE_INTERRUPT = 0x4207,
	PTRACE_LISTEN = 0x4208,
	PTRACE_PEEKSIGINFO = 0x4209,
	PTRACE_GETSIGMASK = 0x420a,
	PTRACE_SETSIGMASK = 0x420b,
	PTRACE_SECCOMP_GET_FILTER = 0x420c,
	PTRACE_SECCOMP_GET_METADATA = 0x420d,
	PTRACE_GET_SYSCALL_INFO = 0x420e,
	PTRACE_SET_SUD_CONFIG = 0x4210,
	PTRACE_GET_SUD_CONFIG = 0x4211,
};

/* --- registers */

#define NT_PRSTATUS	1
#define NT_PRFPREG	2
#define REGS_SIZE	(32 * sizeof(u64))
#define FPREGS_SIZE	sizeof(struct fpstate)
#define FPREGS_IN_STATE (32 * sizeof(u64) + sizeof(u32))

struct regset {
	u32 type;
	bool set;
	size_t n; /* bytes to move */
	u8 buf[FPREGS_SIZE];
};
STATIC_ASSERT(FPREGS_SIZE >= REGS_SIZE, "the larger of the two");

/* fpstate is what the program has: saved when it posted its request. */
static int move_regs(struct thread *t, struct tracee *tr __unused, void *arg)
{
	struct regset *r = arg;
	void *at = r->type == NT_PRSTATUS ? (void *)&t->tf : (void *)&t->fp;

	if (!r->set) {
		memcpy(r->buf, at, r->n);
		return 0;
	}
	if (r->type == NT_PRFPREG) {
		r->n = min(r->n, FPREGS_IN_STATE);
		t->fp_hart = NULL;
	}
	memcpy(at, r->buf, r->n);
	return 0;
}

struct user_iovec {
	u64 base, len;
};

static s64 regset(int tid, u64 type, uaddr_t uiov, bool set)
{
	struct user_iovec iov;
	struct regset r = { .type = (u32)type, .set = set };
	int err;

	if (copy_from_user(&iov, uiov, sizeof(iov)))
		return -EFAULT;
	if ((type != NT_PRSTATUS && type != NT_PRFPREG) || iov.len % 8)
		return -EINVAL;
	r.n = min(iov.len, type == NT_PRSTATUS ? REGS_SIZE : FPREGS_SIZE);
	iov.len = r.n;
	if (set && copy_from_user(r.buf, iov.base, r.n))
		return -EFAULT;
	err = trace_with(tid, move_regs, &r);
	if (err)
		return err;
	if (!set && copy_to_user(iov.base, r.buf, r.n))
		return -EFAULT;
	return put_user_u64(iov.len, uiov + offsetof(struct user_iovec, len));
}

/* --- memory */

static s64 peek(int tid, u64 addr, uaddr_t to)
{
	struct mm *mm = trace_mm(tid);
	size_t n;
	u64 v;

	if (IS_ERR(mm))
		return PTR_ERR(mm);
	n = mm_copy_from(mm, &v, addr, sizeof(v));
	mm_put(mm);
	if (n != sizeof(v))
		return -EIO;
	return put_user_u64(v, to);
}

static s64 poke(int tid, u64 addr, u64 v)
{
	struct mm *mm = trace_mm(tid);
	size_t n;

	if (IS_ERR(mm))
		return PTR_ERR(mm);
	n = mm_copy_to(mm, addr, &v, sizeof(v), true);
	mm_put(mm);
	return n == sizeof(v) ? 0 : -EIO;
}

/* --- what a stop is about */

static int get_message(struct thread *t __unused, struct tracee *tr, void *arg)
{
	switch (tr->code >> 8) {
	case EVENT_FORK:
	case EVENT_VFORK:
	case EVENT_CLONE:
	case EVENT_VFORK_DONE:
	case EVENT_EXEC:
		*(u64 *)arg = (u64)pid_shown((int)tr->message);
		break;
	default:
		*(u64 *)arg = tr->message;
		break;
	}
	return 0;
}

static int get_siginfo(struct thread *t __unused, struct tracee *tr, void *arg)
{
	if (!tr->has_si)
		return -EINVAL;
	*(struct siginfo *)arg = tr->si;
	return 0;
}

static int set_siginfo(struct thread *t __unused, struct tracee *tr, void *arg)
{
	if (!tr->has_si)
		return -EINVAL;
	tr->si = *(struct siginfo *)arg;
	return 0;
}

static s64 siginfo(int tid, uaddr_t data, bool set)
{
	struct siginfo si;
	int err;

	if (set && copy_from_user(&si, data, sizeof(si)))
		return -EFAULT;
	err = trace_with(tid, set ? set_siginfo : get_siginfo, &si);
	if (err || set)
		return err;
	return copy_to_user(data, &si, sizeof(si));
}

static s64 message(int tid, uaddr_t data)
{
	u64 msg;
	int err = trace_with(tid, get_message, &msg);

	return err ? err : put_user_u64(msg, data);
}

static int get_mask(struct thread *t, struct tracee *tr __unused, void *arg)
{
	*(u64 *)arg = t->sig_restore_saved ? t->sig_saved : t->sig_blocked;
	return 0;
}

static int set_mask(struct thread *t, struct tracee *tr __unused, void *arg)
{
	return trace_set_mask(t, *(u64 *)arg);
}

static s64 sigmask(int tid, u64 size, uaddr_t data, bool set)
{
	u64 mask;
	int err;

	if (size != sizeof(mask))
		return -EINVAL;
	if (set && get_user_u64(&mask, data))
		return -EFAULT;
	err = trace_with(tid, set ? set_mask : get_mask, &mask);
	if (err || set)
		return err;
	return put_user_u64(mask, data);
}

/* --- PTRACE_PEEKSIGINFO */

#define PEEK_SHARED 1u

struct peek_args {
	u64 off;
	u32 flags;
	s32 nr;
};

struct peek {
	struct peek_args a;
	struct siginfo si;
};

static int peek_one(struct thread *t, struct tracee *tr __unused, void *arg)
{
	struct peek *p = arg;
	int found;

	spin_lock(&t->proc->sighand->lock);
	found = sigqueue_peek(p->a.flags & PEEK_SHARED ? &t->proc->sig_queue
						       : &t->sig_queue,
			      p->a.off, &p->si);
	spin_unlock(&t->proc->sighand->lock);
	return found;
}

/* How many were copied. */
static s64 peek_siginfo(int tid, uaddr_t uargs, uaddr_t data)
{
	struct peek p;
	s64 i;
	int r;

	if (copy_from_user(&p.a, uargs, sizeof(p.a)))
		return -EFAULT;
	if ((p.a.flags & ~PEEK_SHARED) || p.a.nr < 0)
		return -EINVAL;
	for (i = 0; i < p.a.nr; i++, p.a.off++) {
		r = trace_with(tid, peek_one, &p);
		if (r <= 0)
			return r ? r : i;
		if (copy_to_user(data, &p.si, sizeof(p.si)))
			return i ? i : -EFAULT;
		data += sizeof(p.si);
		cond_resched();
	}
	return i;
}

/* --- PTRACE_GET_SYSCALL_INFO */

#define AUDIT_ARCH_RISCV64 0xc00000f3u
enum {
	INFO_NONE,
	INFO_ENTRY,
	INFO_EXIT,
	INFO_SECCOMP
};

struct syscall_info {
	u8 op, pad[3];
	u32 arch;
	u64 pc, sp;
	union {
		struct {
			u64 nr, args[6];
			u32 ret_data;
		} entry; /* and seccomp */
		struct {
			s64 rval;
			u8 is_error;
		} exit;
	};
};
STATIC_ASSERT(offsetof(struct syscall_info, entry) == 24, "Linux's");

#define INFO_BASE offsetof(struct syscall_info, entry)

/* Returns its size. */
static int fill_entry(const struct thread *t, struct syscall_info *s)
{
	s->op = INFO_ENTRY;
	s->entry.nr = t->tf.a7;
	s->entry.args[0] = t->tf.orig_a0;
	memcpy(&s->entry.args[1], &t->tf.a1, 5 * sizeof(u64));
	return offsetof(struct syscall_info, entry.ret_data);
}

static int fill_exit(const struct thread *t, struct syscall_info *s)
{
	s->op = INFO_EXIT;
	s->exit.rval = (s64)t->tf.a0;
	s->exit.is_error = s->exit.rval < 0 && s->exit.rval >= -MAX_ERRNO;
	return offsetof(struct syscall_info, exit.is_error) + 1;
}

static int fill_info(struct thread *t, struct tracee *tr, void *arg)
{
	struct syscall_info *s = arg;
	int code = tr->has_si ? tr->si.code : 0;

	s->arch = AUDIT_ARCH_RISCV64;
	s->pc = t->tf.pc;
	s->sp = t->tf.sp;
	if (code == TRACE_CODE(SIGTRAP, EVENT_SECCOMP)) {
		(void)fill_entry(t, s);
		s->op = INFO_SECCOMP;
		s->entry.ret_data = (u32)tr->message;
		return offsetof(struct syscall_info, entry.ret_data) + 4;
	}
	if (code != (SIGTRAP | TRACE_SYSGOOD))
		return INFO_BASE;
	if (tr->message == TRACE_MSG_ENTRY)
		return fill_entry(t, s);
	return tr->message == TRACE_MSG_EXIT ? fill_exit(t, s) : (int)INFO_BASE;
}

static s64 syscall_info(int tid, u64 size, uaddr_t data)
{
	struct syscall_info s;
	int n;

	memset(&s, 0, sizeof(s));
	n = trace_with(tid, fill_info, &s);
	if (n > 0 && copy_to_user(data, &s, min(size, (u64)n)))
		return -EFAULT;
	return n;
}

/* --- the call */

static s64 resume(int tid, u64 sig, bool syscalls)
{
	return sig > NSIG ? -EIO : trace_resume(tid, (int)sig, syscalls);
}

/* First of all it has to be one that can be asked. */
static s64 unknown_request(int tid)
{
	u64 mask;
	int err = trace_with(tid, get_mask, &mask);

	return err ? err : -EIO;
}

static s64 stopped_request(u64 req, int tid, u64 addr, u64 data)
{
	switch (req) {
	case PTRACE_GETEVENTMSG:
		return message(tid, data);
	case PTRACE_GETSIGINFO:
	case PTRACE_SETSIGINFO:
		return siginfo(tid, data, req == PTRACE_SETSIGINFO);
	case PTRACE_GETREGSET:
	case PTRACE_SETREGSET:
		return regset(tid, addr, data, req == PTRACE_SETREGSET);
	case PTRACE_PEEKSIGINFO:
		return peek_siginfo(tid, addr, data);
	case PTRACE_GETSIGMASK:
	case PTRACE_SETSIGMASK:
		return sigmask(tid, addr, data, req == PTRACE_SETSIGMASK);
	case PTRACE_SECCOMP_GET_FILTER:
		return ptrace_seccomp_filter(tid, addr, data);
	case PTRACE_SECCOMP_GET_METADATA:
		return ptrace_seccomp_metadata(tid, addr, data);
	case PTRACE_SET_SUD_CONFIG:
	case PTRACE_GET_SUD_CONFIG:
		return ptrace_sud(tid, addr, data,
				  req == PTRACE_SET_SUD_CONFIG);
	case PTRACE_GET_SYSCALL_INFO:
		return syscall_info(tid, addr, data);
	default:
		return unknown_request(tid);
	}
}

SYSCALL4(117, ptrace, u64, req, int, tid, u64, addr, u64, data)
{
	switch (req) {
	case PTRACE_TRACEME:
		return trace_me();
	case PTRACE_ATTACH:
		return trace_attach(tid, false, 0);
	case PTRACE_SEIZE:
		return addr || data >> 32 ? -EIO
					  : trace_attach(tid, true, (u32)data);
	case PTRACE_PEEKTEXT:
	case PTRACE_PEEKDATA:
		return peek(tid, addr, data);
	case PTRACE_POKETEXT:
	case PTRACE_POKEDATA:
		return poke(tid, addr, data);
	case PTRACE_CONT:
	case PTRACE_SYSCALL:
		return resume(tid, data, req == PTRACE_SYSCALL);
	case PTRACE_DETACH:
		return data > NSIG ? -EIO : trace_detach(tid, (int)data);
	case PTRACE_KILL:
		return trace_kill(tid);
	case PTRACE_INTERRUPT:
		return trace_interrupt(tid);
	case PTRACE_LISTEN:
		return trace_listen(tid);
	case PTRACE_SETOPTIONS:
		return data >> 32 ? -EINVAL : trace_set_options(tid, (u32)data);
	default:
		return stopped_request(req, tid, addr, data);
	}
}
