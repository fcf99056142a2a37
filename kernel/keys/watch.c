/* SPDX-License-Identifier: MIT */
/* kernel/keys/watch.c - watches on keys, and the queue of what they tell; see watch.h. */
#include <kernel/keys/watch.h>

#include <kernel/file/poll.h>
#include <kernel/keys/keys.h>
#include <kernel/mm/kmalloc.h>
#include <lib/atomic.h>
#include <lib/bitmap.h>
#include <lib/errno.h>

#define NOTES_PER_PAGE 32u /* as Linux counts them */

struct key_watch {
	struct list_head key_node, queue_node; /* [keys_mutex] */
	struct key *key;		       /* [I] */
	struct watch_queue *queue;	       /* [I] */
	u32 id;				       /* [I] the program's */
};

/* --- the queue */

void watch_queue_init(struct watch_queue *q)
{
	list_init(&q->watches);
	mutex_init(&q->lock);
	waitq_init(&q->wq);
}

int watch_queue_set_size(struct watch_queue *q, u64 nr)
{
	struct watch_note *notes;
	bool *lossy;
	u32 room;

	if (load_once(&q->notes))
		return -EBUSY;
	if (nr < 1 || nr > WATCH_NOTES_MAX)
		return -EINVAL;
	room = (u32)ALIGN_UP(nr, NOTES_PER_PAGE);
	if (room & (room - 1))
		room = 1u << (log2_floor(room) + 1);
	notes = kcalloc(room, sizeof(*notes));
	lossy = kcalloc(room, sizeof(*lossy));
	mutex_lock(&q->lock);
	if (notes && lossy && !q->notes) {
		q->nr = room;
		q->lossy = lossy;
		store_once(&q->notes, notes);
		mutex_unlock(&q->lock);
		return 0;
	}
	mutex_unlock(&q->lock);
	kfree(notes);
	kfree(lossy);
	return notes && lossy ? -EBUSY : -ENOMEM;
}

void watch_queue_set_filter(struct watch_queue *q, struct watch_filter *f,
			    u32 nr)
{
	struct watch_filter *old;

	mutex_lock(&q->lock);
	old = q->filter;
	q->filter = f;
	q->nr_filter = nr;
	mutex_unlock(&q->lock);
	kfree(old);
}

static bool passes(const struct watch_queue *q, const struct watch_note *n)
{
	const struct watch_filter *f = q->filter;

	if (!f)
		return true;
	for (u32 i = 0; i < q->nr_filter; i++, f++)
		if (f->type == n->type &&
		    (f->subtypes[n->subtype / 32] >> n->subtype % 32 & 1) &&
		    (n->info & f->info_mask) == f->info_filter)
			return true;
	return false;
}

static void post(struct watch_queue *q, const struct watch_note *n)
{
	bool put = false;

	mutex_lock(&q->lock);
	if (!q->nr || !passes(q, n)) {
		/* nobody would read it */
	} else if (q->head - q->tail == q->nr) {
		q->lossy[(q->head - 1) & (q->nr - 1)] = true;
	} else {
		q->notes[q->head & (q->nr - 1)] = *n;
		q->lossy[q->head & (q->nr - 1)] = false;
		store_once(&q->head, q->head + 1);
		put = true;
	}
	mutex_unlock(&q->lock);
	if (put)
		wake_up_all_key(&q->wq, POLLIN | POLLRDNORM);
}

/* --- watches; keys_mutex held */

static void watch_end(struct key_watch *w)
{
	list_del(&w->key_node);
	list_del(&w->queue_node);
	kfree(w);
}

void key_notify(struct key *k, enum key_event what, u32 aux)
{
	struct key_watch *w;

	list_for_each_entry(w, &k->watches, key_node) {
		struct watch_note n = {
			.type = WATCH_KEY,
			.subtype = (u8)what,
			.info = sizeof(n) | w->id << WATCH_ID_SHIFT,
			.key = { .id = (u32)k->serial, .aux = aux },
		};

		post(w->queue, &n);
	}
}

/* The watcher is told, and @w ends. */
static void watch_remove(struct key_watch *w)
{
	struct watch_note n = {
		.type = WATCH_META,
		.subtype = WATCH_META_REMOVAL,
		.info = sizeof(n) | w->id << WATCH_ID_SHIFT,
		.removed_id = (u64)w->key->serial,
	};

	post(w->queue, &n);
	watch_end(w);
}

void key_watches_end(struct key *k)
{
	struct key_watch *w, *next;

	list_for_each_entry_safe(w, next, &k->watches, key_node)
		watch_remove(w);
}

void watch_queue_drop(struct watch_queue *q)
{
	struct key_watch *w, *next;

	keys_begin();
	list_for_each_entry_safe(w, next, &q->watches, queue_node)
		watch_end(w);
	keys_end();
	kfree(q->notes);
	kfree(q->lossy);
	kfree(q->filter);
	kfree(q);
}

static struct key_watch *watch_of(struct key *k, const struct watch_queue *q)
{
	struct key_watch *w;

	list_for_each_entry(w, &k->watches, key_node)
		if (w->queue == q)
			return w;
	return NULL;
}

static s64 watch_add(struct key *k, struct watch_queue *q, u32 id)
{
	struct key_watch *w;

	if (watch_of(k, q))
		return -EBUSY;
	w = kmalloc(sizeof(*w));
	if (!w)
		return -ENOMEM;
	*w = (struct key_watch){ .key = k, .queue = q, .id = id };
	list_add_tail(&w->key_node, &k->watches);
	list_add_tail(&w->queue_node, &q->watches);
	return 0;
}

s64 key_ctl_watch(s32 key, struct watch_queue *q, int id)
{
	struct key_watch *w;
	struct key_ref r;
	s64 n;

	if (id < -1 || id > 0xff)
		return -EINVAL;
	keys_begin();
	r = key_lookup(key, KEY_LOOKUP_CREATE, KEY_VIEW);
	if (IS_ERR(r.key)) {
		n = PTR_ERR(r.key);
	} else if (id >= 0) {
		n = watch_add(r.key, q, (u32)id);
	} else {
		w = watch_of(r.key, q);
		n = w ? 0 : -EBADSLT;
		if (w)
			watch_remove(w);
	}
	if (!IS_ERR(r.key))
		key_put(r.key);
	keys_end();
	return n;
}
