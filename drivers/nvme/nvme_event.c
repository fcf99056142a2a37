/* SPDX-License-Identifier: MIT */
/*
 * drivers/nvme/nvme_event.c - asynchronous events: what a controller says unasked.
 *
 * NVM Express 1.4, section 5.2.  Some requests stay outstanding; each answer is
 * reported once, its log page is read, which lets the controller report the next
 * event of that kind, and the request is made again.
 *
 * Context: the worker.
 */
#include <drivers/nvme/nvme.h>

#include <kernel/log.h>
#include <lib/atomic.h>
#include <lib/errno.h>

static int read_log(struct nvme_ctrl *c, u32 id, u32 bytes,
		    struct nvme_sync **out)
{
	const struct nvme_sqe cmd = {
		.opcode = NVME_ADM_GET_LOG,
		.nsid = ~0u,
		.cdw10 = id | (bytes / 4 - 1) << NVME_LOG_NUMD_SHIFT
	};

	return nvme_admin_read(c, &cmd, bytes, out);
}

static void report_health(struct nvme_ctrl *c)
{
	struct nvme_sync *s;
	u8 warning;

	if (read_log(c, NVME_LOG_SMART, NVME_SMART_SIZE, &s))
		return;
	warning = ((const u8 *)s->buf)[NVME_SMART_WARNING];
	nvme_sync_put(s);
	pr_warn_ratelimited("%s: health: %s%s%s%s%s(%#x)", c->name,
			    warning & 1 ? "spare space is low, " : "",
			    warning & 2 ? "temperature, " : "",
			    warning & 4 ? "reliability degraded, " : "",
			    warning & 8 ? "read-only, " : "",
			    warning & 16 ? "memory backup failed, " : "",
			    warning);
}

static void handle(struct nvme_ctrl *c, u32 event)
{
	u32 type = (u32)FIELD_GET(NVME_AER_TYPE, event);
	u32 info = (u32)FIELD_GET(NVME_AER_INFO, event);
	u32 log = (u32)FIELD_GET(NVME_AER_LOG, event);
	struct nvme_sync *s;

	if (type == NVME_AER_NOTICE && info == NVME_AER_NS_CHANGED)
		nvme_request(c, NVME_WORK_RESCAN);
	else if (log != NVME_LOG_SMART)
		pr_info_ratelimited("%s: event %u.%u, log %#x", c->name, type,
				    info, log);
	if (log == NVME_LOG_SMART)
		report_health(c);
	else if (log && !read_log(c, log, NVME_IDENTIFY_SIZE, &s))
		nvme_sync_put(s); /* that it was read is what counts */
}

void nvme_events_handle(struct nvme_ctrl *c)
{
	u32 nr = atomic_xchg(&c->events_ready, 0u);

	for (u32 i = 0; i < min(nr, NVME_MAX_EVENTS); i++) {
		atomic_add_relaxed(&c->nr_events_seen, 1ull);
		handle(c, load_once(&c->event[i]));
		(void)nvme_event_submit(c);
	}
}

void nvme_events_begin(struct nvme_ctrl *c)
{
	u32 nr = min(c->aerl + 1u, NVME_MAX_EVENTS);
	struct nvme_sync *s = nvme_sync_alloc(0);
	int err;

	if (!s)
		return;
	s->cmd.opcode = NVME_ADM_SET_FEATURES;
	s->cmd.cdw10 = NVME_FEAT_ASYNC_EVENTS;
	s->cmd.cdw11 = (u32)(NVME_AEC_SMART | (c->oaes & NVME_OAES_NS_CHANGED));
	err = nvme_sync_try(c->admin, s);
	if (err || nvme_sc(s->status))
		pr_info("%s: no choice of events", c->name);
	nvme_sync_put(s);
	for (u32 i = 0; i < nr && !nvme_event_submit(c); i++)
		;
}
