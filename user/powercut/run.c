/* SPDX-License-Identifier: MIT */
/*
 * user/powercut/run.c - do what the plans say until the power goes.
 *
 * Each worker prints `@WORKER OPERATION CHECK;' when a call that promises
 * something has returned, and waits until that has left the machine.  One
 * more process takes old runs away and makes the disk busy.
 */
#define _GNU_SOURCE
#include "powercut.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

static uint8_t buf[MAX_SIZE] __attribute__((aligned(4096)));
static const struct op *doing;
static int doing_nr;

static void die(const char *what)
{
	int err = errno;

	if (doing)
		printf("powercut: operation %d, kind %d, name %d, %u+%u: ",
		       doing_nr, (int)doing->kind, doing->name, doing->off,
		       doing->len);
	printf("BAD %s: %s\n", what, strerror(err));
	fflush(stdout);
	_exit(1);
}

static void must(bool ok, const char *what)
{
	if (!ok)
		die(what);
}

static void write_file(int fd, const struct plan *p, const struct op *op)
{
	plan_data(p, doing_nr, buf, op->len);
	must(pwrite(fd, buf, op->len, op->off) == (ssize_t)op->len, "write");
}

/* msync() speaks for its range alone, and the plan takes it to confirm the
 * whole file: so the range is the whole file. */
static void write_mapped(int fd, const struct plan *p, const struct op *op)
{
	struct stat st;
	uint8_t *m;

	must(!fstat(fd, &st), "fstat");
	m = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED,
		 fd, 0);
	must(m != MAP_FAILED, "mmap");
	plan_data(p, doing_nr, m + op->off, op->len);
	must(!msync(m, (size_t)st.st_size, MS_SYNC), "msync");
	munmap(m, (size_t)st.st_size);
}

static void do_file(const struct plan *p, const struct op *op, const char *path)
{
	int flags = O_RDWR | (op->kind == OP_DIRECT ? O_DIRECT : 0);
	int fd = open(path, flags);

	if (fd < 0 && op->kind == OP_DIRECT)
		fd = open(path, O_RDWR);
	must(fd >= 0, "open");
	switch (op->kind) {
	case OP_WRITE:
	case OP_DIRECT:
		write_file(fd, p, op);
		break;
	case OP_MMAP:
		write_mapped(fd, p, op);
		break;
	case OP_TRUNCATE:
		must(!ftruncate(fd, op->len), "ftruncate");
		break;
	case OP_PUNCH:
		must(!fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				op->off, op->len),
		     "punch");
		break;
	case OP_RESERVE:
		must(!fallocate(fd, FALLOC_FL_KEEP_SIZE, op->off, op->len),
		     "fallocate");
		break;
	case OP_FDATASYNC:
		must(!fdatasync(fd), "fdatasync");
		break;
	default:
		must(!fsync(fd), "fsync");
	}
	close(fd);
}

static void sync_dir(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY);

	must(fd >= 0 && !fsync(fd), "fsync of a directory");
	close(fd);
}

static void perform(const struct plan *p, const struct op *op, unsigned mode)
{
	char path[32], to[32];
	int fd;

	plan_path(op->name, path, sizeof(path));
	plan_path(op->to, to, sizeof(to));
	switch (op->kind) {
	case OP_CREATE:
		fd = open(path, O_CREAT | O_EXCL | O_RDWR, mode);
		must(fd >= 0, "create");
		close(fd);
		break;
	case OP_RENAME:
		must(!rename(path, to), "rename");
		break;
	case OP_LINK:
		must(!link(path, to), "link");
		break;
	case OP_UNLINK:
		must(!unlink(path), "unlink");
		break;
	case OP_FSYNC_DIR:
		sync_dir(op->name < NR_NAMES / 2 ? "." : "sub");
		break;
	case OP_SYNC:
		sync();
		break;
	default:
		do_file(p, op, path);
	}
}

static void tell(int worker, int nr)
{
	char line[40];
	int n = snprintf(line, sizeof(line), "@%d %d %d;\n", worker, nr,
			 (nr * 4 + worker) % 97);

	must(write(1, line, (size_t)n) == n, "console");
	tcdrain(1);
}

static void work(const char *dir, uint64_t seed, int worker)
{
	struct plan p;

	must(!chdir(dir), "chdir");
	plan_init(&p, seed, worker);
	while (p.nr_objects < MAX_OBJECTS) {
		struct object *o;
		struct op op;

		doing_nr = p.next;
		op = plan_step(&p, &o);
		doing = &op;
		perform(&p, &op, op.kind == OP_CREATE ? object_mode(o) : 0);
		doing = NULL;
		if (op_confirms(op.kind))
			tell(worker, doing_nr);
	}
	_exit(0);
}

static const char *keep; /* this one is of now */

static int take_away(const char *path, const struct stat *st, int type,
		     struct FTW *ftw)
{
	(void)st;
	(void)type;
	if (ftw->level && !strstr(path, keep) && !strstr(path, "lost+found"))
		remove(path);
	return 0;
}

/* Old runs go away, and then a large file comes and goes. */
static void be_a_nuisance(const char *dir)
{
	int fd, i;

	must(!chdir(dir), "chdir");
	nftw(".", take_away, 16, FTW_DEPTH | FTW_PHYS);
	memset(buf, 0x5a, sizeof(buf));
	for (;;) {
		fd = open("large", O_CREAT | O_RDWR, 0600);
		must(fd >= 0, "open");
		for (i = 0; i < 20; i++)
			if (write(fd, buf, sizeof(buf)) < 0)
				break;
		/* on its way to the disk, and nobody flushes */
		sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
		usleep(50000);
		close(fd);
		unlink("large");
	}
}

void run(const char *dir, uint64_t seed)
{
	char path[64], name[24];
	int i;

	umask(0);
	must(!chdir(dir), "chdir");
	snprintf(name, sizeof(name), "run-%llx", (unsigned long long)seed);
	keep = name;
	must(!mkdir(name, 0700), "mkdir");
	for (i = 0; i < NR_WORKERS; i++) {
		snprintf(path, sizeof(path), "%s/%d", name, i);
		must(!mkdir(path, 0700), "mkdir");
		snprintf(path, sizeof(path), "%s/%d/sub", name, i);
		must(!mkdir(path, 0700), "mkdir");
	}
	for (i = 0; i < NR_WORKERS; i++) {
		snprintf(path, sizeof(path), "%s/%d", name, i);
		if (!fork())
			work(path, seed, i);
	}
	if (!fork())
		be_a_nuisance(".");
	printf("@start\n");
	fflush(stdout);
	while (wait(&i) > 0)
		if (WIFSIGNALED(i))
			printf("powercut: BAD signal %d\n", WTERMSIG(i));
	exit(1);
}
