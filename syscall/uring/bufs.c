/* SPDX-License-Identifier: MIT */
/*
 * syscall/uring/bufs.c - buffers: registered ones, and groups to choose from.
 *
 * A registered buffer is a range of addresses that READ_FIXED and WRITE_FIXED may
 * use.  Nothing is pinned: what is unmapped later is a fault of the request.
 *
 * A group is a list that PROVIDE_BUFFERS fills, or a ring in the program's memory
 * (REG_PBUF_RING).  A request takes a buffer when it tries, and gives it back if
 * nothing came of that; to a ring only while nobody has taken a later one, otherwise
 * it keeps it for the next try (and the program sees it in the event).
 *
 * Locking: ring->tables, also while user memory is read.
 */
#include <syscall/uring/ops.h>

#include <kernel/mm/kmalloc.h>
#include <kernel/mm/user.h>

#define RING_ENTRIES_MAX 32768u
#define BUF_MAX_BYTES	 (1ull << 30)
#define GROUP_MAX	 65536u /* buffers: ids are 16 bits */

struct provided {
	struct list_head node;
	u64 addr;
	u32 len;
	u16 bid;
};

struct uring_group {
	struct list_head node; /* [tables] */
	u16 id;		       /* [I] */
	u64 ring;	       /* [I] address of a ring of buffers, or 0 */
	u32 mask;	       /* [I] of the ring */
	u16 head;	       /* [tables] of the ring */
	struct list_head bufs; /* [tables] of provided */
	u32 nr;		       /* [tables] */
};

/* ---- registered */

static int check_buf(const struct uring_fixed_buf *b)
{
	if (!b->base)
		return b->len ? -EFAULT : 0;
	if (!b->len || b->len > BUF_MAX_BYTES)
		return -EFAULT;
	return user_range_ok(b->base, b->len) ? 0 : -EFAULT;
}

static int read_buf(struct uring_fixed_buf *b, u64 vec, u32 i)
{
	STATIC_ASSERT(sizeof(*b) == 16, "an iovec");
	if (copy_from_user(b, vec + i * sizeof(*b), sizeof(*b)))
		return -EFAULT;
	return check_buf(b);
}

int uring_bufs_register(struct uring *r, u64 vec, u32 nr, bool sparse)
{
	struct uring_fixed_buf *b;
	int err = 0;

	if (!nr || nr > URING_MAX_BUFFERS)
		return -EINVAL;
	b = kcalloc(nr, sizeof(*b));
	if (!b)
		return -ENOMEM;
	for (u32 i = 0; i < nr && !sparse && !err; i++) {
		err = read_buf(&b[i], vec, i);
		if (!err && b[i].base)
			err = user_fault_in(b[i].base, b[i].len, true);
	}
	mutex_lock(&r->tables);
	if (!err && r->bufs)
		err = -EBUSY;
	if (!err) {
		r->bufs = b;
		r->nr_bufs = nr;
	}
	mutex_unlock(&r->tables);
	if (err)
		kfree(b);
	return err;
}

s64 uring_bufs_update(struct uring *r, u32 at, u64 vec, u32 nr)
{
	struct uring_fixed_buf b;
	u32 done;
	int err = 0;

	mutex_lock(&r->tables);
	if (!r->bufs)
		err = -ENXIO;
	else if ((u64)at + nr > r->nr_bufs)
		err = -EINVAL;
	for (done = 0; done < nr && !err; done++) {
		err = read_buf(&b, vec, done);
		if (err)
			break;
		r->bufs[at + done] = b;
	}
	mutex_unlock(&r->tables);
	return done ? (s64)done : err;
}

int uring_bufs_drop(struct uring *r)
{
	struct uring_fixed_buf *b;

	mutex_lock(&r->tables);
	b = r->bufs;
	r->bufs = NULL;
	r->nr_bufs = 0;
	mutex_unlock(&r->tables);
	kfree(b);
	return b ? 0 : -ENXIO;
}

bool uring_in_fixed_buf(struct uring *r, u32 index, u64 addr, u64 len)
{
	bool in = false;

	mutex_lock(&r->tables);
	if (index < r->nr_bufs) {
		const struct uring_fixed_buf *b = &r->bufs[index];

		in = len <= b->len && addr >= b->base &&
		     addr - b->base <= b->len - len;
	}
	mutex_unlock(&r->tables);
	return in;
}

/* ---- groups */

static struct uring_group *find_group(struct uring *r, u16 id)
{
	struct uring_group *g;

	list_for_each_entry(g, &r->groups, node) {
		if (g->id == id)
			return g;
	}
	return NULL;
}

/* The same of a ring of buffers; ERR_PTR(-ENOENT, -EINVAL). */
static struct uring_group *find_ring(struct uring *r, u16 id)
{
	struct uring_group *g = find_group(r, id);

	if (!g)
		return ERR_PTR(-ENOENT);
	return g->ring ? g : ERR_PTR(-EINVAL);
}

static struct uring_group *new_group(struct uring *r, u16 id)
{
	struct uring_group *g = kzalloc(sizeof(*g));

	if (!g)
		return NULL;
	g->id = id;
	list_init(&g->bufs);
	list_add_tail(&g->node, &r->groups);
	return g;
}

/* Up to @nr of its buffers go; how many went. */
static u32 empty_group(struct uring_group *g, u32 nr)
{
	struct provided *b, *tmp;
	u32 done = 0;

	list_for_each_entry_safe(b, tmp, &g->bufs, node) {
		if (done == nr)
			break;
		list_del(&b->node);
		kfree(b);
		done++;
	}
	g->nr -= done;
	return done;
}

static void free_group(struct uring_group *g)
{
	(void)empty_group(g, ~0u);
	list_del(&g->node);
	kfree(g);
}

void uring_groups_free(struct uring *r)
{
	struct uring_group *g, *tmp;

	list_for_each_entry_safe(g, tmp, &r->groups, node)
		free_group(g);
}

static u64 entry_at(const struct uring_group *g, u16 i)
{
	return g->ring + (i & g->mask) * sizeof(struct uring_buf);
}

static int take_from_ring(struct uring_group *g, struct uring_chosen *c)
{
	struct uring_buf b;
	u16 tail[2];

	/* the tail lies in the last two bytes of the first entry */
	if (copy_from_user(tail, g->ring + 12, sizeof(tail)))
		return -EFAULT;
	if (tail[1] == g->head)
		return -ENOBUFS;
	if (copy_from_user(&b, entry_at(g, g->head), sizeof(b)))
		return -EFAULT;
	g->head++;
	*c = (struct uring_chosen){ b.addr, b.len, b.bid, g->head, true };
	return 0;
}

static int take_from_list(struct uring_group *g, struct uring_chosen *c)
{
	struct provided *p =
		list_first_entry_or_null(&g->bufs, struct provided, node);

	if (!p)
		return -ENOBUFS;
	*c = (struct uring_chosen){ p->addr, p->len, p->bid, 0, true };
	(void)empty_group(g, 1);
	return 0;
}

int uring_buf_select(struct uring_req *q, u64 *addr, u64 *len)
{
	struct uring *r = q->ring;
	struct uring_group *g;
	int err = 0;

	if (!q->buf.have) {
		mutex_lock(&r->tables);
		g = find_group(r, q->sqe.buf_index);
		if (!g)
			err = -ENOBUFS;
		else
			err = g->ring ? take_from_ring(g, &q->buf)
				      : take_from_list(g, &q->buf);
		mutex_unlock(&r->tables);
		if (err)
			return err;
	}
	*addr = q->buf.addr;
	*len = *len ? min_t(u64, *len, q->buf.len) : q->buf.len;
	q->cqe_flags = CQE_F_BUFFER | (u32)q->buf.bid << CQE_BUFFER_SHIFT;
	return 0;
}

static bool give_back(struct uring_group *g, const struct uring_chosen *c)
{
	struct provided *b;

	if (g->ring) {
		if (g->head != c->head)
			return false;
		g->head--;
		return true;
	}
	b = kmalloc(sizeof(*b));
	if (!b)
		return false;
	*b = (struct provided){ .addr = c->addr, .len = c->len, .bid = c->bid };
	list_add(&b->node, &g->bufs);
	g->nr++;
	return true;
}

void uring_buf_keep(struct uring_req *q, bool used)
{
	struct uring *r = q->ring;
	struct uring_group *g;

	if (!q->buf.have)
		return;
	if (used) {
		q->buf.have = false;
		return;
	}
	mutex_lock(&r->tables);
	g = find_group(r, q->sqe.buf_index);
	if (g && give_back(g, &q->buf)) {
		q->buf.have = false;
		q->cqe_flags = 0;
	}
	mutex_unlock(&r->tables);
}

/* ---- PROVIDE_BUFFERS, REMOVE_BUFFERS */

int uring_provide_prep(struct uring_req *q)
{
	const struct uring_sqe *s = &q->sqe;
	u64 nr = (u32)s->fd;

	if (s->op_flags || s->file_index || !nr || nr > GROUP_MAX || !s->len)
		return s->len || s->op_flags ? -EINVAL : -E2BIG;
	if (s->off > UINT16_MAX || s->off + nr > GROUP_MAX)
		return -E2BIG;
	return user_range_ok(s->addr, (u64)s->len * nr) ? 0 : -EFAULT;
}

static int provide(struct uring_group *g, const struct uring_sqe *s)
{
	u32 nr = (u32)s->fd, i;

	for (i = 0; i < nr && g->nr < GROUP_MAX; i++) {
		struct provided *b = kmalloc(sizeof(*b));

		if (!b)
			break;
		*b = (struct provided){ .addr = s->addr + (u64)i * s->len,
					.len = s->len,
					.bid = (u16)(s->off + i) };
		list_add_tail(&b->node, &g->bufs);
		g->nr++;
	}
	return i ? 0 : -ENOMEM;
}

s64 uring_provide_run(struct uring_req *q, bool wait __unused)
{
	struct uring *r = q->ring;
	struct uring_group *g;
	s64 n;

	mutex_lock(&r->tables);
	g = find_group(r, q->sqe.buf_index);
	if (!g)
		g = new_group(r, q->sqe.buf_index);
	if (!g)
		n = -ENOMEM;
	else
		n = g->ring ? -EINVAL : provide(g, &q->sqe);
	mutex_unlock(&r->tables);
	return n;
}

int uring_remove_prep(struct uring_req *q)
{
	const struct uring_sqe *s = &q->sqe;

	if (s->op_flags || s->addr || s->len || s->off || s->file_index)
		return -EINVAL;
	return s->fd <= 0 || (u32)s->fd > GROUP_MAX ? -EINVAL : 0;
}

s64 uring_remove_run(struct uring_req *q, bool wait __unused)
{
	struct uring *r = q->ring;
	struct uring_group *g;
	s64 n = -ENOENT;

	mutex_lock(&r->tables);
	g = find_group(r, q->sqe.buf_index);
	if (g)
		n = g->ring ? -EINVAL : (s64)empty_group(g, (u32)q->sqe.fd);
	mutex_unlock(&r->tables);
	return n;
}

/* ---- rings of buffers */

static int read_reg(struct uring_buf_reg *c, u64 arg)
{
	if (copy_from_user(c, arg, sizeof(*c)))
		return -EFAULT;
	/* IOU_PBUF_RING_MMAP, _INC: not here */
	return c->flags || c->resv[0] || c->resv[1] || c->resv[2] ? -EINVAL : 0;
}

int uring_pbuf_register(struct uring *r, u64 arg)
{
	struct uring_buf_reg c;
	struct uring_group *g;
	int err = read_reg(&c, arg);

	if (err)
		return err;
	if (!c.ring_addr || (c.ring_addr & 0xfff))
		return c.ring_addr ? -EINVAL : -EFAULT;
	if (!c.ring_entries || (c.ring_entries & (c.ring_entries - 1)))
		return -EINVAL;
	if (c.ring_entries > RING_ENTRIES_MAX)
		return -EINVAL;
	if (!user_range_ok(c.ring_addr,
			   (u64)c.ring_entries * sizeof(struct uring_buf)))
		return -EFAULT;
	if (user_fault_in(c.ring_addr,
			  c.ring_entries * sizeof(struct uring_buf), true))
		return -EFAULT;
	mutex_lock(&r->tables);
	g = find_group(r, c.bgid);
	if (g && (g->ring || g->nr))
		err = -EEXIST;
	if (!err && !g)
		g = new_group(r, c.bgid);
	if (!err && !g)
		err = -ENOMEM;
	if (!err) {
		g->ring = c.ring_addr;
		g->mask = c.ring_entries - 1;
		g->head = 0;
	}
	mutex_unlock(&r->tables);
	return err;
}

int uring_pbuf_drop(struct uring *r, u64 arg)
{
	struct uring_buf_reg c;
	struct uring_group *g;
	int err = read_reg(&c, arg);

	if (err)
		return err;
	mutex_lock(&r->tables);
	g = find_ring(r, c.bgid);
	if (!IS_ERR(g))
		free_group(g);
	mutex_unlock(&r->tables);
	return IS_ERR(g) ? (int)PTR_ERR(g) : 0;
}

int uring_pbuf_status(struct uring *r, u64 arg)
{
	struct uring_buf_status c;
	struct uring_group *g;

	if (copy_from_user(&c, arg, sizeof(c)))
		return -EFAULT;
	for (u32 i = 0; i < ARRAY_SIZE(c.resv); i++) {
		if (c.resv[i])
			return -EINVAL;
	}
	mutex_lock(&r->tables);
	g = find_ring(r, (u16)c.group);
	if (!IS_ERR(g))
		c.head = g->head;
	mutex_unlock(&r->tables);
	if (IS_ERR(g))
		return (int)PTR_ERR(g);
	return copy_to_user(arg, &c, sizeof(c)) ? -EFAULT : 0;
}
