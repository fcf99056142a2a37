/* SPDX-License-Identifier: MIT */
/*
 * lib/fdt.h - read a flattened device tree [DTSpec 0.4, chapter 5].
 *
 * The blob comes from firmware and may be corrupt: fdt_check() walks all of it
 * once, and nothing here reads outside of it or loops on garbage.  The blob
 * must not change after fdt_check().
 *
 * A node is the offset of its begin token in the structure block.  Functions
 * that return a node return -ENOENT when there is none; so does a function
 * that is given a negative node, except where it says otherwise.
 *
 * Owns nothing: names and values point into the blob.
 */
#ifndef LIB_FDT_H
#define LIB_FDT_H

#include <lib/types.h>

#define FDT_MAX_DEPTH 32 /* deeper trees are refused */
#define FDT_MIN_SIZE  40 /* a header */

/* 0 when @size bytes at @fdt hold a sound tree, else -EINVAL. */
int fdt_check(const void *fdt, size_t size) __must_check;

/* Size of the blob from its header; @fdt has FDT_MIN_SIZE bytes.  0: no FDT. */
size_t fdt_size(const void *fdt);

/* Nodes. */
int fdt_root(const void *fdt);
int fdt_first_child(const void *fdt, int node);
int fdt_next_sibling(const void *fdt, int node);
int fdt_parent(const void *fdt, int node);
int fdt_next_node(const void *fdt, int node); /* depth first; -1: the root */
int fdt_by_phandle(const void *fdt, u32 phandle);
int fdt_path_offset(const void *fdt, const char *path); /* or alias[/more] */
int fdt_subnode(const void *fdt, int node, const char *name);

/* Name with unit address; "" for the root; NULL for what is no node. */
const char *fdt_name(const void *fdt, int node);

/* Properties.  @len may be NULL.  NULL when there is none. */
const void *fdt_prop(const void *fdt, int node, const char *name, int *len);
/* The @idx-th one: 0, or -ENOENT behind the last. */
int fdt_prop_at(const void *fdt, int node, unsigned int idx, const char **name,
		const void **value, int *len);

/* 0, -ENOENT, or -EINVAL when the value has another size.  u64: 1 or 2 cells */
int fdt_prop_u32(const void *fdt, int node, const char *name, u32 *out);
int fdt_prop_u64(const void *fdt, int node, const char *name, u64 *out);
/* Cell @idx of an array; -ENOENT behind its end. */
int fdt_prop_cell(const void *fdt, int node, const char *name, unsigned int idx,
		  u32 *out);
/* The first string of the value; NULL when it is not terminated. */
const char *fdt_prop_str(const void *fdt, int node, const char *name);

/* The place of @s in a list of strings, from 0; -ENOENT. */
int fdt_stringlist_index(const char *list, int len, const char *s);
bool fdt_stringlist_contains(const char *list, int len, const char *s);
bool fdt_compatible(const void *fdt, int node, const char *compat);
/* In the whole tree, behind @after; -1 begins. */
int fdt_next_compatible(const void *fdt, int after, const char *compat);
/* No status property, "okay" or "ok". */
bool fdt_status_okay(const void *fdt, int node);

/* Cells of the addresses and sizes of @node's children. */
u32 fdt_addr_cells(const void *fdt, int node);
u32 fdt_size_cells(const void *fdt, int node);

/*
 * Region @idx of `reg`, as the CPU sees it: through the `ranges` of every
 * ancestor.  0, -ENOENT when there is no such region, -EINVAL when an ancestor
 * does not map it.  @size may be NULL.
 */
int fdt_reg(const void *fdt, int node, unsigned int idx, u64 *addr, u64 *size);

/* Entry @idx of the reservation list: 0, or -ENOENT behind the last. */
int fdt_memreserve(const void *fdt, unsigned int idx, u64 *addr, u64 *size);

/* Big-endian numbers at any alignment. */
static inline u32 fdt_get32(const void *p)
{
	const u8 *b = p;

	return (u32)b[0] << 24 | (u32)b[1] << 16 | (u32)b[2] << 8 | b[3];
}

static inline u64 fdt_get64(const void *p)
{
	return (u64)fdt_get32(p) << 32 | fdt_get32((const u8 *)p + 4);
}

#endif /* LIB_FDT_H */
