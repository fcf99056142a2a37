/* SPDX-License-Identifier: MIT */
/* sources: drivers/virtio/vring.c */
/*
 * tests/host/vring_test.c - the split virtqueue against a fake device, which
 * follows the specification or lies.
 */
#include <tests/host/cmocka.h>

#include <stdlib.h>
#include <string.h>

#include <drivers/virtio/vring.h>
#include <lib/errno.h>

void panic(const char *fmt, ...)
{
	fail_msg("panic: %s", fmt);
	abort();
}

/* ---- the device: knows the memory only */

struct device {
	u16 size;
	struct vring_desc *desc;
	struct vring_avail *avail;
	struct vring_used *used;
	u16 seen; /* of avail */
	bool event_idx;
	u32 nr_interrupts;
};

struct rig {
	struct vring vr;
	struct vring_slot *slot;
	struct device dev;
	void *mem;
};

static void rig_init(struct rig *r, u16 size, bool event_idx, u16 start)
{
	u8 *base;

	memset(r, 0, sizeof(*r));
	r->mem = aligned_alloc(4096, (vring_bytes(size) + 4095) & ~4095ul);
	memset(r->mem, 0, vring_bytes(size));
	r->slot = calloc(size, sizeof(*r->slot));
	vring_init(&r->vr, size, r->mem, r->slot, event_idx);
	base = r->mem;
	r->dev = (struct device){
		.size = size,
		.desc = r->mem,
		.avail = (void *)(base + vring_avail_offset(size)),
		.used = (void *)(base + vring_used_offset(size)),
		.seen = start,
		.event_idx = event_idx,
	};
	/* as if it had run for a while: wraps come soon */
	r->vr.avail_next = r->vr.published = r->vr.used_seen = start;
	r->dev.avail->idx = r->dev.used->idx = start;
	*(u16 *)&r->dev.used->ring[size] = start;
}

static void rig_free(struct rig *r)
{
	free(r->mem);
	free(r->slot);
}

static bool dev_has_work(const struct device *d)
{
	return d->avail->idx != d->seen;
}

/* Take a chain; its segments in order.  The number of them. */
static u32 dev_pop(struct device *d, u16 *head, struct vring_desc *out)
{
	const struct vring_desc *table = d->desc;
	u16 i = d->avail->ring[d->seen % d->size];
	u32 n = 0, limit = d->size;

	*head = i;
	d->seen++;
	if (d->event_idx)
		*(u16 *)&d->used->ring[d->size] = d->seen;
	assert_true(i < d->size);
	if (table[i].flags & VRING_DESC_INDIRECT) {
		limit = table[i].len / sizeof(*table);
		table = (const struct vring_desc *)(uintptr_t)table[i].addr;
		i = 0;
	}
	for (;;) {
		assert_true(n < limit);
		out[n++] = table[i];
		if (!(table[i].flags & VRING_DESC_NEXT))
			return n;
		i = table[i].next;
	}
}

static void dev_push_raw(struct device *d, u32 id, u32 len)
{
	u16 old = d->used->idx;

	d->used->ring[old % d->size].id = id;
	d->used->ring[old % d->size].len = len;
	d->used->idx = (u16)(old + 1);
	if (d->event_idx)
		d->nr_interrupts += d->avail->ring[d->size] == old;
	else
		d->nr_interrupts +=
			!(d->avail->flags & VRING_AVAIL_NO_INTERRUPT);
}

static u32 writable(const struct vring_desc *v, u32 n)
{
	u32 sum = 0;

	for (u32 i = 0; i < n; i++)
		sum += v[i].flags & VRING_DESC_WRITE ? v[i].len : 0;
	return sum;
}

/* Use one request in full. */
static void dev_serve(struct device *d)
{
	struct vring_desc v[VRING_MAX_SIZE];
	u16 head;
	u32 n = dev_pop(d, &head, v);

	dev_push_raw(d, head, writable(v, n));
}

static int add(struct rig *r, u32 nr_out, u32 nr_in, uintptr_t token)
{
	struct vring_seg s[VRING_MAX_SIZE];

	for (u32 i = 0; i < nr_out + nr_in; i++)
		s[i] = (struct vring_seg){ .addr = 0x1000 * token + i,
					   .len = 10 + i };
	return vring_add(&r->vr, s, nr_out, nr_in, (void *)token);
}

/* ---- tests */

static void round_trip(void **state)
{
	struct vring_desc v[8];
	struct rig r;
	u16 head;
	u32 len;

	(void)state;
	rig_init(&r, 8, false, 0);
	assert_int_equal(add(&r, 2, 1, 7), 0);
	assert_false(dev_has_work(&r.dev));
	assert_true(vring_publish(&r.vr));
	assert_true(dev_has_work(&r.dev));
	assert_int_equal(dev_pop(&r.dev, &head, v), 3);
	assert_int_equal(v[0].addr, 0x7000);
	assert_int_equal(v[1].addr, 0x7001);
	assert_int_equal(v[2].len, 12);
	assert_false(v[1].flags & VRING_DESC_WRITE);
	assert_true(v[2].flags & VRING_DESC_WRITE);
	assert_null(vring_take(&r.vr, &len));
	dev_push_raw(&r.dev, head, 12);
	assert_ptr_equal(vring_take(&r.vr, &len), (void *)7);
	assert_int_equal(len, 12);
	assert_null(vring_take(&r.vr, &len));
	assert_int_equal(r.vr.nr_free, 8);
	rig_free(&r);
}

static void full_and_empty(void **state)
{
	struct rig r;
	u32 len;

	(void)state;
	rig_init(&r, 4, false, 0);
	assert_int_equal(add(&r, 3, 2, 1), -ENOSPC);
	assert_int_equal(r.vr.nr_free, 4);
	assert_int_equal(add(&r, 2, 1, 1), 0);
	assert_int_equal(add(&r, 1, 1, 2), -ENOSPC);
	assert_int_equal(add(&r, 1, 0, 3), 0);
	assert_int_equal(add(&r, 1, 0, 4), -ENOSPC);
	vring_publish(&r.vr);
	dev_serve(&r.dev);
	dev_serve(&r.dev);
	assert_false(dev_has_work(&r.dev));
	assert_ptr_equal(vring_take(&r.vr, &len), (void *)1);
	assert_ptr_equal(vring_take(&r.vr, &len), (void *)3);
	assert_int_equal(r.vr.nr_free, 4);
	assert_int_equal(add(&r, 3, 1, 5), 0);
	rig_free(&r);
}

/* Every size, both modes, indices across the wrap, out of order. */
static void soak_one(u16 size, bool event_idx, bool indirect)
{
	struct vring_desc tables[VRING_MAX_SIZE][4], v[VRING_MAX_SIZE];
	u16 heads[VRING_MAX_SIZE];
	u32 lens[VRING_MAX_SIZE], nr_heads = 0;
	bool live[VRING_MAX_SIZE] = { false };
	u32 nr_live = 0, done = 0, len, nr_pop;
	struct rig r;

	rig_init(&r, size, event_idx, 0xff80);
	for (u32 step = 0; done < 3u * size + 200; step++) {
		u32 t = (u32)rand() % size;
		u32 nr_out = 1 + (u32)rand() % 2, nr_in = (u32)rand() % 3;
		struct vring_seg s[4] = {
			{ 1, 1 }, { 2, 2 }, { 3, 3 }, { 4, 4 }
		};
		void *token;
		int err = -1;

		if (!live[t]) {
			err = indirect
				      ? vring_add_indirect(&r.vr, tables[t],
							   (uintptr_t)tables[t],
							   s, nr_out, nr_in,
							   &live[t])
				      : vring_add(&r.vr, s, nr_out, nr_in,
						  &live[t]);
			assert_true(err == 0 || err == -ENOSPC);
		}
		if (err == 0) {
			live[t] = true;
			nr_live++;
		}
		if (rand() % 3 == 0 || err == -ENOSPC)
			(void)vring_publish(&r.vr);
		while (dev_has_work(&r.dev) && rand() % 4) {
			nr_pop = dev_pop(&r.dev, &heads[nr_heads], v);
			lens[nr_heads++] = writable(v, nr_pop);
		}
		while (nr_heads && rand() % 4) {
			u32 k = (u32)rand() % nr_heads;

			dev_push_raw(&r.dev, heads[k], lens[k]);
			heads[k] = heads[--nr_heads];
			lens[k] = lens[nr_heads];
		}
		while ((token = vring_take(&r.vr, &len))) {
			bool *l = token;

			assert_true(*l);
			*l = false;
			nr_live--;
			done++;
		}
		assert_false(r.vr.broken);
		assert_int_equal(r.vr.in_flight, nr_live);
	}
	rig_free(&r);
}

static void soak(void **state)
{
	(void)state;
	srand(1);
	for (u32 size = 4; size <= VRING_MAX_SIZE; size *= 2) {
		soak_one((u16)size, false, false);
		soak_one((u16)size, true, false);
		soak_one((u16)size, true, true);
	}
	for (u32 size = 1; size <= 2; size *= 2)
		soak_one((u16)size, true, true);
}

static void notify_flags(void **state)
{
	struct rig r;

	(void)state;
	rig_init(&r, 8, false, 0xfffe);
	r.dev.used->flags = VRING_USED_NO_NOTIFY;
	assert_int_equal(add(&r, 1, 0, 1), 0);
	assert_false(vring_publish(&r.vr));
	r.dev.used->flags = 0;
	assert_false(vring_publish(&r.vr)); /* nothing new */
	assert_int_equal(add(&r, 1, 0, 2), 0);
	assert_true(vring_publish(&r.vr));
	rig_free(&r);
}

static void notify_events(void **state)
{
	struct rig r;

	(void)state;
	rig_init(&r, 8, true, 0xfffe);
	assert_int_equal(add(&r, 1, 0, 1), 0);
	assert_true(vring_publish(&r.vr)); /* asked for 0xfffe */
	assert_int_equal(add(&r, 1, 0, 2), 0);
	assert_false(vring_publish(&r.vr));
	*(u16 *)&r.dev.used->ring[8] = 1; /* tell me at the one after 1 */
	assert_int_equal(add(&r, 1, 0, 3), 0);
	assert_false(vring_publish(&r.vr)); /* idx 1 */
	assert_int_equal(add(&r, 1, 0, 4), 0);
	assert_true(vring_publish(&r.vr)); /* idx 2: passed 1 */
	rig_free(&r);
}

/* A batch is one notification and, armed again after it, one interrupt. */
static void batch(void **state)
{
	struct rig r;
	u32 len, kicks = 0, n = 0;

	(void)state;
	rig_init(&r, 16, true, 0xfff8);
	assert_true(vring_arm(&r.vr));
	for (uintptr_t i = 1; i <= 16; i++)
		assert_int_equal(add(&r, 1, 0, i), 0);
	kicks += vring_publish(&r.vr);
	while (dev_has_work(&r.dev))
		dev_serve(&r.dev);
	assert_int_equal(kicks, 1);
	assert_int_equal(r.dev.nr_interrupts, 1);
	while (vring_take(&r.vr, &len))
		n++;
	assert_int_equal(n, 16);
	assert_true(vring_arm(&r.vr));
	rig_free(&r);
}

static void arm_sees_late_entry(void **state)
{
	for (int event = 0; event < 2; event++) {
		struct rig r;
		u32 len;

		(void)state;
		rig_init(&r, 4, event, 0xffff);
		vring_disarm(&r.vr);
		assert_int_equal(add(&r, 1, 0, 1), 0);
		(void)vring_publish(&r.vr);
		assert_null(vring_take(&r.vr, &len));
		dev_serve(&r.dev);
		assert_false(vring_arm(&r.vr));
		assert_ptr_equal(vring_take(&r.vr, &len), (void *)1);
		assert_true(vring_arm(&r.vr));
		rig_free(&r);
	}
}

/* ---- lies */

static void expect_broken(struct rig *r)
{
	u32 len;

	assert_null(vring_take(&r->vr, &len));
	assert_true(r->vr.broken);
	assert_non_null(r->vr.why);
	assert_int_equal(add(r, 1, 0, 9), -EIO);
	assert_false(vring_publish(&r->vr));
	assert_true(vring_arm(&r->vr));
	assert_ptr_equal(vring_abort(&r->vr), (void *)1);
	assert_null(vring_abort(&r->vr));
	rig_free(r);
}

static void lie_setup(struct rig *r)
{
	rig_init(r, 8, false, 0xffff);
	assert_int_equal(add(r, 1, 1, 1), 0); /* head 0, 11 bytes in */
	(void)vring_publish(&r->vr);
}

static void lie_id_range(void **state)
{
	struct rig r;

	(void)state;
	lie_setup(&r);
	dev_push_raw(&r.dev, 8, 0);
	expect_broken(&r);
	lie_setup(&r);
	dev_push_raw(&r.dev, 0xffffffff, 0);
	expect_broken(&r);
}

static void lie_id_not_in_flight(void **state)
{
	struct rig r;

	(void)state;
	lie_setup(&r);
	dev_push_raw(&r.dev, 1, 0); /* the middle of a chain */
	expect_broken(&r);
	lie_setup(&r);
	dev_push_raw(&r.dev, 5, 0); /* a free one */
	expect_broken(&r);
}

static void lie_len(void **state)
{
	struct rig r;

	(void)state;
	lie_setup(&r);
	dev_push_raw(&r.dev, 0, 12);
	expect_broken(&r);
}

static void lie_index(void **state)
{
	struct rig r;

	(void)state;
	lie_setup(&r);
	r.dev.used->idx = (u16)(r.dev.used->idx + 2);
	expect_broken(&r);
	lie_setup(&r);
	r.dev.used->idx = (u16)(r.dev.used->idx - 1);
	expect_broken(&r);
}

static void lie_twice(void **state)
{
	struct rig r;
	u32 len;

	(void)state;
	rig_init(&r, 8, false, 3);
	assert_int_equal(add(&r, 1, 0, 2), 0);
	assert_int_equal(add(&r, 1, 0, 1), 0);
	(void)vring_publish(&r.vr);
	dev_push_raw(&r.dev, 0, 0);
	dev_push_raw(&r.dev, 0, 0);
	assert_ptr_equal(vring_take(&r.vr, &len), (void *)2);
	expect_broken(&r);
}

/* The device scribbles over what it may reach: we do not follow it. */
static void scribble(void **state)
{
	struct rig r;
	u32 len;

	(void)state;
	rig_init(&r, 8, false, 0);
	assert_int_equal(add(&r, 2, 1, 1), 0);
	(void)vring_publish(&r.vr);
	memset(r.dev.desc, 0xff, 8 * sizeof(*r.dev.desc));
	memset(r.dev.avail, 0xff, 20);
	dev_push_raw(&r.dev, 0, 1);
	assert_ptr_equal(vring_take(&r.vr, &len), (void *)1);
	assert_int_equal(r.vr.nr_free, 8);
	assert_int_equal(add(&r, 4, 4, 2), 0);
	rig_free(&r);
}

/* Polled: no interrupt until somebody arms again, whatever the device does. */
static void polling(void **state)
{
	(void)state;
	for (u32 event_idx = 0; event_idx < 2; event_idx++) {
		struct vring_seg seg = { .addr = 4096, .len = 16 };
		struct rig r;
		u32 len;

		rig_init(&r, 8, event_idx, 65530);
		vring_arm(&r.vr);
		vring_disarm(&r.vr);
		for (u32 i = 0; i < 40; i++) {
			assert_false(vring_has_used(&r.vr));
			assert_int_equal(vring_add(&r.vr, &seg, 0, 1, &r), 0);
			(void)vring_publish(&r.vr);
			dev_serve(&r.dev);
			assert_true(vring_has_used(&r.vr));
			assert_ptr_equal(vring_take(&r.vr, &len), &r);
			vring_disarm(&r.vr);
		}
		assert_int_equal(r.dev.nr_interrupts, 0);
		assert_true(vring_arm(&r.vr));
		assert_int_equal(vring_add(&r.vr, &seg, 0, 1, &r), 0);
		(void)vring_publish(&r.vr);
		dev_serve(&r.dev);
		assert_int_equal(r.dev.nr_interrupts, 1);
		rig_free(&r);
	}
}

/* Broken or not: after a reset the ring works as a new one. */
static void reset(void **state)
{
	struct vring_seg seg = { .addr = 4096, .len = 16 };
	struct rig r;
	u32 len;

	(void)state;
	rig_init(&r, 4, true, 3);
	for (u32 i = 0; i < 3; i++)
		assert_int_equal(vring_add(&r.vr, &seg, 0, 1, &r), 0);
	(void)vring_publish(&r.vr);
	dev_push_raw(&r.dev, 77, 0);
	assert_null(vring_take(&r.vr, &len));
	assert_true(r.vr.broken);
	assert_false(vring_has_used(&r.vr));
	for (u32 i = 0; i < 3; i++)
		assert_ptr_equal(vring_abort(&r.vr), &r);
	assert_null(vring_abort(&r.vr));
	vring_reset(&r.vr);
	assert_int_equal(r.dev.avail->idx, 0);
	assert_int_equal(r.dev.used->idx, 0);
	r.dev.seen = 0;
	for (u32 i = 0; i < 4; i++)
		assert_int_equal(vring_add(&r.vr, &seg, 0, 1, &r), 0);
	assert_int_equal(vring_add(&r.vr, &seg, 0, 1, &r), -ENOSPC);
	(void)vring_publish(&r.vr);
	while (dev_has_work(&r.dev))
		dev_serve(&r.dev);
	for (u32 i = 0; i < 4; i++)
		assert_ptr_equal(vring_take(&r.vr, &len), &r);
	rig_free(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trip),
		cmocka_unit_test(full_and_empty),
		cmocka_unit_test(soak),
		cmocka_unit_test(notify_flags),
		cmocka_unit_test(notify_events),
		cmocka_unit_test(batch),
		cmocka_unit_test(arm_sees_late_entry),
		cmocka_unit_test(lie_id_range),
		cmocka_unit_test(lie_id_not_in_flight),
		cmocka_unit_test(lie_len),
		cmocka_unit_test(lie_index),
		cmocka_unit_test(lie_twice),
		cmocka_unit_test(scribble),
		cmocka_unit_test(polling),
		cmocka_unit_test(reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
