/* SPDX-License-Identifier: MIT */
/*
 * tests/host/fake/world.c - memory, time and messages for world.h.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tests/host/cmocka.h>

#include <tests/host/fake/world.h>
#include <tests/host/fake/world_int.h>

#include <fs/filecaps.h>
#include <fs/notify.h>
#include <fs/vfs.h>
#include <kernel/assert.h>
#include <kernel/hart.h>
#include <kernel/log.h>
#include <kernel/mm/fault.h>
#include <kernel/mm/cache.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/memcg.h>
#include <kernel/mm/pmem.h>
#include <kernel/mm/user.h>
#include <kernel/sched/wait.h>
#include <kernel/task/process.h>
#include <kernel/time/clock.h>

#define NR_PAGES 65536u /* 256 MiB of page cache at most */

u64 world_seed = 0x9e3779b97f4a7c15ull;
bool world_quiet, world_is_root = true;
u64 world_nr_allocs;
u32 world_alloc_fail_in;
char world_last_log[256];

u64 world_now_ns = 1700000000ull * 1000000000ull;

u64 host_direct_map, phys_ram_base, phys_ram_end;
static struct hart hart;
struct hart *host_this_hart = &hart;
static struct cred cred = { .refs = 1 };

/* --- memory */

static struct page pages[NR_PAGES];
static u8 *frames;
static u32 free_stack[NR_PAGES], nr_free;

/* Shall this allocation fail? */
static bool fails(void)
{
	if (!world_alloc_fail_in)
		return false;
	return --world_alloc_fail_in == 0;
}

void *kmalloc(size_t size)
{
	void *p;

	if (!size || fails())
		return NULL;
	p = malloc(size);
	memset(p, 0x5a, size);
	world_nr_allocs++;
	return p;
}

void *kzalloc(size_t size)
{
	void *p = kmalloc(size);

	return p ? memset(p, 0, size) : NULL;
}

void *kmemdup(const void *src, size_t n)
{
	void *p = kmalloc(n);

	return p ? memcpy(p, src, n) : NULL;
}

void *kcalloc(size_t n, size_t size)
{
	return kzalloc(n * size);
}

void *krealloc(void *p, size_t size)
{
	if (fails())
		return NULL;
	if (!p)
		world_nr_allocs++;
	return realloc(p, size);
}

void kfree(const void *p)
{
	if (p)
		world_nr_allocs--;
	free((void *)(uintptr_t)p);
}

struct kmem_cache {
	size_t size, align;
};

struct kmem_cache *kmem_cache_create(const char *name, size_t size,
				     size_t align)
{
	struct kmem_cache *c = malloc(sizeof(*c));

	c->size = size;
	c->align = align < 16 ? 16 : align;
	return c;
}

void *kmem_cache_alloc(struct kmem_cache *c)
{
	void *p = NULL;

	if (fails() || posix_memalign(&p, c->align, c->size))
		return NULL;
	memset(p, 0x5a, c->size);
	world_nr_allocs++;
	return p;
}

void *kmem_cache_zalloc(struct kmem_cache *c)
{
	void *p = kmem_cache_alloc(c);

	return p ? memset(p, 0, c->size) : NULL;
}

void kmem_cache_free(struct kmem_cache *c, void *obj)
{
	kfree(obj);
}

void *alloc_pages_exact(size_t bytes, u32 gfp)
{
	void *p = NULL;

	if (fails() || posix_memalign(&p, PAGE_SIZE, bytes))
		return NULL;
	memset(p, gfp & GFP_ZERO ? 0 : 0x5a, bytes);
	world_nr_allocs++;
	return p;
}

void free_pages_exact(void *addr, size_t bytes)
{
	kfree(addr);
}

void *get_free_page(u32 gfp)
{
	return alloc_pages_exact(PAGE_SIZE, gfp);
}

void free_page_addr(void *addr)
{
	kfree(addr);
}

struct page *page_alloc(unsigned int order, u32 gfp)
{
	struct page *pg;

	if (fails() || !nr_free)
		return NULL;
	pg = &pages[free_stack[--nr_free]];
	memset(pg, 0, sizeof(*pg));
	pg->refs = 1;
	list_init(&pg->node);
	memset(page_addr(pg), 0x5a, PAGE_SIZE);
	world_nr_allocs++;
	return pg;
}

struct page *page_get(struct page *pg)
{
	pg->refs++;
	return pg;
}

void page_put(struct page *pg)
{
	assert_true(pg->refs > 0);
	if (--pg->refs)
		return;
	assert_false(pg->flags & (PG_DIRTY | PG_LOCKED | PG_WRITEBACK));
	assert_false(pg->flags & PG_PRIVATE);
	free_stack[nr_free++] = (u32)(pg - pages);
	world_nr_allocs--;
}

void *page_addr(const struct page *pg)
{
	return frames + (size_t)(pg - pages) * PAGE_SIZE;
}

struct page *addr_page(const void *addr)
{
	return &pages[((const u8 *)addr - frames) / PAGE_SIZE];
}

void pmem_info(struct pmem_info *out)
{
	*out = (struct pmem_info){ .total = NR_PAGES, .free = NR_PAGES };
}

u64 pmem_free_pages(void)
{
	return NR_PAGES;
}

void pmem_account(int what, s64 n)
{
}

void clear_page(void *p)
{
	memset(p, 0, PAGE_SIZE);
}

/* Reclaim and reverse mappings: nobody maps, nothing is short. */
void lru_add(struct page *pg)
{
}

void lru_del(struct page *pg)
{
}

/* Nobody pays for memory. */
void memcg_pay(struct thread *t)
{
}

void memcg_set_kind(struct page *pg, enum memcg_stat kind)
{
}

void memcg_stat_slow(struct memcg *mc, enum memcg_stat what, s64 n)
{
}

void reclaim_init(void)
{
}

void rmap_zap(struct mapping *m, u64 start, u64 end, bool file_only)
{
}

void mapping_wrprotect_user(struct mapping *m, u64 start, u64 end)
{
}

int copy_to_user(uaddr_t dst, const void *src, size_t n)
{
	return -14;
}

int copy_from_user(void *dst, uaddr_t src, size_t n)
{
	memcpy(dst, (const void *)(uintptr_t)src, n);
	return 0;
}

size_t copy_to_user_nofault(uaddr_t dst, const void *src, size_t n)
{
	return 0;
}

size_t copy_from_user_nofault(void *dst, uaddr_t src, size_t n)
{
	return 0;
}

size_t copy_to_user_partial(uaddr_t dst, const void *src, size_t n)
{
	return 0;
}

size_t copy_from_user_partial(void *dst, uaddr_t src, size_t n)
{
	return 0;
}

int clear_user(uaddr_t dst, size_t n)
{
	return -14;
}

int user_fault_in(uaddr_t a, size_t n, bool write)
{
	return -14;
}

/* --- the rest */

bool capable(unsigned int cap)
{
	return world_is_root;
}

u64 clock_mono_ns(void)
{
	return world_now_ns += 1000;
}

u64 clock_real_ns(void)
{
	return clock_mono_ns();
}

bool log_may(struct log_ratelimit *rl)
{
	return true;
}

void log_printf(enum log_level level, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(world_last_log, sizeof(world_last_log), fmt, ap);
	va_end(ap);
	if (!world_quiet)
		fprintf(stderr, "    <%u> %s\n", level, world_last_log);
}

void panic(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, "\n");
	abort();
}

/* --- watches: nobody has one */

u32 notify_nr_watches;

void notify_error_slow(struct super_block *sb, struct inode *inode, int err)
{
	panic("notify: nobody watches");
}

void notify_evicted_slow(struct inode *inode)
{
	panic("notify: nobody watches");
}

void filecaps_drop_slow(struct inode *i)
{
}

int generic_file_mmap(struct file *f, struct vma *vma)
{
	panic("mmap: nobody maps");
}

void world_init(void)
{
	u32 i;

	if (frames)
		return;
	if (posix_memalign((void **)&frames, PAGE_SIZE,
			   (size_t)NR_PAGES * PAGE_SIZE))
		abort();
	for (i = 0; i < NR_PAGES; i++)
		free_stack[nr_free++] = NR_PAGES - 1 - i;
	current->cred = &cred;
	pagecache_init();
}
