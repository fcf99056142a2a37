/* SPDX-License-Identifier: MIT */
/*
 * fs/proc/config.c - /proc/config.gz: what of Linux there is, in Linux's words.
 *
 * Programs (and test suites) look up CONFIG_ names to know what they may ask for.
 * The list has an option when what it stands for works here, and nothing else.
 *
 * The file is a gzip member [RFC 1952] with one stored block [RFC 1951, 3.2.4]:
 * a reader unpacks it, nobody had to pack it.
 */
#include <fs/pseudo.h>
#include <kernel/init.h>
#include <lib/crc.h>
#include <lib/errno.h>
#include <lib/string.h>

static const char config[] = "#\n# What Antler has of Linux.\n#\n"
			     "CONFIG_64BIT=y\n"
			     "CONFIG_RISCV=y\n"
			     "CONFIG_MMU=y\n"
			     "CONFIG_SMP=y\n"
			     "CONFIG_HZ=100\n"
			     "CONFIG_HIGH_RES_TIMERS=y\n"
			     "CONFIG_POSIX_TIMERS=y\n"
			     "CONFIG_PRINTK=y\n"
			     "CONFIG_MULTIUSER=y\n"
			     "CONFIG_FUTEX=y\n"
			     "CONFIG_FUTEX_PI=y\n"
			     "CONFIG_EPOLL=y\n"
			     "CONFIG_EVENTFD=y\n"
			     "CONFIG_SIGNALFD=y\n"
			     "CONFIG_TIMERFD=y\n"
			     "CONFIG_INOTIFY_USER=y\n"
			     "CONFIG_FANOTIFY=y\n"
			     "CONFIG_FANOTIFY_ACCESS_PERMISSIONS=y\n"
			     "CONFIG_NAMESPACES=y\n"
			     "CONFIG_UTS_NS=y\n"
			     "CONFIG_IPC_NS=y\n"
			     "CONFIG_USER_NS=y\n"
			     "CONFIG_PID_NS=y\n"
			     "CONFIG_NET_NS=y\n"
			     "CONFIG_TIME_NS=y\n"
			     "CONFIG_KEYS=y\n"
			     "CONFIG_PERSISTENT_KEYRINGS=y\n"
			     "CONFIG_BIG_KEYS=y\n"
			     "CONFIG_WATCH_QUEUE=y\n"
			     "CONFIG_KEY_NOTIFICATIONS=y\n"
			     "CONFIG_SECURITY=y\n"
			     "CONFIG_SECURITYFS=y\n"
			     "CONFIG_SECURITY_LANDLOCK=y\n"
			     "CONFIG_TASK_IO_ACCOUNTING=y\n"
			     "CONFIG_DNOTIFY=y\n"
			     "CONFIG_FHANDLE=y\n"
			     "CONFIG_AIO=y\n"
			     "CONFIG_USERFAULTFD=y\n"
			     "CONFIG_HAVE_ARCH_USERFAULTFD_WP=y\n"
			     "CONFIG_HAVE_ARCH_USERFAULTFD_MINOR=y\n"
			     "CONFIG_IO_URING=y\n"
			     "CONFIG_ADVISE_SYSCALLS=y\n"
			     "CONFIG_MEMBARRIER=y\n"
			     "CONFIG_RSEQ=y\n"
			     "CONFIG_SECCOMP=y\n"
			     "CONFIG_SECCOMP_FILTER=y\n"
			     "CONFIG_PERF_EVENTS=y\n"
			     "CONFIG_SYSVIPC=y\n"
			     "CONFIG_SYSVIPC_SYSCTL=y\n"
			     "CONFIG_CHECKPOINT_RESTORE=y\n"
			     "CONFIG_CGROUPS=y\n"
			     "CONFIG_CGROUP_SCHED=y\n"
			     "CONFIG_FAIR_GROUP_SCHED=y\n"
			     "CONFIG_CFS_BANDWIDTH=y\n"
			     "CONFIG_CGROUP_PIDS=y\n"
			     "CONFIG_CPUSETS=y\n"
			     "CONFIG_MEMCG=y\n"
			     "CONFIG_POSIX_MQUEUE=y\n"
			     "CONFIG_POSIX_MQUEUE_SYSCTL=y\n"
			     "CONFIG_CROSS_MEMORY_ATTACH=y\n"
			     "CONFIG_KCMP=y\n"
			     "CONFIG_BSD_PROCESS_ACCT=y\n"
			     "CONFIG_BSD_PROCESS_ACCT_V3=y\n"
			     "CONFIG_ELF_CORE=y\n"
			     "CONFIG_COREDUMP=y\n"
			     "CONFIG_BINFMT_ELF=y\n"
			     "CONFIG_BINFMT_SCRIPT=y\n"
			     "CONFIG_FILE_LOCKING=y\n"
			     "CONFIG_SHMEM=y\n"
			     "CONFIG_TMPFS=y\n"
			     "CONFIG_TMPFS_XATTR=y\n"
			     "CONFIG_MEMFD_CREATE=y\n"
			     "CONFIG_BLOCK=y\n"
			     "CONFIG_BLK_DEV_INITRD=y\n"
			     "CONFIG_BLK_DEV_LOOP=y\n"
			     "CONFIG_PARTITION_ADVANCED=y\n"
			     "CONFIG_MSDOS_PARTITION=y\n"
			     "CONFIG_EFI_PARTITION=y\n"
			     "CONFIG_EXT4_FS=y\n"
			     "CONFIG_EXT4_USE_FOR_EXT2=y\n"
			     "CONFIG_EXT4_FS_POSIX_ACL=y\n"
			     "CONFIG_EXT4_FS_SECURITY=y\n"
			     "CONFIG_FUSE_FS=y\n"
			     "CONFIG_OVERLAY_FS=y\n"
			     "CONFIG_FS_POSIX_ACL=y\n"
			     "CONFIG_PROC_FS=y\n"
			     "CONFIG_PROC_SYSCTL=y\n"
			     "CONFIG_PROC_PAGE_MONITOR=y\n"
			     "CONFIG_PROC_CHILDREN=y\n"
			     "CONFIG_SYSFS=y\n"
			     "CONFIG_DEVTMPFS=y\n"
			     "CONFIG_UNIX98_PTYS=y\n"
			     "CONFIG_TTY=y\n"
			     "CONFIG_NET=y\n"
			     "CONFIG_UNIX=y\n"
			     "CONFIG_INET=y\n"
			     "CONFIG_PACKET=y\n"
			     "CONFIG_INET_DIAG=y\n"
			     "CONFIG_UNIX_DIAG=y\n"
			     "CONFIG_IPV6=y\n"
			     "CONFIG_NETDEVICES=y\n"
			     "CONFIG_DUMMY=y\n"
			     "CONFIG_VETH=y\n"
			     "CONFIG_TUN=y\n"
			     "CONFIG_BRIDGE=y\n"
			     "CONFIG_PCI=y\n"
			     "CONFIG_PCI_MSI=y\n"
			     "CONFIG_VIRTIO=y\n"
			     "CONFIG_VIRTIO_PCI=y\n"
			     "CONFIG_VIRTIO_BLK=y\n"
			     "CONFIG_VIRTIO_NET=y\n"
			     "CONFIG_BLK_DEV_NVME=y\n"
			     "CONFIG_IKCONFIG=y\n"
			     "CONFIG_IKCONFIG_PROC=y\n";

#define BODY ((u32)sizeof(config) - 1)
STATIC_ASSERT(sizeof(config) < 0xffff, "one stored block");

static void put_le(struct text *t, u32 v, u32 bytes)
{
	u8 b[4] = { 0 };

	for (u32 i = 0; i < bytes; i++)
		b[i] = (u8)(v >> 8 * i);
	text_write(t, b, bytes);
}

static int show_config(struct text *t, void *arg __unused)
{
	static const u8 head[] = { 0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3 };

	text_write(t, head, sizeof(head));
	put_le(t, 1, 1); /* the last block, and stored */
	put_le(t, BODY, 2);
	put_le(t, ~BODY, 2);
	text_write(t, config, BODY);
	put_le(t, crc32(0, config, BODY), 4);
	put_le(t, BODY, 4);
	return 0;
}

static int proc_config_init(void)
{
	return pseudo_file(proc_root, "config.gz", 0444, show_config, NULL,
			   NULL)
		       ? 0
		       : -ENOMEM;
}
INITCALL(INIT_LATE, proc_config_init);
