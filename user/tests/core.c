/* SPDX-License-Identifier: MIT */
/* user/tests/core.c - what a process that dies of a signal leaves behind. */
#include "utest.h"

#include <elf.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/procfs.h>
#include <sys/resource.h>

static char secret[4096 * 3] = "found in the core file";

static void limit(rlim_t n)
{
	struct rlimit r = { n, RLIM_INFINITY };

	CHECK_OK(setrlimit(RLIMIT_CORE, &r));
}

static int aborts(void *arg)
{
	snprintf(secret + 5000, 100, "%s", (char *)arg);
	abort();
}

static int status_of(int (*fn)(void *), void *arg)
{
	pid_t pid = ut_fork(fn, arg);
	int status;

	CHECK_EQ(waitpid(pid, &status, 0), pid);
	return status;
}

/* Debian's Linux may send it to a program. */
static void need_plain_pattern(void)
{
	char buf[128] = "";
	int fd = open("/proc/sys/kernel/core_pattern", O_RDWR);

	CHECK(fd >= 0 && read(fd, buf, sizeof(buf) - 1) > 0);
	if (strcmp(buf, "core\n"))
		CHECK_EQ(pwrite(fd, "core\n", 5, 0), 5);
	close(fd);
}

static char *map_core(size_t *size)
{
	struct stat st;
	int fd = open("core", O_RDONLY);
	char *m;

	if (fd < 0) { /* core_uses_pid */
		CHECK_OK(system("mv core.* core"));
		fd = open("core", O_RDONLY);
	}
	CHECK(fd >= 0);
	CHECK_OK(fstat(fd, &st));
	*size = st.st_size;
	m = mmap(NULL, *size, PROT_READ, MAP_PRIVATE, fd, 0);
	CHECK(m != MAP_FAILED);
	return m;
}

static const void *find_note(const char *m, const Elf64_Phdr *p, unsigned type)
{
	const char *at = m + p->p_offset, *end = at + p->p_filesz;

	while (at < end) {
		const Elf64_Nhdr *n = (const void *)at;
		const char *desc = at + sizeof(*n) + ((n->n_namesz + 3) & ~3u);

		if (n->n_type == type)
			return desc;
		at = desc + ((n->n_descsz + 3) & ~3u);
	}
	return NULL;
}

static const char *memory_at(const char *m, uintptr_t va)
{
	const Elf64_Ehdr *e = (const void *)m;
	const Elf64_Phdr *p = (const void *)(m + e->e_phoff);

	for (int i = 0; i < e->e_phnum; i++) {
		if (p[i].p_type == PT_LOAD && va >= p[i].p_vaddr &&
		    va < p[i].p_vaddr + p[i].p_filesz)
			return m + p[i].p_offset + (va - p[i].p_vaddr);
	}
	return NULL;
}

static void set_knob(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	CHECK_OK(fd);
	CHECK_EQ(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

TEST(core, names)
{
	char want[256];
	pid_t pid;
	int status;

	need_plain_pattern();
	limit(RLIM_INFINITY);
	CHECK_OK(sethostname("a/b", 3));
	set_knob("/proc/sys/kernel/core_pattern", "c-%p-%i-%s-%h-%d-%%-%q%f");
	pid = ut_fork(aborts, "x");
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	snprintf(want, sizeof(want), "c-%d-%d-6-a!b-1-%%-utest", pid, pid);
	CHECK_OK(sethostname("antler", 6));
	set_knob("/proc/sys/kernel/core_pattern", "c");
	set_knob("/proc/sys/kernel/core_uses_pid", "1");
	CHECK_OK(access(want, R_OK));
	pid = ut_fork(aborts, "x");
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	set_knob("/proc/sys/kernel/core_pattern", "core");
	set_knob("/proc/sys/kernel/core_uses_pid", "0");
	snprintf(want, sizeof(want), "c.%d", pid);
	CHECK_OK(access(want, R_OK));
}

TEST(core, contents)
{
	const struct elf_prstatus *st;
	const Elf64_Ehdr *e;
	const Elf64_Phdr *p;
	const char *m;
	size_t size;
	int status;

	need_plain_pattern();
	limit(RLIM_INFINITY);
	status = status_of(aborts, "the child's copy");
	CHECK(WIFSIGNALED(status));
	CHECK_EQ(WTERMSIG(status), SIGABRT);
	CHECK(WCOREDUMP(status));
	m = map_core(&size);
	e = (const void *)m;
	p = (const void *)(m + e->e_phoff);
	CHECK(!memcmp(e->e_ident, ELFMAG, SELFMAG));
	CHECK_EQ(e->e_type, ET_CORE);
	CHECK_EQ(e->e_machine, EM_RISCV);
	CHECK_EQ(p->p_type, PT_NOTE);
	st = find_note(m, p, NT_PRSTATUS);
	CHECK(st);
	CHECK_EQ(st->pr_cursig, SIGABRT);
	CHECK(find_note(m, p, NT_PRPSINFO));
	CHECK(find_note(m, p, NT_AUXV));
	CHECK(find_note(m, p, NT_FPREGSET));
	CHECK(memory_at(m, (uintptr_t)secret));
	CHECK(!strcmp(memory_at(m, (uintptr_t)secret + 5000),
		      "the child's copy"));
}

static void *waits(void *arg)
{
	while (!arg)
		pause();
	return NULL;
}

static int threads_abort(void *arg)
{
	pthread_t t;

	(void)arg;
	for (int i = 0; i < 2; i++)
		CHECK_EQ(pthread_create(&t, NULL, waits, NULL), 0);
	usleep(20000);
	abort();
}

static int notes_of(const char *m, const Elf64_Phdr *p, unsigned type)
{
	const char *at = m + p->p_offset, *end = at + p->p_filesz;
	int nr = 0;

	while (at < end) {
		const Elf64_Nhdr *n = (const void *)at;

		nr += n->n_type == type;
		at += sizeof(*n) + ((n->n_namesz + 3) & ~3u) +
		      ((n->n_descsz + 3) & ~3u);
	}
	return nr;
}

/* Every thread is there, that of the signal first, and the files that were mapped. */
TEST(core, threads_and_files)
{
	const struct elf_prstatus *st;
	const Elf64_Phdr *p;
	const uint64_t *files;
	const char *m, *name;
	size_t size;
	int status;

	need_plain_pattern();
	limit(RLIM_INFINITY);
	status = status_of(threads_abort, NULL);
	CHECK(WIFSIGNALED(status) && WCOREDUMP(status));
	m = map_core(&size);
	p = (const void *)(m + ((const Elf64_Ehdr *)m)->e_phoff);
	CHECK_EQ(notes_of(m, p, NT_PRSTATUS), 3);
	CHECK_EQ(notes_of(m, p, NT_FPREGSET), 3);
	st = find_note(m, p, NT_PRSTATUS);
	CHECK_EQ(st->pr_reg[17], __NR_tgkill); /* a7 */
	files = find_note(m, p, NT_FILE);
	CHECK(files && files[0] > 0);
	CHECK_EQ(files[1], 4096);
	name = (const char *)(files + 2 + 3 * files[0]);
	CHECK(name[0] == '/' && strlen(name) < 4096);
}

TEST(core, not_wanted)
{
	siginfo_t si;
	pid_t pid;

	need_plain_pattern();
	limit(0);
	CHECK(!WCOREDUMP(status_of(aborts, "x")));
	CHECK_ERR(access("core", F_OK), ENOENT);
	limit(RLIM_INFINITY);
	pid = ut_fork(aborts, "x");
	CHECK_OK(waitid(P_PID, pid, &si, WEXITED));
	CHECK_EQ(si.si_code, CLD_DUMPED);
	CHECK_EQ(si.si_status, SIGABRT);
	pid = fork();
	if (!pid) {
		raise(SIGTERM);
		_exit(0);
	}
	CHECK_OK(waitid(P_PID, pid, &si, WEXITED));
	CHECK_EQ(si.si_code, CLD_KILLED);
}

/* --- to a program */

static void pattern_to_script(const char *script, const char *words)
{
	char dir[64], pattern[128], *text;
	FILE *f = fopen("take", "w");

	CHECK(f && getcwd(dir, sizeof(dir)));
	CHECK(asprintf(&text, "#!/bin/sh\ncd %s\n%s\n", dir, script) > 0);
	CHECK(fputs(text, f) >= 0 && !fclose(f));
	CHECK_OK(chmod("take", 0755));
	snprintf(pattern, sizeof(pattern), "|%s/take %s", dir, words);
	set_knob("/proc/sys/kernel/core_pattern", pattern);
}

static void pattern_back(void)
{
	set_knob("/proc/sys/kernel/core_pattern", "core");
	set_knob("/proc/sys/kernel/core_pipe_limit", "0");
}

static void read_line(const char *path, char *buf, int size)
{
	FILE *f = fopen(path, "r");

	CHECK(f && fgets(buf, size, f));
	fclose(f);
}

TEST(core, program)
{
	char got[256], want[256];
	const char *at;
	size_t size;
	char *m;
	int status;
	pid_t pid;

	need_plain_pattern();
	set_knob("/proc/sys/kernel/core_pipe_limit", "4");
	pattern_to_script("echo $# \"$@\" $(id -u) $(ulimit -c) $PWD >args;"
			  "cat >core; exit 3",
			  "%p  %s x%%y %e");
	limit(0); /* does not matter */
	CHECK_OK(setresuid(1000, 1000, 0));
	CHECK_OK(prctl(PR_SET_DUMPABLE, 1));
	pid = ut_fork(aborts, "to a program");
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_OK(setresuid(0, 0, 0));
	pattern_back();
	CHECK_EQ(WTERMSIG(status), SIGABRT);
	/* with the limit the process is there until the program has ended */
	CHECK(WCOREDUMP(status));
	read_line("args", got, sizeof(got));
	CHECK(getcwd(want + 100, 100));
	snprintf(want, 100, "4 %d 6 x%%y utest 0 0 ", pid);
	CHECK(!strncmp(got, want, strlen(want)));
	m = map_core(&size);
	CHECK(!memcmp(m, ELFMAG, SELFMAG));
	at = memory_at(m, (uintptr_t)secret);
	CHECK(at && !strcmp(at, "found in the core file"));
	CHECK(!strcmp(at + 5000, "to a program"));
	CHECK_ERR(waitpid(-1, &status, WNOHANG), ECHILD);
}

TEST(core, program_refused)
{
	int status;

	need_plain_pattern();
	pattern_to_script("cat >core", "%p");
	limit(1);
	status = status_of(aborts, "x");
	CHECK(!WCOREDUMP(status));
	set_knob("/proc/sys/kernel/core_pattern", "|/nothing %p");
	limit(RLIM_INFINITY);
	status = status_of(aborts, "x");
	CHECK_EQ(WTERMSIG(status), SIGABRT);
	CHECK(!WCOREDUMP(status));
	/* one that does not read: the process ends all the same */
	pattern_to_script("exit 0", "");
	status = status_of(aborts, "x");
	CHECK_EQ(WTERMSIG(status), SIGABRT);
	pattern_back();
	CHECK_ERR(access("core", R_OK), ENOENT);
}

/* A program that hangs: SIGKILL sets the dying process free. */
TEST(core, program_hangs)
{
	int status;
	pid_t pid;

	need_plain_pattern();
	pattern_to_script("echo $$ >pid; exec sleep 20", "");
	pid = ut_fork(aborts, "x");
	while (access("pid", R_OK))
		ut_sleep_ms(5);
	ut_sleep_ms(50);
	pattern_back();
	CHECK_EQ(waitpid(pid, &status, WNOHANG), 0);
	CHECK_OK(kill(pid, SIGTERM)); /* no */
	ut_sleep_ms(20);
	CHECK_EQ(waitpid(pid, &status, WNOHANG), 0);
	CHECK_OK(kill(pid, SIGKILL));
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK(WIFSIGNALED(status));
	CHECK_EQ(system("kill $(cat pid)"), 0);
}

static int changes_ids(void *arg)
{
	CHECK_OK(setresuid(1000, 1000, 1000));
	CHECK_EQ(prctl(PR_GET_DUMPABLE), *(int *)arg);
	abort();
}

/* fs.suid_dumpable 2: root gets the core file of who changed ids, at a place that
 * the process has no say in. */
TEST(core, for_root)
{
	char pattern[128], dir[100];
	int none = 0, root = 2, status;
	struct stat st;

	need_plain_pattern();
	limit(RLIM_INFINITY);
	set_knob("/proc/sys/fs/suid_dumpable", "0");
	status = status_of(changes_ids, &none);
	CHECK(WIFSIGNALED(status) && !WCOREDUMP(status));
	CHECK(getcwd(dir, sizeof(dir)));
	CHECK_OK(chmod(".", 0755));
	snprintf(pattern, sizeof(pattern), "%s/of-%%d", dir);
	set_knob("/proc/sys/kernel/core_pattern", pattern);
	set_knob("/proc/sys/fs/suid_dumpable", "2");
	status = status_of(changes_ids, &root);
	set_knob("/proc/sys/kernel/core_pattern", "core");
	CHECK(WIFSIGNALED(status) && WCOREDUMP(status));
	CHECK_OK(stat("of-2", &st));
	CHECK_EQ(st.st_uid, 0);
	CHECK_EQ(st.st_mode, S_IFREG | 0600);
	status = status_of(changes_ids, &root); /* a relative name */
	set_knob("/proc/sys/fs/suid_dumpable", "0");
	CHECK(WIFSIGNALED(status) && !WCOREDUMP(status));
}
