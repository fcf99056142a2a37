/* SPDX-License-Identifier: MIT */
/* sources: kernel/task/elf.c */
/*
 * tests/host/elf_test.c - ELF headers: sound ones, each kind of nonsense, and a
 * hundred thousand mutations, of which every accepted one keeps the promises of
 * elf_parse().
 */
#include <stdlib.h>
#include <string.h>

#include <tests/host/cmocka.h>

#include <kernel/task/elf.h>
#include <lib/errno.h>

#define LIMIT 0x3ffffff000ull
#define NR_PH 5

struct file {
	struct elf_ehdr eh;
	struct elf_phdr ph[NR_PH];
};

static struct file sound(void)
{
	struct file f = {
		.eh = {
			.ident = { 0x7f, 'E', 'L', 'F', 2, 1, 1 },
			.type = ET_DYN,
			.machine = EM_RISCV,
			.version = 1,
			.entry = 0x1234,
			.phoff = 64,
			.ehsize = 64,
			.phentsize = 56,
			.phnum = NR_PH,
		},
		.ph = {
			{ .type = PT_PHDR, .offset = 64, .vaddr = 64 },
			{ .type = PT_INTERP, .offset = 0x200, .filesz = 20 },
			{ .type = PT_LOAD, .flags = PF_R | PF_X,
			  .filesz = 0x3000, .memsz = 0x3000, .align = 4096 },
			{ .type = PT_LOAD, .flags = PF_R | PF_W,
			  .offset = 0x3ea0, .vaddr = 0x4ea0,
			  .filesz = 0x400, .memsz = 0x2000, .align = 4096 },
			{ .type = PT_GNU_STACK, .flags = PF_R | PF_W },
		},
	};

	return f;
}

static int parse(const struct file *f, struct elf_image *img)
{
	/* Exactly as many headers as the kernel would have read. */
	size_t n = f->eh.phnum < NR_PH ? f->eh.phnum : NR_PH;
	struct elf_phdr *ph = malloc(n * sizeof(*ph) + 1);
	struct elf_ehdr eh = f->eh;
	int r;

	memcpy(ph, f->ph, n * sizeof(*ph));
	eh.phnum = (u16)n;
	r = elf_parse(&eh, ph, LIMIT, img);
	free(ph);
	return r;
}

static void test_sound(void **state)
{
	struct file f = sound();
	struct elf_image img;

	(void)state;
	assert_int_equal(parse(&f, &img), 0);
	assert_true(img.dyn);
	assert_false(img.exec_stack);
	assert_int_equal(img.nr_segments, 2);
	assert_int_equal(img.lo, 0);
	assert_int_equal(img.hi, 0x7000);
	assert_int_equal(img.phdr_vaddr, 64);
	assert_int_equal(img.interp_off, 0x200);
	assert_int_equal(img.interp_len, 20);
}

static void test_header(void **state)
{
	struct file f;
	struct elf_image img;

	(void)state;
#define REFUSED(err, change)                               \
	do {                                               \
		f = sound();                               \
		change;                                    \
		assert_int_equal(parse(&f, &img), -(err)); \
	} while (0)
	REFUSED(ENOEXEC, f.eh.ident[0] = 'E');
	REFUSED(ENOEXEC, f.eh.ident[4] = 1); /* 32 bits */
	REFUSED(ENOEXEC, f.eh.ident[5] = 2); /* big endian */
	REFUSED(ENOEXEC, f.eh.type = 1);
	REFUSED(ENOEXEC, f.eh.machine = 62);
	REFUSED(ENOEXEC, f.eh.phentsize = 32);
	REFUSED(ENOEXEC, f.eh.phnum = 0);
	REFUSED(ENOEXEC, f.ph[1].filesz = 1);
	REFUSED(ENOEXEC, f.ph[1].filesz = 5000);
	REFUSED(ENOEXEC, f.ph[2].type = f.ph[3].type = 99);
	REFUSED(EINVAL, f.ph[2].filesz = 0x3001);
	REFUSED(EINVAL, f.ph[3].offset++);
	REFUSED(EINVAL, f.ph[2].memsz = f.ph[2].filesz = 0x4ea1);
	REFUSED(ENOMEM, f.ph[3].memsz = LIMIT);
	REFUSED(ENOMEM, f.ph[3].memsz = ~0ull);
	REFUSED(ENOMEM, f.ph[3].vaddr = 0xfffffffffffffea0ull);
	REFUSED(EINVAL, f.ph[3].offset = 0x7ffffffffffffea0ull);
	REFUSED(EINVAL, f.ph[3].align = 1ull << 60);
#undef REFUSED
}

static void check_promises(const struct elf_image *img)
{
	u64 end = 0;

	assert_true(img->nr_segments > 0 &&
		    img->nr_segments <= ELF_MAX_SEGMENTS);
	assert_true(img->lo < img->hi && img->hi <= LIMIT);
	assert_true(img->interp_len <= 4096);
	assert_true(img->align && !(img->align & (img->align - 1)));
	for (u32 i = 0; i < img->nr_segments; i++) {
		const struct elf_segment *s = &img->seg[i];

		assert_true(s->memsz && s->filesz <= s->memsz);
		assert_true(s->vaddr >= end && s->vaddr + s->memsz > s->vaddr);
		assert_true(s->vaddr >= img->lo &&
			    s->vaddr + s->memsz <= img->hi);
		assert_true(!((s->vaddr ^ s->offset) & 4095));
		assert_true(s->offset + s->filesz >= s->offset);
		end = s->vaddr + s->memsz;
	}
}

/* Interesting numbers more often than random ones. */
static u64 any_value(void)
{
	static const u64 edge[] = { 0,
				    1,
				    4095,
				    4096,
				    LIMIT - 1,
				    LIMIT,
				    0x7fffffffffffffffull,
				    ~0ull,
				    ~0ull << 12 };

	if (rand() & 1)
		return edge[(size_t)rand() % (sizeof(edge) / sizeof(edge[0]))];
	return (u64)rand() << 42 ^ (u64)rand() << 21 ^ (u64)rand();
}

static void test_mutations(void **state)
{
	unsigned int accepted = 0;

	(void)state;
	srand(2026);
	for (int i = 0; i < 100000; i++) {
		struct file f = sound();
		struct elf_image img;
		int n = 1 + rand() % 3;

		while (n--) {
			u64 v = any_value();
			size_t width = (size_t)1 << (rand() & 3);
			size_t at =
				(size_t)rand() % (sizeof(f) / width) * width;

			memcpy((u8 *)&f + at, &v, width);
		}
		if (!parse(&f, &img)) {
			accepted++;
			check_promises(&img);
		}
	}
	assert_true(accepted > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sound),
		cmocka_unit_test(test_header),
		cmocka_unit_test(test_mutations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
