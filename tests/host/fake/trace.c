/* SPDX-License-Identifier: MIT */
/*
 * tests/host/fake/trace.c - see trace.h.
 */
#include <stdlib.h>
#include <string.h>

#include <tests/host/cmocka.h>

#include <tests/host/fake/trace.h>
#include <tests/host/fake/world.h>

static void *grow(void *p, u32 nr, u32 *room, size_t size)
{
	if (nr < *room)
		return p;
	*room = *room ? 2 * *room : 64;
	return realloc(p, *room * size);
}

void trace_start(struct world_disk *d, struct trace *t)
{
	memset(t, 0, sizeof(*t));
	t->size = d->size;
	t->before = malloc(d->size);
	memcpy(t->before, d->data, d->size);
	d->trace = t;
}

void trace_stop(struct world_disk *d)
{
	d->trace = NULL;
}

void trace_free(struct trace *t)
{
	u32 i;

	for (i = 0; i < t->nr_writes; i++)
		free(t->write[i].data);
	free(t->write);
	free(t->flush);
	free(t->is_io);
	free(t->before);
	memset(t, 0, sizeof(*t));
}

static void next_event(struct trace *t, bool is_io)
{
	t->event++;
	t->is_io = grow(t->is_io, t->event, &t->room_events, 1);
	t->is_io[t->event] = is_io;
}

u32 trace_tick(struct trace *t)
{
	next_event(t, false);
	return t->event;
}

static void note_write(struct trace *t, const struct bio *bio)
{
	struct trace_write *w;
	u8 *p;
	u32 i;

	t->write = grow(t->write, t->nr_writes, &t->room_writes, sizeof(*w));
	w = &t->write[t->nr_writes++];
	*w = (struct trace_write){ .sector = bio->sector,
				   .nr = bio->nr_sectors,
				   .id = bio,
				   .begun = t->event,
				   .ended = TRACE_NEVER,
				   .durable = TRACE_NEVER };
	w->data = p = malloc(w->nr * 512ul);
	for (i = 0; i < bio->nr_segs; i++) {
		memcpy(p, bio->seg[i].addr, bio->seg[i].len);
		p += bio->seg[i].len;
	}
}

void trace_begin(struct trace *t, const struct bio *bio)
{
	struct trace_flush *f;

	assert_true(bio->op == BIO_WRITE || bio->op == BIO_FLUSH);
	next_event(t, true);
	if (bio->op == BIO_WRITE) {
		note_write(t, bio);
		return;
	}
	t->flush = grow(t->flush, t->nr_flushes, &t->room_flushes, sizeof(*f));
	f = &t->flush[t->nr_flushes++];
	*f = (struct trace_flush){ .id = bio,
				   .begun = t->event,
				   .ended = TRACE_NEVER };
}

static void end_flush(struct trace *t, struct trace_flush *f)
{
	u32 i;

	f->ended = t->event;
	f->id = NULL;
	for (i = 0; i < t->nr_writes; i++) {
		struct trace_write *w = &t->write[i];

		if (w->durable == TRACE_NEVER && w->ended < f->begun)
			w->durable = t->event;
	}
}

void trace_end(struct trace *t, const struct bio *bio)
{
	u32 i;

	next_event(t, true);
	if (bio->status)
		return; /* it never happened */
	if (bio->op == BIO_FLUSH) {
		for (i = t->nr_flushes; i-- && t->flush[i].id != bio;)
			;
		end_flush(t, &t->flush[i]);
		return;
	}
	for (i = t->nr_writes; i-- && t->write[i].id != bio;)
		;
	t->write[i].id = NULL;
	t->write[i].ended = t->event;
	if (bio->flags & BIO_FUA)
		t->write[i].durable = t->event;
}

/* --- moments of it */

void cut_init(struct cut *c, const struct trace *t, struct world_disk *disk)
{
	memset(c, 0, sizeof(*c));
	c->t = t;
	c->disk = disk;
	c->base = malloc(t->size);
	memcpy(c->base, t->before, t->size);
	c->pending = calloc(t->nr_writes + 1, sizeof(*c->pending));
	world_disk_init(disk, t->size);
	memcpy(disk->data, t->before, t->size);
	disk->written = calloc(1, t->size / 512);
}

void cut_done(struct cut *c)
{
	free(c->base);
	free(c->pending);
	free(c->disk->written);
	world_disk_free(c->disk);
}

/* It reached the medium: part of every state from now on. */
static void settle(struct cut *c, const struct trace_write *w)
{
	memcpy(c->base + w->sector * 512, w->data, w->nr * 512ul);
	memcpy(c->disk->data + w->sector * 512, w->data, w->nr * 512ul);
}

static bool overlaps(const struct trace_write *a, const struct trace_write *b)
{
	return a->sector < b->sector + b->nr && b->sector < a->sector + a->nr;
}

bool cut_next(struct cut *c)
{
	const struct trace *t = c->t;
	u32 i, k;

	do {
		if (c->event >= t->event)
			return false;
		c->event++;
	} while (!t->is_io[c->event]);
	c->nr_pending = 0;
	for (i = c->first; i < t->nr_writes; i++) {
		const struct trace_write *w = &t->write[i];

		if (w->begun > c->event)
			break;
		if (w->durable == c->event) {
			/* The order of what is pending would be wrong. */
			for (k = 0; k < c->nr_pending; k++)
				assert_false(
					overlaps(&t->write[c->pending[k]], w));
			settle(c, w);
		}
		if (w->durable > c->event)
			c->pending[c->nr_pending++] = i;
		else if (i == c->first)
			c->first++;
	}
	return true;
}

void cut_apply(struct cut *c, u32 nth_pending, enum cut_part part)
{
	const struct trace_write *w = &c->t->write[c->pending[nth_pending]];
	bool there = part == CUT_ALL;
	u32 i;

	for (i = 0; i < w->nr; i++) {
		u64 sector = w->sector + i;

		if (part == CUT_TORN && !(i && sector == 3))
			there = random_below(&world_seed, 2);
		if (!there)
			continue;
		memcpy(c->disk->data + sector * 512, w->data + i * 512, 512);
		c->disk->written[sector] = 1;
	}
}

void cut_restore(struct cut *c)
{
	u64 i, n = c->t->size / 512;

	for (i = 0; i < n; i++) {
		if (!c->disk->written[i])
			continue;
		c->disk->written[i] = 0;
		memcpy(c->disk->data + i * 512, c->base + i * 512, 512);
	}
}
