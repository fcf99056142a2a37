/* SPDX-License-Identifier: MIT */
/*
 * tests/host/ext4_libfuzz.c - libFuzzer chooses what is wrong with a volume.
 *
 * An input names one of the volumes that were made when this was built, a seed
 * for what is done with it, and patches: where in the volume's metadata, and
 * which bytes.  Only sectors that are read while a volume is walked count as
 * metadata, so that no input is wasted on free space.
 *
 *	byte 0		volume
 *	bytes 1..4	seed
 *	then, until the end: 2 bytes sector, 2 bytes offset, 1 byte length n
 *	(1 to 32), n bytes
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
#define MAX_PATCH   32u

struct volume {
	u8 *data;
	u64 size;
	u32 *sector; /* metadata */
	u32 nr;
};

static struct rig rig;
static struct volume volumes[MAX_VOLUMES];
static u32 nr_volumes;

/* What a walk over the clean volume reads. */
static void find_metadata(struct volume *v)
{
	u32 n = (u32)(v->size / 512), i;

	v->sector = calloc(n, sizeof(*v->sector));
	rig.disk.read_count = calloc(n, sizeof(u32));
	fuzz_use_volume(&rig, false);
	for (i = 0; i < n; i++) {
		if (rig.disk.read_count[i])
			v->sector[v->nr++] = i;
	}
	free(rig.disk.read_count);
	rig.disk.read_count = NULL;
	if (!v->nr)
		abort();
}

static void load_volume(const char *path)
{
	struct volume *v = &volumes[nr_volumes++];

	if (rig.disk.data)
		world_disk_free(&rig.disk);
	world_disk_load(&rig.disk, path);
	v->size = rig.disk.size;
	v->data = exact_copy(rig.disk.data, v->size);
	find_metadata(v);
}

/* One input for each few sectors of each volume. */
static void write_corpus(const char *dir)
{
	u32 v, i;

	for (v = 0; v < nr_volumes; v++) {
		for (i = 0; i < volumes[v].nr; i += 1 + volumes[v].nr / 48) {
			u8 in[5 + 5 + 8] = { (u8)v, (u8)i, 1,		2,
					     3,	    (u8)i, (u8)(i >> 8) };
			char path[256];
			FILE *f;

			in[9] = 8;
			memcpy(in + 10,
			       volumes[v].data + volumes[v].sector[i] * 512ull,
			       8);
			snprintf(path, sizeof(path), "%s/%u-%u", dir, v, i);
			f = fopen(path, "wb");
			if (!f || fwrite(in, 1, sizeof(in), f) != sizeof(in) ||
			    fclose(f))
				abort();
		}
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

static void patch(const struct volume *v, const u8 *p, size_t n)
{
	while (n >= 6) {
		u32 sector = v->sector[(p[0] | p[1] << 8) % v->nr];
		u32 off = (u32)(p[2] | p[3] << 8) % 512;
		u32 len = 1 + p[4] % MAX_PATCH;

		len = min(min(len, 512 - off), (u32)n - 5);
		memcpy(rig.disk.data + sector * 512ull + off, p + 5, len);
		p += 5 + len;
		n -= 5 + len;
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);
int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	const struct volume *v;
	u64 live = world_nr_allocs;

	if (size < 6)
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
	fuzz_use_volume(&rig, true);
	if (world_nr_allocs != live) {
		fprintf(stderr, "%lld allocations are lost\n",
			(long long)(world_nr_allocs - live));
		abort();
	}
	return 0;
}
