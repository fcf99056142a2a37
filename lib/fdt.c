/* SPDX-License-Identifier: MIT */
/*
 * lib/fdt.c - nodes and properties of a flattened device tree.
 *
 * The structure block is a sequence of tokens.  Everything reads it through
 * token_at(), which looks at one token and never outside of the blocks.
 *
 * INVARIANTS
 *   I1  token.next is behind its token, so every walk ends.
 *   I2  After fdt_check() the header's offsets and sizes lie in the blob.
 *
 * Not here: addresses (lib/fdt_reg.c).
 */
#include <lib/fdt.h>

#include <lib/errno.h>
#include <lib/string.h>

/* Header [5.2]: offsets of its big-endian words. */
#define HDR_MAGIC	 0
#define HDR_TOTALSIZE	 4
#define HDR_OFF_STRUCT	 8
#define HDR_OFF_STRINGS	 12
#define HDR_OFF_RSVMAP	 16
#define HDR_VERSION	 20
#define HDR_LAST_COMP	 24
#define HDR_SIZE_STRINGS 32
#define HDR_SIZE_STRUCT	 36

#define FDT_MAGIC    0xd00dfeed
#define FDT_VERSION  17
#define FDT_SIZE_MAX (64u << 20) /* so that offsets fit in an int */

/* Tokens [5.4.1]. */
#define FDT_BEGIN_NODE 1
#define FDT_END_NODE   2
#define FDT_PROP       3
#define FDT_NOP	       4
#define FDT_END	       9

struct token {
	u32 tag;
	int next;
	const char *name;  /* BEGIN_NODE, PROP */
	const void *value; /* PROP */
	int len;	   /* PROP */
};

static u32 hdr(const void *fdt, u32 field)
{
	return fdt_get32((const u8 *)fdt + field);
}

static const char *string_at(const void *fdt, u32 off)
{
	const char *strings = (const char *)fdt + hdr(fdt, HDR_OFF_STRINGS);
	u32 size = hdr(fdt, HDR_SIZE_STRINGS);

	if (off >= size || !memchr(strings + off, 0, size - off))
		return NULL;
	return strings + off;
}

/* @p: behind the tag, @room bytes long.  The size behind the tag, or -EINVAL */
static int parse_begin(const u8 *p, u32 room, struct token *t)
{
	const u8 *end = memchr(p, 0, room);

	if (!end)
		return -EINVAL;
	t->name = (const char *)p;
	return (int)(end - p) + 1;
}

static int parse_prop(const void *fdt, const u8 *p, u32 room, struct token *t)
{
	u32 len;

	if (room < 8)
		return -EINVAL;
	len = fdt_get32(p);
	t->name = string_at(fdt, fdt_get32(p + 4));
	if (len > room - 8 || !t->name)
		return -EINVAL;
	t->value = p + 8;
	t->len = (int)len;
	return (int)len + 8;
}

static int token_at(const void *fdt, int at, struct token *t)
{
	u32 size = hdr(fdt, HDR_SIZE_STRUCT), off = (u32)at, room;
	const u8 *p;
	int body = 0;

	if (at < 0 || !IS_ALIGNED(off, 4) || size < 4 || off > size - 4)
		return -EINVAL;
	p = (const u8 *)fdt + hdr(fdt, HDR_OFF_STRUCT) + off;
	room = size - off - 4;
	t->tag = fdt_get32(p);
	if (t->tag == FDT_BEGIN_NODE)
		body = parse_begin(p + 4, room, t);
	else if (t->tag == FDT_PROP)
		body = parse_prop(fdt, p + 4, room, t);
	else if (t->tag != FDT_END_NODE && t->tag != FDT_NOP &&
		 t->tag != FDT_END)
		return -EINVAL;
	if (body < 0)
		return body;
	t->next = (int)ALIGN_UP(off + 4 + (u32)body, 4u);
	return 0;
}

/* [off, off + size) lies in the blob. */
static bool block_ok(const void *fdt, u32 off, u32 size, u32 align)
{
	u32 total = hdr(fdt, HDR_TOTALSIZE);

	return off <= total && size <= total - off && IS_ALIGNED(off, align);
}

static bool header_ok(const void *fdt, size_t size)
{
	u32 total;

	if (size < FDT_MIN_SIZE || hdr(fdt, HDR_MAGIC) != FDT_MAGIC)
		return false;
	total = hdr(fdt, HDR_TOTALSIZE);
	return total >= FDT_MIN_SIZE && total <= size &&
	       total <= FDT_SIZE_MAX && hdr(fdt, HDR_VERSION) >= FDT_VERSION &&
	       hdr(fdt, HDR_LAST_COMP) <= FDT_VERSION &&
	       block_ok(fdt, hdr(fdt, HDR_OFF_STRUCT),
			hdr(fdt, HDR_SIZE_STRUCT), 4) &&
	       block_ok(fdt, hdr(fdt, HDR_OFF_STRINGS),
			hdr(fdt, HDR_SIZE_STRINGS), 1) &&
	       block_ok(fdt, hdr(fdt, HDR_OFF_RSVMAP), 16, 8);
}

/* One root; every node ends; nothing but padding outside of the root. */
static int check_structure(const void *fdt)
{
	struct token t = { 0 };
	int depth = 0, roots = 0;

	for (int at = 0;; at = t.next) {
		if (token_at(fdt, at, &t) < 0)
			return -EINVAL;
		switch (t.tag) {
		case FDT_BEGIN_NODE:
			if (depth == 0 && roots++)
				return -EINVAL;
			if (++depth > FDT_MAX_DEPTH)
				return -EINVAL;
			break;
		case FDT_END_NODE:
			if (depth-- == 0)
				return -EINVAL;
			break;
		case FDT_PROP:
			if (depth == 0)
				return -EINVAL;
			break;
		case FDT_END:
			return depth == 0 && roots == 1 ? 0 : -EINVAL;
		default:
			break;
		}
	}
}

int fdt_check(const void *fdt, size_t size)
{
	u64 addr, len;
	unsigned int i = 0;
	int r;

	if (!header_ok(fdt, size))
		return -EINVAL;
	do {
		r = fdt_memreserve(fdt, i++, &addr, &len);
	} while (r == 0);
	return r == -ENOENT ? check_structure(fdt) : r;
}

size_t fdt_size(const void *fdt)
{
	return hdr(fdt, HDR_MAGIC) == FDT_MAGIC ? hdr(fdt, HDR_TOTALSIZE) : 0;
}

int fdt_memreserve(const void *fdt, unsigned int idx, u64 *addr, u64 *size)
{
	u32 off = hdr(fdt, HDR_OFF_RSVMAP);
	u32 room = hdr(fdt, HDR_TOTALSIZE) - off;
	const u8 *p = (const u8 *)fdt + off;

	if (idx >= room / 16)
		return -EINVAL;
	*addr = fdt_get64(p + 16 * (size_t)idx);
	*size = fdt_get64(p + 16 * (size_t)idx + 8);
	return *addr || *size ? 0 : -ENOENT;
}

/* The next node at or behind @at.  *@depth follows begins and ends. */
static int scan_node(const void *fdt, int at, int *depth)
{
	struct token t;

	for (; token_at(fdt, at, &t) == 0 && t.tag != FDT_END; at = t.next) {
		if (t.tag == FDT_BEGIN_NODE) {
			(*depth)++;
			return at;
		}
		if (t.tag == FDT_END_NODE)
			(*depth)--;
	}
	return -ENOENT;
}

/* Behind the begin token of @node. */
static int inside(const void *fdt, int node)
{
	struct token t;

	if (token_at(fdt, node, &t) < 0 || t.tag != FDT_BEGIN_NODE)
		return -ENOENT;
	return t.next;
}

int fdt_root(const void *fdt)
{
	int depth = 0;

	return scan_node(fdt, 0, &depth);
}

int fdt_next_node(const void *fdt, int node)
{
	int depth = 0;

	if (node == -1)
		return fdt_root(fdt);
	return scan_node(fdt, inside(fdt, node), &depth);
}

int fdt_first_child(const void *fdt, int node)
{
	int depth = 1;
	int child = scan_node(fdt, inside(fdt, node), &depth);

	return depth == 2 ? child : -ENOENT;
}

int fdt_next_sibling(const void *fdt, int node)
{
	int depth = 1;
	int at = inside(fdt, node);

	while (at >= 0) {
		at = scan_node(fdt, at, &depth);
		if (depth == 1)
			return at; /* one end more than begins, and a begin */
		if (depth < 1)
			break;
		at = inside(fdt, at);
	}
	return -ENOENT;
}

int fdt_parent(const void *fdt, int node)
{
	int path[FDT_MAX_DEPTH + 1];
	int depth = 0;

	for (int at = fdt_root(fdt); at >= 0 && at <= node;) {
		int next = inside(fdt, at);

		path[depth] = at;
		if (at == node)
			return depth ? path[depth - 1] : -ENOENT;
		at = scan_node(fdt, next, &depth);
		if (depth < 0 || depth > FDT_MAX_DEPTH)
			break;
	}
	return -ENOENT;
}

const char *fdt_name(const void *fdt, int node)
{
	struct token t;

	if (token_at(fdt, node, &t) < 0 || t.tag != FDT_BEGIN_NODE)
		return NULL;
	return t.name;
}

/* The first property at or behind @at, before any node begins or ends. */
static int scan_prop(const void *fdt, int at, struct token *t)
{
	while (token_at(fdt, at, t) == 0) {
		if (t->tag == FDT_PROP)
			return 0;
		if (t->tag != FDT_NOP)
			break;
		at = t->next;
	}
	return -ENOENT;
}

const void *fdt_prop(const void *fdt, int node, const char *name, int *len)
{
	struct token t;

	for (int at = inside(fdt, node); scan_prop(fdt, at, &t) == 0;
	     at = t.next) {
		if (strcmp(t.name, name) == 0) {
			if (len)
				*len = t.len;
			return t.value;
		}
	}
	return NULL;
}

int fdt_prop_at(const void *fdt, int node, unsigned int idx, const char **name,
		const void **value, int *len)
{
	struct token t;

	for (int at = inside(fdt, node); scan_prop(fdt, at, &t) == 0;
	     at = t.next) {
		if (idx-- == 0) {
			*name = t.name;
			*value = t.value;
			*len = t.len;
			return 0;
		}
	}
	return -ENOENT;
}

int fdt_prop_u32(const void *fdt, int node, const char *name, u32 *out)
{
	int len;
	const void *p = fdt_prop(fdt, node, name, &len);

	if (!p)
		return -ENOENT;
	if (len != 4)
		return -EINVAL;
	*out = fdt_get32(p);
	return 0;
}

int fdt_prop_u64(const void *fdt, int node, const char *name, u64 *out)
{
	int len;
	const void *p = fdt_prop(fdt, node, name, &len);

	if (!p)
		return -ENOENT;
	if (len != 4 && len != 8)
		return -EINVAL;
	*out = len == 4 ? fdt_get32(p) : fdt_get64(p);
	return 0;
}

int fdt_prop_cell(const void *fdt, int node, const char *name, unsigned int idx,
		  u32 *out)
{
	int len;
	const u8 *p = fdt_prop(fdt, node, name, &len);

	if (!p || idx >= (unsigned int)len / 4)
		return -ENOENT;
	*out = fdt_get32(p + 4 * (size_t)idx);
	return 0;
}

const char *fdt_prop_str(const void *fdt, int node, const char *name)
{
	int len;
	const char *s = fdt_prop(fdt, node, name, &len);

	return s && memchr(s, 0, (size_t)len) ? s : NULL;
}

int fdt_stringlist_index(const char *list, int len, const char *s)
{
	size_t left = len > 0 ? (size_t)len : 0;

	for (int idx = 0; left; idx++) {
		size_t n = strnlen(list, left);

		if (n == left)
			break; /* not terminated */
		if (strcmp(list, s) == 0)
			return idx;
		list += n + 1;
		left -= n + 1;
	}
	return -ENOENT;
}

bool fdt_stringlist_contains(const char *list, int len, const char *s)
{
	return fdt_stringlist_index(list, len, s) >= 0;
}

bool fdt_compatible(const void *fdt, int node, const char *compat)
{
	int len;
	const char *list = fdt_prop(fdt, node, "compatible", &len);

	return list && fdt_stringlist_contains(list, len, compat);
}

int fdt_next_compatible(const void *fdt, int after, const char *compat)
{
	int node = fdt_next_node(fdt, after);

	while (node >= 0 && !fdt_compatible(fdt, node, compat))
		node = fdt_next_node(fdt, node);
	return node;
}

bool fdt_status_okay(const void *fdt, int node)
{
	const char *s;

	if (!fdt_prop(fdt, node, "status", NULL))
		return true;
	s = fdt_prop_str(fdt, node, "status");
	return s && (strcmp(s, "okay") == 0 || strcmp(s, "ok") == 0);
}

int fdt_by_phandle(const void *fdt, u32 phandle)
{
	int node = fdt_root(fdt);

	for (; node >= 0; node = fdt_next_node(fdt, node)) {
		u32 v;

		if (fdt_prop_u32(fdt, node, "phandle", &v) == 0 && v == phandle)
			break;
	}
	return node;
}

/* Is @want (@n bytes) the name of a node, its unit address left out or not? */
static bool name_matches(const char *name, const char *want, size_t n)
{
	if (strncmp(name, want, n) != 0)
		return false;
	return name[n] == '\0' || (name[n] == '@' && !memchr(want, '@', n));
}

static int find_child(const void *fdt, int node, const char *want, size_t n)
{
	int c = fdt_first_child(fdt, node);

	while (c >= 0 && !name_matches(fdt_name(fdt, c), want, n))
		c = fdt_next_sibling(fdt, c);
	return c;
}

int fdt_subnode(const void *fdt, int node, const char *name)
{
	return find_child(fdt, node, name, strlen(name));
}

static size_t component_len(const char *path)
{
	size_t n = 0;

	while (path[n] && path[n] != '/' && path[n] != ':')
		n++;
	return n;
}

/* Follow @path, which is relative to @node. */
static int descend(const void *fdt, int node, const char *path)
{
	while (node >= 0) {
		size_t n;

		while (*path == '/')
			path++;
		n = component_len(path);
		if (n == 0)
			break;
		node = find_child(fdt, node, path, n);
		path += n;
	}
	return node;
}

static int alias_offset(const void *fdt, const char *alias, size_t n)
{
	int aliases = descend(fdt, fdt_root(fdt), "aliases");
	struct token t;

	for (int at = inside(fdt, aliases); scan_prop(fdt, at, &t) == 0;
	     at = t.next) {
		const char *path = t.value;

		if (strlen(t.name) != n || strncmp(t.name, alias, n) != 0)
			continue;
		if (!memchr(path, 0, (size_t)t.len) || *path != '/')
			return -ENOENT;
		return descend(fdt, fdt_root(fdt), path);
	}
	return -ENOENT;
}

int fdt_path_offset(const void *fdt, const char *path)
{
	size_t n;

	if (*path == '/')
		return descend(fdt, fdt_root(fdt), path);
	n = component_len(path);
	return descend(fdt, alias_offset(fdt, path, n), path + n);
}
