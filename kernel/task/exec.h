/* SPDX-License-Identifier: MIT */
/*
 * kernel/task/exec.h - one execve(2) in progress, shared by its files.
 *
 * The new program is built completely in an address space of its own; only then
 * does the old one go.  Until then every error leaves the caller untouched.
 */
#ifndef KERNEL_TASK_EXEC_H
#define KERNEL_TASK_EXEC_H

#include <kernel/task/elf.h>
#include <kernel/task/script.h>
#include <kernel/task/task.h>

#define EXEC_HEAD      1024 /* bytes of a file that are looked at first */
#define MAX_ARG_STRLEN (32 * 4096u)
#define EXEC_MAX_DEPTH 5

/* argv strings, then envp strings, each with its NUL. */
struct exec_args {
	char *buf;
	size_t cap, len;
	size_t argv_len;
	u32 argc, envc;
	size_t limit;
};

struct exec {
	struct file *file;   /* what is loaded: owned */
	struct file *interp; /* its PT_INTERP, or NULL: owned */
	const char *execfn;  /* borrowed from the caller, or fdname */
	char *fdname;	     /* below /dev/fd; NULL */
	bool name_ends;	     /* that descriptor is closed by exec */
	struct exec_args args;
	struct mm *mm;	   /* owned until commit */
	struct cred *cred; /* new one, or NULL: unchanged */
	bool secure, unreadable, gains, hidden;
	u64 bias, interp_bias, entry;
	u64 vdso; /* where it is mapped */
	u64 stack_top, sp;
	struct { /* 32 bytes: one block of the generator */
		u8 at_random[16];
		u32 stack, mmap, load, brk;
	} rnd;
	/* From here on not cleared at the beginning. */
	struct elf_image img;
	struct elf_image interp_img;
	struct script_line script;
	size_t head_len;
	u8 head[EXEC_HEAD] __aligned(8);
};

/* --- exec_args.c */
int exec_args_collect(struct exec_args *a, const struct exec_strings *s);
/* argv[0] becomes interp, [arg], path. */
int exec_args_script(struct exec_args *a, const struct script_line *s,
		     const char *path);
void exec_args_free(struct exec_args *a);

/* --- exec_load.c */
int exec_load_image(struct exec *e); /* segments, heap, interpreter */

/* --- exec_stack.c */
int exec_build_stack(struct exec *e); /* strings, vectors, trampoline */

/* --- exec_cred.c */
int exec_prepare_cred(struct exec *e);

#endif /* KERNEL_TASK_EXEC_H */
