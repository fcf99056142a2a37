/* SPDX-License-Identifier: MIT */
/*
 * tests/host/fake/crash_int.h - what crash.c and crash_work.c share.
 */
#ifndef TESTS_HOST_FAKE_CRASH_INT_H
#define TESTS_HOST_FAKE_CRASH_INT_H

#include <tests/host/fake/crash.h>

#define EVENT_NEVER ~0u

/* A file's contents after some step. */
struct version {
	u64 size;
	u8 *data;	  /* NULL: all zeroes */
	u32 begun, ended; /* events */
	u32 synced;	  /* event at which it was confirmed, or EVENT_NEVER */
};

struct name;

struct object {
	struct object *next; /* of all that ever were */
	u64 ino;
	u32 generation;
	u32 mode, nlink;
	char target[1100];
	char value[64]; /* of user.crash */
	struct version *version;
	u32 nr_versions, room_versions;
	u32 last_step; /* that changed its attributes or names */
	struct object *parent;
	struct name *names; /* a directory's */
	u32 nr_names;
};

struct name {
	struct name *next;
	char name[200];
	struct object *obj;
};

struct step {
	u32 begun, ended;
	char *names;	  /* all of the worker's directory afterwards */
	u32 confirms;	  /* this step, ... */
	u32 confirmed_at; /* ... at this event, or EVENT_NEVER */
};

#define NR_OPEN 3u

struct worker {
	struct rig *rig;
	struct trace *trace;
	char name[16];
	enum crash_mix mix;
	struct object *root, *objects;
	struct step *step;
	u32 nr_steps, room_steps;
	struct inode *open[NR_OPEN]; /* perhaps without a name */
	u32 serial;
	u8 *buf;
};

struct text {
	char **line;
	u32 nr, room;
};

void text_add(struct text *t, const char *fmt, ...) __printf(2, 3);
char *text_join(struct text *t);

#endif /* TESTS_HOST_FAKE_CRASH_INT_H */
