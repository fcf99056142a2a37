/* SPDX-License-Identifier: MIT */
/*
 * kernel/mm/slab.c - the kernel heap: caches of equal objects, kmalloc() over them.
 *
 * A slab is a block of 1 to 8 frames cut into objects; a cache is a list of slabs
 * with free objects.  In front of it each hart has a magazine, a stack of free
 * objects that only this hart touches (kernel code is neither preempted nor
 * interrupted), so that allocating and freeing take no lock.
 *
 * A free object carries FREE_MARK(its address) in its second word, mixed with a
 * secret so that no user data can look like it.  kfree() finding the mark means
 * a double free; kmalloc() not finding it means that somebody wrote to a freed
 * object.  The first word is poison (or the slab's free list).  `slab_debug` on the
 * command line fills and checks whole objects.
 *
 * INVARIANTS
 *   I1  An object is in use, in one magazine, or on its slab's free list.
 *   I2  page->inuse of a slab's head counts its objects that are not on its free
 *       list; the slab is on cache->partial while that is less than nr_obj.
 *   I3  Every frame of a slab has PG_SLAB, ->cache, and the head page in ->priv.
 *
 * Context: any; never sleeps.  Locking: cache->lock (RANK_SLAB).
 */
#include <kernel/mm/kmalloc.h>

#include <kernel/assert.h>
#include <kernel/hart.h>
#include <kernel/hotmem.h>
#include <kernel/init.h>
#include <kernel/mm/pmem.h>
#include <lib/atomic.h>
#include <lib/string.h>

#define MAG_SIZE    62u
#define POISON	    0x6b
#define POISON64    0x6b6b6b6b6b6b6b6bull
#define MIN_OBJ	    16u
#define MAX_KMALLOC 8192u
#define MAX_LARGE   (2ul << 20)
#define KEEP_EMPTY  2u /* empty slabs that a cache keeps */

/* [H] of the hart it belongs to. */
struct magazine {
	u32 nr;
	u32 limit;
	void *obj[MAG_SIZE];
};

struct kmem_cache {
	const char *name;	  /* [I] */
	u32 size;		  /* [I] of an object, with alignment */
	u32 nr_obj;		  /* [I] in one slab */
	u32 mag_limit;		  /* [I] */
	u8 order;		  /* [I] of a slab */
	u8 place, nr_places;	  /* [I] kmem_cache_place(); 0: anywhere */
	struct list_head spare;	  /* [pmem_lock] page_alloc_placed() */
	struct spinlock lock;	  /* RANK_SLAB */
	struct list_head partial; /* [lock] heads by page->node */
	u32 nr_empty;		  /* [lock] slabs with inuse 0, on partial */
	u64 nr_slabs;		  /* [lock] */
	u64 nr_out;		  /* [lock] objects in use or in magazines */
	struct list_head node;	  /* [caches_lock] */
	struct magazine *mag[MAX_HARTS]; /* [H] each */
};

static struct spinlock caches_lock = SPINLOCK_INIT("caches", RANK_SLAB);
static struct list_head caches = LIST_HEAD_INIT(caches); /* [caches_lock] */

static const u32 class_size[] = { 16,	32,   48,   64,	  96,	      128,
				  192,	256,  384,  512,  768,	      1024,
				  1536, 2048, 3072, 4096, MAX_KMALLOC };
#define NR_CLASSES ARRAY_SIZE(class_size)
static const char *const class_name[NR_CLASSES] = {
	"kmalloc-16",	"kmalloc-32",	"kmalloc-48",	"kmalloc-64",
	"kmalloc-96",	"kmalloc-128",	"kmalloc-192",	"kmalloc-256",
	"kmalloc-384",	"kmalloc-512",	"kmalloc-768",	"kmalloc-1024",
	"kmalloc-1536", "kmalloc-2048", "kmalloc-3072", "kmalloc-4096",
	"kmalloc-8192",
};
static struct kmem_cache class_cache[NR_CLASSES];
static struct kmem_cache cache_cache;
/* Class of (size - 1) / 16, for sizes up to 1024. [I after kmalloc_init] */
static u8 small_class[64];
static u64 secret;
static bool debug; /* [I after boot] */

static void parse_slab_debug(const char *value)
{
	debug = strcmp(value, "0") != 0;
}
BOOTPARAM(slab_debug, "slab_debug", parse_slab_debug);

#define FREE_MARK(obj) ((u64)(obj) ^ secret)

/* --- objects */

static inline void mark_free(const struct kmem_cache *c, void *obj)
{
	u64 *w = obj;

	if (unlikely(debug))
		memset(obj, POISON, c->size);
	w[0] = POISON64;
	w[1] = FREE_MARK(obj);
}

static inline void mark_used(const struct kmem_cache *c, void *obj)
{
	u64 *w = obj;

	if (unlikely(w[1] != FREE_MARK(obj)))
		panic("slab: %s: %p was written to after it was freed", c->name,
		      obj);
	w[1] = 0;
	if (unlikely(debug)) {
		for (u32 i = 2; i < c->size / 8; i++) {
			if (w[i] != POISON64)
				panic("slab: %s: %p+%u changed after free",
				      c->name, obj, i * 8);
		}
	}
}

static inline struct page *object_page(const void *obj)
{
	if (unlikely(!is_direct_map(obj)))
		panic("slab: %p was not allocated here", obj);
	return pfn_page((u64)obj - DIRECT_MAP_BASE + phys_ram_base);
}

/* --- slabs; cache->lock held */

static void slab_push(struct kmem_cache *c, void *obj)
{
	struct page *head = (struct page *)object_page(obj)->priv;
	u64 off = (u64)obj - (u64)page_addr(head);

	if (off % c->size != 0)
		panic("slab: %s: %p is not an object", c->name, obj);
	*(void **)obj = head->freelist;
	head->freelist = obj;
	if (head->inuse-- == c->nr_obj)
		list_add(&head->node, &c->partial);
	if (head->inuse == 0)
		c->nr_empty++;
	c->nr_out--;
}

static void *slab_pop(struct kmem_cache *c)
{
	struct page *head;
	void *obj;

	if (list_empty(&c->partial))
		return NULL;
	head = list_first_entry(&c->partial, struct page, node);
	obj = head->freelist;
	head->freelist = *(void **)obj;
	if (head->inuse++ == 0)
		c->nr_empty--;
	if (head->inuse == c->nr_obj)
		list_del(&head->node);
	c->nr_out++;
	return obj;
}

/* A new slab, all of its objects free; lock not held. */
static struct page *slab_new(struct kmem_cache *c)
{
	struct page *head =
		c->nr_places
			? page_alloc_placed(&c->spare, c->place, c->nr_places)
			: page_alloc(c->order, GFP_KERNEL);
	char *base;

	if (!head)
		return NULL;
	base = page_addr(head);
	for (u32 i = 0; i < 1u << c->order; i++) {
		head[i].flags = PG_SLAB;
		head[i].cache = c;
		head[i].priv = (u64)head;
	}
	head->inuse = 0;
	head->freelist = NULL;
	for (u32 i = c->nr_obj; i-- > 0;) {
		void *obj = base + (u64)i * c->size;

		mark_free(c, obj);
		*(void **)obj = head->freelist;
		head->freelist = obj;
	}
	pmem_account(PMEM_SLAB, 1l << c->order);
	return head;
}

static void slab_free(struct kmem_cache *c, struct page *head)
{
	for (u32 i = 0; i < 1u << c->order; i++) {
		head[i].flags = 0;
		head[i].cache = NULL;
		head[i].priv = 0;
	}
	pmem_account(PMEM_SLAB, -(1l << c->order));
	page_put(head);
}

/* Take one empty slab too many off the cache, or NULL; lock held. */
static struct page *surplus_slab(struct kmem_cache *c)
{
	struct page *pg;

	if (c->nr_empty <= KEEP_EMPTY)
		return NULL;
	list_for_each_entry(pg, &c->partial, node) {
		if (pg->inuse == 0) {
			list_del(&pg->node);
			c->nr_empty--;
			c->nr_slabs--;
			return pg;
		}
	}
	return NULL;
}

/* --- magazines */

/* Magazines are cut from whole frames and never freed. */
static struct magazine *mag_new(struct kmem_cache *c)
{
	static struct spinlock arena_lock =
		SPINLOCK_INIT("magazines", RANK_SLAB);
	static char *arena; /* [arena_lock] */
	static size_t left; /* [arena_lock] */
	struct magazine *m = NULL;
	char *fresh = NULL;

	if (load_once(&left) < sizeof(*m)) {
		fresh = get_free_page(GFP_ZERO);
		if (!fresh)
			return NULL;
		pmem_account(PMEM_SLAB, 1);
	}
	spin_lock(&arena_lock);
	if (fresh) {
		arena = fresh;
		left = PAGE_SIZE;
	}
	if (left >= sizeof(*m)) {
		m = (void *)arena;
		arena += sizeof(*m);
		left -= sizeof(*m);
	}
	spin_unlock(&arena_lock);
	if (m)
		m->limit = c->mag_limit;
	return m;
}

static __attribute__((noinline)) void *alloc_slow(struct kmem_cache *c)
{
	struct magazine *m = c->mag[this_cpu()];
	void *obj;

	if (!m) {
		m = mag_new(c);
		if (!m)
			return NULL;
		c->mag[this_cpu()] = m;
	}
	spin_lock(&c->lock);
	if (list_empty(&c->partial)) {
		struct page *head;

		spin_unlock(&c->lock);
		head = slab_new(c);
		spin_lock(&c->lock);
		if (head) {
			list_add(&head->node, &c->partial);
			c->nr_empty++;
			c->nr_slabs++;
		}
	}
	/* room was made by others, or reclaim freed objects meanwhile */
	while (m->nr < m->limit / 2 + 1 && (obj = slab_pop(c)))
		m->obj[m->nr++] = obj;
	spin_unlock(&c->lock);
	return m->nr ? m->obj[--m->nr] : NULL;
}

static __attribute__((noinline)) void free_slow(struct kmem_cache *c, void *obj)
{
	struct magazine *m = c->mag[this_cpu()];
	struct page *extra[4];
	u32 nr_extra = 0;

	spin_lock(&c->lock);
	if (m) {
		u32 half = m->limit / 2 + 1;

		for (u32 i = 0; i < half; i++)
			slab_push(c, m->obj[i]);
		memmove(&m->obj[0], &m->obj[half],
			(m->nr - half) * sizeof(m->obj[0]));
		m->nr -= half;
	}
	slab_push(c, obj);
	while (nr_extra < ARRAY_SIZE(extra)) {
		extra[nr_extra] = surplus_slab(c);
		if (!extra[nr_extra])
			break;
		nr_extra++;
	}
	spin_unlock(&c->lock);
	while (nr_extra > 0)
		slab_free(c, extra[--nr_extra]);
}

/* --- caches */

static inline void *cache_alloc(struct kmem_cache *c)
{
	struct magazine *m = c->mag[this_cpu()];
	void *obj;

	if (likely(m && m->nr)) {
		obj = m->obj[--m->nr];
	} else {
		obj = alloc_slow(c);
		if (unlikely(!obj))
			return NULL;
	}
	mark_used(c, obj);
	return obj;
}

static inline void cache_free(struct kmem_cache *c, void *obj)
{
	struct magazine *m = c->mag[this_cpu()];

	if (unlikely(((u64 *)obj)[1] == FREE_MARK(obj)))
		panic("slab: %s: %p freed twice", c->name, obj);
	mark_free(c, obj);
	if (likely(m && m->nr < m->limit))
		m->obj[m->nr++] = obj;
	else
		free_slow(c, obj);
}

void *kmem_cache_alloc(struct kmem_cache *c)
{
	return cache_alloc(c);
}

void *kmem_cache_zalloc(struct kmem_cache *c)
{
	void *obj = cache_alloc(c);

	return obj ? memset(obj, 0, c->size) : NULL;
}

void kmem_cache_free(struct kmem_cache *c, void *obj)
{
	struct page *pg;

	if (!obj)
		return;
	pg = object_page(obj);
	if (unlikely(!(pg->flags & PG_SLAB) || pg->cache != c))
		panic("slab: %p does not belong to %s", obj, c->name);
	cache_free(c, obj);
}

/* Frames of a slab: enough that at most an eighth of it is waste. */
static u8 slab_order(u32 size)
{
	u8 order = 0;

	while (order < 3 &&
	       ((PAGE_SIZE << order) < 4ul * size ||
		(PAGE_SIZE << order) % size > (PAGE_SIZE << order) / 8))
		order++;
	return order;
}

static void cache_init(struct kmem_cache *c, const char *name, size_t size,
		       size_t align)
{
	KASSERT(size > 0 && size <= MAX_KMALLOC && align <= PAGE_SIZE);
	align = max(align, sizeof(u64));
	c->name = name;
	c->size = (u32)ALIGN_UP(max_t(size_t, size, MIN_OBJ), align);
	c->order = slab_order(c->size);
	c->nr_obj = (u32)((PAGE_SIZE << c->order) / c->size);
	c->mag_limit = c->size <= 256 ? MAG_SIZE : c->size <= 1024 ? 30 : 14;
	if (c->size > 4096)
		c->mag_limit = 4;
	spin_init(&c->lock, name, RANK_SLAB);
	list_init(&c->partial);
	list_init(&c->spare);
	spin_lock(&caches_lock);
	list_add_tail(&c->node, &caches);
	spin_unlock(&caches_lock);
}

struct kmem_cache *kmem_cache_create(const char *name, size_t size,
				     size_t align)
{
	struct kmem_cache *c = kmem_cache_zalloc(&cache_cache);

	if (c)
		cache_init(c, name, size, align);
	return c;
}

void kmem_cache_place(struct kmem_cache *c, u32 first, u32 nr)
{
	KASSERT(!c->nr_slabs && c->size <= PAGE_SIZE &&
		first + nr <= TLB_PLACES);
	c->order = 0;
	c->nr_obj = (u32)PAGE_SIZE / c->size;
	c->place = (u8)first;
	c->nr_places = (u8)nr;
}

void kmem_for_each(void (*fn)(const struct kmem_info *info, void *ctx),
		   void *ctx)
{
	struct kmem_cache *c;

	/* caches are never destroyed: only the head changes, by an append */
	for (struct list_head *l = caches.next; l != &caches; l = l->next) {
		u64 inuse;

		c = list_entry(l, struct kmem_cache, node);
		inuse = load_once(&c->nr_out);
		for (u32 i = 0; i < MAX_HARTS; i++) {
			struct magazine *m = load_once(&c->mag[i]);

			inuse -= m ? min_t(u64, inuse, load_once(&m->nr)) : 0;
		}
		fn(&(struct kmem_info){ .name = c->name,
					.size = c->size,
					.inuse = inuse,
					.slabs = load_once(&c->nr_slabs),
					.nr_obj = c->nr_obj,
					.nr_pages = 1u << c->order },
		   ctx);
	}
}

/* --- kmalloc */

void kmalloc_init(void)
{
	u32 cls = 0;

	secret = (u64)&secret * 0x9e3779b97f4a7c15ull ^
		 (u64)__builtin_return_address(0);
	for (u32 i = 0; i < NR_CLASSES; i++) {
		u32 sz = class_size[i];

		cache_init(&class_cache[i], class_name[i], sz,
			   sz % 64 == 0 ? 64 : 16);
	}
	for (u32 i = 0; i < ARRAY_SIZE(small_class); i++) {
		while (class_size[cls] < (i + 1) * 16)
			cls++;
		small_class[i] = (u8)cls;
	}
	cache_init(&cache_cache, "kmem_cache", sizeof(struct kmem_cache), 64);
}

static void *large_alloc(size_t size)
{
	unsigned int order = 0;
	struct page *pg;

	if (size > MAX_LARGE)
		return NULL;
	while ((PAGE_SIZE << order) < size)
		order++;
	pg = page_alloc(order, GFP_KERNEL);
	if (!pg)
		return NULL;
	pg->flags |= PG_LARGE;
	pmem_account(PMEM_SLAB, 1l << order);
	return page_addr(pg);
}

static void large_free(struct page *pg, const void *p)
{
	if (!(pg->flags & PG_LARGE) || page_addr(pg) != p)
		panic("slab: kfree() of %p, which kmalloc() did not give", p);
	pg->flags &= ~(u32)PG_LARGE;
	pmem_account(PMEM_SLAB, -(1l << pg->order));
	page_put(pg);
}

static inline struct kmem_cache *class_of(size_t size)
{
	u32 i;

	if (likely(size <= 1024))
		return &class_cache[small_class[(size - 1) / 16]];
	for (i = 12; class_size[i] < size; i++)
		;
	return &class_cache[i];
}

void *kmalloc(size_t size)
{
	if (unlikely(size - 1 >= MAX_KMALLOC))
		return size ? large_alloc(size) : NULL;
	return cache_alloc(class_of(size));
}

void *kzalloc(size_t size)
{
	void *p = kmalloc(size);

	return p ? memset(p, 0, size) : NULL;
}

void *kcalloc(size_t n, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes))
		return NULL;
	return kzalloc(bytes);
}

void kfree(const void *p)
{
	struct page *pg;

	if (!p)
		return;
	pg = object_page(p);
	if (unlikely(!(pg->flags & PG_SLAB)))
		large_free(pg, p);
	else
		cache_free(pg->cache, (void *)(u64)p);
}

size_t ksize(const void *p)
{
	struct page *pg = object_page(p);

	if (pg->flags & PG_SLAB)
		return ((struct kmem_cache *)pg->cache)->size;
	KASSERT(pg->flags & PG_LARGE);
	return PAGE_SIZE << pg->order;
}

void *krealloc(void *p, size_t size)
{
	size_t have;
	void *n;

	if (!p)
		return kmalloc(size);
	if (size == 0) {
		kfree(p);
		return NULL;
	}
	have = ksize(p);
	if (size <= have && size > have / 2)
		return p;
	n = kmalloc(size);
	if (!n)
		return NULL;
	memcpy(n, p, min(have, size));
	kfree(p);
	return n;
}

char *kstrdup(const char *s)
{
	return kmemdup(s, strlen(s) + 1);
}

void *kmemdup(const void *p, size_t n)
{
	void *d = kmalloc(n);

	return d ? memcpy(d, p, n) : NULL;
}
