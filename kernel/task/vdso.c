/* SPDX-License-Identifier: MIT */
/*
 * kernel/task/vdso.c - the vDSO's page, and the words in it that clocks need.
 *
 * One page for everybody: code and constants that are the same in every address
 * space.  It is made at boot from an image that the build embeds.  A time namespace has
 * a copy of it, with its offsets.
 */
#include <kernel/task/vdso.h>

#include <kernel/assert.h>
#include <kernel/init.h>
#include <kernel/mm/page.h>
#include <kernel/mm/vm.h>
#include <kernel/ns/time.h>
#include <kernel/time/clock.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <arch/riscv/vdso/vdso.h>

__asm__(".pushsection .rodata\n"
	".balign 8\n"
	".globl vdso_image, vdso_image_end\n"
	"vdso_image:\n"
	".incbin \"vdso.so\"\n"
	"vdso_image_end:\n"
	".popsection\n");
extern const char vdso_image[], vdso_image_end[];

const u64 vdso_sigreturn = VDSO_SIGRETURN;

static struct page *vdso_page; /* [I after boot] */

/* Documentation/arch/riscv/hwprobe.rst; vendor ids and speeds are unknown: 0. */
enum {
	PROBE_BASE_BEHAVIOR = 3,
	PROBE_IMA_EXT_0 = 4,
	PROBE_HIGHEST_ADDR = 7,
	PROBE_TIME_FREQ = 8,
	NR_PROBES = 9,
};
#define BASE_IMA   BIT(0)
#define IMA_EXT_FD BIT(0)
#define IMA_EXT_C  BIT(1)

bool hwprobe_value(s64 key, u64 *value)
{
	*value = 0;
	switch (key) {
	case PROBE_BASE_BEHAVIOR:
		*value = BASE_IMA;
		break;
	case PROBE_IMA_EXT_0:
		*value = IMA_EXT_FD | IMA_EXT_C;
		break;
	case PROBE_HIGHEST_ADDR:
		*value = USER_TOP - 1;
		break;
	case PROBE_TIME_FREQ:
		*value = clock_timebase();
		break;
	default:
		break;
	}
	return key >= 0 && key < NR_PROBES;
}

static struct vdso_data *data_of(struct page *pg)
{
	return (void *)((char *)page_addr(pg) + VDSO_DATA);
}

static int vdso_init(void)
{
	size_t size = (size_t)(vdso_image_end - vdso_image);
	struct vdso_data *d;

	STATIC_ASSERT(NR_PROBES <= VDSO_NR_PROBES, "room in the page");
	KASSERT(size >= VDSO_DATA + sizeof(*d) && size <= PAGE_SIZE);
	vdso_page = page_alloc(0, GFP_ZERO);
	if (!vdso_page)
		return -ENOMEM;
	memcpy(page_addr(vdso_page), vdso_image, size);
	d = data_of(vdso_page);
	for (s64 i = 0; i < NR_PROBES; i++)
		(void)hwprobe_value(i, &d->probe[i]);
	d->nr_probes = NR_PROBES;
	clock_publish(&d->boot_ticks, &d->tick_mult, &d->real_offset_ns);
	return 0;
}
INITCALL(INIT_CORE, vdso_init);

struct page *vdso_page_new(void)
{
	struct page *pg = page_alloc(0, 0);

	if (!pg)
		return NULL;
	memcpy(page_addr(pg), page_addr(vdso_page), PAGE_SIZE);
	/* nobody steers the offset of CLOCK_REALTIME in a copy */
	data_of(pg)->real_by_call = 1;
	return pg;
}

void vdso_page_shift(struct page *pg, s64 mono, s64 boot)
{
	data_of(pg)->mono_offset = mono;
	data_of(pg)->boot_offset = boot;
}

void vdso_change(struct mm *mm, struct page *pg)
{
	mm_change_page(mm, pg ? pg : vdso_page);
}

int vdso_map(struct mm *mm, u64 at)
{
	struct page *pg = current_nsproxy()->time_children->vdso;

	if (!vdso_page)
		return -ENOMEM;
	return mm_map_page(mm, at, pg ? pg : vdso_page,
			   VM_READ | VM_EXEC | VM_MAYREAD | VM_MAYEXEC,
			   "[vdso]");
}
