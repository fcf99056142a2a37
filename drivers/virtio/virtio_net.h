/* SPDX-License-Identifier: MIT */
/*
 * drivers/virtio/virtio_net.h - what a virtio network device is told and says.
 *
 * Virtual I/O Device (VIRTIO) 1.2, section 5.1.
 */
#ifndef DRIVERS_VIRTIO_VIRTIO_NET_H
#define DRIVERS_VIRTIO_VIRTIO_NET_H

#include <lib/types.h>

/* Features [5.1.3] */
#define VIRTIO_NET_F_CSUM	   BIT(0)
#define VIRTIO_NET_F_GUEST_CSUM	   BIT(1)
#define VIRTIO_NET_F_MTU	   BIT(3)
#define VIRTIO_NET_F_MAC	   BIT(5)
#define VIRTIO_NET_F_GUEST_TSO4	   BIT(7)
#define VIRTIO_NET_F_GUEST_TSO6	   BIT(8)
#define VIRTIO_NET_F_GUEST_ECN	   BIT(9)
#define VIRTIO_NET_F_HOST_TSO4	   BIT(11)
#define VIRTIO_NET_F_HOST_TSO6	   BIT(12)
#define VIRTIO_NET_F_HOST_ECN	   BIT(13)
#define VIRTIO_NET_F_MRG_RXBUF	   BIT(15)
#define VIRTIO_NET_F_STATUS	   BIT(16)
#define VIRTIO_NET_F_CTRL_VQ	   BIT(17)
#define VIRTIO_NET_F_CTRL_RX	   BIT(18)
#define VIRTIO_NET_F_CTRL_MAC_ADDR BIT(23)
#define VIRTIO_NET_F_SPEED_DUPLEX  BIT(63)

/* Queues [5.1.2], without VIRTIO_NET_F_MQ */
#define VNET_VQ_RX   0u
#define VNET_VQ_TX   1u
#define VNET_VQ_CTRL 2u

/* Configuration [5.1.4]; offset and width */
#define VNC_MAC	   0  /* 6 bytes */
#define VNC_STATUS 6  /* 16 */
#define VNC_MTU	   10 /* 16 */
#define VNC_SPEED  12 /* 32, Mbit/s; above 0x7fffffff: not known */
#define VNC_DUPLEX 16 /* 8 */

#define VNC_STATUS_LINK_UP BIT(0)
#define VNC_DUPLEX_FULL	   1u

/* In front of every frame [5.1.6], little-endian */
struct vnet_header {
	u8 flags;
	u8 gso_type;
	u16 hdr_len;	 /* sent: bytes of all headers of the frame */
	u16 gso_size;	 /* bytes behind the headers of each segment */
	u16 csum_start;	 /* from the beginning of the frame */
	u16 csum_offset; /* from csum_start */
	u16 num_buffers; /* received, VIRTIO_NET_F_MRG_RXBUF */
};
#define VNET_HDR_F_NEEDS_CSUM BIT(0)
#define VNET_HDR_F_DATA_VALID BIT(1)
#define VNET_GSO_NONE	      0
#define VNET_GSO_TCPV4	      1
#define VNET_GSO_TCPV6	      4
#define VNET_GSO_ECN	      0x80
#define VNET_GSO_KIND	      0x7f

/* Commands [5.1.6.5] */
struct vnet_command {
	u8 class;
	u8 command;
};
#define VNET_CTRL_RX	      0
#define VNET_CTRL_RX_PROMISC  0
#define VNET_CTRL_RX_ALLMULTI 1
#define VNET_CTRL_MAC	      1
#define VNET_CTRL_MAC_ADDR    1
#define VNET_CTRL_OK	      0

STATIC_ASSERT(sizeof(struct vnet_header) == 12, "VIRTIO 5.1.6");
STATIC_ASSERT(sizeof(struct vnet_command) == 2, "VIRTIO 5.1.6.5");

#endif /* DRIVERS_VIRTIO_VIRTIO_NET_H */
