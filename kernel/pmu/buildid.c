/* SPDX-License-Identifier: MIT */
/* kernel/pmu/buildid.c - see buildid.h. */
#include <kernel/pmu/buildid.h>

#include <kernel/task/elf.h>
#include <lib/string.h>

#define PT_NOTE		4
#define NT_GNU_BUILD_ID 3
#define ELF_MAGIC	"\177ELF\2\1"

struct note {
	u32 namesz, descsz, type;
	char name[4];
};

/* Notes of @n bytes. */
static u32 find_note(const u8 *p, size_t n, u8 *id)
{
	while (n >= sizeof(struct note)) {
		struct note h;
		u64 name, all;

		memcpy(&h, p, sizeof(h));
		name = ALIGN_UP((u64)h.namesz, 4);
		all = offsetof(struct note, name) + name +
		      ALIGN_UP((u64)h.descsz, 4);
		if (all > n)
			return 0;
		if (h.type == NT_GNU_BUILD_ID && h.namesz == 4 &&
		    !memcmp(h.name, "GNU", 4) && h.descsz &&
		    h.descsz <= BUILD_ID_MAX) {
			memcpy(id, p + sizeof(h), h.descsz);
			return h.descsz;
		}
		p += all;
		n -= all;
	}
	return 0;
}

u32 buildid_parse(const void *head, size_t n, u8 id[BUILD_ID_MAX])
{
	const u8 *p = head;
	struct elf_ehdr eh;
	u32 len = 0;

	if (n < sizeof(eh))
		return 0;
	memcpy(&eh, p, sizeof(eh));
	if (memcmp(eh.ident, ELF_MAGIC, 6) ||
	    eh.phentsize != sizeof(struct elf_phdr) || eh.phoff > n)
		return 0;
	for (u32 i = 0; i < eh.phnum && !len; i++) {
		u64 at = eh.phoff + i * sizeof(struct elf_phdr);
		struct elf_phdr ph;

		if (at + sizeof(ph) > n)
			return 0;
		memcpy(&ph, p + at, sizeof(ph));
		if (ph.type == PT_NOTE && ph.offset <= n &&
		    ph.filesz <= n - ph.offset)
			len = find_note(p + ph.offset, ph.filesz, id);
	}
	return len;
}
