/* SPDX-License-Identifier: MIT */
/*
 * net/nlmsg.c - netlink messages are built and taken apart.
 *
 * An answer is a chain of buffers, each of which is read as one datagram.  A message
 * begins in a buffer that has NL_MSG_ROOM left and so never runs over.
 */
#include <net/netlink.h>

#include <kernel/mm/kmalloc.h>
#include <lib/string.h>

static struct nl_buf *buf_new(void)
{
	struct nl_buf *b = kmalloc(NL_BUF_SIZE);

	if (b) {
		*b = (struct nl_buf){ .cost = NL_BUF_SIZE };
		list_init(&b->node);
	}
	return b;
}

static struct nl_buf *last(const struct nl_out *o)
{
	return list_empty(&o->bufs)
		       ? NULL
		       : list_last_entry(&o->bufs, struct nl_buf, node);
}

static u32 left(const struct nl_buf *b)
{
	return NL_BUF_SIZE - (u32)sizeof(*b) - b->len;
}

void nl_out_init(struct nl_out *o)
{
	list_init(&o->bufs);
	o->failed = false;
	o->text = NULL;
}

void nl_out_free(struct nl_out *o)
{
	while (!list_empty(&o->bufs)) {
		struct nl_buf *b =
			list_first_entry(&o->bufs, struct nl_buf, node);

		list_del(&b->node);
		kfree(b);
	}
}

void nl_out_shrink(struct nl_out *o)
{
	struct nl_buf *b, *next, *c;

	list_for_each_entry_safe(b, next, &o->bufs, node) {
		u32 size = (u32)sizeof(*b) + b->len;

		c = size <= NL_BUF_SIZE / 4 ? kmemdup(b, size) : NULL;
		if (!c)
			continue;
		c->cost = size;
		list_init(&c->node);
		list_add(&c->node, &b->node);
		list_del(&b->node);
		kfree(b);
	}
}

bool nl_next_buf(struct nl_out *o)
{
	struct nl_buf *b = buf_new();

	if (!b)
		o->failed = true;
	else
		list_add_tail(&b->node, &o->bufs);
	return b;
}

void *nl_room(struct nl_out *o, u32 n)
{
	struct nl_buf *b = last(o);
	void *p;

	n = ALIGN_UP(n, 4u);
	if (!b || n > left(b)) {
		o->failed = true;
		return NULL;
	}
	p = b->data + b->len;
	memset(p, 0, n);
	b->len += n;
	return p;
}

struct nlmsghdr *nl_begin(struct nl_out *o, const struct nlmsghdr *req,
			  u16 type, u16 flags)
{
	struct nl_buf *b = last(o);
	struct nlmsghdr *h;

	if ((!b || left(b) < NL_MSG_ROOM) && !nl_next_buf(o))
		return NULL;
	h = nl_room(o, sizeof(*h));
	if (!h)
		return NULL;
	h->type = type;
	h->flags = flags;
	h->seq = req->seq;
	h->port = req->port;
	return h;
}

void nl_end(struct nl_out *o, struct nlmsghdr *h)
{
	struct nl_buf *b = last(o);

	h->len = (u32)(b->data + b->len - (u8 *)h);
}

void nl_attr(struct nl_out *o, u16 type, const void *data, u32 len)
{
	struct nlattr *a = nl_room(o, sizeof(*a) + len);

	if (!a)
		return;
	a->len = (u16)(sizeof(*a) + len);
	a->type = type;
	memcpy(a + 1, data, len);
}

void nl_attr32(struct nl_out *o, u16 type, u32 v)
{
	nl_attr(o, type, &v, sizeof(v));
}

struct nlattr *nl_nest(struct nl_out *o, u16 type)
{
	struct nlattr *a = nl_room(o, sizeof(*a));

	if (a)
		a->type = type;
	return a;
}

void nl_nest_end(struct nl_out *o, struct nlattr *a)
{
	struct nl_buf *b = last(o);

	if (a)
		a->len = (u16)(b->data + b->len - (u8 *)a);
}

const struct nlattr *nl_find(const struct nlmsghdr *req, u32 len, u32 fixed,
			     u16 type)
{
	u32 off = (u32)sizeof(*req) + ALIGN_UP(fixed, 4u);

	while (off + sizeof(struct nlattr) <= len) {
		const struct nlattr *a = (const void *)((const u8 *)req + off);

		if (a->len < sizeof(*a) || a->len > len - off)
			break;
		if ((a->type & NLA_TYPE_MASK) == type)
			return a;
		off += ALIGN_UP(a->len, 4u);
	}
	return NULL;
}

bool nl_find32(const struct nlmsghdr *req, u32 len, u32 fixed, u16 type, u32 *v)
{
	const struct nlattr *a = nl_find(req, len, fixed, type);

	if (!a || a->len < sizeof(*a) + sizeof(*v))
		return false;
	memcpy(v, a + 1, sizeof(*v));
	return true;
}
