/* SPDX-License-Identifier: MIT */
/*
 * drivers/virtio/virtio_blk.h - what a virtio block device is told and says.
 *
 * Virtual I/O Device (VIRTIO) 1.2, section 5.2.
 */
#ifndef DRIVERS_VIRTIO_VIRTIO_BLK_H
#define DRIVERS_VIRTIO_VIRTIO_BLK_H

#include <lib/types.h>

/* Features [5.2.3] */
#define VIRTIO_BLK_F_SIZE_MAX	  BIT(1)
#define VIRTIO_BLK_F_SEG_MAX	  BIT(2)
#define VIRTIO_BLK_F_RO		  BIT(5)
#define VIRTIO_BLK_F_BLK_SIZE	  BIT(6)
#define VIRTIO_BLK_F_FLUSH	  BIT(9)
#define VIRTIO_BLK_F_TOPOLOGY	  BIT(10)
#define VIRTIO_BLK_F_MQ		  BIT(12)
#define VIRTIO_BLK_F_DISCARD	  BIT(13)
#define VIRTIO_BLK_F_WRITE_ZEROES BIT(14)

/* Configuration [5.2.4]; offset and width */
#define VBC_CAPACITY	    0  /* 64, in 512-byte sectors */
#define VBC_SIZE_MAX	    8  /* 32, bytes of a segment */
#define VBC_SEG_MAX	    12 /* 32, segments of a request */
#define VBC_BLK_SIZE	    20 /* 32 */
#define VBC_PHYSICAL_EXP    24 /* 8, log2 of blocks per physical block */
#define VBC_ALIGN_OFFSET    25 /* 8, blocks */
#define VBC_MIN_IO	    26 /* 16, blocks */
#define VBC_OPT_IO	    28 /* 32, blocks */
#define VBC_NUM_QUEUES	    34 /* 16 */
#define VBC_MAX_DISCARD	    36 /* 32, sectors */
#define VBC_MAX_DISCARD_SEG 40 /* 32 */
#define VBC_DISCARD_ALIGN   44 /* 32, sectors */
#define VBC_MAX_ZEROES	    48 /* 32, sectors */
#define VBC_MAX_ZEROES_SEG  52 /* 32 */

/* Request [5.2.6] */
struct vblk_header {
	u32 type;
	u32 reserved;
	u64 sector;
};
#define VIRTIO_BLK_T_IN		  0
#define VIRTIO_BLK_T_OUT	  1
#define VIRTIO_BLK_T_FLUSH	  4
#define VIRTIO_BLK_T_GET_ID	  8
#define VIRTIO_BLK_T_DISCARD	  11
#define VIRTIO_BLK_T_WRITE_ZEROES 13

/* What DISCARD and WRITE_ZEROES carry [5.2.6.1] */
struct vblk_range {
	u64 sector;
	u32 nr_sectors;
	u32 flags;
};

#define VIRTIO_BLK_ID_BYTES 20 /* not always terminated [5.2.6.1] */

#define VIRTIO_BLK_S_OK	    0
#define VIRTIO_BLK_S_IOERR  1
#define VIRTIO_BLK_S_UNSUPP 2

STATIC_ASSERT(sizeof(struct vblk_header) == 16, "VIRTIO 5.2.6");
STATIC_ASSERT(sizeof(struct vblk_range) == 16, "VIRTIO 5.2.6.1");

#endif /* DRIVERS_VIRTIO_VIRTIO_BLK_H */
