/* SPDX-License-Identifier: MIT */
/*
 * user/tests/standing.c - memory that is locked, mounts as they are shown, and other
 * answers that public suites of Linux's look at.
 */
#include "utest.h"

#include <grp.h>
#include <linux/fs.h>
#include <sys/fanotify.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/uio.h>

#define PAGE  4096ul
#define RW    (PROT_READ | PROT_WRITE)
#define ANON  (MAP_PRIVATE | MAP_ANONYMOUS)
#define ABOVE (1 << 20) /* more than what a limit of one page allows */

static char *pages(size_t n)
{
	char *p = mmap(NULL, n * PAGE, RW, ANON, -1, 0);

	CHECK(p != MAP_FAILED);
	return p;
}

static long locked_kib(void)
{
	FILE *f = fopen("/proc/self/status", "r");
	char line[128];
	long n = -1;

	CHECK(f);
	while (fgets(line, sizeof(line), f))
		(void)sscanf(line, "VmLck: %ld", &n);
	fclose(f);
	CHECK(n >= 0);
	return n;
}

static void become_nobody(rlim_t memlock)
{
	struct rlimit r = { memlock, memlock };

	CHECK_OK(setrlimit(RLIMIT_MEMLOCK, &r));
	CHECK_OK(setgroups(0, NULL));
	CHECK_OK(setresgid(65534, 65534, 65534));
	CHECK_OK(setresuid(65534, 65534, 65534));
}

/* What lies before a hole is done, and what lies behind it is not. */
TEST(standing, up_to_a_hole)
{
	char *p = pages(4);

	if (getuid())
		ut_skip("not root");
	CHECK_OK(munmap(p + PAGE, PAGE));
	CHECK_ERR(mlock(p, 3 * PAGE), ENOMEM);
	CHECK_EQ(locked_kib(), 4);
	CHECK_OK(mlock(p + 2 * PAGE, PAGE));
	CHECK_ERR(munlock(p, 3 * PAGE), ENOMEM);
	CHECK_EQ(locked_kib(), 4);
	CHECK_ERR(mlock(p + PAGE, 2 * PAGE), ENOMEM);
	CHECK_EQ(locked_kib(), 4);
}

/* Locked, but brought in when it is touched; also where it grows. */
TEST(standing, locked_on_fault)
{
	unsigned char in[4];
	char *p;

	if (getuid())
		ut_skip("not root");
	CHECK_OK(mlockall(MCL_FUTURE | MCL_ONFAULT));
	p = pages(4);
	CHECK_OK(mincore(p, 4 * PAGE, in));
	CHECK_EQ(in[0] | in[1] | in[2] | in[3], 0);
	p[PAGE] = 1;
	CHECK_OK(mincore(p, 4 * PAGE, in));
	CHECK_EQ(in[1] & 1, 1);
	CHECK_EQ((in[2] | in[3]) & 1, 0);
	CHECK(locked_kib() >= 16);
	CHECK_OK(mlockall(MCL_FUTURE));
	p = pages(2);
	CHECK_OK(mincore(p, 2 * PAGE, in));
	CHECK_EQ(in[0] & in[1] & 1, 1);
	CHECK_OK(munlockall());
	CHECK_OK(syscall(SYS_mlock2, p, PAGE, 1));
	p = mremap(p, 2 * PAGE, PAGE, 0);
	CHECK(p != MAP_FAILED);
	p = mremap(p, PAGE, 3 * PAGE, MREMAP_MAYMOVE);
	CHECK(p != MAP_FAILED);
	CHECK_EQ(locked_kib(), 12);
	CHECK_OK(mincore(p, 3 * PAGE, in));
	CHECK_EQ((in[1] | in[2]) & 1, 0);
}

TEST(standing, who_may_lock)
{
	char *p = pages(1);
	int id = shmget(IPC_PRIVATE, ABOVE, IPC_CREAT | 0666), st;
	struct shmid_ds ds;

	if (getuid())
		ut_skip("not root");
	CHECK_OK(id);
	CHECK_OK(shmctl(id, IPC_STAT, &ds));
	ds.shm_perm.uid = 65534;
	CHECK_OK(shmctl(id, IPC_SET, &ds));
	if (fork() == 0) {
		become_nobody(0);
		CHECK_ERR(mlock(p, PAGE), EPERM);
		CHECK_ERR(mlock(p, 0), EPERM);
		CHECK_OK(munlock(p, 0));
		CHECK_ERR(shmctl(id, SHM_LOCK, NULL), EPERM);
		_exit(0);
	}
	CHECK_OK(wait(&st));
	CHECK_EQ(st, 0);
	if (fork() == 0) {
		become_nobody(PAGE);
		CHECK_OK(mlock(p, PAGE));
		CHECK_ERR(shmctl(id, SHM_LOCK, NULL), ENOMEM);
		CHECK_OK(shmctl(id, SHM_UNLOCK, NULL));
		_exit(0);
	}
	CHECK_OK(wait(&st));
	CHECK_OK(shmctl(id, IPC_RMID, NULL));
	CHECK_EQ(st, 0);
}

TEST(standing, edges_of_ranges)
{
	char *shared = mmap(NULL, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	char *p = pages(2);

	CHECK(shared != MAP_FAILED);
	CHECK_OK(msync(p, ~0ul, MS_ASYNC)); /* wraps: nothing */
	CHECK_ERR(syscall(SYS_mremap, shared, 0, PAGE, 0, 0), ENOMEM);
	CHECK_ERR(syscall(SYS_mremap, p, 0, PAGE, 0, 0), EINVAL);
	CHECK_ERR(syscall(SYS_mremap, p, 0, PAGE, 1, 0), EINVAL);
}

TEST(standing, advice_to_others)
{
	struct iovec v = { pages(1), PAGE };
	int fd = (int)syscall(SYS_pidfd_open, getppid(), 0);

	if (getuid())
		ut_skip("not root");
	CHECK_OK(fd);
	become_nobody(0);
	CHECK_ERR(syscall(440, fd, &v, 1, 20, 0), EACCES);
}

/* The line of a mount on @dir, from its options on. */
static const char *shown(const char *dir, char *line, int n)
{
	FILE *f = fopen("/proc/self/mounts", "r");
	char *at = NULL;

	CHECK(f);
	while (!at && fgets(line, n, f))
		at = strstr(line, dir);
	fclose(f);
	CHECK(at);
	return at;
}

TEST(standing, mounts_shown)
{
	char line[512];
	const char *s;

	if (getuid())
		ut_skip("not root");
	CHECK_OK(mkdir("standing-m", 0700));
	CHECK_OK(mount("t", "standing-m", "tmpfs", MS_NOATIME | MS_STRICTATIME,
		       "size=1m,nr_inodes=20"));
	s = shown("/standing-m", line, sizeof(line));
	CHECK(!strstr(s, "atime"));
	CHECK(strstr(s, ",size=1024k,nr_inodes=20,inode64 "));
	CHECK_OK(umount("standing-m"));
	CHECK_OK(mount("t", "standing-m", "ramfs", 0, NULL));
	CHECK(!strstr(shown("/standing-m", line, sizeof(line)), "inode64"));
	CHECK_OK(umount("standing-m"));
}

/* Strings begin behind an empty one, which is what is not there. */
TEST(standing, strings_of_a_mount)
{
	struct {
		unsigned int size, spare;
		unsigned long id, param;
	} req = { 24, 0, 0, 0x20 /* FS_TYPE */ };
	struct statx sx;
	char buf[1024];
	unsigned int at;

	CHECK_OK(statx(AT_FDCWD, "/", 0, 0x4000 /* MNT_ID_UNIQUE */, &sx));
	req.id = sx.stx_mnt_id;
	CHECK_OK(syscall(457, &req, buf, sizeof(buf), 0));
	memcpy(&at, buf + 36, sizeof(at));
	CHECK_EQ(at, 1);
	CHECK_EQ(buf[512], '\0');
	CHECK(buf[513] != '\0');
}

/* An event whose file cannot be opened: the error of read(), or what is read. */
TEST(standing, error_for_a_descriptor)
{
	struct fanotify_event_metadata m;
	int plain, telling;

	if (getuid())
		ut_skip("not root");
	plain = fanotify_init(FAN_NONBLOCK, O_WRONLY);
	CHECK_OK(plain);
	telling = fanotify_init(FAN_NONBLOCK | 0x2000, O_WRONLY);
	if (telling < 0)
		ut_skip("no FAN_REPORT_FD_ERROR");
	CHECK_OK(mkdir("ro", 0700));
	CHECK_OK(mount("t", "ro", "tmpfs", 0, NULL));
	CHECK_OK(close(open("ro/f", O_CREAT | O_RDWR, 0600)));
	CHECK_OK(mount(NULL, "ro", NULL, MS_REMOUNT | MS_RDONLY, NULL));
	CHECK_OK(
		fanotify_mark(plain, FAN_MARK_ADD, FAN_OPEN, AT_FDCWD, "ro/f"));
	CHECK_OK(fanotify_mark(telling, FAN_MARK_ADD, FAN_OPEN, AT_FDCWD,
			       "ro/f"));
	CHECK_OK(open("ro/f", O_RDONLY));
	CHECK_ERR(read(plain, &m, sizeof(m)), EROFS);
	CHECK_EQ(read(telling, &m, sizeof(m)), sizeof(m));
	CHECK_EQ(m.fd, -EROFS);
	CHECK_OK(umount2("ro", MNT_DETACH));
	CHECK_EQ(setresuid(65534, 65534, 65534), 0);
	CHECK_ERR(fanotify_init(FAN_REPORT_FID | 0x2000, 0), EPERM);
}

TEST(standing, too_many_copies)
{
	static char buf[PAGE];
	struct file_dedupe_range *d = (void *)buf;
	int fd = open("f", O_RDWR | O_CREAT, 0600);

	CHECK_OK(fd);
	d->dest_count = 127;
	CHECK(ioctl(fd, FIDEDUPERANGE, d) == -1 && errno != ENOMEM);
	d->dest_count = 128;
	CHECK_ERR(ioctl(fd, FIDEDUPERANGE, d), ENOMEM);
}
