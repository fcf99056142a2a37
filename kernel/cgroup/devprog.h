/* SPDX-License-Identifier: MIT */
/*
 * kernel/cgroup/devprog.h - programs that say which devices the processes of a group
 * may use (bpf(2), BPF_CGROUP_DEVICE).
 *
 * A device is open to a process when all programs of its group say so, and all of
 * groups above whose programs were attached to be many (BPF_F_ALLOW_MULTI); with
 * none everything is.
 *
 * OWNERSHIP
 *   file, struct cgroup ---> struct dev_prog	each arrow a reference
 *
 * Context: coroutine, no spinlock held.
 */
#ifndef KERNEL_CGROUP_DEVPROG_H
#define KERNEL_CGROUP_DEVPROG_H

#include <kernel/cgroup/cgroup.h>
#include <kernel/dev/dev.h>
#include <lib/atomic.h>
#include <lib/ebpf.h>

#define DEV_PROGS_MAX 64u /* of a group */

/* linux/bpf.h: BPF_F_ALLOW_OVERRIDE ..., BPF_DEVCG_ACC_*, BPF_DEVCG_DEV_* */
enum {
	DEV_PROG_OVERRIDE = 1,
	DEV_PROG_MULTI = 2,
	DEV_PROG_REPLACE = 4,
};
enum {
	DEV_MAKE = 1,
	DEV_READ = 2,
	DEV_WRITE = 4,
};

struct dev_prog {
	u32 refs;		  /* [a] */
	u32 id;			  /* [I] */
	u32 len;		  /* [I] */
	u32 words;		  /* [I] that it may look at */
	char name[16];		  /* [I] */
	struct list_head node;	  /* [devprog_lock] by id */
	struct ebpf_insn insns[]; /* [I] */
};

#define DEV_PROG_WORDS \
	3u /* of a question; a program of another number guards nothing */
/* @len zeroed instructions, for dev_prog_ready(); NULL: no memory. */
struct dev_prog *dev_prog_alloc(u32 len, u32 words);
/* It gets a number: 0, or what is wrong with it (ebpf_check()), or -ENOMEM. */
int dev_prog_ready(struct dev_prog *p);
void dev_prog_put(struct dev_prog *p); /* NULL is fine */
/* The one with the number @id, with a reference, or NULL. */
struct dev_prog *dev_prog_find(u32 id);
u32 dev_prog_after(u32 id); /* the next number; 0: none */

/* As BPF_PROG_ATTACH and _DETACH: 0 or -errno.  @old: what is replaced, or NULL. */
int cgroup_dev_attach(struct cgroup *cg, struct dev_prog *p, u32 flags,
		      struct dev_prog *old);
int cgroup_dev_detach(struct cgroup *cg, struct dev_prog *p);
/* The first @room numbers of programs that hold for @cg: its own, or @effective.
 * How many there are; *@flags: how they were attached. */
u32 cgroup_dev_query(struct cgroup *cg, bool effective, u32 *ids, u32 room,
		     u32 *flags);
void cgroup_dev_free(struct cgroup *cg); /* nobody else has @cg */

extern u32 nr_dev_progs; /* [a] attached anywhere */
int cgroup_dev_ask(bool block, kdev_t dev, u32 access);
/* May current do @access (DEV_*) with @dev?  0 or -EPERM. */
static inline int cgroup_dev_check(bool block, kdev_t dev, u32 access)
{
	return unlikely(load_once(&nr_dev_progs))
		       ? cgroup_dev_ask(block, dev, access)
		       : 0;
}

#endif /* KERNEL_CGROUP_DEVPROG_H */
