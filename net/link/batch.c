/* SPDX-License-Identifier: MIT */
/*
 * net/link/batch.c - frames that are sent one after another: the device is told of the
 * first, and of the others once.  To tell a device is a write to its registers, which costs
 * as much as a frame's way through all of net/ if the device is a program's.
 *
 * The batch belongs to the coroutine, so that whatever lies between who sends and the
 * hardware (fragments, neighbours, bridges) need not know of it.  It holds one device back;
 * another one is told at once.
 */
#include <kernel/dev/netdev.h>

#include <kernel/sched/thread.h>

#define BATCH_MAX 16u /* of so many frames it is told of the first at once */

void netdev_batch_begin(struct netdev_batch *s)
{
	struct thread *t = current;

	*s = (struct netdev_batch){ .inner = !t || t->tx_batch };
	if (!s->inner)
		t->tx_batch = s;
}

void netdev_batch_kick(struct netdev_batch *s)
{
	struct net_device *dev = s->dev;

	if (!dev)
		return;
	s->dev = NULL;
	s->nr = 0;
	dev->ops->kick(dev);
	netdev_put(dev);
}

void netdev_batch_end(struct netdev_batch *s)
{
	if (s->inner)
		return;
	current->tx_batch = NULL;
	netdev_batch_kick(s);
}

bool netdev_kick_later(struct net_device *dev)
{
	struct netdev_batch *s = current ? current->tx_batch : NULL;

	if (!s || (s->dev && s->dev != dev))
		return false;
	if (s->nr++ % BATCH_MAX == 0)
		return false; /* it begins while the next ones are made */
	if (!s->dev)
		s->dev = netdev_get(dev);
	return true;
}
