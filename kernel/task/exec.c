/* SPDX-License-Identifier: MIT */
/*
 * kernel/task/exec.c - execve(2): a thread becomes another program.
 *
 *	open	file, interpreters of scripts, PT_INTERP
 *	build	strings, new address space, stack, credentials
 *	commit	end the other threads, then replace: address space, handlers,
 *		registers, close-on-exec descriptors
 *
 * Up to the end of "build" every error leaves the caller as it was.  In commit
 * only being killed meanwhile can fail, and then nobody is left to notice.
 *
 * Context: coroutine of the thread.  Locking: task_lock in commit.
 */
#include <kernel/pmu/hooks.h>
#include <kernel/task/exec.h>
#include <kernel/task/pi.h>

#include <arch/riscv/csr.h>
#include <kernel/assert.h>
#include <kernel/file/file.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/pt.h>
#include <kernel/mm/vm.h>
#include <kernel/ns/time.h>
#include <kernel/random.h>
#include <kernel/task/trace.h>
#include <kernel/upcalls.h>
#include <lib/errno.h>
#include <lib/fmt.h>
#include <lib/string.h>

#define AT_FDCWD_	  (-100)
#define ADDR_NO_RANDOMIZE 0x0040000u /* personality(2) */

static int read_head(struct exec *e, struct file *f)
{
	s64 n = exec_read(f, e->head, sizeof(e->head), 0);

	if (n < 0)
		return (int)n;
	e->head_len = (size_t)n;
	return 0;
}

/* Headers of @f, of which e->head has the beginning, to @img. */
static int read_elf(struct exec *e, struct file *f, struct elf_image *img)
{
	struct elf_ehdr eh;
	struct elf_phdr *ph;
	size_t bytes;
	int err;

	if (e->head_len < sizeof(eh))
		return -ENOEXEC;
	memcpy(&eh, e->head, sizeof(eh));
	err = elf_check_header(&eh);
	if (err)
		return err;
	bytes = (size_t)eh.phnum * sizeof(*ph);
	if (eh.phoff > (u64)INT64_MAX - bytes)
		return -ENOEXEC;
	if (!(eh.phoff & 7) && eh.phoff < e->head_len &&
	    bytes <= e->head_len - eh.phoff)
		return elf_parse(&eh, (void *)(e->head + eh.phoff), USER_TOP,
				 img);
	ph = kmalloc(bytes);
	if (!ph)
		return -ENOMEM;
	err = exec_read(f, ph, bytes, eh.phoff) == (s64)bytes ? 0 : -ENOEXEC;
	if (!err)
		err = elf_parse(&eh, ph, USER_TOP, img);
	kfree(ph);
	return err;
}

/* e->file is a script called @name: its arguments, then its interpreter. */
static int next_interpreter(struct exec *e, const char *name)
{
	struct script_line *line = &e->script;
	size_t len = min(e->head_len, (size_t)SCRIPT_LINE_MAX);
	int err = script_parse((const char *)e->head, len, line);

	if (!err && e->name_ends)
		err = -ENOENT; /* the interpreter would not find it */
	if (!err)
		err = exec_args_script(&e->args, line, name);
	if (err)
		return err;
	exec_close(e->file);
	e->file = exec_open(AT_FDCWD_, line->interp, 0);
	if (IS_ERR(e->file)) {
		err = (int)PTR_ERR(e->file);
		e->file = NULL;
	}
	return err;
}

/* Open the file, and interpreters until there is no #! line any more. */
static int open_program(struct exec *e, int dirfd, const char *path,
			u32 at_flags)
{
	char name[SCRIPT_LINE_MAX];
	int err = 0;

	e->file = exec_open(dirfd, path, at_flags);
	if (IS_ERR(e->file)) {
		err = (int)PTR_ERR(e->file);
		e->file = NULL;
		return err;
	}
	for (int depth = 0; !err; depth++) {
		err = read_head(e, e->file);
		if (err || e->head_len < 2 || e->head[0] != '#' ||
		    e->head[1] != '!')
			break;
		if (depth == EXEC_MAX_DEPTH)
			return -ELOOP;
		if (depth)
			(void)strscpy(name, e->script.interp, sizeof(name));
		err = next_interpreter(e, depth ? name : e->execfn);
	}
	return err;
}

static int open_interp(struct exec *e)
{
	char *name;
	int err;

	if (!e->img.interp_len)
		return 0;
	name = kmalloc(e->img.interp_len);
	if (!name)
		return -ENOMEM;
	err = exec_read(e->file, name, e->img.interp_len, e->img.interp_off) ==
				      (s64)e->img.interp_len &&
			      !name[e->img.interp_len - 1]
		      ? 0
		      : -ENOEXEC;
	if (!err) {
		e->interp = exec_open(AT_FDCWD_, name, 0);
		if (IS_ERR(e->interp)) {
			err = (int)PTR_ERR(e->interp);
			e->interp = NULL;
		}
	}
	kfree(name);
	if (err)
		return err;
	err = read_head(e, e->interp);
	if (!err)
		err = read_elf(e, e->interp, &e->interp_img);
	return err == -ENOEXEC ? -ELIBBAD : err;
}

static int build(struct exec *e)
{
	int err = read_elf(e, e->file, &e->img);

	if (!err)
		err = open_interp(e);
	if (!err)
		err = exec_prepare_cred(e);
	if (err)
		return err;
	random_bytes(&e->rnd, sizeof(e->rnd));
	if (current->personality & ADDR_NO_RANDOMIZE)
		e->rnd.stack = e->rnd.mmap = e->rnd.load = e->rnd.brk = 0;
	e->mm = mm_new();
	if (!e->mm)
		return -ENOMEM;
	if (current->mm) {
		e->mm->mdwe = current->mm->mdwe;
		e->mm->thp_disable = current->mm->thp_disable;
		e->mm->core_filter = current->mm->core_filter;
	}
	err = exec_load_image(e);
	if (!err)
		err = exec_build_stack(e);
	return err;
}

/*
 * From before the new program's rights are decided until it has them nobody attaches
 * as a tracer, gives filters to this thread, or comes to share its directories: the
 * decision rests on that.
 */
static int begin_deciding(struct process *p)
{
	bool mine = false;
	int err = 0;

	while (!mine && !err) {
		spin_lock(&task_lock);
		mine = !p->exec_decides;
		if (mine)
			store_once(&p->exec_decides, current);
		spin_unlock(&task_lock);
		if (!mine)
			err = wait_event_interruptible(
				&p->threads_wq, !load_once(&p->exec_decides));
	}
	return err ? -ERESTARTNOINTR : 0;
}

static void end_deciding(struct process *p)
{
	spin_lock(&task_lock);
	store_once(&p->exec_decides, NULL);
	spin_unlock(&task_lock);
	wake_up_all(&p->threads_wq);
}

/* End the other threads of the process. */
static int become_single(struct thread *t)
{
	struct process *p = t->proc;
	bool alone;

	spin_lock(&task_lock);
	if (p->exiting || p->exec_thread) {
		spin_unlock(&task_lock);
		return -EAGAIN;
	}
	alone = p->nr_threads == 1;
	if (!alone) {
		p->exec_thread = t;
		zap_threads_locked(p, t);
	}
	spin_unlock(&task_lock);
	if (alone)
		goto out;
	wait_event(&p->threads_wq, load_once(&p->nr_threads) == 1 ||
					   (load_once(&t->work) & WORK_EXIT));
	spin_lock(&task_lock);
	p->exec_thread = NULL;
	alone = p->nr_threads == 1;
	spin_unlock(&task_lock);
	if (!alone)
		return -EAGAIN;
out:
	uring_process_exit(p);
	process_take_lead();
	return 0;
}

/* Actions shared with another process (CLONE_SIGHAND) become our own. */
static int unshare_sighand(struct process *p)
{
	struct sighand *old = p->sighand, *sh;

	if (load_once(&old->refs) == 1)
		return 0;
	sh = sighand_alloc();
	if (!sh)
		return -ENOMEM;
	spin_lock(&task_lock);
	spin_lock(&old->lock);
	memcpy(sh->action, old->action, sizeof(sh->action));
	p->sighand = sh;
	spin_unlock(&old->lock);
	spin_unlock(&task_lock);
	sighand_put(old);
	return 0;
}

static void set_name(struct thread *t, const char *path)
{
	const char *base = strrchr(path, '/');

	(void)strscpy(t->name, base ? base + 1 : path, sizeof(t->name));
}

static void reset_registers(struct thread *t, const struct exec *e)
{
	u64 status = t->tf.status & ~(u64)SSTATUS_FS;

	memset(&t->tf, 0, sizeof(t->tf));
	memset(&t->fp, 0, sizeof(t->fp));
	t->fp_hart = NULL;
	t->tf.status = status;
	t->tf.pc = e->entry;
	t->tf.sp = e->sp;
}

static void reset_thread(struct thread *t, struct exec *e)
{
	struct process *p = t->proc;

	signal_flush_handlers(p->sighand);
	t->sas_sp = t->sas_size = 0;
	t->sas_flags = 0;
	memset(&t->restart, 0, sizeof(t->restart));
	process_timers_exec(p);
	files_close_on_exec(t->files);
	if (e->secure || e->gains)
		p->pdeath_signal = 0;
	if (e->cred)
		cred_replace(e->cred);
	e->cred = NULL;
	p->exit_signal = SIGCHLD;
	store_once(&p->did_exec, true);
	set_name(t, e->execfn);
	reset_registers(t, e);
}

static int commit(struct exec *e)
{
	struct thread *t = current;
	struct nsproxy *ns = nsproxy_exec_time();
	int err = IS_ERR(ns) ? (int)PTR_ERR(ns) : become_single(t);

	if (!err)
		err = unshare_sighand(t->proc);
	if (!err)
		err = files_unshare();
	if (err) {
		if (!IS_ERR(ns))
			nsproxy_put(ns);
		return err;
	}
	mm_release(t);
	pi_owner_gone(false);
	if (t->mm)
		t->proc->maxrss_pages =
			max(t->proc->maxrss_pages, mm_rss_peak(t->mm));
	e->mm->dumpable =
		e->hidden ? (u32)load_once(&suid_dumpable) : DUMP_OWNER;
	thread_replace_mm(e->mm);
	e->mm = NULL;
	if (unlikely(ns)) {
		time_ns_enter(ns->time, t->mm);
		nsproxy_switch(ns);
	}
	vfork_release(t);
	reset_thread(t, e);
	return 0;
}

static void exec_free(struct exec *e)
{
	if (e->mm)
		mm_put(e->mm);
	if (e->file)
		exec_close(e->file);
	if (e->interp)
		exec_close(e->interp);
	cred_put(e->cred);
	exec_args_free(&e->args);
	kfree(e->fdname);
	kfree(e);
}

/* The name that leads to the program, also from another directory. */
static int name_program(struct exec *e, int dirfd, const char *path)
{
	size_t room = strlen(path) + 32;

	e->execfn = path;
	if (dirfd == AT_FDCWD_ || *path == '/')
		return 0;
	e->fdname = kmalloc(room);
	if (!e->fdname)
		return -ENOMEM;
	(void)scnprintf(e->fdname, room, *path ? "/dev/fd/%d/%s" : "/dev/fd/%d",
			dirfd, path);
	e->execfn = e->fdname;
	e->name_ends = fd_get_cloexec(dirfd) > 0;
	return 0;
}

int task_execve(int dirfd, const char *path, u32 at_flags,
		const struct exec_strings *s)
{
	struct process *p = current->proc;
	struct exec *e = kmalloc(sizeof(*e));
	int err, tid = current->tid;

	if (!e)
		return -ENOMEM;
	memset(e, 0, offsetof(struct exec, img));
	err = name_program(e, dirfd, path);
	if (!err)
		err = exec_args_collect(&e->args, s);
	if (!err)
		err = open_program(e, dirfd, path, at_flags);
	if (!err)
		err = begin_deciding(p);
	if (!err) {
		err = build(e);
		if (!err)
			err = commit(e);
		end_deciding(p);
	}
	exec_free(e);
	if (!err) {
		trace_exec(tid);
		perf_exec(current);
	}
	return err;
}

int kernel_execve(const char *path, const char *const argv[],
		  const char *const envp[])
{
	struct exec_strings s = { .kernel = true,
				  .kargv = argv,
				  .kenvp = envp };

	return task_execve(AT_FDCWD_, path, 0, &s);
}
