/* SPDX-License-Identifier: MIT */
/*
 * fs/coredump.c - the core file of a process that a signal ends.
 *
 * An ELF file with notes (registers of all threads, first of the one that got the
 * signal; who it was, the auxiliary vector, which files are mapped where) and memory:
 * unless /proc/pid/coredump_filter says something else what is not in some other file,
 * that is anonymous pages, private pages of files, and the first page of mapped
 * images, from which a debugger knows what they are.  Pages that were never touched
 * are holes.
 *
 * /proc/sys/kernel/core_pattern names the file, or the program that gets it as a stream.
 * The other threads are stopped meanwhile (kernel/task/core_stop.c).
 *
 * Context: coroutine of the dying thread, nothing held.
 */
#include <fs/coredump.h>
#include <fs/internal.h>
#include <fs/pipe.h>
#include <fs/pseudo.h>
#include <kernel/file/iov.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/page.h>
#include <kernel/mm/user.h>
#include <kernel/mm/vma.h>
#include <kernel/ns/ns.h>
#include <kernel/task/elf.h>
#include <kernel/task/helper.h>
#include <kernel/task/process.h>
#include <kernel/task/signal.h>
#include <kernel/task/task.h>
#include <kernel/upcalls.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/fmt.h>
#include <lib/string.h>

#define CORE_MIN_LIMIT PAGE_SIZE
#define MAX_AREAS      65000u /* of 16 bits of e_phnum */
#define ET_CORE	       4
#define PT_NOTE	       4

#define NT_PRSTATUS 1
#define NT_PRFPREG  2
#define NT_PRPSINFO 3
#define NT_AUXV	    6
#define NT_SIGINFO  0x53494749u
#define NT_FILE	    0x46494c45u

struct prstatus {
	s32 signo, code, err;
	s16 cursig, pad;
	u64 sigpend, sighold;
	s32 pid, ppid, pgrp, sid;
	s64 times[8]; /* user, system, and children's */
	u64 regs[32];
	s32 fpvalid, pad2;
};
STATIC_ASSERT(sizeof(struct prstatus) == 376, "Linux's elf_prstatus");

struct prpsinfo {
	u8 state;
	char sname;
	u8 zomb;
	s8 nice;
	u64 flag;
	u32 uid, gid;
	s32 pid, ppid, pgrp, sid;
	char fname[16], psargs[80];
};
STATIC_ASSERT(sizeof(struct prpsinfo) == 136, "Linux's elf_prpsinfo");

struct note_header {
	u32 namesz, descsz, type;
	char name[8]; /* "CORE" */
};

struct area {
	u64 start, len, dump; /* bytes of it that are written */
	u32 pf;
	bool file;
};

struct core {
	struct file *f;
	u64 pos, limit;
	struct area *area;
	u32 nr;
	u8 *page;
	struct thread **thread; /* the others; they are parked */
	u32 nr_threads;
	struct text files; /* NT_FILE */
	bool full;	   /* the limit, or the disk, or nobody reads */
	bool pipe;	   /* no holes */
	u64 blocked;	   /* current's signals, before it blocked all */
};

char core_pattern[CORE_PATTERN_MAX] = "core";
u64 core_uses_pid;

static void put(struct core *c, const void *p, size_t n)
{
	struct iov_iter it;

	if (c->full)
		return;
	if (c->pos + n > c->limit) {
		c->full = true;
		return;
	}
	iov_iter_kernel(&it, (void *)(uintptr_t)p, n);
	while (iov_iter_count(&it)) {
		s64 r = vfs_write(c->f, &it, &c->pos);

		if (r <= 0) {
			c->full = true;
			return;
		}
		c->pos += c->pipe ? (u64)r : 0; /* which has none */
	}
}

static bool filter_wants(const struct vma *v)
{
	bool shared = v->flags & VM_SHARED;
	bool anon =
		shared ? !v->file || !v->file->dentry : !v->file || v->has_anon;
	u32 want = anon	    ? (shared ? CORE_FILTER_ANON_SHARED
				      : CORE_FILTER_ANON_PRIVATE)
		   : shared ? CORE_FILTER_FILE_SHARED
			    : CORE_FILTER_FILE_PRIVATE;

	return load_once(&v->mm->core_filter) & want;
}

/* How much of @v is written: what the process wants, and enough of an image to know
 * what it is. */
static u64 to_dump(const struct vma *v)
{
	if (v->flags & (VM_IO | VM_DONTDUMP | VM_SECRET))
		return 0;
	if (filter_wants(v))
		return v->end - v->start;
	return v->file && !(v->flags & VM_SHARED) && !v->pgoff &&
			       (v->flags & VM_READ) &&
			       (load_once(&v->mm->core_filter) &
				CORE_FILTER_ELF_HEADERS)
		       ? PAGE_SIZE
		       : 0;
}

static int list_areas(struct core *c, struct mm *mm)
{
	u32 nr = 0, i = 0;
	struct vma *v;

	down_read(&mm->lock);
	for (v = vma_first(mm); v; v = vma_next(v))
		nr++;
	c->area = kcalloc(nr, sizeof(*c->area));
	if (c->area && nr <= MAX_AREAS) {
		for (v = vma_first(mm); v; v = vma_next(v), i++)
			c->area[i] = (struct area){
				.start = v->start,
				.len = v->end - v->start,
				.dump = to_dump(v),
				.pf = (v->flags & VM_READ ? PF_R : 0) |
				      (v->flags & VM_WRITE ? PF_W : 0) |
				      (v->flags & VM_EXEC ? PF_X : 0),
				.file = v->file != NULL,
			};
	}
	up_read(&mm->lock);
	c->nr = i;
	return i ? 0 : -ENOMEM;
}

/* --- notes */

static size_t note_size(size_t desc)
{
	return sizeof(struct note_header) + ALIGN_UP(desc, 4);
}

static void put_note(struct core *c, u32 type, const void *desc, size_t n)
{
	struct note_header h = { .namesz = 5, .descsz = (u32)n, .type = type };

	memcpy(h.name, "CORE", 5);
	put(c, &h, sizeof(h));
	put(c, desc, n);
	put(c, "\0\0\0", ALIGN_UP(n, 4) - n);
}

static size_t notes_size(const struct core *c, const struct mm *mm)
{
	return (1 + c->nr_threads) * (note_size(sizeof(struct prstatus)) +
				      note_size(sizeof(struct fpstate))) +
	       note_size(sizeof(struct prpsinfo)) +
	       note_size(sizeof(struct siginfo)) +
	       note_size(mm->nr_auxv * sizeof(u64)) + note_size(c->files.len);
}

static void put_status(struct core *c, const struct thread *t, int sig)
{
	struct prstatus s = {
		.signo = sig,
		.cursig = (s16)sig,
		.sigpend = t->sig_pending,
		.sighold = t == current ? c->blocked : t->sig_blocked,
		.pid = t->tid,
		.ppid = (s32)load_once(&t->proc->ppid),
		.pgrp = t->proc->pgid,
		.sid = t->proc->sid,
		.fpvalid = 1,
	};

	memcpy(s.regs, &t->tf, sizeof(s.regs));
	put_note(c, NT_PRSTATUS, &s, sizeof(s));
}

static void put_info(struct core *c)
{
	const struct thread *t = current;
	const struct mm *mm = t->mm;
	struct prpsinfo i = {
		.sname = 'R',
		.nice = (s8)t->nice,
		.uid = t->cred->uid,
		.gid = t->cred->gid,
		.pid = t->proc->pid,
		.ppid = (s32)load_once(&t->proc->ppid),
		.pgrp = t->proc->pgid,
		.sid = t->proc->sid,
	};
	size_t n =
		min_t(u64, mm->arg_end - mm->arg_start, sizeof(i.psargs) - 1);

	(void)strscpy(i.fname, t->name, sizeof(i.fname));
	n = copy_from_user_partial(i.psargs, mm->arg_start, n);
	for (size_t k = 0; k < n; k++)
		if (!i.psargs[k])
			i.psargs[k] = ' ';
	put_note(c, NT_PRPSINFO, &i, sizeof(i));
}

static void put_notes(struct core *c, const struct siginfo *si, int sig)
{
	const struct mm *mm = current->mm;

	put_status(c, current, sig);
	put_info(c);
	put_note(c, NT_SIGINFO, si, sizeof(*si));
	put_note(c, NT_AUXV, mm->auxv, mm->nr_auxv * sizeof(u64));
	put_note(c, NT_FILE, c->files.buf, c->files.len);
	put_note(c, NT_PRFPREG, &current->fp, sizeof(current->fp));
	for (u32 i = 0; i < c->nr_threads; i++) {
		put_status(c, c->thread[i], sig);
		put_note(c, NT_PRFPREG, &c->thread[i]->fp,
			 sizeof(struct fpstate));
	}
}

/* --- what is told in notes, and has to be known before they are written */

static int list_threads(struct core *c)
{
	struct process *p = current->proc;
	struct thread *t;
	u32 room;

	spin_lock(&task_lock);
	room = p->nr_threads;
	spin_unlock(&task_lock);
	c->thread = kcalloc(room, sizeof(struct thread *));
	if (!c->thread)
		return -ENOMEM;
	/* parked threads stay in the list; others may be about to leave it */
	spin_lock(&task_lock);
	list_for_each_entry(t, &p->threads, proc_node) {
		if (load_once(&t->parked) && c->nr_threads < room)
			c->thread[c->nr_threads++] = t;
	}
	spin_unlock(&task_lock);
	return 0;
}

struct file_list {
	struct core *c;
	struct path root;
	char *name; /* a page */
	struct text names;
	u64 nr;
};

static void add_file(struct vma *v, void *ctx)
{
	struct file_list *l = ctx;
	const u64 words[3] = { v->start, v->end, v->pgoff };
	struct path p;
	s64 n;

	if (!v->file || !v->file->dentry)
		return;
	p = (struct path){ v->file->mnt, v->file->dentry };
	n = path_to_str(&p, &l->root, l->name, PAGE_SIZE);
	if (n <= 0)
		return;
	text_write(&l->c->files, words, sizeof(words));
	text_puts(&l->names, l->name);
	text_write(&l->names, "", 1);
	l->nr++;
}

/* Number, page size, [start, end, page in the file] of each, names.  Without memory:
 * none of them. */
static void list_files(struct core *c, struct mm *mm)
{
	struct file_list l = { .c = c, .name = get_free_page(0) };
	u64 head[2] = { 0, PAGE_SIZE };

	text_write(&c->files, head, sizeof(head));
	if (l.name) {
		fs_ctx_get_root(&l.root);
		mm_for_each_vma(mm, add_file, &l);
		path_put(&l.root);
		text_write(&c->files, l.names.buf, l.names.len);
		free_page_addr(l.name);
	}
	if (c->files.failed || l.names.failed)
		c->files.len = 0;
	else
		memcpy(c->files.buf, &l.nr, sizeof(l.nr));
	text_free(&l.names);
}

/* --- headers and memory */

static void put_headers(struct core *c)
{
	struct elf_ehdr e = {
		.type = ET_CORE,
		.machine = EM_RISCV,
		.version = 1,
		.phoff = sizeof(e),
		.flags = 0x5, /* RVC, double-float ABI */
		.ehsize = sizeof(e),
		.phentsize = sizeof(struct elf_phdr),
		.phnum = (u16)(c->nr + 1),
	};
	u64 at = sizeof(e) + (c->nr + 1) * sizeof(struct elf_phdr);
	struct elf_phdr p = { .type = PT_NOTE,
			      .offset = at,
			      .filesz = notes_size(c, current->mm),
			      .align = 4 };

	memcpy(e.ident, "\177ELF\2\1\1", 7);
	put(c, &e, sizeof(e));
	put(c, &p, sizeof(p));
	at = ALIGN_UP(at + p.filesz, PAGE_SIZE);
	for (u32 i = 0; i < c->nr; i++) {
		const struct area *a = &c->area[i];

		p = (struct elf_phdr){
			.type = PT_LOAD,
			.flags = a->pf,
			.offset = at,
			.vaddr = a->start,
			.filesz = a->dump,
			.memsz = a->len,
			.align = PAGE_SIZE,
		};
		put(c, &p, sizeof(p));
		at += a->dump;
	}
}

/* Zeros: a hole of a file. */
static void skip(struct core *c, size_t n)
{
	if (!c->pipe) {
		c->pos += n;
		return;
	}
	memset(c->page, 0, n);
	put(c, c->page, n);
}

static void put_area(struct core *c, const struct area *a)
{
	u64 va = a->start, end = a->start + a->dump;

	for (; va < end && !c->full; va += PAGE_SIZE) {
		size_t n =
			a->file ? copy_from_user_partial(c->page, va, PAGE_SIZE)
				: copy_from_user_nofault(c->page, va,
							 PAGE_SIZE);

		if (n == PAGE_SIZE)
			put(c, c->page, PAGE_SIZE);
		else
			skip(c, PAGE_SIZE);
		if (load_once(&current->work) & WORK_EXIT)
			c->full = true;
		cond_resched();
	}
}

static void write_core(struct core *c, const struct siginfo *si, int sig)
{
	put_headers(c);
	put_notes(c, si, sig);
	skip(c, ALIGN_UP(c->pos, PAGE_SIZE) - c->pos);
	for (u32 i = 0; i < c->nr; i++)
		put_area(c, &c->area[i]);
	if (!c->pipe && !c->full && c->pos > c->f->inode->i_size)
		(void)vfs_ftruncate(c->f, c->pos);
}

/* For root alone: a new one, at a place that current has not chosen.  -ENOMEM, -EPERM. */
static struct file *open_as_root(const char *name, u32 how)
{
	struct cred *c;

	if (*name != '/' || fs_ctx_is_chrooted() ||
	    fs_ctx_mnt_ns(current->fs)->ino != NS_INO_MNT)
		return ERR_PTR(-EPERM);
	c = cred_dup(current->cred);
	if (!c)
		return ERR_PTR(-ENOMEM);
	c->fsuid = 0;
	cred_replace(
		c); /* and current keeps it: it does nothing else any more */
	return vfs_open(AT_FDCWD, name, how, 0600);
}

/* A file of our own and of nobody else, made or emptied. */
static struct file *open_core(int sig)
{
	u32 how = O_CREAT | O_RDWR | O_NOFOLLOW;
	struct text name = { 0 };
	struct file *f = ERR_PTR(-ENOMEM);

	(void)core_name(&name, core_pattern, sig, false);
	if (current->mm->dumpable == DUMP_OWNER && !name.failed)
		f = vfs_open(AT_FDCWD, name.buf, how, 0600);
	else if (!name.failed)
		f = open_as_root(name.buf, how | O_EXCL);
	text_free(&name);
	if (IS_ERR(f))
		return NULL;
	if (S_ISREG(f->inode->mode) && f->inode->nlink == 1 &&
	    f->inode->uid == current->cred->fsuid && !vfs_ftruncate(f, 0))
		return f;
	file_put(f);
	return NULL;
}

/* --- to a program: core_pattern is "|program words..." */

#define MAX_WORDS 64u

u64 core_pipe_limit;
static u32 nr_pipes; /* [a] programs that are being fed */

/* Start the program; c->f is what it reads.  It, referenced, or NULL. */
static struct process *open_pipe(struct core *c, int sig)
{
	const char *argv[MAX_WORDS + 1] = { NULL };
	struct process *p = ERR_PTR(-ENOEXEC);
	struct file *reader;
	struct text t = { 0 };
	u32 n = core_name(&t, core_pattern + 1, sig, true);

	if (n && n <= MAX_WORDS && !t.failed &&
	    !pipe_create(0, &reader, &c->f)) {
		const char *s = t.buf;

		for (u32 i = 0; i < n; i++, s += strlen(s) + 1)
			argv[i] = s;
		/* 1: none of its own, by which it is known, see below */
		p = helper_start(argv, reader, 1);
		if (IS_ERR(p))
			file_put(c->f);
	}
	text_free(&t);
	c->pipe = true;
	return IS_ERR(p) ? NULL : p;
}

static bool dump_to_program(struct core *c, const struct siginfo *si, int sig)
{
	u64 max = load_once(&core_pipe_limit);
	struct process *p = NULL;

	c->limit = RLIM_INFINITY;
	if (atomic_add_return(&nr_pipes, 1) <= max || !max)
		p = open_pipe(c, sig);
	if (p) {
		write_core(c, si, sig);
		file_put(c->f);
		if (max)
			helper_wait(p);
		process_put(p);
	}
	atomic_dec(&nr_pipes);
	return p != NULL;
}

static bool dump_to_file(struct core *c, const struct siginfo *si, int sig)
{
	c->f = open_core(sig);
	if (!c->f)
		return false;
	write_core(c, si, sig);
	file_put(c->f);
	return true;
}

/* A program that gets a core file and dies itself would get its own. */
static bool is_wanted(const struct core *c)
{
	return core_pattern[0] == '|'
		       ? c->limit != 1
		       : core_pattern[0] && c->limit >= CORE_MIN_LIMIT;
}

bool core_dump(const struct siginfo *si, int sig)
{
	struct core c = { .limit = rlimit_cur(RLIMIT_CORE),
			  .blocked = current->sig_blocked };
	bool done = false;

	if (!is_wanted(&c) || current->mm->dumpable == DUMP_NOBODY ||
	    atomic_xchg(&current->mm->core_dumping, 1u))
		return false;
	if (!core_stop_threads())
		return false;
	signal_hold_all();
	c.page = get_free_page(0);
	if (c.page && !list_areas(&c, current->mm) && !list_threads(&c)) {
		list_files(&c, current->mm);
		done = core_pattern[0] == '|' ? dump_to_program(&c, si, sig)
					      : dump_to_file(&c, si, sig);
	}
	core_release_threads();
	text_free(&c.files);
	kfree(c.thread);
	kfree(c.area);
	if (c.page)
		free_page_addr(c.page);
	return done;
}
