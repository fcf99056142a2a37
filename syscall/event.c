/* SPDX-License-Identifier: MIT */
/*
 * syscall/event.c - epoll, eventfd, timerfd, signalfd.
 */
#include <syscall/syscall.h>
#include <syscall/timeout.h>
#include <syscall/uiov.h>

#include <fs/event.h>
#include <kernel/mm/user.h>
#include <kernel/time/posix.h>

/* Give @f (or the error that it is) to the caller as a descriptor. */
static s64 install(struct file *f, u32 flags)
{
	return IS_ERR(f) ? PTR_ERR(f) : fd_open(f, flags);
}

/* --- epoll */

SYSCALL1(20, epoll_create1, u32, flags)
{
	if (flags & ~(u32)O_CLOEXEC)
		return -EINVAL;
	return install(epoll_create_file(), flags);
}

SYSCALL4(21, epoll_ctl, int, epfd, int, op, int, fd, uaddr_t, uev)
{
	struct epoll_event ev = { 0 };
	struct file *epf, *f;
	int err = -EBADF;

	if (op != EPOLL_CTL_DEL && copy_from_user(&ev, uev, sizeof(ev)))
		return -EFAULT;
	epf = fd_get(epfd);
	f = fd_get(fd);
	if (epf && f)
		err = epoll_ctl(epf, op, fd, f, &ev);
	if (epf)
		file_put(epf);
	if (f)
		file_put(f);
	return err;
}

#define EP_MAX_EVENTS (0x7fffffff / (int)sizeof(struct epoll_event))

static s64 do_epoll_wait(int epfd, uaddr_t uevents, int max, u64 deadline,
			 uaddr_t uset, size_t size)
{
	struct fdref r;
	s64 n;

	if (max <= 0 || max > EP_MAX_EVENTS)
		return -EINVAL;
	if (!user_range_ok(uevents, (u64)max * sizeof(struct epoll_event)))
		return -EFAULT;
	r = fd_ref(epfd);
	if (!r.f)
		return -EBADF;
	n = sigmask_enter(uset, size);
	if (!n) {
		n = epoll_wait(r.f, uevents, max, deadline);
		sigmask_leave(n);
	}
	fd_unref(r);
	return n;
}

SYSCALL6(22, epoll_pwait, int, epfd, uaddr_t, uevents, int, max, int,
	 timeout_ms, uaddr_t, uset, size_t, size)
{
	u64 deadline = WAIT_FOREVER;

	if (timeout_ms >= 0)
		deadline = timeout_ms ? deadline_after((u64)timeout_ms *
						       NSEC_PER_MSEC)
				      : 0;
	return do_epoll_wait(epfd, uevents, max, deadline, uset, size);
}

SYSCALL6(441, epoll_pwait2, int, epfd, uaddr_t, uevents, int, max, uaddr_t, uts,
	 uaddr_t, uset, size_t, size)
{
	u64 deadline;
	int err = timeout_read(uts, &deadline);

	return err ? err
		   : do_epoll_wait(epfd, uevents, max, deadline, uset, size);
}

/* --- eventfd */

#define EFD_SEMAPHORE 1u

SYSCALL2(19, eventfd2, u32, count, u32, flags)
{
	if (flags & ~(u32)(EFD_SEMAPHORE | O_CLOEXEC | O_NONBLOCK))
		return -EINVAL;
	return install(eventfd_create(count, flags & EFD_SEMAPHORE,
				      flags & O_NONBLOCK),
		       flags);
}

/* --- timerfd */

struct itimerspec {
	struct timespec64 interval, value;
};

SYSCALL2(85, timerfd_create, int, clock, u32, flags)
{
	int err = posix_clock_can_wait(clock);

	if (flags & ~(u32)(O_CLOEXEC | O_NONBLOCK))
		return -EINVAL;
	if (clock == CLOCK_TAI || err == -EOPNOTSUPP)
		return -EINVAL;
	if (err)
		return err;
	return install(timerfd_create(clock, flags & O_NONBLOCK), flags);
}

static int write_spec(uaddr_t to, const struct itimerval_ns *v)
{
	struct itimerspec it = {
		.interval = ns_to_timespec(v->interval),
		.value = ns_to_timespec(v->value),
	};

	return copy_to_user(to, &it, sizeof(it));
}

SYSCALL4(86, timerfd_settime, int, fd, u32, flags, uaddr_t, unew, uaddr_t, uold)
{
	struct itimerval_ns new, old;
	struct itimerspec it;
	struct fdref r;
	int err;

	if (copy_from_user(&it, unew, sizeof(it)))
		return -EFAULT;
	if ((flags & ~(u32)(TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET)) ||
	    timespec_to_ns(&it.interval, &new.interval) ||
	    timespec_to_ns(&it.value, &new.value))
		return -EINVAL;
	r = fd_ref(fd);
	if (!r.f)
		return -EBADF;
	err = timerfd_set(r.f, flags, &new, &old);
	fd_unref(r);
	if (!err && uold)
		err = write_spec(uold, &old);
	return err;
}

SYSCALL2(87, timerfd_gettime, int, fd, uaddr_t, uold)
{
	struct itimerval_ns old;
	struct fdref r = fd_ref(fd);
	int err;

	if (!r.f)
		return -EBADF;
	err = timerfd_get(r.f, &old);
	fd_unref(r);
	return err ? err : write_spec(uold, &old);
}

/* --- signalfd */

SYSCALL4(74, signalfd4, int, fd, uaddr_t, uset, size_t, size, u32, flags)
{
	struct fdref r;
	u64 mask;
	int err;

	if (size != sizeof(mask) || (flags & ~(u32)(O_CLOEXEC | O_NONBLOCK)))
		return -EINVAL;
	if (get_user_u64(&mask, uset))
		return -EFAULT;
	if (fd == -1)
		return install(signalfd_create(mask, flags & O_NONBLOCK),
			       flags);
	r = fd_ref(fd);
	if (!r.f)
		return -EBADF;
	err = signalfd_set_mask(r.f, mask);
	fd_unref(r);
	return err ? err : fd;
}
