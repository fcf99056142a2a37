/* SPDX-License-Identifier: MIT */
/*
 * user/powercut/powercut.h - work whose outcome after a power cut is known.
 *
 * What a process does is a function of a seed: a plan of numbered operations on
 * the files of a directory of its own.  So whoever knows the seed, and up to
 * which operation the process has told of a finished fsync(), can say what has
 * to be on the disk, what may be there, and what never.
 *
 * Built for the guest and, to look at an image from outside, for the host.
 */
#ifndef POWERCUT_H
#define POWERCUT_H

#include <stdbool.h>
#include <stdint.h>

#define NR_NAMES	 14 /* the upper half lies in the directory "sub" */
#define NR_WORKERS	 3
#define MAX_SIZE	 (96u << 10)
#define MAX_OBJECTS	 4096
#define POWERCUT_UNKNOWN (-2) /* told: nothing is known of this one */
#define NR_IDS		 511  /* a file is known by the low bits of its mode */

enum op_kind {
	OP_CREATE,
	OP_WRITE,  /* len bytes at off */
	OP_DIRECT, /* the same past the cache, aligned */
	OP_MMAP,   /* the same by a mapping, and msync() */
	OP_TRUNCATE,
	OP_PUNCH,
	OP_RESERVE, /* fallocate(), the size stays */
	OP_RENAME,  /* name becomes to, which may exist */
	OP_LINK,
	OP_UNLINK,
	OP_FSYNC,
	OP_FDATASYNC,
	OP_FSYNC_DIR, /* name: 0, or NR_NAMES - 1 for "sub" */
	OP_SYNC,
};

struct op {
	enum op_kind kind;
	int name, to;
	uint32_t off, len;
};

struct object {
	int nr;
	int refs; /* names */
	uint32_t size;
	uint8_t *data; /* MAX_SIZE bytes, zero behind size */
};

/* A process's files as they are after `next' operations. */
struct plan {
	uint64_t seed;
	int worker;
	int next;
	uint64_t rng;
	struct object *name[NR_NAMES];
	struct object *last; /* that of the last operation */
	int nr_objects;
	struct op queue[4]; /* what must follow */
	int nr_queued;
};

/* --- plan.c */
void plan_init(struct plan *p, uint64_t seed, int worker);
/* The next operation, which the files of the plan have seen on return.  @obj:
 * the file that it is about, or NULL; it lasts until the next step. */
struct op plan_step(struct plan *p, struct object **obj);
/* What operation @nr of the plan writes. */
void plan_data(const struct plan *p, int nr, uint8_t *buf, uint32_t len);
void plan_path(int name, char *buf, int size);
bool op_confirms(enum op_kind kind);
bool op_changes_names(enum op_kind kind);
static inline unsigned int object_mode(const struct object *o)
{
	return 1 + (unsigned int)o->nr % NR_IDS;
}

/* --- run.c: does not return */
void run(const char *dir, uint64_t seed);

/* --- check.c: number of lies; @told: last operation told by each worker */
int check(const char *dir, uint64_t seed, const int *told);

#endif
