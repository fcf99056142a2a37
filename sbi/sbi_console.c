/* SPDX-License-Identifier: MIT */
/*
 * sbi/sbi_console.c - early console: DBCN [SBI 2.0, 12], else legacy [5.2, 5.3].
 */
#include <arch/riscv/mmu.h>
#include <kernel/dev/console.h>
#include <lib/string.h>
#include <sbi/sbi.h>

static void dbcn_putc(char c)
{
	sbi_call(SBI_DBCN, SBI_DBCN_WRITE_BYTE, (u8)c, 0, 0);
}

static void dbcn_write(const char *s, size_t n)
{
	/* Physical address; what is not in one piece of RAM goes byte by byte. */
	static char buf[256]; /* [log_lock] */

	while (n) {
		size_t len = min(n, sizeof(buf));
		struct sbi_ret r;

		memcpy(buf, s, len);
		r = sbi_call(SBI_DBCN, SBI_DBCN_WRITE, len, virt_to_phys(buf),
			     0);
		if (r.error || !r.value) {
			dbcn_putc(*s);
			r.value = 1;
		}
		s += r.value;
		n -= r.value;
	}
}

static int dbcn_getc(void)
{
	static char c;
	struct sbi_ret r =
		sbi_call(SBI_DBCN, SBI_DBCN_READ, 1, virt_to_phys(&c), 0);

	return !r.error && r.value == 1 ? (u8)c : -1;
}

static void legacy_putc(char c)
{
	sbi_call(SBI_LEGACY_PUTCHAR, 0, (u8)c, 0, 0);
}

static int legacy_getc(void)
{
	return (int)sbi_call(SBI_LEGACY_GETCHAR, 0, 0, 0, 0).error;
}

static const struct early_console_ops dbcn_ops = {
	.putc = dbcn_putc,
	.write = dbcn_write,
	.getc = dbcn_getc,
};
static const struct early_console_ops legacy_ops = {
	.putc = legacy_putc,
	.getc = legacy_getc,
};

void sbi_console_init(void)
{
	early_console_set(sbi_has(SBI_DBCN) ? &dbcn_ops : &legacy_ops);
}
