/* SPDX-License-Identifier: MIT */
/*
 * kernel/mm/kmalloc.h - kernel heap: sized caches over page.h.
 *
 * Objects are 8-byte aligned (64 for sizes that are multiples of 64), in the
 * direct map.  Freed objects are poisoned (0x6b) so that a use after free is
 * seen; a double free and a foreign pointer assert.  Beyond 2 MiB: -ENOMEM, use
 * vmap.h.  Context: any, never sleeps.  Locking: the cache's (RANK_SLAB).
 */
#ifndef KERNEL_MM_KMALLOC_H
#define KERNEL_MM_KMALLOC_H

#include <lib/types.h>

void *kmalloc(size_t size); /* NULL: out of memory; size 0 gives NULL */
void *kzalloc(size_t size);
void *kcalloc(size_t n, size_t size); /* overflow-checked */
void *krealloc(void *p, size_t size);
void kfree(const void *p); /* NULL is fine */
size_t ksize(const void *p);
char *kstrdup(const char *s);
void *kmemdup(const void *p, size_t n);

struct kmem_cache; /* opaque */
struct kmem_cache *kmem_cache_create(const char *name, size_t size,
				     size_t align);
/* Its slabs are single frames at these places (kernel/hotmem.h): objects that every system
 * call looks at.  Before the first object is allocated. */
void kmem_cache_place(struct kmem_cache *c, u32 first, u32 nr);
void *kmem_cache_alloc(struct kmem_cache *c); /* not cleared */
void *kmem_cache_zalloc(struct kmem_cache *c);
void kmem_cache_free(struct kmem_cache *c, void *obj);
void kmalloc_init(void);
/* /proc/slabinfo */
struct kmem_info {
	const char *name;
	size_t size; /* of an object */
	u64 inuse;   /* objects */
	u64 slabs;
	u32 nr_obj, nr_pages; /* of a slab */
};
void kmem_for_each(void (*fn)(const struct kmem_info *info, void *ctx),
		   void *ctx);

#endif /* KERNEL_MM_KMALLOC_H */
