/* SPDX-License-Identifier: MIT */
/*
 * user/tests/acl.c - access control lists: checked, followed, inherited.
 */
#include "utest.h"

#include <grp.h>
#include <sys/xattr.h>

#define ACCESS	"system.posix_acl_access"
#define DEFAULT "system.posix_acl_default"

struct entry {
	uint16_t tag, perm;
	uint32_t id;
};
struct acl {
	uint32_t version;
	struct entry e[8];
};
#define SIZE(n) (4 + 8 * (n))
#define ANY	0xffffffff
enum {
	U_OBJ = 1,
	U = 2,
	G_OBJ = 4,
	G = 8,
	MASK = 16,
	OTHER = 32
};

/* rwx for user 1000 as far as @mask goes, r-x for the group, nothing for others. */
static struct acl with_user(int perm, int mask)
{
	return (struct acl){ 2,
			     { { U_OBJ, 7, ANY },
			       { U, perm, 1000 },
			       { G_OBJ, 5, ANY },
			       { MASK, mask, ANY },
			       { OTHER, 0, ANY } } };
}

static mode_t mode_of(const char *path)
{
	struct stat st;

	CHECK_OK(stat(path, &st));
	return st.st_mode & 07777;
}

struct who {
	uid_t uid;
	const char *path;
	int mask;
};

static int asks(void *arg)
{
	struct who *w = arg;

	if (setgroups(0, NULL) || setgid(w->uid) || setuid(w->uid))
		return 9;
	return access(w->path, w->mask) ? errno : 0;
}

static int may(uid_t uid, const char *path, int mask)
{
	struct who w = { uid, path, mask };

	return ut_wait(ut_fork(asks, &w));
}

/* The directory of the test has to let others in. */
static void open_up(void)
{
	CHECK_OK(chmod(".", 0755));
	umask(022);
}

static bool have_acls(void)
{
	struct acl a = with_user(7, 7);

	return setxattr("f", ACCESS, &a, SIZE(5), 0) == 0 ||
	       errno != EOPNOTSUPP;
}

TEST(acl, checked)
{
	struct acl a = with_user(7, 6);
	char buf[100];

	open_up();
	close(ut_open("f", "x"));
	if (!have_acls())
		ut_skip("no lists on this file system");
	CHECK_OK(setxattr("f", ACCESS, &a, SIZE(5), 0));
	CHECK_EQ(mode_of("f"), 0760);
	CHECK_EQ(getxattr("f", ACCESS, buf, sizeof(buf)), SIZE(5));
	CHECK_EQ(may(1000, "f", R_OK | W_OK), 0);
	CHECK_EQ(may(1000, "f", X_OK), EACCES); /* the mask */
	CHECK_EQ(may(1001, "f", R_OK), EACCES);
	CHECK_OK(chmod("f", 0714));
	CHECK_EQ(may(1000, "f", R_OK), EACCES);
	CHECK_EQ(may(1001, "f", R_OK), 0);
	CHECK_OK(chmod("f", 0777));
	CHECK_EQ(may(1000, "f", X_OK), 0);
	CHECK_OK(removexattr("f", ACCESS));
	CHECK_ERR(getxattr("f", ACCESS, buf, sizeof(buf)), ENODATA);
}

TEST(acl, of_a_directory)
{
	struct acl a = with_user(0, 7);

	open_up();
	close(ut_open("f", "x"));
	if (!have_acls())
		ut_skip("no lists on this file system");
	a.e[4].perm = 7;
	CHECK_OK(mkdir("d", 0777));
	close(ut_open("d/f", "x"));
	CHECK_OK(setxattr("d", ACCESS, &a, SIZE(5), 0));
	CHECK_EQ(mode_of("d"), 0777);
	CHECK_EQ(may(1000, "d/f", F_OK), EACCES);
	CHECK_EQ(may(1001, "d/f", F_OK), 0);
}

TEST(acl, refused)
{
	struct acl a = with_user(7, 7);

	open_up();
	close(ut_open("f", "x"));
	if (!have_acls())
		ut_skip("no lists on this file system");
	CHECK_ERR(setxattr("f", DEFAULT, &a, SIZE(5), 0), EACCES);
	CHECK_ERR(setxattr("f", ACCESS, &a, SIZE(4), 0), EINVAL);
	CHECK_ERR(setxattr("f", ACCESS, &a, 7, 0), EINVAL);
	a.version = 3;
	CHECK_ERR(setxattr("f", ACCESS, &a, SIZE(5), 0), EOPNOTSUPP);
	a = (struct acl){
		2, { { U_OBJ, 6, ANY }, { G_OBJ, 4, ANY }, { OTHER, 0, ANY } }
	};
	CHECK_OK(setxattr("f", ACCESS, &a, SIZE(3), 0));
	CHECK_EQ(mode_of("f"), 0640);
	CHECK_ERR(getxattr("f", ACCESS, NULL, 0), ENODATA);
	/* none at all takes it away; where a list may be comes before what is in it */
	a = with_user(7, 7);
	CHECK_OK(setxattr("f", ACCESS, &a, SIZE(5), 0));
	CHECK_OK(setxattr("f", ACCESS, "", 0, 0));
	CHECK_ERR(getxattr("f", ACCESS, NULL, 0), ENODATA);
	CHECK_ERR(setxattr("f", DEFAULT, &a, SIZE(1), 0), EACCES);
	CHECK_ERR(setxattr(".", DEFAULT, &a, SIZE(1), 0), EINVAL);
	CHECK_OK(setxattr("f", DEFAULT, &a, 4, 0));
	CHECK_OK(setresuid(1000, 1000, 1000));
	CHECK_ERR(setxattr("f", ACCESS, &a, SIZE(3), 0), EPERM);
}

TEST(acl, inherited)
{
	struct acl a = with_user(7, 7), got;

	open_up();
	close(ut_open("f", "x"));
	if (!have_acls())
		ut_skip("no lists on this file system");
	CHECK_OK(mkdir("d", 0755));
	CHECK_OK(setxattr("d", DEFAULT, &a, SIZE(5), 0));
	CHECK_EQ(mode_of("d"), 0755);
	close(open("d/new", O_CREAT | O_RDWR, 0666));
	CHECK_EQ(mode_of("d/new"), 0660); /* no umask */
	CHECK_EQ(getxattr("d/new", ACCESS, &got, sizeof(got)), SIZE(5));
	CHECK_EQ(got.e[3].tag, MASK);
	CHECK_EQ(got.e[3].perm, 6);
	CHECK_OK(mkdir("d/sub", 0777));
	CHECK_EQ(mode_of("d/sub"), 0770);
	CHECK_EQ(getxattr("d/sub", DEFAULT, &got, sizeof(got)), SIZE(5));
	CHECK_OK(mkfifo("d/fifo", 0600));
	CHECK_EQ(mode_of("d/fifo"), 0600);
	CHECK_OK(mkdir("plain", 0777));
	CHECK_EQ(mode_of("plain"), 0755);
}
