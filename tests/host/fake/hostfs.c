/* SPDX-License-Identifier: MIT */
/*
 * tests/host/fake/hostfs.c - see hostfs.h.
 */
#include <dirent.h>
#include <sys/stat.h>

#include <tests/host/cmocka.h>

#include <tests/host/fake/hostfs.h>

void host_stat(const char *path, uint32_t *mode, int64_t *mtime)
{
	struct stat st;

	assert_int_equal(lstat(path, &st), 0);
	*mode = st.st_mode;
	*mtime = st.st_mtim.tv_sec;
}

void host_list(const char *path, void (*fn)(void *ctx, const char *name),
	       void *ctx)
{
	DIR *d = opendir(path);
	struct dirent *de;

	assert_non_null(d);
	while ((de = readdir(d)) != NULL) {
		if (strcmp(de->d_name, ".") && strcmp(de->d_name, ".."))
			fn(ctx, de->d_name);
	}
	closedir(d);
}
