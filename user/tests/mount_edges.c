/* SPDX-License-Identifier: MIT */
/*
 * user/tests/mount_edges.c - mounts that must not be left out, roots of all threads.
 */
#include "utest.h"

#include <pthread.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/un.h>

static void alone(void)
{
	CHECK_OK(unshare(CLONE_NEWNS));
	CHECK_OK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
}

static int binds(void *arg)
{
	(void)arg;
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS))
		return errno == ENOSYS || errno == EINVAL ? 100 : 1;
	if (!mount("a", "b", NULL, MS_BIND | MS_REC, NULL))
		return access("b/hide/secret", F_OK) ? 2 : 3;
	return errno == EPERM ? 0 : 4;
}

/* In a user namespace a copy without the mount that may not be copied would show what
 * it hides. */
TEST(mount_edges, hidden_stays_hidden)
{
	int fd, r;

	alone();
	CHECK_OK(mkdir("a", 0777));
	CHECK_OK(mkdir("b", 0777));
	CHECK_OK(mkdir("a/hide", 0777));
	fd = open("a/hide/secret", O_CREAT | O_WRONLY, 0666);
	CHECK_OK(fd);
	CHECK_OK(mount("none", "a/hide", "tmpfs", 0, NULL));
	CHECK_OK(mount(NULL, "a/hide", NULL, MS_UNBINDABLE, NULL));
	/* where nothing is locked it is just left out */
	CHECK_OK(mount("a", "b", NULL, MS_BIND | MS_REC, NULL));
	CHECK_OK(access("b/hide/secret", F_OK));
	CHECK_OK(umount("b"));
	r = ut_wait(ut_fork(binds, NULL));
	if (r == 100)
		ut_skip("no user namespaces");
	CHECK_EQ(r, 0);
}

static pthread_barrier_t step;

static void *own_root(void *arg)
{
	struct stat st;

	if (unshare(CLONE_FS))
		return "unshare";
	pthread_barrier_wait(&step);
	pthread_barrier_wait(&step);
	if (stat("/", &st) || st.st_dev != *(dev_t *)arg)
		return "root";
	return access("/old", F_OK) ? "old" : NULL;
}

/* A new root is that of threads, too, that have gone their own way. */
TEST(mount_edges, pivot_all_threads)
{
	struct stat st;
	dev_t dev = 0;
	pthread_t t;
	void *r;

	alone();
	CHECK_OK(mkdir("base", 0755));
	CHECK_OK(mount("base", "base", NULL, MS_BIND, NULL));
	CHECK_OK(chroot("base"));
	CHECK_OK(chdir("/"));
	CHECK_OK(mkdir("new", 0755));
	CHECK_OK(mount("none", "new", "tmpfs", 0, NULL));
	CHECK_OK(mkdir("new/old", 0755));
	CHECK_EQ(pthread_barrier_init(&step, NULL, 2), 0);
	CHECK_EQ(pthread_create(&t, NULL, own_root, &dev), 0);
	pthread_barrier_wait(&step);
	CHECK_OK(syscall(SYS_pivot_root, "new", "new/old"));
	CHECK_OK(stat("/", &st));
	dev = st.st_dev;
	pthread_barrier_wait(&step);
	CHECK_EQ(pthread_join(t, &r), 0);
	if (r)
		ut_fail(__FILE__, __LINE__, "%s", (char *)r);
}

/* A socket that has its name there uses the file system, also when the name is gone. */
TEST(mount_edges, bound_socket_is_a_user)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX, .sun_path = "m/sock" };
	int s = socket(AF_UNIX, SOCK_STREAM, 0), c, a;

	alone();
	CHECK_OK(mkdir("m", 0755));
	CHECK_OK(mount("none", "m", "tmpfs", 0, NULL));
	CHECK_OK(bind(s, (struct sockaddr *)&un, sizeof(un)));
	CHECK_ERR(umount("m"), EBUSY);
	CHECK_OK(listen(s, 1));
	CHECK_OK(c = socket(AF_UNIX, SOCK_STREAM, 0));
	CHECK_OK(connect(c, (struct sockaddr *)&un, sizeof(un)));
	CHECK_OK(a = accept(s, NULL, NULL));
	CHECK_OK(unlink("m/sock"));
	close(s);
	CHECK_ERR(umount("m"), EBUSY); /* who was accepted has the name */
	close(a);
	close(c);
	CHECK_OK(umount("m"));
}
