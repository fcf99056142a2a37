/* SPDX-License-Identifier: MIT */
/*
 * user/powercut/plan.c - what a process does next, and what its files are then.
 */
#include "powercut.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t mix(uint64_t *s)
{
	uint64_t z = (*s += 0x9e3779b97f4a7c15u);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static uint32_t below(struct plan *p, uint32_t n)
{
	return (uint32_t)(mix(&p->rng) % n);
}

/* What an earlier one had is not given back: there are two in a life. */
void plan_init(struct plan *p, uint64_t seed, int worker)
{
	memset(p, 0, sizeof(*p));
	p->seed = seed;
	p->worker = worker;
	p->rng = seed * 1000003 + (uint64_t)worker;
}

void plan_data(const struct plan *p, int nr, uint8_t *buf, uint32_t len)
{
	uint64_t s =
		(p->seed << 34) ^ ((uint64_t)p->worker << 28) ^ (uint64_t)nr;
	uint32_t i;

	for (i = 0; i < len; i += 8) {
		uint64_t word = mix(&s) | 0x0101010101010101u; /* no zeroes */

		memcpy(buf + i, &word, len - i < 8 ? len - i : 8);
	}
}

void plan_path(int name, char *buf, int size)
{
	const char *sub = name < NR_NAMES / 2 ? "" : "sub/";

	snprintf(buf, (size_t)size, "%sfile-%02d", sub, name);
}

bool op_confirms(enum op_kind kind)
{
	return kind == OP_MMAP || kind >= OP_FSYNC;
}

bool op_changes_names(enum op_kind kind)
{
	return kind == OP_CREATE || kind == OP_RENAME || kind == OP_LINK ||
	       kind == OP_UNLINK;
}

/* --- what an operation does to the files */

static struct object *new_object(struct plan *p)
{
	struct object *o = calloc(1, sizeof(*o));

	o->nr = p->nr_objects++;
	o->data = calloc(1, MAX_SIZE);
	return o;
}

static struct object *hold(struct object *o)
{
	if (o)
		o->refs++;
	return o;
}

static void let_go(struct object *o)
{
	if (o && !--o->refs) {
		free(o->data);
		free(o);
	}
}

static void set_name(struct plan *p, int name, struct object *o)
{
	struct object *old = p->name[name];

	p->name[name] = hold(o);
	let_go(old);
}

static void write_at(const struct plan *p, struct object *o,
		     const struct op *op)
{
	plan_data(p, p->next, o->data + op->off, op->len);
	if (op->off + op->len > o->size)
		o->size = op->off + op->len;
}

static void apply(struct plan *p, const struct op *op, struct object *o)
{
	switch (op->kind) {
	case OP_CREATE:
		set_name(p, op->name, o);
		break;
	case OP_WRITE:
	case OP_DIRECT:
	case OP_MMAP:
		write_at(p, o, op);
		break;
	case OP_TRUNCATE:
		memset(o->data + op->len, 0, MAX_SIZE - op->len);
		o->size = op->len;
		break;
	case OP_PUNCH:
		memset(o->data + op->off, 0, op->len);
		break;
	case OP_RENAME:
		set_name(p, op->to, o);
		set_name(p, op->name, NULL);
		break;
	case OP_LINK:
		set_name(p, op->to, o);
		break;
	case OP_UNLINK:
		set_name(p, op->name, NULL);
		break;
	default:
		break;
	}
}

/* --- choosing one */

/* A name in use, or one that is not; -1: there is none. */
static int pick(struct plan *p, bool used)
{
	int start = (int)below(p, NR_NAMES), i;

	for (i = 0; i < NR_NAMES; i++) {
		int name = (start + i) % NR_NAMES;

		if (!!p->name[name] == used)
			return name;
	}
	return -1;
}

static void later(struct plan *p, enum op_kind kind, int name, int to)
{
	p->queue[p->nr_queued++] =
		(struct op){ .kind = kind, .name = name, .to = to };
}

static void pick_range(struct plan *p, struct op *op, const struct object *o)
{
	uint32_t max = below(p, 3) ? 3000 : 40000;

	op->off = below(p, 3) ? o->size : below(p, o->size + 5000);
	op->len = 1 + below(p, max);
	if (op->kind == OP_DIRECT) {
		op->off &= ~4095u;
		op->len = (op->len + 4095) & ~4095u;
	}
	if (op->off + op->len > MAX_SIZE) {
		op->off = below(p, MAX_SIZE / 8192) * 4096;
		op->len &= 4096 - 1;
		op->len = op->kind == OP_DIRECT ? 4096 : op->len + 1;
	}
}

static void pick_inside(struct plan *p, struct op *op, const struct object *o)
{
	op->off = below(p, o->size);
	op->len = 1 + below(p, o->size - op->off);
}

static const enum op_kind bag[] = {
	OP_WRITE,  OP_WRITE,	 OP_WRITE,     OP_WRITE,  OP_WRITE,
	OP_WRITE,  OP_DIRECT,	 OP_DIRECT,    OP_MMAP,	  OP_TRUNCATE,
	OP_PUNCH,  OP_RESERVE,	 OP_RENAME,    OP_RENAME, OP_LINK,
	OP_UNLINK, OP_UNLINK,	 OP_CREATE,    OP_CREATE, OP_CREATE,
	OP_FSYNC,  OP_FSYNC,	 OP_FSYNC,     OP_FSYNC,  OP_FDATASYNC,
	OP_FSYNC,  OP_FSYNC_DIR, OP_FSYNC_DIR, OP_SYNC,
};

/* Write a new file, sync it, and put it in the place of an old one. */
static struct op replace(struct plan *p, int fresh, int old)
{
	later(p, OP_FSYNC_DIR, old, 0);
	later(p, OP_RENAME, fresh, old);
	later(p, OP_FSYNC, fresh, 0);
	later(p, OP_WRITE, fresh, 0);
	return (struct op){ .kind = OP_CREATE, .name = fresh };
}

static struct op choose(struct plan *p)
{
	struct op op = { .kind = bag[below(p, sizeof(bag) / sizeof(bag[0]))] };
	int used = pick(p, true), unused = pick(p, false);

	if (p->nr_queued)
		return p->queue[--p->nr_queued];
	if (op.kind == OP_FSYNC_DIR || op.kind == OP_SYNC) {
		op.name = below(p, 2) ? NR_NAMES - 1 : 0;
		return op;
	}
	if (used < 0 || (op.kind == OP_CREATE && unused >= 0)) {
		op = (struct op){ .kind = OP_CREATE, .name = unused };
		return used >= 0 && !below(p, 3) ? replace(p, unused, used)
						 : op;
	}
	op.name = used;
	op.to = pick(p, op.kind == OP_RENAME && below(p, 2));
	if (op.kind == OP_CREATE || op.to < 0)
		op.kind = OP_UNLINK;
	if ((op.kind == OP_RENAME || op.kind == OP_LINK) &&
	    p->name[op.to] == p->name[op.name])
		op.kind = OP_FSYNC; /* a rename to itself does nothing */
	return op;
}

struct op plan_step(struct plan *p, struct object **obj)
{
	struct op op = choose(p);
	struct object *o = p->name[op.name];

	if (op.kind == OP_CREATE)
		o = new_object(p);
	if ((op.kind == OP_MMAP || op.kind == OP_PUNCH) && !o->size)
		op.kind = OP_WRITE;
	if (op.kind == OP_WRITE || op.kind == OP_DIRECT ||
	    op.kind == OP_RESERVE)
		pick_range(p, &op, o);
	else if (op.kind == OP_MMAP || op.kind == OP_PUNCH)
		pick_inside(p, &op, o);
	else if (op.kind == OP_TRUNCATE)
		op.len = below(p, below(p, 3) ? o->size + 1 : MAX_SIZE);
	*obj = op.kind < OP_FSYNC_DIR ? o : NULL;
	let_go(p->last);
	p->last = hold(*obj);
	apply(p, &op, o);
	p->next++;
	return op;
}
