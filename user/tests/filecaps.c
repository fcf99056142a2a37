/* SPDX-License-Identifier: MIT */
/*
 * user/tests/filecaps.c - capabilities of files, and what execve(2) makes of them.
 *
 * The program is busybox, which looks at its own /proc/self/status.
 */
#include "utest.h"

#include <linux/capability.h>
#include <sys/mount.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/xattr.h>

#define BIND (1u << CAP_NET_BIND_SERVICE)
#define CHWN (1u << CAP_CHOWN)
#define NAME "security.capability"

static void put_caps(const char *path, uint32_t flags, uint32_t permitted,
		     uint32_t inheritable)
{
	struct vfs_cap_data d = { .magic_etc = VFS_CAP_REVISION_2 | flags };

	d.data[0].permitted = permitted;
	d.data[0].inheritable = inheritable;
	CHECK_OK(setxattr(path, NAME, &d, sizeof(d), 0));
}

static bool has_caps(const char *path)
{
	return getxattr(path, NAME, NULL, 0) > 0;
}

static void copy_program(const char *to)
{
	static char buf[65536];
	int in = open("/bin/busybox", O_RDONLY), out;
	ssize_t n;

	CHECK_OK(in);
	CHECK_OK(out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0755));
	while ((n = read(in, buf, sizeof(buf))) > 0)
		CHECK_EQ(write(out, buf, n), n);
	close(in);
	close(out);
}

/* Run @path as user @uid: 0: its @line (CapPrm, CapEff) says @want. */
static int shows(const char *path, int uid, const char *line, unsigned want,
		 void (*before)(void))
{
	char text[64];
	pid_t pid = fork();

	if (!pid) {
		if (before)
			before();
		if (setgid(uid) || setuid(uid))
			_exit(100);
		snprintf(text, sizeof(text), "%s:\t%016x", line, want);
		execl(path, "grep", "-q", text, "/proc/self/status", NULL);
		_exit(errno == EPERM ? 99 : 98);
	}
	return ut_wait(pid);
}

static void no_new_privs(void)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		_exit(97);
}

static void not_in_bounds(void)
{
	if (prctl(PR_CAPBSET_DROP, CAP_NET_BIND_SERVICE, 0, 0, 0))
		_exit(97);
}

static void inherits(void)
{
	struct __user_cap_header_struct h = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct d[2];

	if (syscall(SYS_capget, &h, d))
		_exit(97);
	d[0].inheritable |= CHWN;
	if (syscall(SYS_capset, &h, d))
		_exit(97);
}

TEST(filecaps, exec)
{
	copy_program("p");
	CHECK_EQ(shows("p", 1000, "CapPrm", 0, NULL), 0);
	put_caps("p", VFS_CAP_FLAGS_EFFECTIVE, BIND, 0);
	CHECK_EQ(shows("p", 1000, "CapPrm", BIND, NULL), 0);
	CHECK_EQ(shows("p", 1000, "CapEff", BIND, NULL), 0);
	CHECK_EQ(shows("p", 1000, "CapPrm", 0, no_new_privs), 0);
	CHECK_EQ(shows("p", 1000, "CapEff", 0, not_in_bounds), 99);
	put_caps("p", 0, BIND, 0);
	CHECK_EQ(shows("p", 1000, "CapPrm", BIND, NULL), 0);
	CHECK_EQ(shows("p", 1000, "CapEff", 0, NULL), 0);
	CHECK_EQ(shows("p", 1000, "CapPrm", 0, not_in_bounds), 0);
	put_caps("p", VFS_CAP_FLAGS_EFFECTIVE, 0, CHWN);
	CHECK_EQ(shows("p", 1000, "CapEff", 0, NULL), 0);
	CHECK_EQ(shows("p", 1000, "CapEff", CHWN, inherits), 0);
	CHECK_OK(removexattr("p", NAME));
	CHECK_EQ(shows("p", 1000, "CapEff", 0, inherits), 0);
}

TEST(filecaps, nosuid)
{
	CHECK_OK(mkdir("m", 0755));
	CHECK_OK(mount("x", "m", "tmpfs", MS_NOSUID, NULL));
	copy_program("m/p");
	put_caps("m/p", VFS_CAP_FLAGS_EFFECTIVE, BIND, 0);
	CHECK_EQ(shows("m/p", 1000, "CapPrm", 0, NULL), 0);
	CHECK_OK(mount(NULL, "m", NULL, MS_REMOUNT, NULL));
	CHECK_EQ(shows("m/p", 1000, "CapPrm", BIND, NULL), 0);
	CHECK_OK(umount("m"));
}

/* They go when the file changes, or its owner. */
TEST(filecaps, dropped)
{
	int fd = ut_open("f", "");

	put_caps("f", 0, BIND, 0);
	CHECK_OK(chmod("f", 0755));
	CHECK(has_caps("f"));
	CHECK_EQ(write(fd, "x", 1), 1);
	CHECK(!has_caps("f"));
	put_caps("f", 0, BIND, 0);
	CHECK_OK(fallocate(fd, 0, 0, 4096));
	CHECK(!has_caps("f"));
	put_caps("f", 0, BIND, 0);
	CHECK_OK(ftruncate(fd, 0));
	CHECK(!has_caps("f"));
	put_caps("f", 0, BIND, 0);
	CHECK_OK(chown("f", 1000, 1000));
	CHECK(!has_caps("f"));
	CHECK_EQ(write(fd, "x", 1), 1);
	put_caps("f", 0, BIND, 0);
	CHECK_EQ(write(fd, "x", 1), 1);
	CHECK(!has_caps("f"));
	close(fd);
}

/* On the root's ext4; in memory they stay. */
TEST(filecaps, fallocate)
{
	char path[32];
	int fd;
	bool stays;

	snprintf(path, sizeof(path), "/caps.%d", getpid());
	fd = ut_open(path, "");
	put_caps(path, 0, BIND, 0);
	CHECK_OK(fallocate(fd, 0, 0, 8192));
	stays = has_caps(path);
	unlink(path);
	CHECK(!stays);
}

static uint32_t effective(void)
{
	struct __user_cap_header_struct h = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct d[2];

	CHECK_OK(syscall(SYS_capget, &h, d));
	return d[0].effective;
}

/* Those about files go with the id for files, and access(2) asks for the real one. */
TEST(filecaps, fsuid)
{
	uint32_t all, about = 1u << CAP_CHOWN | 1u << CAP_DAC_OVERRIDE |
			      1u << CAP_DAC_READ_SEARCH | 1u << CAP_FOWNER |
			      1u << CAP_FSETID | 1u << CAP_LINUX_IMMUTABLE |
			      1u << CAP_MKNOD;

	if (getuid())
		ut_skip("needs root");
	umask(022);
	CHECK_OK(mkdir("owned", 0755));
	CHECK_OK(setresuid(1000, 0, 0));
	all = effective();
	CHECK((all & about) == about);
	CHECK_ERR(access("owned", W_OK), EACCES);
	setfsuid(1000);
	CHECK_EQ(effective(), all & ~about);
	CHECK_ERR(mkdir("owned/x", 0700), EACCES);
	CHECK_ERR(access("owned", W_OK), EACCES);
	setfsuid(0);
	CHECK_EQ(effective(), all);
	CHECK_OK(mkdir("owned/x", 0700));
	CHECK_OK(rmdir("owned/x"));
	CHECK_OK(rmdir("owned"));
}
