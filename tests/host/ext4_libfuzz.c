/* SPDX-License-Identifier: MIT */
/*
 * tests/host/ext4_libfuzz.c - libFuzzer chooses what is wrong with a volume.
 *
 * An input names one of the volumes that were made when this was built, a seed
 * for what is done with it, and patches: where in the volume's metadata, and
 * what becomes of it.  A place is a field that holds something, or lies beside
 * one that does, of a block that is read while names and block maps are walked.
 * The kind of the block is chosen first, so that the one block of an extent
 * tree is hit as often as the fifty of the inode table.
 *
 *	byte 0		volume
 *	bytes 1..4	seed
 *	then patches of 5 bytes: 1 kind, 2 place, 1 what is done to the field
 *	there, 1 with which value
 *
 * Fields are what goes wrong in a plausible way: numbers of 1, 2 or 4 bytes
 * that become a little or much larger, zero, or all ones.
 *
 * EXT4_FUZZ_DIR is where the volumes are: *.img, in the order of their names.
 * Built by `make fuzz-ext4`; --corpus=DIR writes inputs to begin with.
 */
#include <glob.h>
#include <stdlib.h>
#include <unistd.h>

#include <tests/host/cmocka.h>

#include <tests/host/ext4_fuzz.h>

#define MAX_VOLUMES 8u
#define PATCH_SIZE  5u
#define NR_KINDS    9u	/* enum ext4_kind */
#define HEAD	    48u /* bytes at a block's start that matter most */

struct volume {
	u8 *data;
	u64 size;
	u32 *place[NR_KINDS]; /* in units of 2 bytes */
	u32 nr[NR_KINDS];
};

static struct volume volumes[MAX_VOLUMES];
static u32 nr_volumes;

static bool holds_something(const struct volume *v, u64 at)
{
	return v->data[at] || v->data[at + 1];
}

static void found(void *ctx, u64 blk, u32 size, u32 kind)
{
	struct volume *v = ctx;
	u32 k, times;

	assert_true(kind < NR_KINDS);
	v->place[kind] = realloc(v->place[kind],
				 (v->nr[kind] + size * 4ul) * sizeof(u32));
	for (k = 2; k + 4 < size; k += 2) {
		u64 at = blk * size + k;

		if (k >= HEAD && !holds_something(v, at) &&
		    !holds_something(v, at - 2) && !holds_something(v, at + 2))
			continue;
		for (times = k < HEAD ? 6 : 1; times; times--)
			v->place[kind][v->nr[kind]++] = (u32)(at / 2);
	}
}

static void load_volume(const char *path)
{
	struct volume *v = &volumes[nr_volumes++];

	if (rig.disk.data)
		world_disk_free(&rig.disk);
	world_disk_load(&rig.disk, path);
	v->size = rig.disk.size;
	v->data = exact_copy(rig.disk.data, v->size);
	fuzz_read_metadata(&rig, found, v);
}

static void write_input(const char *dir, u32 v, u32 nr)
{
	u8 in[5 + 3 * PATCH_SIZE];
	char path[256];
	u32 i;
	FILE *f;

	for (i = 0; i < sizeof(in); i++)
		in[i] = (u8)next_random(&world_seed);
	in[0] = (u8)v;
	snprintf(path, sizeof(path), "%s/%u-%u", dir, v, nr);
	f = fopen(path, "wb");
	if (!f || fwrite(in, 1, sizeof(in), f) != sizeof(in) || fclose(f))
		abort();
}

/* Some patches at random for each volume: the same ones each time. */
static void write_corpus(const char *dir)
{
	u32 v, i;

	world_seed = 20;
	for (v = 0; v < nr_volumes; v++) {
		for (i = 0; i < 800; i++)
			write_input(dir, v, i);
	}
}

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const char *dir = getenv("EXT4_FUZZ_DIR");
	char pattern[512];
	glob_t found;
	int i;

	world_quiet = true;
	rig_init(&rig);
	snprintf(pattern, sizeof(pattern), "%s/*.img", dir ? dir : "");
	if (glob(pattern, 0, NULL, &found) != 0) {
		fprintf(stderr, "EXT4_FUZZ_DIR names no folder with *.img\n");
		exit(1);
	}
	for (i = 0; i < (int)found.gl_pathc && nr_volumes < MAX_VOLUMES; i++)
		load_volume(found.gl_pathv[i]);
	globfree(&found);
	for (i = 1; i < *argc; i++) {
		if (strncmp((*argv)[i], "--corpus=", 9) != 0)
			continue;
		write_corpus((*argv)[i] + 9);
		exit(0);
	}
	return 0;
}

static void patch_one(const struct volume *v, const u8 *in)
{
	static const u32 values[] = { 0,      1,      2,	  0x7f,
				      0x80,   0xff,   0x100,	  0x3ff,
				      0x400,  0x7fff, 0x8000,	  0xffff,
				      0x1000, 12,     0x7fffffff, 0xffffffff };
	u32 kind = in[0] % NR_KINDS, size = 1u << in[3] % 3, old = 0, new;
	u8 *p;

	while (!v->nr[kind])
		kind = (kind + 1) % NR_KINDS;
	p = rig.disk.data +
	    2ul * v->place[kind][(in[1] | in[2] << 8) % v->nr[kind]];
	memcpy(&old, p, size);
	new = values[in[4] % ARRAY_SIZE(values)];
	switch (in[3] / 3 % 4) {
	case 1:
		new = old + (s8)in[4];
		break;
	case 2:
		new = old ^ 1u << in[4] % 32;
		break;
	case 3:
		new = in[4];
		break;
	default:
		break;
	}
	memcpy(p, &new, size);
}

static void patch(const struct volume *v, const u8 *in, size_t n)
{
	for (; n >= PATCH_SIZE; n -= PATCH_SIZE) {
		patch_one(v, in);
		in += PATCH_SIZE;
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);
int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	const struct volume *v;
	u64 live = world_nr_allocs;

	if (size < 5 + PATCH_SIZE)
		return -1;
	v = &volumes[data[0] % nr_volumes];
	if (rig.disk.size != v->size) {
		world_disk_free(&rig.disk);
		world_disk_init(&rig.disk, v->size);
	}
	memcpy(rig.disk.data, v->data, v->size);
	memcpy(&world_seed, data + 1, 4);
	world_seed = (u32)world_seed | 0x100000000ull;
	patch(v, data + 5, size - 5);
	fuzz_use_volume(&rig, true,
			data[1] & 1 ? "errors=continue" : "errors=remount-ro");
	if (world_nr_allocs != live) {
		fprintf(stderr, "%lld allocations are lost\n",
			(long long)(world_nr_allocs - live));
		abort();
	}
	return 0;
}
