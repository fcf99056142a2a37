/* SPDX-License-Identifier: MIT */
/* syscall/prctl.c - prctl(2), personality(2) and such. */
#include <syscall/prctl_mm.h>
#include <syscall/seccomp.h>
#include <syscall/syscall.h>

#include <fs/vfs.h>
#include <kernel/pmu/hooks.h>
#include <kernel/file/file.h>
#include <kernel/mm/user.h>
#include <kernel/ns/user.h>
#include <kernel/mm/vm.h>
#include <kernel/task/clone.h>
#include <kernel/task/ext.h>
#include <kernel/task/task.h>
#include <kernel/task/trace.h>
#include <lib/atomic.h>
#include <lib/string.h>

#define PR_SET_PDEATHSIG	     1
#define PR_GET_PDEATHSIG	     2
#define PR_GET_DUMPABLE		     3
#define PR_SET_DUMPABLE		     4
#define PR_GET_KEEPCAPS		     7
#define PR_SET_KEEPCAPS		     8
#define PR_GET_TIMING		     13
#define PR_SET_TIMING		     14
#define PR_SET_NAME		     15
#define PR_GET_NAME		     16
#define PR_GET_SECCOMP		     21
#define PR_SET_SECCOMP		     22
#define PR_CAPBSET_READ		     23
#define PR_CAPBSET_DROP		     24
#define PR_GET_SECUREBITS	     27
#define PR_SET_SECUREBITS	     28
#define PR_SET_TIMERSLACK	     29
#define PR_TASK_PERF_EVENTS_DISABLE  31
#define PR_TASK_PERF_EVENTS_ENABLE   32
#define PR_GET_TIMERSLACK	     30
#define PR_SET_CHILD_SUBREAPER	     36
#define PR_GET_CHILD_SUBREAPER	     37
#define PR_SET_NO_NEW_PRIVS	     38
#define PR_GET_NO_NEW_PRIVS	     39
#define PR_SET_SYSCALL_USER_DISPATCH 59
#define PR_GET_TID_ADDRESS	     40
#define PR_SET_MM		     35
#define PR_MCE_KILL		     33
#define PR_MCE_KILL_GET		     34
#define PR_SET_THP_DISABLE	     41
#define PR_GET_THP_DISABLE	     42
#define PR_CAP_AMBIENT		     47
#define PR_SET_IO_FLUSHER	     57
#define PR_GET_IO_FLUSHER	     58
#define PR_SET_MDWE		     65
#define PR_GET_MDWE		     66
#define PR_GET_AUXV		     0x41555856
#define PR_SET_PTRACER		     0x59616d61 /* "Yama" */

#define SECBIT_KEEP_CAPS	    BIT(4)
#define SECBIT_KEEP_CAPS_LOCKED	    BIT(5)
#define SECBIT_NO_CAP_AMBIENT_RAISE BIT(6)
#define SECBITS_ALL		    0xffu
#define SECBITS_LOCKS		    0xaau /* each is above what it locks */
#define DEFAULT_SLACK_NS	    50000

static s64 set_name(uaddr_t a)
{
	struct thread *t = current;
	char name[sizeof(t->name)];
	size_t i;

	memset(name, 0, sizeof(name));
	for (i = 0; i < sizeof(name) - 1; i++) {
		if (get_user_u8((u8 *)&name[i], a + i))
			return -EFAULT;
		if (!name[i])
			break;
	}
	memcpy(t->name, name, sizeof(name));
	perf_tell(PERF_SIDE_COMM, t);
	return 0;
}

static s64 set_pdeathsig(u64 sig)
{
	if (sig > NSIG)
		return -EINVAL;
	current->proc->pdeath_signal = (int)sig;
	return 0;
}

/* One bit or word of the credentials: @change gets a private copy. */
static s64 set_securebits(u64 bits)
{
	u32 old = current_cred()->securebits;
	struct cred *n;

	if (!capable_here(CAP_SETPCAP) || (bits & ~(u64)SECBITS_ALL) ||
	    (old & SECBITS_LOCKS & ~bits) ||
	    ((old & SECBITS_LOCKS) >> 1 & (old ^ bits)))
		return -EPERM;
	n = cred_dup(current_cred());
	if (!n)
		return -ENOMEM;
	n->securebits = (u32)bits;
	cred_replace(n);
	return 0;
}

static s64 set_keepcaps(u64 on)
{
	struct cred *n;

	if (on > 1)
		return -EINVAL;
	if (current_cred()->securebits & SECBIT_KEEP_CAPS_LOCKED)
		return -EPERM;
	n = cred_dup(current_cred());
	if (!n)
		return -ENOMEM;
	n->securebits &= ~(u32)SECBIT_KEEP_CAPS;
	if (on)
		n->securebits |= (u32)SECBIT_KEEP_CAPS;
	cred_replace(n);
	return 0;
}

static s64 set_dispatch(const u64 *a)
{
	struct sud_config c = {
		.on = a[0], .offset = a[1], .len = a[2], .selector = a[3]
	};

	return sud_set(&c);
}

static s64 set_no_new_privs(const u64 *a)
{
	struct cred *n;

	if (a[0] != 1 || a[1] || a[2] || a[3])
		return -EINVAL;
	n = cred_dup(current_cred());
	if (!n)
		return -ENOMEM;
	n->no_new_privs = true;
	cred_replace(n);
	return 0;
}

static s64 drop_bounding(u64 cap)
{
	struct cred *n;

	if (cap > CAP_LAST)
		return -EINVAL;
	if (!capable_here(CAP_SETPCAP))
		return -EPERM;
	n = cred_dup(current_cred());
	if (!n)
		return -ENOMEM;
	n->cap_bset &= ~(1ULL << cap);
	cred_replace(n);
	return 0;
}

static s64 cap_ambient(u64 op, u64 cap)
{
	enum {
		IS_SET = 1,
		RAISE,
		LOWER,
		CLEAR_ALL
	};
	const struct cred *o = current_cred();
	struct cred *n;

	if (op < IS_SET || op > CLEAR_ALL ||
	    (op == CLEAR_ALL ? cap != 0 : cap > CAP_LAST))
		return -EINVAL;
	if (op == IS_SET)
		return (s64)(o->cap_ambient >> cap & 1);
	if (op == RAISE &&
	    ((o->securebits & SECBIT_NO_CAP_AMBIENT_RAISE) ||
	     !(o->cap_permitted & o->cap_inheritable & (1ULL << cap))))
		return -EPERM;
	n = cred_dup(o);
	if (!n)
		return -ENOMEM;
	if (op == RAISE)
		n->cap_ambient |= 1ULL << cap;
	else if (op == LOWER)
		n->cap_ambient &= ~(1ULL << cap);
	else
		n->cap_ambient = 0;
	cred_replace(n);
	return 0;
}

static s64 set_subreaper(bool on)
{
	spin_lock(&task_lock);
	current->proc->is_subreaper = on;
	spin_unlock(&task_lock);
	return 0;
}

/* Memory never fails here, nor are there huge pages, nor I/O that memory waits for:
 * what a program wants of them is kept, and told. */
enum {
	MCE_KILL_LATE,
	MCE_KILL_EARLY,
	MCE_KILL_DEFAULT
};

static s64 mce_kill(const u64 *a)
{
	struct process *p = current->proc;

	if (a[2] || a[3] || a[0] > 1 || a[1] > MCE_KILL_DEFAULT)
		return -EINVAL;
	if (!a[0] && a[1])
		return -EINVAL;
	/* 0: the default, so that a new process has it */
	store_once(&p->mce_kill,
		   (u8)(a[0] ? (a[1] + 1) % (MCE_KILL_DEFAULT + 1) : 0));
	return 0;
}

static s64 mce_kill_get(const u64 *a)
{
	if (a[0] || a[1] || a[2] || a[3])
		return -EINVAL;
	return (load_once(&current->proc->mce_kill) + MCE_KILL_DEFAULT) %
	       (MCE_KILL_DEFAULT + 1);
}

static s64 io_flusher(bool set, const u64 *a)
{
	struct process *p = current->proc;

	if (!capable(CAP_SYS_RESOURCE))
		return -EPERM;
	if ((set ? a[0] > 1 : a[0] != 0) || a[1] || a[2] || a[3])
		return -EINVAL;
	if (!set)
		return load_once(&p->io_flusher);
	store_once(&p->io_flusher, a[0] != 0);
	return 0;
}

/* No memory may be both written and executed (mmap.c, mprotect.c), from now on. */
static s64 set_mdwe(const u64 *a)
{
	struct mm *mm = current->mm;
	u64 bits = a[0];

	if (a[1] || a[2] || a[3])
		return -EINVAL;
	if ((bits & ~(u64)(MDWE_REFUSE_EXEC_GAIN | MDWE_NO_INHERIT)) ||
	    bits == MDWE_NO_INHERIT)
		return -EINVAL;
	if (mm->mdwe && mm->mdwe != bits)
		return -EPERM;
	down_write(&mm->lock);
	mm->mdwe = (u8)bits;
	up_write(&mm->lock);
	return 0;
}

static s64 get_auxv(const u64 *a)
{
	u64 n = current->mm->nr_auxv * sizeof(u64);

	if (a[2] || a[3])
		return -EINVAL;
	if (copy_to_user(a[0], current->mm->auxv, min(n, a[1])))
		return -EFAULT;
	return (s64)n;
}

static s64 prctl_get(int op, const u64 *a)
{
	struct thread *t = current;
	struct process *p = t->proc;

	switch (op) {
	case PR_GET_PDEATHSIG:
		return put_user_u32((u32)p->pdeath_signal, a[0]);
	case PR_GET_DUMPABLE:
		return t->mm->dumpable;
	case PR_GET_KEEPCAPS:
		return !!(t->cred->securebits & SECBIT_KEEP_CAPS);
	case PR_GET_TIMING:
		return 0;
	case PR_GET_THP_DISABLE:
		return a[0] || a[1] || a[2] || a[3] ? -EINVAL
						    : t->mm->thp_disable;
	case PR_MCE_KILL_GET:
		return mce_kill_get(a);
	case PR_GET_IO_FLUSHER:
		return io_flusher(false, a);
	case PR_GET_MDWE:
		return a[0] || a[1] || a[2] || a[3] ? -EINVAL : t->mm->mdwe;
	case PR_GET_AUXV:
		return get_auxv(a);
	case PR_GET_NAME:
		return copy_to_user(a[0], t->name, sizeof(t->name));
	case PR_CAPBSET_READ:
		if (a[0] > CAP_LAST)
			return -EINVAL;
		return (s64)(t->cred->cap_bset >> a[0] & 1);
	case PR_GET_SECCOMP:
		return seccomp_prctl_get();
	case PR_GET_SECUREBITS:
		return t->cred->securebits;
	case PR_GET_TIMERSLACK:
		return (s64)p->timerslack_ns;
	case PR_GET_CHILD_SUBREAPER:
		return put_user_u32(p->is_subreaper, a[0]);
	case PR_GET_NO_NEW_PRIVS:
		return a[0] || a[1] || a[2] || a[3] ? -EINVAL
						    : thread_no_new_privs(t);
	case PR_GET_TID_ADDRESS:
		return put_user_u64(t->clear_child_tid, a[0]);
	default:
		return -EINVAL; /* speculation ... */
	}
}

static s64 prctl_set(int op, const u64 *a)
{
	struct thread *t = current;

	switch (op) {
	case PR_SET_PDEATHSIG:
		return set_pdeathsig(a[0]);
	case PR_SET_DUMPABLE:
		if (a[0] > 1)
			return -EINVAL;
		t->mm->dumpable = (u32)a[0];
		return 0;
	case PR_SET_KEEPCAPS:
		return set_keepcaps(a[0]);
	case PR_SET_TIMING:
		return a[0] ? -EINVAL : 0;
	case PR_SET_NAME:
		return set_name(a[0]);
	case PR_CAPBSET_DROP:
		return drop_bounding(a[0]);
	case PR_SET_SECCOMP:
		return seccomp_prctl_set(a[0], a[1]);
	case PR_TASK_PERF_EVENTS_DISABLE:
	case PR_TASK_PERF_EVENTS_ENABLE:
		perf_owner_enable(op == PR_TASK_PERF_EVENTS_ENABLE);
		return 0;
	case PR_SET_MM:
		return prctl_set_mm(a);
	case PR_SET_SECUREBITS:
		return set_securebits(a[0]);
	case PR_SET_TIMERSLACK:
		t->proc->timerslack_ns =
			(s64)a[0] > 0 ? a[0] : DEFAULT_SLACK_NS;
		return 0;
	case PR_SET_CHILD_SUBREAPER:
		return set_subreaper(a[0] != 0);
	case PR_SET_NO_NEW_PRIVS:
		return set_no_new_privs(a);
	case PR_SET_SYSCALL_USER_DISPATCH:
		return set_dispatch(a);
	case PR_MCE_KILL:
		return mce_kill(a);
	case PR_SET_THP_DISABLE:
		if (a[1] || a[2] || a[3])
			return -EINVAL;
		t->mm->thp_disable = a[0] != 0;
		return 0;
	case PR_SET_IO_FLUSHER:
		return io_flusher(true, a);
	case PR_SET_MDWE:
		return set_mdwe(a);
	case PR_SET_PTRACER:
		return trace_name_tracer((int)a[0]);
	case PR_CAP_AMBIENT:
		return a[2] || a[3] ? -EINVAL : cap_ambient(a[0], a[1]);
	default:
		return prctl_get(op, a);
	}
}

SYSCALL5(167, prctl, int, op, u64, a0, u64, a1, u64, a2, u64, a3)
{
	const u64 a[4] = { a0, a1, a2, a3 };

	return prctl_set(op, a);
}

SYSCALL1(92, personality, u32, pers)
{
	u32 old = current->personality;

	if (pers != 0xffffffffu)
		current->personality = pers;
	return old;
}
