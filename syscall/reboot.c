/* SPDX-License-Identifier: MIT */
/* syscall/reboot.c - reboot(2). */
#include <syscall/syscall.h>

#include <kernel/log.h>
#include <kernel/ns/pid.h>
#include <kernel/ns/user.h>
#include <kernel/reset.h>
#include <kernel/task/signal.h>
#include <kernel/upcalls.h>

#define MAGIC1	      0xfee1deadu
#define MAGIC2	      672274793u
#define MAGIC2A	      85072278u
#define MAGIC2B	      369367448u
#define MAGIC2C	      537993216u
#define CMD_RESTART   0x01234567u
#define CMD_HALT      0xcdef0123u
#define CMD_CAD_ON    0x89abcdefu
#define CMD_CAD_OFF   0x00000000u
#define CMD_POWER_OFF 0x4321fedcu
#define CMD_RESTART2  0xa1b2c3d4u

static void stop_machine(enum reset_kind kind, const char *what)
{
	pr_notice("reboot: %s", what);
	fs_shutdown();
	machine_prepare_reset();
	machine_reset(kind);
}

/* The machine of a PID namespace is its init. */
static int stop_namespace(u32 cmd)
{
	switch (cmd) {
	case CMD_RESTART:
	case CMD_RESTART2:
		pid_ns_reboot(SIGHUP);
	case CMD_HALT:
	case CMD_POWER_OFF:
		pid_ns_reboot(SIGINT);
	default:
		return -EINVAL;
	}
}

SYSCALL4(142, reboot, u32, magic1, u32, magic2, u32, cmd, uaddr_t, arg)
{
	(void)arg;
	if (!ns_capable(current_pid_ns()->ns.owner, CAP_SYS_BOOT))
		return -EPERM;
	if (magic1 != MAGIC1 || (magic2 != MAGIC2 && magic2 != MAGIC2A &&
				 magic2 != MAGIC2B && magic2 != MAGIC2C))
		return -EINVAL;
	if (current_pid_ns() != &init_pid_ns)
		return stop_namespace(cmd);
	switch (cmd) {
	case CMD_CAD_ON:
	case CMD_CAD_OFF:
		store_once(&ctrl_alt_del, (u64)(cmd == CMD_CAD_ON));
		return 0;
	case CMD_RESTART:
	case CMD_RESTART2:
		stop_machine(RESET_REBOOT, "restarting system");
		break;
	case CMD_HALT:
	case CMD_POWER_OFF:
		stop_machine(RESET_POWEROFF, "power down");
		break;
	default:
		return -EINVAL;
	}
	return 0;
}
