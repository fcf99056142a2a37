/* SPDX-License-Identifier: MIT */
/*
 * user/tests/sysvipc.c - System V semaphores, messages and shared memory.
 */
#include "utest.h"

#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

union semun {
	int val;
	struct semid_ds *buf;
	unsigned short *array;
};

static int sem_op(int id, int num, int op, int flags)
{
	struct sembuf sb = { (unsigned short)num, (short)op, (short)flags };

	return semop(id, &sb, 1);
}

static int new_set(int nr, int first)
{
	int id = semget(IPC_PRIVATE, nr, 0600);

	CHECK(id >= 0);
	CHECK_OK(semctl(id, 0, SETVAL, (union semun){ .val = first }));
	return id;
}

TEST(sysvipc, sem_values)
{
	int id = new_set(3, 5);
	unsigned short all[3] = { 1, 2, 3 };
	struct semid_ds ds;

	CHECK_EQ(semctl(id, 0, GETVAL), 5);
	CHECK_OK(semctl(id, 0, SETALL, (union semun){ .array = all }));
	memset(all, 0, sizeof(all));
	CHECK_OK(semctl(id, 0, GETALL, (union semun){ .array = all }));
	CHECK_EQ(all[2], 3);
	CHECK_ERR(sem_op(id, 3, 1, 0), EFBIG);
	CHECK_ERR(sem_op(id, 0, -2, IPC_NOWAIT), EAGAIN);
	CHECK_ERR(semctl(id, 0, SETVAL, (union semun){ .val = 40000 }), ERANGE);
	CHECK_OK(sem_op(id, 1, -2, 0));
	CHECK_OK(sem_op(id, 1, 0, 0));
	CHECK_EQ(semctl(id, 1, GETPID), getpid());
	CHECK_OK(semctl(id, 0, IPC_STAT, (union semun){ .buf = &ds }));
	CHECK_EQ(ds.sem_nsems, 3);
	CHECK_EQ(ds.sem_perm.mode & 0777, 0600);
	CHECK(ds.sem_otime > 0);
	CHECK_OK(semctl(id, 0, IPC_RMID));
	CHECK_ERR(semctl(id, 0, GETVAL), EINVAL);
}

/* All operations of a call, or none. */
TEST(sysvipc, sem_atomic)
{
	int id = new_set(2, 1);
	struct sembuf both[2] = { { 0, -1, IPC_NOWAIT },
				  { 1, -1, IPC_NOWAIT } };

	CHECK_ERR(semop(id, both, 2), EAGAIN);
	CHECK_EQ(semctl(id, 0, GETVAL), 1);
	CHECK_OK(sem_op(id, 1, 1, 0));
	CHECK_OK(semop(id, both, 2));
	CHECK_EQ(semctl(id, 0, GETVAL), 0);
	CHECK_OK(semctl(id, 0, IPC_RMID));
}

static int take(void *arg)
{
	return sem_op(*(int *)arg, 0, -1, SEM_UNDO) ? errno : 0;
}

TEST(sysvipc, sem_wait_and_undo)
{
	int id = new_set(1, 0);
	pid_t pid = ut_fork(take, &id);

	for (int i = 0; i < 200 && semctl(id, 0, GETNCNT) != 1; i++)
		ut_sleep_ms(5);
	CHECK_EQ(semctl(id, 0, GETNCNT), 1);
	CHECK_OK(sem_op(id, 0, 1, 0));
	CHECK_EQ(ut_wait(pid), 0);
	CHECK_EQ(semctl(id, 0, GETNCNT), 0);
	CHECK_EQ(semctl(id, 0, GETVAL), 1); /* its death gave it back */
	CHECK_OK(sem_op(id, 0, -1, 0));
	pid = ut_fork(take, &id);
	ut_sleep_ms(50);
	CHECK_OK(semctl(id, 0, IPC_RMID));
	CHECK_EQ(ut_wait(pid), EIDRM);
}

TEST(sysvipc, sem_timeout)
{
	int id = new_set(1, 0);
	struct sembuf sb = { 0, -1, 0 };
	struct timespec ts = { 0, 50000000 };
	long t = ut_now_ms();

	CHECK_ERR(semtimedop(id, &sb, 1, &ts), EAGAIN);
	CHECK(ut_now_ms() - t >= 45);
	CHECK_OK(semctl(id, 0, IPC_RMID));
}

TEST(sysvipc, keys)
{
	key_t key = 0x41000000 + getpid();
	int id = semget(key, 1, IPC_CREAT | IPC_EXCL | 0600);

	CHECK(id >= 0);
	CHECK_ERR(semget(key, 1, IPC_CREAT | IPC_EXCL | 0600), EEXIST);
	CHECK_EQ(semget(key, 1, 0), id);
	CHECK_ERR(semget(key, 2, 0), EINVAL);
	CHECK_OK(semctl(id, 0, IPC_RMID));
	CHECK_ERR(semget(key, 1, 0), ENOENT);
	CHECK_ERR(semget(IPC_PRIVATE, 0, 0600), EINVAL);
	if (geteuid() == 0) {
		CHECK_OK(id = semget(key, 1, IPC_CREAT | 0600));
		CHECK_OK(seteuid(1000));
		CHECK_ERR(semget(key, 1, 0600), EACCES);
		CHECK_ERR(semctl(id, 0, GETVAL), EACCES);
		CHECK_ERR(semctl(id, 0, IPC_RMID), EPERM);
		CHECK_OK(seteuid(0));
		CHECK_OK(semctl(id, 0, IPC_RMID));
	}
}

/* What restores a process asks for ids: /proc/sys/kernel/msg_next_id and its like. */
static void next_id(const char *kind, int (*get)(key_t key),
		    int (*drop)(int id))
{
	char path[64], text[32];
	struct stat st;
	int fd, a, b;

	snprintf(path, sizeof(path), "/proc/sys/kernel/%s_next_id", kind);
	CHECK_OK(stat(path, &st));
	CHECK_EQ(st.st_mode & 0777, 0444);
	CHECK_OK(fd = open(path, O_RDWR));
	CHECK_EQ(pread(fd, text, sizeof(text), 0), 3);
	CHECK(!memcmp(text, "-1\n", 3));
	CHECK_ERR(write(fd, "-1", 2), EINVAL);
	CHECK_ERR(pwrite(fd, "2147483648", 10, 0), EINVAL);
	CHECK_EQ(pwrite(fd, "2919", 4, 0), 4);
	CHECK_EQ(pread(fd, text, sizeof(text), 0), 5);
	CHECK_EQ(a = get(0x4b110000 + getpid()), 2919);
	CHECK_EQ(pread(fd, text, sizeof(text), 0), 3); /* once */
	CHECK_EQ(pwrite(fd, "2919", 4, 0), 4);
	b = get(IPC_PRIVATE);
	CHECK(b >= 0 && b != a);
	CHECK_OK(drop(a));
	CHECK_OK(drop(b));
	close(fd);
}

static int get_msq(key_t key)
{
	return msgget(key, IPC_CREAT | 0600);
}

static int drop_msq(int id)
{
	return msgctl(id, IPC_RMID, NULL);
}

static int get_sem(key_t key)
{
	return semget(key, 1, IPC_CREAT | 0600);
}

static int drop_sem(int id)
{
	return semctl(id, 0, IPC_RMID);
}

static int get_shm(key_t key)
{
	return shmget(key, 4096, IPC_CREAT | 0600);
}

static int drop_shm(int id)
{
	return shmctl(id, IPC_RMID, NULL);
}

TEST(sysvipc, next_ids)
{
	if (geteuid())
		ut_skip("root only");
	next_id("msg", get_msq, drop_msq);
	next_id("sem", get_sem, drop_sem);
	next_id("shm", get_shm, drop_shm);
}

struct message {
	long type;
	char text[32];
};

TEST(sysvipc, messages)
{
	int id = msgget(IPC_PRIVATE, 0600);
	struct message m = { 3, "three" };
	struct msqid_ds ds;

	CHECK(id >= 0);
	CHECK_OK(msgsnd(id, &m, 6, 0));
	m.type = 1;
	strcpy(m.text, "one");
	CHECK_OK(msgsnd(id, &m, 4, 0));
	m.type = 2;
	CHECK_OK(msgsnd(id, &m, 4, 0));
	CHECK_ERR(msgrcv(id, &m, 32, 9, IPC_NOWAIT), ENOMSG);
	CHECK_EQ(msgrcv(id, &m, 32, -2, 0), 4); /* the lowest up to two */
	CHECK_EQ(m.type, 1);
	CHECK_ERR(msgrcv(id, &m, 3, 0, 0), E2BIG);
	CHECK_EQ(msgrcv(id, &m, 3, 0, MSG_NOERROR), 3);
	CHECK_EQ(m.type, 3);
	CHECK_OK(msgctl(id, IPC_STAT, &ds));
	CHECK_EQ(ds.msg_qnum, 1);
	CHECK_EQ(ds.msg_lspid, getpid());
	m.type = 0;
	CHECK_ERR(msgsnd(id, &m, 1, 0), EINVAL);
	CHECK_OK(msgctl(id, IPC_RMID, NULL));
	CHECK_ERR(msgsnd(id, &m, 1, 0), EINVAL);
}

static int send_many(void *arg)
{
	static struct {
		long type;
		char text[4000];
	} m = { 1, "" };

	for (int i = 0; i < 10; i++)
		if (msgsnd(*(int *)arg, &m, sizeof(m.text), 0))
			return 1;
	return 0;
}

TEST(sysvipc, messages_wait_for_room)
{
	int id = msgget(IPC_PRIVATE, 0600);
	static struct {
		long type;
		char text[4000];
	} m;
	pid_t pid = ut_fork(send_many, &id);

	for (int i = 0; i < 10; i++)
		CHECK_EQ(msgrcv(id, &m, sizeof(m.text), 0, 0), 4000);
	CHECK_EQ(ut_wait(pid), 0);
	CHECK_OK(msgctl(id, IPC_RMID, NULL));
}

static int write_shared(void *arg)
{
	volatile int *p = shmat(*(int *)arg, NULL, 0);

	if (p == (void *)-1)
		return 1;
	p[1000] = 77;
	return 0;
}

TEST(sysvipc, shared_memory)
{
	int id = shmget(IPC_PRIVATE, 10000, 0600);
	struct shmid_ds ds;
	volatile int *p, *q;

	CHECK(id >= 0);
	p = shmat(id, NULL, 0);
	CHECK(p != (void *)-1);
	CHECK_EQ(p[1000], 0);
	CHECK_EQ(ut_wait(ut_fork(write_shared, &id)), 0);
	CHECK_EQ(p[1000], 77);
	q = shmat(id, NULL, SHM_RDONLY);
	CHECK(q != (void *)-1 && q != p);
	CHECK_EQ(q[1000], 77);
	CHECK_OK(shmctl(id, IPC_STAT, &ds));
	CHECK_EQ(ds.shm_nattch, 2);
	CHECK_EQ(ds.shm_segsz, 10000);
	CHECK_EQ(ds.shm_cpid, getpid());
	/* It lives until the last one lets go. */
	CHECK_OK(shmctl(id, IPC_RMID, NULL));
	CHECK_OK(shmctl(id, IPC_STAT, &ds));
	CHECK(ds.shm_perm.mode & SHM_DEST);
	p[0] = 1;
	CHECK_EQ(q[0], 1);
	CHECK_OK(shmdt((void *)p));
	CHECK_ERR(shmdt((void *)p), EINVAL);
	CHECK_EQ(q[1000], 77);
	CHECK_OK(shmdt((void *)q));
	CHECK_ERR(shmctl(id, IPC_STAT, &ds), EINVAL);
	CHECK_ERR(shmat(id, NULL, 0), EINVAL);
	CHECK_ERR(shmget(IPC_PRIVATE, 0, 0600), EINVAL);
}
