/* SPDX-License-Identifier: MIT */
/*
 * user/tests/fanotify.c - fanotify(7): events by descriptor and by handle, marks
 * and what they ignore, permission.
 */
#include "utest.h"

#include <dirent.h>
#include <linux/fanotify.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/fanotify.h>
#include <sys/socket.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/vfs.h>

#ifndef FAN_RENAME
#define FAN_RENAME 0x10000000
#endif
#ifndef FAN_REPORT_TARGET_FID
#define FAN_REPORT_TARGET_FID 0x1000
#endif
#ifndef FAN_MARK_EVICTABLE
#define FAN_MARK_EVICTABLE 0x200
#endif
#ifndef FAN_MARK_IGNORE
#define FAN_MARK_IGNORE 0x400
#endif
#define DFID_NAME 2
#define PIDFD	  4
#define FS_FAILED 5 /* errno and count in place of a handle */
#define OLD_NAME  10
#define NEW_NAME  12

struct got {
	uint64_t mask;
	int fd, pid;
	int type[3]; /* of its information, 0: none */
	char name[3][64];
	uint32_t id[3][2]; /* the beginning of a handle */
	int pidfd;
};

static char buf[8192];
static size_t at, have;

static void note_info(struct got *g, int k, const char *p)
{
	const struct fanotify_event_info_fid *f = (const void *)p;
	const struct file_handle *h = (const void *)f->handle;

	g->type[k] = f->hdr.info_type;
	if (f->hdr.info_type == PIDFD) {
		memcpy(&g->pidfd, p + 4, 4);
		return;
	}
	if (f->hdr.info_type == FS_FAILED) {
		memcpy(g->id[k], p + 4, 8);
		return;
	}
	memcpy(g->id[k], h->f_handle, 8);
	if (f->hdr.len > 20 + h->handle_bytes)
		snprintf(g->name[k], sizeof(g->name[k]), "%s",
			 (const char *)h->f_handle + h->handle_bytes);
}

/* Is information @k of the event about @path? */
static bool is_about(const struct got *g, int k, const char *path)
{
	struct {
		struct file_handle h;
		unsigned char room[64];
	} u = { .h.handle_bytes = 64 };
	int mnt;

	CHECK_OK(name_to_handle_at(AT_FDCWD, path, &u.h, &mnt, 0));
	return !memcmp(g->id[k], u.h.f_handle, 8);
}

/* The next event of @fan; false: there is none. */
static bool next(int fan, struct got *g)
{
	struct fanotify_event_metadata m;
	ssize_t n;

	memset(g, 0, sizeof(*g));
	if (at == have) {
		n = read(fan, buf, sizeof(buf));
		if (n < 0) {
			CHECK_EQ(errno, EAGAIN);
			return false;
		}
		at = 0;
		have = (size_t)n;
	}
	memcpy(&m, buf + at, sizeof(m));
	CHECK_EQ(m.vers, FANOTIFY_METADATA_VERSION);
	CHECK_EQ(m.metadata_len, sizeof(m));
	CHECK(m.event_len >= sizeof(m) && at + m.event_len <= have);
	g->mask = m.mask;
	g->fd = m.fd;
	g->pid = m.pid;
	for (size_t o = m.metadata_len, k = 0; o < m.event_len && k < 3; k++) {
		struct fanotify_event_info_header h;

		memcpy(&h, buf + at + o, sizeof(h));
		CHECK(h.len >= 8 && h.len % 4 == 0);
		note_info(g, (int)k, buf + at + o);
		o += h.len;
	}
	at += m.event_len;
	return true;
}

static void drain(int fan)
{
	struct got g;

	while (next(fan, &g))
		if (g.fd >= 0)
			close(g.fd);
}

static int start(unsigned int flags)
{
	int fan = fanotify_init(flags | FAN_NONBLOCK | FAN_CLOEXEC, O_RDWR);

	NEED(fan);
	at = have = 0;
	return fan;
}

static void touch(const char *path)
{
	char c;
	int fd = open(path, O_RDWR);

	CHECK(fd >= 0);
	CHECK_EQ(write(fd, "x", 1), 1);
	CHECK_EQ(pread(fd, &c, 1, 0), 1);
	close(fd);
}

TEST(fanotify, refuses)
{
	int fan = start(FAN_CLASS_NOTIF), fid = start(FAN_REPORT_FID), p[2];

	CHECK_ERR(fanotify_init(0x80000000, 0), EINVAL);
	CHECK_ERR(fanotify_init(FAN_CLASS_CONTENT | FAN_CLASS_PRE_CONTENT, 0),
		  EINVAL);
	CHECK_ERR(fanotify_init(FAN_CLASS_NOTIF, 3), EINVAL);
	CHECK_ERR(fanotify_init(FAN_CLASS_NOTIF, O_DIRECT), EINVAL);
	CHECK_ERR(fanotify_init(FAN_CLASS_CONTENT | FAN_REPORT_FID, 0), EINVAL);
	CHECK_ERR(fanotify_init(FAN_REPORT_NAME, 0), EINVAL);
	CHECK_ERR(fanotify_init(0x180, 0), EINVAL); /* PIDFD and TID */
	CHECK_ERR(fanotify_init(FAN_REPORT_DFID_NAME | FAN_REPORT_TARGET_FID,
				0),
		  EINVAL);
	close(ut_open("f", ""));
	CHECK_ERR(fanotify_mark(fan, FAN_MARK_ADD, 0, AT_FDCWD, "f"), EINVAL);
	CHECK_ERR(fanotify_mark(fan, 0, FAN_OPEN, AT_FDCWD, "f"), EINVAL);
	CHECK_ERR(fanotify_mark(fan, FAN_MARK_ADD, 1ull << 40, AT_FDCWD, "f"),
		  EINVAL);
	CHECK_ERR(fanotify_mark(0, FAN_MARK_ADD, FAN_OPEN, AT_FDCWD, "f"),
		  EINVAL);
	CHECK_ERR(fanotify_mark(99, FAN_MARK_ADD, FAN_OPEN, AT_FDCWD, "f"),
		  EBADF);
	CHECK_ERR(fanotify_mark(fan, FAN_MARK_ADD, FAN_OPEN, AT_FDCWD, "g"),
		  ENOENT);
	CHECK_ERR(fanotify_mark(fan, FAN_MARK_ADD | FAN_MARK_ONLYDIR, FAN_OPEN,
				AT_FDCWD, "f"),
		  ENOTDIR);
	CHECK_ERR(fanotify_mark(fan, FAN_MARK_ADD, FAN_OPEN_PERM, AT_FDCWD,
				"f"),
		  EINVAL);
	CHECK_ERR(fanotify_mark(fan, FAN_MARK_ADD, FAN_CREATE, AT_FDCWD, "."),
		  EINVAL);
	CHECK_ERR(fanotify_mark(fid, FAN_MARK_ADD | FAN_MARK_MOUNT, FAN_CREATE,
				AT_FDCWD, "."),
		  EINVAL);
	CHECK_ERR(fanotify_mark(fid, FAN_MARK_ADD, FAN_RENAME, AT_FDCWD, "."),
		  EINVAL);
	CHECK_ERR(fanotify_mark(fan, FAN_MARK_REMOVE, FAN_OPEN, AT_FDCWD, "f"),
		  ENOENT);
	CHECK_ERR(fanotify_mark(fan, FAN_MARK_ADD | FAN_MARK_IGNORE, FAN_OPEN,
				AT_FDCWD, "."),
		  EISDIR);
	CHECK_ERR(fanotify_mark(fan,
				FAN_MARK_ADD | FAN_MARK_IGNORE | FAN_MARK_MOUNT,
				FAN_OPEN, AT_FDCWD, "."),
		  EINVAL);
	CHECK_ERR(fanotify_mark(fan,
				FAN_MARK_ADD | FAN_MARK_EVICTABLE |
					FAN_MARK_MOUNT,
				FAN_OPEN, AT_FDCWD, "."),
		  EINVAL);
	CHECK_OK(fanotify_mark(fan, FAN_MARK_ADD, FAN_OPEN, AT_FDCWD, "f"));
	CHECK_ERR(fanotify_mark(fan, FAN_MARK_ADD | FAN_MARK_EVICTABLE,
				FAN_OPEN, AT_FDCWD, "f"),
		  EEXIST);
	CHECK_OK(pipe(p));
	CHECK_ERR(write(fan, "x", 1), EINVAL);
	CHECK_ERR(read(fan, buf, 10), EAGAIN);
}

TEST(fanotify, descriptors)
{
	int fan = start(FAN_CLASS_NOTIF), n;
	struct pollfd pf = { .fd = fan, .events = POLLIN };
	struct got g;
	char c;

	close(ut_open("f", "ab"));
	CHECK_OK(fanotify_mark(fan, FAN_MARK_ADD,
			       FAN_OPEN | FAN_ACCESS | FAN_MODIFY | FAN_CLOSE,
			       AT_FDCWD, "f"));
	CHECK_EQ(poll(&pf, 1, 0), 0);
	touch("f");
	CHECK_EQ(poll(&pf, 1, 0), 1);
	CHECK_OK(ioctl(fan, FIONREAD, &n));
	CHECK_EQ(n, 24);
	CHECK_ERR(read(fan, buf, 20), EINVAL);
	CHECK(next(fan, &g)); /* all of one file are one event */
	CHECK_EQ(g.mask, FAN_OPEN | FAN_ACCESS | FAN_MODIFY | FAN_CLOSE_WRITE);
	CHECK_EQ(g.pid, getpid());
	CHECK_EQ(pread(g.fd, &c, 1, 1), 1);
	CHECK_EQ(c, 'b');
	close(g.fd);
	CHECK(!next(fan, &g)); /* our own deeds with it are none */
	CHECK_OK(unlink("f"));
	close(ut_open("f", "ab"));
	CHECK(!next(fan, &g)); /* another one */
}

/* What has no name is marked by its descriptor, alone. */
TEST(fanotify, marks_of_descriptors)
{
	int fan = fanotify_init(FAN_CLASS_NOTIF | FAN_NONBLOCK, O_RDONLY);
	int fd[4];

	CHECK_OK(fan);
	CHECK_OK(pipe(fd));
	fd[2] = eventfd(0, 0);
	fd[3] = socket(AF_UNIX, SOCK_STREAM, 0);
	for (int i = 0; i < 4; i++) {
		CHECK_OK(fanotify_mark(fan, FAN_MARK_ADD, FAN_MODIFY, fd[i],
				       NULL));
		CHECK_ERR(fanotify_mark(fan, FAN_MARK_ADD | FAN_MARK_MOUNT,
					FAN_MODIFY, fd[i], NULL),
			  EINVAL);
	}
}

TEST(fanotify, children)
{
	int fan = start(FAN_CLASS_NOTIF), fd;
	struct got g;

	close(ut_open("f", "ab"));
	CHECK_OK(mkdir("d", 0755));
	CHECK_OK(fanotify_mark(fan, FAN_MARK_ADD, FAN_OPEN, AT_FDCWD, "."));
	touch("f");
	CHECK(!next(fan, &g));
	CHECK_OK(fanotify_mark(fan, FAN_MARK_ADD, FAN_EVENT_ON_CHILD, AT_FDCWD,
			       "."));
	touch("f");
	CHECK(next(fan, &g));
	CHECK_EQ(g.mask, FAN_OPEN);
	close(g.fd);
	fd = open("d", O_RDONLY);
	CHECK(!next(fan, &g));
	CHECK_OK(fanotify_mark(fan, FAN_MARK_ADD, FAN_ONDIR, AT_FDCWD, "."));
	close(open("d", O_RDONLY));
	CHECK(next(fan, &g));
	CHECK_EQ(g.mask, FAN_OPEN); /* ONDIR is not told here */
	close(g.fd);
	close(fd);
	CHECK_OK(fanotify_mark(fan, FAN_MARK_FLUSH, 0, AT_FDCWD, "."));
	touch("f");
	CHECK(!next(fan, &g));
}

TEST(fanotify, ignores)
{
	int fan = start(FAN_CLASS_NOTIF);
	struct got g;
	char c;
	int fd;

	close(ut_open("f", "ab"));
	CHECK_OK(fanotify_mark(fan, FAN_MARK_ADD | FAN_MARK_MOUNT,
			       FAN_OPEN | FAN_ACCESS, AT_FDCWD, "."));
	CHECK_OK(fanotify_mark(fan, FAN_MARK_ADD | FAN_MARK_IGNORED_MASK,
			       FAN_OPEN, AT_FDCWD, "f"));
	fd = open("f", O_RDWR);
	drain(fan);
	CHECK_OK(fanotify_mark(fan, FAN_MARK_ADD | FAN_MARK_IGNORED_MASK,
			       FAN_ACCESS, AT_FDCWD, "f"));
	CHECK_EQ(pread(fd, &c, 1, 0), 1);
	CHECK(next(fan, &g)); /* open for writing: not marked */
	close(g.fd);
	close(fd);
	CHECK_OK(fanotify_mark(fan, FAN_MARK_ADD | FAN_MARK_IGNORED_MASK,
			       FAN_OPEN, AT_FDCWD, "f"));
	close(open("f", O_RDONLY));
	CHECK(!next(fan, &g));
	touch("f"); /* a change ends it */
	drain(fan);
	close(open("f", O_RDONLY));
	CHECK(next(fan, &g));
	close(g.fd);
	CHECK_OK(fanotify_mark(fan,
			       FAN_MARK_ADD | FAN_MARK_IGNORED_MASK |
				       FAN_MARK_IGNORED_SURV_MODIFY,
			       FAN_OPEN | FAN_ACCESS, AT_FDCWD, "f"));
	touch("f");
	CHECK(!next(fan, &g));
	CHECK_OK(fanotify_mark(fan, FAN_MARK_REMOVE | FAN_MARK_IGNORED_MASK,
			       FAN_OPEN | FAN_ACCESS, AT_FDCWD, "f"));
	close(open("f", O_RDONLY));
	CHECK(next(fan, &g));
	close(g.fd);
}

TEST(fanotify, names)
{
	int fan = start(FAN_REPORT_DFID_NAME | FAN_REPORT_FID);
	struct got g;

	CHECK_OK(fanotify_mark(fan, FAN_MARK_ADD,
			       FAN_CREATE | FAN_DELETE | FAN_MOVE | FAN_OPEN |
				       FAN_DELETE_SELF | FAN_EVENT_ON_CHILD |
				       FAN_ONDIR | FAN_RENAME,
			       AT_FDCWD, "."));
	close(ut_open("f", "ab"));
	CHECK(next(fan, &g));
	CHECK_EQ(g.mask, FAN_CREATE);
	CHECK_EQ(g.fd, FAN_NOFD);
	CHECK_EQ(g.type[0], DFID_NAME);
	CHECK_EQ(g.type[1], 0);
	CHECK_EQ(strcmp(g.name[0], "f"), 0);
	CHECK(is_about(&g, 0, "."));
	CHECK(next(fan, &g)); /* its second information is the file */
	CHECK_EQ(g.mask, FAN_OPEN);
	CHECK_EQ(g.type[0], DFID_NAME);
	CHECK_EQ(strcmp(g.name[0], "f"), 0);
	CHECK_EQ(g.type[1], FAN_EVENT_INFO_TYPE_FID);
	CHECK(is_about(&g, 1, "f"));
	CHECK_OK(mkdir("d", 0755));
	CHECK(next(fan, &g));
	CHECK_EQ(g.mask, FAN_CREATE | FAN_ONDIR);
	CHECK_EQ(strcmp(g.name[0], "d"), 0);
	close(open(".", O_RDONLY));
	CHECK(next(fan, &g));
	CHECK_EQ(g.mask, FAN_OPEN | FAN_ONDIR);
	CHECK_EQ(g.type[0], DFID_NAME);
	CHECK_EQ(strcmp(g.name[0], "."), 0);
	CHECK_OK(rename("f", "d/g"));
	CHECK(next(fan, &g)); /* who does not watch d does not hear of it */
	CHECK_EQ(g.mask, FAN_RENAME);
	CHECK_EQ(g.type[0], OLD_NAME);
	CHECK_EQ(strcmp(g.name[0], "f"), 0);
	CHECK_EQ(g.type[1], 0);
	CHECK(next(fan, &g));
	CHECK_EQ(g.mask, FAN_MOVED_FROM);
	CHECK_OK(unlink("d/g"));
	CHECK_OK(rmdir("d"));
	CHECK(next(fan, &g));
	CHECK_EQ(g.mask, FAN_DELETE | FAN_ONDIR);
	CHECK_EQ(strcmp(g.name[0], "d"), 0);
	CHECK(!next(fan, &g));
}

TEST(fanotify, rename_both)
{
	int fan = start(FAN_REPORT_DFID_NAME | FAN_REPORT_FID |
			FAN_REPORT_TARGET_FID);
	struct got g;

	close(ut_open("f", "ab"));
	CHECK_ERR(fanotify_mark(fan, FAN_MARK_ADD, FAN_RENAME, AT_FDCWD, "f"),
		  ENOTDIR);
	CHECK_OK(fanotify_mark(fan, FAN_MARK_ADD, FAN_RENAME, AT_FDCWD, "."));
	CHECK_OK(rename("f", "gg"));
	CHECK(next(fan, &g));
	CHECK_EQ(g.mask, FAN_RENAME);
	CHECK_EQ(g.type[0], OLD_NAME);
	CHECK_EQ(g.type[1], NEW_NAME);
	CHECK_EQ(g.type[2], FAN_EVENT_INFO_TYPE_FID);
	CHECK_EQ(strcmp(g.name[0], "f"), 0);
	CHECK_EQ(strcmp(g.name[1], "gg"), 0);
	CHECK(is_about(&g, 2, "gg"));
}

TEST(fanotify, whole_fs)
{
	int fan = start(FAN_REPORT_FID), dirs = start(FAN_REPORT_DIR_FID);
	struct got g;

	CHECK_OK(mkdir("m", 0755));
	CHECK_OK(mount("x", "m", "tmpfs", 0, NULL));
	close(ut_open("m/f", "ab"));
	CHECK_OK(fanotify_mark(fan, FAN_MARK_ADD | FAN_MARK_FILESYSTEM,
			       FAN_ATTRIB | FAN_DELETE_SELF, AT_FDCWD, "m"));
	CHECK_OK(fanotify_mark(dirs, FAN_MARK_ADD | FAN_MARK_FILESYSTEM,
			       FAN_ATTRIB, AT_FDCWD, "m"));
	CHECK_OK(chmod("m/f", 0600));
	CHECK(next(fan, &g));
	CHECK_EQ(g.mask, FAN_ATTRIB);
	CHECK_EQ(g.type[0], FAN_EVENT_INFO_TYPE_FID);
	CHECK(is_about(&g, 0, "m/f"));
	CHECK_EQ(g.type[1], 0);
	CHECK_OK(unlink("m/f"));
	CHECK(next(fan, &g));
	CHECK_EQ(g.mask, FAN_ATTRIB | FAN_DELETE_SELF);
	CHECK(next(dirs, &g));
	CHECK_EQ(g.type[0], FAN_EVENT_INFO_TYPE_FID); /* as Linux has it */
	at = have;
	CHECK_OK(umount("m"));
	close(ut_open("m/f", "ab"));
	CHECK(!next(fan, &g));
}

static int opens(void *path)
{
	char c;
	int fd = open(path, O_RDONLY);

	if (fd < 0)
		return errno;
	return read(fd, &c, 1) == 1 ? 0 : errno;
}

static void reply(int fan, const struct got *g, unsigned int what)
{
	struct fanotify_response r = { .fd = g->fd, .response = what };

	CHECK_EQ(write(fan, &r, sizeof(r)), sizeof(r));
	CHECK_ERR(write(fan, &r, sizeof(r)), ENOENT);
	close(g->fd);
}

TEST(fanotify, permission)
{
	int fan = fanotify_init(FAN_CLASS_CONTENT, O_RDONLY);
	struct fanotify_response r = { .fd = 77, .response = FAN_ALLOW };
	struct got g;
	pid_t child;

	NEED(fan);
	close(ut_open("f", "ab"));
	CHECK_ERR(write(fan, &r, sizeof(r)), ENOENT);
	r.response = 8;
	CHECK_ERR(write(fan, &r, sizeof(r)), EINVAL);
	CHECK_OK(fanotify_mark(fan, FAN_MARK_ADD,
			       FAN_OPEN_PERM | FAN_ACCESS_PERM, AT_FDCWD, "f"));
	child = ut_fork(opens, "f");
	CHECK(next(fan, &g));
	CHECK_EQ(g.mask, FAN_OPEN_PERM);
	CHECK_EQ(g.pid, child);
	reply(fan, &g, FAN_ALLOW);
	CHECK(next(fan, &g));
	CHECK_EQ(g.mask, FAN_ACCESS_PERM);
	reply(fan, &g, FAN_DENY);
	CHECK_EQ(ut_wait(child), EPERM);
	child = ut_fork(opens, "f");
	CHECK(next(fan, &g));
	reply(fan, &g, FAN_DENY);
	CHECK_EQ(ut_wait(child), EPERM);
}

TEST(fanotify, listener_ends)
{
	int fan = fanotify_init(FAN_CLASS_PRE_CONTENT, O_RDONLY);
	struct got g;
	pid_t a, b;

	NEED(fan);
	close(ut_open("f", "ab"));
	CHECK_OK(
		fanotify_mark(fan, FAN_MARK_ADD, FAN_OPEN_PERM, AT_FDCWD, "f"));
	CHECK_OK(fcntl(fan, F_SETFD, FD_CLOEXEC));
	a = ut_fork(opens,
		    "f"); /* they have it too: its end is when all have */
	CHECK(next(fan, &g));
	kill(a, SIGKILL); /* who waits can be killed */
	CHECK_EQ(ut_wait(a), UT_SIGNALLED(SIGKILL));
	close(g.fd);
	b = fork();
	CHECK(b >= 0);
	if (!b) {
		close(fan);
		_exit(opens("f"));
	}
	CHECK(next(fan, &g)); /* shown, but never answered */
	close(fan);
	CHECK_EQ(ut_wait(b), 0);
}

static int executes(void *path)
{
	char *argv[] = { path, "true", NULL };

	execv(path, argv);
	return errno;
}

static void copy_self(const char *to)
{
	static char block[65536];
	int in = open("/proc/self/exe", O_RDONLY);
	int out = open(to, O_WRONLY | O_CREAT, 0755);
	ssize_t n;

	while ((n = read(in, block, sizeof(block))) > 0)
		CHECK_EQ(write(out, block, (size_t)n), n);
	close(in);
	close(out);
}

TEST(fanotify, execution)
{
	int fan = fanotify_init(FAN_CLASS_CONTENT | FAN_CLOEXEC, O_RDONLY);
	struct got g;
	pid_t child;

	NEED(fan);
	copy_self("prog");
	CHECK_OK(fanotify_mark(fan, FAN_MARK_ADD,
			       FAN_OPEN_EXEC_PERM | FAN_OPEN_EXEC, AT_FDCWD,
			       "prog"));
	close(open("prog", O_RDONLY));
	child = ut_fork(executes, "prog");
	CHECK(next(fan, &g));
	CHECK_EQ(g.mask, FAN_OPEN_EXEC_PERM);
	reply(fan, &g, FAN_DENY);
	CHECK_EQ(ut_wait(child), EPERM);
	child = ut_fork(executes, "prog");
	CHECK(next(fan, &g));
	reply(fan, &g, FAN_ALLOW);
	CHECK(next(fan, &g));
	CHECK_EQ(g.mask, FAN_OPEN_EXEC);
	CHECK_EQ(g.pid, child);
	close(g.fd);
	kill(child, SIGKILL);
	ut_wait(child);
}

TEST(fanotify, overflow)
{
	int fan, many = 16384 + 10, lost = 0, n = 0;
	char name[16];
	struct got g;

	fan = start(FAN_REPORT_DFID_NAME);
	CHECK_OK(fanotify_mark(fan, FAN_MARK_ADD, FAN_CREATE, AT_FDCWD, "."));
	close(ut_open("0", ""));
	for (int i = 1; i < many; i++) {
		snprintf(name, sizeof(name), "%d", i);
		CHECK_OK(link("0", name));
		if (i % 500 == 0) { /* not too many links of one */
			unlink("0");
			snprintf(name, sizeof(name), "%d", i);
			CHECK_OK(rename(name, "0"));
		}
	}
	while (next(fan, &g)) {
		n++;
		if (g.mask == FAN_Q_OVERFLOW) {
			lost++;
			CHECK_EQ(g.fd, FAN_NOFD);
			CHECK_EQ(g.type[0], 0);
		}
	}
	CHECK_EQ(lost, 1);
	CHECK_EQ(n, 16385);
}

TEST(fanotify, unprivileged)
{
	struct got g;
	pid_t child;
	int fan, p[2];

	CHECK_OK(chmod(".", 0777));
	close(ut_open("f", "ab"));
	CHECK_OK(chmod("f", 0666));
	CHECK_OK(pipe(p));
	CHECK_OK(setresuid(1000, 1000, 1000));
	CHECK_ERR(fanotify_init(FAN_CLASS_NOTIF, O_RDONLY), EPERM);
	CHECK_ERR(fanotify_init(FAN_REPORT_FID | FAN_UNLIMITED_QUEUE, O_RDONLY),
		  EPERM);
	fan = start(FAN_REPORT_FID);
	CHECK_ERR(fanotify_mark(fan, FAN_MARK_ADD | FAN_MARK_MOUNT, FAN_OPEN,
				AT_FDCWD, "."),
		  EPERM);
	CHECK_OK(fanotify_mark(fan, FAN_MARK_ADD, FAN_OPEN, AT_FDCWD, "f"));
	close(open("f", O_RDONLY));
	child = ut_fork(opens, "f");
	ut_wait(child);
	CHECK(next(fan, &g));
	CHECK_EQ(g.pid, getpid());
	CHECK(next(fan, &g));
	CHECK_EQ(g.pid, 0); /* that is not told */
}

TEST(fanotify, processes)
{
	int fan = start(FAN_REPORT_FID | 0x80 /* FAN_REPORT_PIDFD */);
	struct got g;

	close(ut_open("f", "ab"));
	CHECK_OK(fanotify_mark(fan, FAN_MARK_ADD, FAN_OPEN, AT_FDCWD, "f"));
	close(open("f", O_RDONLY));
	CHECK_EQ(ut_wait(ut_fork(opens, "f")), 0);
	CHECK(next(fan, &g));
	CHECK_EQ(g.pid, getpid());
	CHECK_EQ(g.type[1], PIDFD);
	CHECK(g.pidfd >= 0);
	CHECK_OK(syscall(SYS_pidfd_send_signal, g.pidfd, 0, NULL, 0));
	CHECK(next(fan, &g));
	CHECK_EQ(g.pidfd, -1); /* reaped */
}

TEST(fanotify, fdinfo)
{
	int fan = start(FAN_CLASS_NOTIF | FAN_UNLIMITED_MARKS), fd;
	char path[64], text[1024] = "";
	ssize_t n;

	close(ut_open("f", "ab"));
	CHECK_OK(fanotify_mark(fan, FAN_MARK_ADD, FAN_OPEN, AT_FDCWD, "f"));
	CHECK_OK(fanotify_mark(fan,
			       FAN_MARK_ADD | FAN_MARK_FILESYSTEM |
				       FAN_MARK_IGNORED_MASK |
				       FAN_MARK_IGNORED_SURV_MODIFY,
			       FAN_ACCESS, AT_FDCWD, "f"));
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fan);
	fd = open(path, O_RDONLY);
	n = read(fd, text, sizeof(text) - 1);
	CHECK(n > 0);
	CHECK(strstr(text, "fanotify flags:23 event-flags:"));
	CHECK(strstr(text, "mflags:0 mask:20 ignored_mask:0 fhandle-bytes:"));
	CHECK(strstr(text, "mflags:40 mask:0 ignored_mask:1"));
}

/* The error that @fan was told of: @ino's (0: of none), first of @n. */
static void check_error(int fan, uint32_t ino, int err, uint32_t n)
{
	struct got g;

	CHECK(next(fan, &g));
	CHECK_EQ(g.mask, FAN_FS_ERROR);
	CHECK_EQ(g.fd, FAN_NOFD);
	CHECK_EQ(g.type[0], FAN_EVENT_INFO_TYPE_FID);
	if (ino)
		CHECK_EQ(g.id[0][0], ino);
	CHECK_EQ(g.type[1], FS_FAILED);
	CHECK_EQ(g.id[1][0], err);
	CHECK_EQ(g.id[1][1], n);
	CHECK(!next(fan, &g));
}

static uint32_t ino_of(const char *dir, const char *name)
{
	DIR *d = opendir(dir);
	const struct dirent *e;
	uint32_t ino = 0;

	CHECK(d);
	while ((e = readdir(d)))
		if (!strcmp(e->d_name, name))
			ino = (uint32_t)e->d_ino;
	closedir(d);
	CHECK(ino);
	return ino;
}

/* A volume with d/bad, of no type, and d/link, which names inode 1. */
TEST(fanotify, broken_volume)
{
	const char *dev = getenv("UTEST_BROKEN");
	uint32_t bad, d;
	int fan;

	if (!dev)
		ut_skip("no UTEST_BROKEN");
	fan = start(FAN_REPORT_FID);
	CHECK_OK(mkdir("v", 0700));
	CHECK_OK(mount(dev, "v", "ext4", 0, NULL));
	bad = ino_of("v/d", "bad");
	d = ino_of("v", "d");
	CHECK_OK(fanotify_mark(fan, FAN_MARK_ADD | FAN_MARK_FILESYSTEM,
			       FAN_FS_ERROR, AT_FDCWD, "v"));
	CHECK_ERR(open("v/d/bad", O_RDONLY), EUCLEAN);
	check_error(fan, bad, EUCLEAN, 1);
	CHECK_ERR(open("v/d/link", O_RDONLY), EUCLEAN);
	CHECK_ERR(open("v/d/bad", O_RDONLY), EUCLEAN);
	check_error(fan, d, EUCLEAN, 2);
	CHECK_OK(mount(dev, "v", "ext4", MS_REMOUNT | MS_RDONLY, "abort"));
	check_error(fan, 0, ESHUTDOWN, 1);
	CHECK_OK(umount("v"));
}
