/* SPDX-License-Identifier: MIT */
/*
 * drivers/virtio/virtio_pci_regs.h - virtio over PCI, modern interface.
 *
 * Virtual I/O Device (VIRTIO) 1.2, section 4.1.
 */
#ifndef DRIVERS_VIRTIO_VIRTIO_PCI_REGS_H
#define DRIVERS_VIRTIO_VIRTIO_PCI_REGS_H

#include <lib/types.h>

/* Identification [4.1.2] */
#define VIRTIO_PCI_VENDOR	0x1af4
#define VIRTIO_PCI_TRANS_FIRST	0x1000 /* transitional: type in subsystem id */
#define VIRTIO_PCI_MODERN_FIRST 0x1040 /* modern: this plus the type */
#define VIRTIO_PCI_MODERN_LAST	0x107f

/* Vendor capability: where a structure is [4.1.4] */
#define VIRTIO_CAP_LEN	      2	 /* 8, of the capability */
#define VIRTIO_CAP_TYPE	      3	 /* 8 */
#define VIRTIO_CAP_BAR	      4	 /* 8 */
#define VIRTIO_CAP_OFFSET     8	 /* 32 */
#define VIRTIO_CAP_LENGTH     12 /* 32 */
#define VIRTIO_CAP_MULTIPLIER 16 /* 32, notification only */
#define VIRTIO_CAP_MIN_LEN    16
#define VIRTIO_TYPE_COMMON    1
#define VIRTIO_TYPE_NOTIFY    2
#define VIRTIO_TYPE_ISR	      3
#define VIRTIO_TYPE_DEVICE    4

/* Common configuration [4.1.4.3] */
#define VC_DEVICE_FEATURE_SELECT 0x00 /* 32 */
#define VC_DEVICE_FEATURE	 0x04 /* 32 */
#define VC_DRIVER_FEATURE_SELECT 0x08 /* 32 */
#define VC_DRIVER_FEATURE	 0x0c /* 32 */
#define VC_CONFIG_MSIX_VECTOR	 0x10 /* 16 */
#define VC_NUM_QUEUES		 0x12 /* 16 */
#define VC_STATUS		 0x14 /* 8 */
#define VC_CONFIG_GENERATION	 0x15 /* 8 */
#define VC_QUEUE_SELECT		 0x16 /* 16 */
#define VC_QUEUE_SIZE		 0x18 /* 16 */
#define VC_QUEUE_MSIX_VECTOR	 0x1a /* 16 */
#define VC_QUEUE_ENABLE		 0x1c /* 16 */
#define VC_QUEUE_NOTIFY_OFF	 0x1e /* 16 */
#define VC_QUEUE_DESC		 0x20 /* 64, as two halves */
#define VC_QUEUE_DRIVER		 0x28
#define VC_QUEUE_DEVICE		 0x30
#define VC_SIZE			 0x38
#define VIRTIO_NO_VECTOR	 0xffff

/* Device status [2.1] */
#define VIRTIO_STATUS_ACKNOWLEDGE BIT(0)
#define VIRTIO_STATUS_DRIVER	  BIT(1)
#define VIRTIO_STATUS_DRIVER_OK	  BIT(2)
#define VIRTIO_STATUS_FEATURES_OK BIT(3)
#define VIRTIO_STATUS_NEEDS_RESET BIT(6)
#define VIRTIO_STATUS_FAILED	  BIT(7)

/* ISR status: read to clear [4.1.4.5] */
#define VIRTIO_ISR_QUEUE  BIT(0)
#define VIRTIO_ISR_CONFIG BIT(1)

#endif /* DRIVERS_VIRTIO_VIRTIO_PCI_REGS_H */
