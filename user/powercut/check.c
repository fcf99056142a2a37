/* SPDX-License-Identifier: MIT */
/*
 * user/powercut/check.c - is what was promised there, and nothing else?
 *
 * A journal keeps the order of changes of names: the names of a directory are
 * those after some operation that is not older than what was confirmed.  The
 * contents of a file are those of its last confirmed state, or of any state
 * since then, byte by byte; what was longer than the confirmed size may also
 * be zeroes.  Anything else is data that was lost or that is somebody else's.
 */
#define _GNU_SOURCE
#include "powercut.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define WINDOW_SYNCS 4 /* told of or not, it is not further than that */
#define WINDOW_OPS   400

/* A state that the contents may have. */
struct version {
	struct version *next;
	int op;
	uint32_t size;
	uint8_t *data;
};

struct history {
	int created, named; /* operations */
	int confirmed;	    /* ... or -1 */
	struct version *versions;
};

static struct history hist[MAX_OBJECTS + 1];
static int lies;
static int found[NR_NAMES]; /* mode of the file of that name, or 0 */

#define LIE(...)                          \
	do {                              \
		printf("powercut: BAD "); \
		printf(__VA_ARGS__);      \
		printf("\n");             \
		lies++;                   \
	} while (0)

/* --- what was promised */

/* Operation from which on names are as they are promised to be. */
static int promised_names(struct plan *p, int told)
{
	int names = -1, last[2] = { -1, -1 }, i;
	struct object *o;

	for (i = 0; i <= MAX_OBJECTS; i++)
		hist[i] = (struct history){ .confirmed = -1 };
	while (p->next <= told) {
		int nr = p->next;
		struct op op = plan_step(p, &o);

		if (op_changes_names(op.kind)) {
			/* a link is no change of the first name's directory */
			if (op.kind != OP_LINK)
				last[op.name >= NR_NAMES / 2] = nr;
			if (op.kind == OP_RENAME || op.kind == OP_LINK)
				last[op.to >= NR_NAMES / 2] = nr;
			hist[o->nr].named = nr;
			if (op.kind == OP_CREATE)
				hist[o->nr].created = nr;
		}
		if (op.kind == OP_FSYNC && hist[o->nr].named > names)
			names = hist[o->nr].named;
		if (o && op_confirms(op.kind) && hist[o->nr].created > names)
			names = hist[o->nr].created;
		if (o && op_confirms(op.kind))
			hist[o->nr].confirmed = nr;
		for (i = 0; i < 2; i++)
			if ((op.kind == OP_SYNC ||
			     (op.kind == OP_FSYNC_DIR &&
			      i == (op.name >= NR_NAMES / 2))) &&
			    last[i] > names)
				names = last[i];
		for (i = 0; op.kind == OP_SYNC && i < NR_NAMES; i++)
			if (p->name[i])
				hist[p->name[i]->nr].confirmed = nr;
	}
	return names;
}

/* --- what may be */

static void add_version(const struct object *o, int op)
{
	struct version *v = malloc(sizeof(*v));

	v->op = op;
	v->size = o->size;
	v->data = malloc(o->size + 1);
	memcpy(v->data, o->data, o->size);
	v->next = hist[o->nr].versions;
	hist[o->nr].versions = v;
}

static void forget_versions(struct history *h)
{
	while (h->versions) {
		struct version *v = h->versions;

		h->versions = v->next;
		free(v->data);
		free(v);
	}
}

static void note(const struct object *o, int nr)
{
	if (nr == hist[o->nr].confirmed)
		forget_versions(&hist[o->nr]);
	add_version(o, nr);
}

static void note_all(const struct plan *p, int nr)
{
	int i;

	for (i = 0; i < NR_NAMES; i++)
		if (p->name[i])
			note(p->name[i], nr);
}

static bool names_match(const struct plan *p)
{
	int i;

	for (i = 0; i < NR_NAMES; i++) {
		int want = p->name[i] ? (int)object_mode(p->name[i]) : 0;

		if (found[i] != want)
			return false;
	}
	return true;
}

/* --- what there is */

static void compare(const char *path, int nr, const uint8_t *at, uint32_t size)
{
	const struct history *h = &hist[nr];
	const struct version *v, *base = NULL;
	uint32_t low = ~0u, high = 0, i;

	for (v = h->versions; v; v = v->next) {
		low = v->size < low ? v->size : low;
		high = v->size > high ? v->size : high;
		base = v;
	}
	if (size < low || size > high) {
		LIE("%s: %u bytes, not %u to %u", path, size, low, high);
		return;
	}
	for (i = 0; i < size; i++) {
		bool ok = !at[i] && (h->confirmed < 0 || i >= base->size);

		for (v = h->versions; v && !ok; v = v->next)
			ok = at[i] == (i < v->size ? v->data[i] : 0);
		if (!ok) {
			LIE("%s: byte %u of %u is %02x, not %02x; confirmed by %d",
			    path, i, size, at[i],
			    i < base->size ? base->data[i] : 0, h->confirmed);
			return;
		}
	}
}

static void check_file(const char *path, int nr)
{
	static uint8_t have[MAX_SIZE + 1];
	int fd = open(path, O_RDONLY);
	uint32_t size = 0;
	ssize_t n = 0;

	while (fd >= 0 && size < sizeof(have) &&
	       (n = read(fd, have + size, sizeof(have) - size)) > 0)
		size += (uint32_t)n;
	if (fd < 0 || n < 0)
		LIE("%s: cannot be read", path);
	else
		compare(path, nr, have, size);
	if (fd >= 0)
		close(fd);
}

static bool look_at_names(void)
{
	struct stat st;
	char path[32];
	int i;

	for (i = 0; i < NR_NAMES; i++) {
		plan_path(i, path, sizeof(path));
		found[i] = stat(path, &st) ? 0 : (int)(st.st_mode & 0777);
	}
	return stat("sub", &st) == 0;
}

/* --- putting it together */

static void remember_names(const struct plan *p, int *nr)
{
	int i;

	for (i = 0; i < NR_NAMES; i++)
		nr[i] = p->name[i] ? p->name[i]->nr : -1;
}

/* @o is as it is after operation @nr, or all are. */
static void note_step(const struct plan *p, const struct op *op,
		      const struct object *o, int nr, int names)
{
	if (op->kind == OP_SYNC)
		note_all(p, nr);
	else if (o && o->refs == 1 && nr < names)
		forget_versions(&hist[o->nr]); /* it has no name any more */
	else if (o)
		note(o, nr);
}

/* The plan goes as far as the process can have come. */
static int check_worker(uint64_t seed, int worker, int told)
{
	int names, syncs = 0, files = 0, match = -1, i;
	int there[NR_NAMES];
	struct object *o;
	struct plan p;

	plan_init(&p, seed, worker);
	names = promised_names(&p, told);
	plan_init(&p, seed, worker);
	remember_names(&p, there);
	if (names < 0 && names_match(&p))
		match = 0;
	while (syncs < WINDOW_SYNCS && p.next <= told + WINDOW_OPS) {
		int nr = p.next;
		struct op op = plan_step(&p, &o);

		note_step(&p, &op, o, nr, names);
		syncs += nr > told && op_confirms(op.kind);
		if (nr < names || match >= 0 || !names_match(&p))
			continue;
		match = nr;
		remember_names(&p, there);
	}
	if (match < 0)
		LIE("worker %d: names are none that they had since %d; told %d",
		    worker, names, told);
	for (i = 0; i < NR_NAMES; i++) {
		char path[32];

		plan_path(i, path, sizeof(path));
		if (there[i] >= 0)
			check_file(path, there[i]);
		files += there[i] >= 0;
	}
	return files;
}

int check(const char *dir, uint64_t seed, const int *told)
{
	char path[256];
	int i, files = 0;

	for (i = 0; i < NR_WORKERS; i++) {
		if (told[i] == POWERCUT_UNKNOWN)
			continue;
		snprintf(path, sizeof(path), "%s/run-%llx/%d", dir,
			 (unsigned long long)seed, i);
		if (chdir(path)) {
			if (told[i] >= 0)
				LIE("%s is not there, told %d", path, told[i]);
			continue;
		}
		if (look_at_names() || told[i] >= 0)
			files += check_worker(seed, i, told[i]);
		if (chdir("/"))
			return 1;
	}
	printf("powercut: %d files, %d lies\n", files, lies);
	return lies;
}
