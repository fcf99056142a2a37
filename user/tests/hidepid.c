/* SPDX-License-Identifier: MIT */
/*
 * user/tests/hidepid.c - what an instance of proc hides from whom.
 */
#include "utest.h"

#include <dirent.h>
#include <grp.h>
#include <sched.h>
#include <sys/mount.h>

/* Become user 1000, with the supplementary group @gid unless 0. */
static void be_user(gid_t gid)
{
	CHECK_OK(setgroups(gid ? 1 : 0, &gid));
	CHECK_OK(setgid(1000));
	CHECK_OK(setuid(1000));
}

static void mount_proc(const char *dir, const char *opts)
{
	CHECK_OK(mkdir(dir, 0755));
	CHECK_OK(mount("proc", dir, "proc", 0, opts));
}

/* A namespace of mounts that nobody else sees. */
static void own_mounts(void)
{
	CHECK_OK(chmod(".", 0755));
	NEED(unshare(CLONE_NEWNS));
	CHECK_OK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
}

static bool listed(const char *dir, const char *name)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	bool yes = false;

	CHECK(d);
	while (!yes && (e = readdir(d)))
		yes = !strcmp(e->d_name, name);
	closedir(d);
	return yes;
}

static int no_access(void *arg)
{
	struct stat st;

	(void)arg;
	be_user(0);
	CHECK_OK(stat("p/1", &st));
	CHECK(listed("p", "1"));
	CHECK_ERR(open("p/1", O_RDONLY | O_DIRECTORY), EPERM);
	CHECK_ERR(open("p/1/stat", O_RDONLY), EPERM);
	CHECK_OK(open("p/self/stat", O_RDONLY));
	CHECK_OK(open("p/meminfo", O_RDONLY));
	CHECK_OK(open("/proc/1/stat", O_RDONLY)); /* another instance */
	return 0;
}

TEST(hidepid, no_access)
{
	own_mounts();
	mount_proc("p", "hidepid=1");
	CHECK_OK(open("p/1/stat", O_RDONLY));
	CHECK_EQ(ut_wait(ut_fork(no_access, NULL)), 0);
}

static int invisible(void *arg)
{
	struct stat st;
	int dir = open("p/1", O_PATH);

	(void)arg;
	CHECK_OK(dir);
	be_user(0);
	CHECK_ERR(stat("p/1", &st), ENOENT);
	CHECK_ERR(openat(dir, "stat", O_RDONLY), ENOENT);
	CHECK(!listed("p", "1"));
	CHECK(listed("p", "meminfo"));
	CHECK_OK(stat("p/self/stat", &st));
	return 0;
}

static int of_the_group(void *arg)
{
	struct stat st;

	be_user(77);
	CHECK_EQ(stat("p/1", &st), (long)arg);
	CHECK_EQ(listed("p", "1"), (long)arg == 0);
	return 0;
}

TEST(hidepid, invisible)
{
	own_mounts();
	mount_proc("p", "hidepid=invisible,gid=77");
	CHECK_EQ(ut_wait(ut_fork(invisible, NULL)), 0);
	CHECK_EQ(ut_wait(ut_fork(of_the_group, (void *)0)), 0);
}

/* This level holds for members of the group as well. */
TEST(hidepid, ptraceable)
{
	own_mounts();
	mount_proc("p", "hidepid=4,gid=77");
	CHECK_EQ(ut_wait(ut_fork(of_the_group, (void *)-1)), 0);
}

TEST(hidepid, subset)
{
	char self[16], want[16];
	ssize_t n;

	own_mounts();
	mount_proc("p", "subset=pid");
	CHECK(listed("p", "1"));
	CHECK(!listed("p", "meminfo"));
	CHECK(!listed("p", "sys"));
	CHECK_ERR(open("p/meminfo", O_RDONLY), ENOENT);
	CHECK_ERR(open("p/sys/kernel/osrelease", O_RDONLY), ENOENT);
	CHECK_OK(open("p/1/stat", O_RDONLY));
	n = readlink("p/self", self, sizeof(self) - 1);
	CHECK(n > 0);
	self[n] = '\0';
	snprintf(want, sizeof(want), "%d", getpid());
	CHECK(!strcmp(self, want));
}

static bool shown(const char *dir, const char *opts)
{
	char line[512];
	FILE *f = fopen("/proc/self/mounts", "r");
	bool yes = false;

	CHECK(f);
	while (!yes && fgets(line, sizeof(line), f))
		yes = strstr(line, dir) && strstr(line, opts);
	fclose(f);
	return yes;
}

TEST(hidepid, options)
{
	struct stat a, b;
	int fd;

	own_mounts();
	mount_proc("opt", "gid=5,hidepid=2");
	CHECK(shown("/opt proc ", ",gid=5,hidepid=invisible"));
	CHECK_OK(stat("opt", &a));
	CHECK_OK(stat("/proc", &b));
	CHECK(a.st_dev != b.st_dev);
	CHECK_OK(mount(NULL, "opt", NULL, MS_REMOUNT, "hidepid=0"));
	CHECK(shown("/opt proc ", ",gid=5 "));
	CHECK(!shown("/proc proc ", "gid=5"));
	CHECK_ERR(mount("proc", "opt", "proc", 0, "hidepid=3"), EINVAL);
	CHECK_ERR(mount("proc", "opt", "proc", 0, "subset=all"), EINVAL);
	CHECK_ERR(mount("proc", "opt", "proc", 0, "uid=1"), EINVAL);
	NEED(fd = (int)syscall(SYS_fsopen, "proc", 0));
	CHECK_OK(syscall(SYS_fsconfig, fd, 1, "hidepid", "ptraceable", 0));
	CHECK_ERR(syscall(SYS_fsconfig, fd, 1, "hidepid", "some", 0), EINVAL);
	CHECK_ERR(syscall(SYS_fsconfig, fd, 1, "nohide", "some", 0), EINVAL);
}
