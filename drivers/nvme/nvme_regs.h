/* SPDX-License-Identifier: MIT */
/*
 * drivers/nvme/nvme_regs.h - registers, queue entries and data structures.
 *
 * NVM Express Base Specification 1.4; section numbers in brackets.  Fields that
 * are read from a page of identify data are offsets, because nothing guarantees
 * that the device filled them in.
 * Layout only: no code, no driver state.
 */
#ifndef DRIVERS_NVME_REGS_H
#define DRIVERS_NVME_REGS_H

#include <lib/types.h>

#define NVME_PCI_CLASS 0x010802u

/* Controller capabilities [3.1.1] */
#define NVME_CAP	0x00		/* RO 64, as two halves */
#define NVME_CAP_MQES	GENMASK(15, 0)	/* entries of a queue, less one */
#define NVME_CAP_TO	GENMASK(31, 24) /* ready time-out, 500 ms units */
#define NVME_CAP_DSTRD	GENMASK(35, 32) /* doorbell stride, 4 << n */
#define NVME_CAP_NSSRS	BIT(36)		/* subsystem reset */
#define NVME_CAP_CSS	BIT(37)		/* NVM command set */
#define NVME_CAP_MPSMIN GENMASK(51, 48) /* page size, 4 KiB << n */
/* Version [3.1.2] */
#define NVME_VS	      0x08 /* RO 32 */
#define NVME_VS_MAJOR GENMASK(31, 16)
#define NVME_VS_MINOR GENMASK(15, 8)
#define NVME_VS_1_1   0x00010100u
#define NVME_VS_1_3   0x00010300u
/* Interrupt mask set and clear, pin and MSI only [3.1.3, 3.1.4] */
#define NVME_INTMS 0x0c /* W1S 32 */
#define NVME_INTMC 0x10 /* W1C 32 */
/* Controller configuration [3.1.5] */
#define NVME_CC		   0x14 /* RW 32 */
#define NVME_CC_EN	   BIT(0)
#define NVME_CC_SHN	   GENMASK(15, 14) /* shutdown notification */
#define NVME_CC_SHN_NORMAL 1u
#define NVME_CC_IOSQES	   GENMASK(19, 16) /* log2 of an SQ entry */
#define NVME_CC_IOCQES	   GENMASK(23, 20) /* log2 of a CQ entry */
/* Controller status [3.1.6] */
#define NVME_CSTS	    0x1c /* RO 32 */
#define NVME_CSTS_RDY	    BIT(0)
#define NVME_CSTS_CFS	    BIT(1)	  /* fatal status */
#define NVME_CSTS_SHST	    GENMASK(3, 2) /* shutdown progress */
#define NVME_CSTS_SHST_DONE 2u
#define NVME_CSTS_GONE	    (~0u) /* what no device answers reads as */
/* Subsystem reset [3.1.7] */
#define NVME_NSSR	0x20	    /* WO 32 */
#define NVME_NSSR_MAGIC 0x4e564d65u /* "NVMe" */
/* Admin queue: sizes less one, addresses [3.1.8 - 3.1.10] */
#define NVME_AQA      0x24 /* RW 32 */
#define NVME_AQA_ASQS GENMASK(11, 0)
#define NVME_AQA_ACQS GENMASK(27, 16)
#define NVME_ASQ      0x28 /* RW 64, as two halves */
#define NVME_ACQ      0x30 /* RW 64, as two halves */
/* Doorbells: submission tail of queue q at 2q, completion head at 2q+1 [3.1.24] */
#define NVME_DB_BASE 0x1000u

/* Submission queue entry [4.2] */
struct nvme_sqe {
	u8 opcode;
	u8 flags; /* fused, PSDT: we use neither */
	u16 cid;
	u32 nsid;
	u32 cdw2, cdw3;
	u64 mptr;
	u64 prp[2];
	u32 cdw10, cdw11, cdw12, cdw13, cdw14, cdw15;
};
STATIC_ASSERT(sizeof(struct nvme_sqe) == 64, "[4.2]");
STATIC_ASSERT(offsetof(struct nvme_sqe, prp) == 24, "[4.2]");
STATIC_ASSERT(offsetof(struct nvme_sqe, cdw10) == 40, "[4.2]");
#define NVME_SQES_LOG2 6u

/* Completion queue entry [4.6] */
struct nvme_cqe {
	u64 result;
	u16 sq_head;
	u16 sq_id;
	u32 cid_status; /* cid, phase, status: in one word, so in one access */
};
STATIC_ASSERT(sizeof(struct nvme_cqe) == 16, "[4.6]");
#define NVME_CQES_LOG2	4u
#define NVME_CQE_CID	GENMASK(15, 0)
#define NVME_CQE_PHASE	BIT(16)
#define NVME_CQE_STATUS GENMASK(31, 17)

/* Status: code, type, more, do not retry [4.6.1] */
#define NVME_SC(sct, sc)	((u16)((sct) << 8 | (sc)))
#define NVME_SC_MASK		0x7ffu
#define NVME_SC_DNR		BIT(14)
#define NVME_SC_OK		NVME_SC(0, 0x00)
#define NVME_SC_INVALID_OPCODE	NVME_SC(0, 0x01)
#define NVME_SC_INVALID_FIELD	NVME_SC(0, 0x02)
#define NVME_SC_DATA_XFER	NVME_SC(0, 0x04)
#define NVME_SC_POWER_LOSS	NVME_SC(0, 0x05)
#define NVME_SC_INTERNAL	NVME_SC(0, 0x06)
#define NVME_SC_ABORTED		NVME_SC(0, 0x07)
#define NVME_SC_SQ_DELETED	NVME_SC(0, 0x08)
#define NVME_SC_INVALID_NS	NVME_SC(0, 0x0b)
#define NVME_SC_WRITE_PROTECTED NVME_SC(0, 0x20)
#define NVME_SC_INTERRUPTED	NVME_SC(0, 0x21)
#define NVME_SC_TRANSIENT	NVME_SC(0, 0x22)
#define NVME_SC_LBA_RANGE	NVME_SC(0, 0x80)
#define NVME_SC_CAPACITY	NVME_SC(0, 0x81)
#define NVME_SC_NS_NOT_READY	NVME_SC(0, 0x82)
#define NVME_SC_READ_ONLY_RANGE NVME_SC(1, 0x82)
#define NVME_SC_HOST_ABORTED	NVME_SC(3, 0x71)

/* Admin commands [5] */
enum {
	NVME_ADM_DELETE_SQ = 0x00,
	NVME_ADM_CREATE_SQ = 0x01,
	NVME_ADM_GET_LOG = 0x02,
	NVME_ADM_DELETE_CQ = 0x04,
	NVME_ADM_CREATE_CQ = 0x05,
	NVME_ADM_IDENTIFY = 0x06,
	NVME_ADM_ABORT = 0x08,
	NVME_ADM_SET_FEATURES = 0x09,
	NVME_ADM_GET_FEATURES = 0x0a,
	NVME_ADM_ASYNC_EVENT = 0x0c,
};
/* Create I/O queue, dword 11 [5.3, 5.4] */
#define NVME_QUEUE_CONTIGUOUS BIT(0)
#define NVME_CQ_INTERRUPTS    BIT(1)
#define NVME_CQ_VECTOR_SHIFT  16
#define NVME_SQ_CQID_SHIFT    16
/* Identify, CNS [5.15] */
#define NVME_CNS_NS	   0x00u
#define NVME_CNS_CTRL	   0x01u
#define NVME_CNS_ACTIVE_NS 0x02u
#define NVME_CNS_NS_DESC   0x03u
#define NVME_CNS_CS_CTRL   0x06u /* of a command set: 2.0 */
#define NVME_IDENTIFY_SIZE 4096u
#define NVME_NR_NS_LIST	   1024u
/* Features [5.21] */
#define NVME_FEAT_NR_QUEUES    0x07u
#define NVME_FEAT_ASYNC_EVENTS 0x0bu
/* Logs [5.14] */
#define NVME_LOG_ERROR	    0x01u
#define NVME_LOG_SMART	    0x02u
#define NVME_LOG_CHANGED_NS 0x04u
#define NVME_LOG_NUMD_SHIFT 16

/* I/O commands [6] */
enum {
	NVME_CMD_FLUSH = 0x00,
	NVME_CMD_WRITE = 0x01,
	NVME_CMD_READ = 0x02,
	NVME_CMD_WRITE_ZEROES = 0x08,
	NVME_CMD_DSM = 0x09,
};
/* Of every opcode: which way data go [4.2] */
#define NVME_OPCODE_TO_DEVICE	BIT(0)
#define NVME_OPCODE_FROM_DEVICE BIT(1)
#define NVME_RW_FUA		BIT(30) /* dword 12 */
#define NVME_RW_MAX_BLOCKS	65536u	/* NLB is 16 bits, less one */
#define NVME_DSM_DEALLOCATE	BIT(2)	/* dword 11 */
struct nvme_dsm_range {
	u32 attributes;
	u32 nr_blocks;
	u64 first;
};
STATIC_ASSERT(sizeof(struct nvme_dsm_range) == 16, "[6.7]");

/* Identify controller: offsets [5.15.2.2] */
#define NVME_IDC_SN	   4u  /* 20 bytes */
#define NVME_IDC_MN	   24u /* 40 bytes */
#define NVME_IDC_FR	   64u /* 8 bytes */
#define NVME_IDC_MDTS	   77u /* pages of MPSMIN, log2; 0: no limit */
#define NVME_IDC_CNTLID	   78u
#define NVME_IDC_RTD3E	   88u /* microseconds */
#define NVME_IDC_OAES	   92u
#define NVME_IDC_CNTRLTYPE 111u
#define NVME_IDC_ACL	   258u
#define NVME_IDC_AERL	   259u
#define NVME_IDC_NN	   516u
#define NVME_IDC_ONCS	   520u
#define NVME_ONCS_DSM	   BIT(2)
#define NVME_ONCS_ZEROES   BIT(3)
#define NVME_IDC_VWC	   525u
#define NVME_VWC_PRESENT   BIT(0)
#define NVME_IDC_SUBNQN	   768u /* 256 bytes, NUL-terminated */
/* Identify controller of the NVM command set [NVM Command Set 1.0, 4.1.5.3] */
#define NVME_IDCS_WZSL	0u /* as MDTS, of write zeroes */
#define NVME_IDCS_DMRSL 4u /* blocks of one range */

/* Identify namespace: offsets [5.15.2.1] */
#define NVME_IDN_NSZE	0u
#define NVME_IDN_FLBAS	26u
#define NVME_FLBAS_LOW	GENMASK(3, 0)
#define NVME_FLBAS_HIGH GENMASK(6, 5) /* bits 5:4 of the index */
#define NVME_IDN_NSATTR 99u
#define NVME_NSATTR_WP	BIT(0)
#define NVME_IDN_NGUID	104u /* 16 bytes */
#define NVME_IDN_EUI64	120u /* 8 bytes */
#define NVME_IDN_LBAF	128u
#define NVME_LBAF_MS	GENMASK(15, 0)
#define NVME_LBAF_LBADS GENMASK(23, 16)
/* Namespace descriptors [5.15.2.3] */
#define NVME_NIDT_UUID	 3u
#define NVME_NIDT_HEADER 4u

/* SMART log: offsets [5.14.1.2] */
#define NVME_SMART_WARNING 0u
#define NVME_SMART_SIZE	   512u
/* Asynchronous event, dword 0 [5.2] */
#define NVME_AER_TYPE	     GENMASK(2, 0)
#define NVME_AER_INFO	     GENMASK(15, 8)
#define NVME_AER_LOG	     GENMASK(23, 16)
#define NVME_AER_NOTICE	     2u
#define NVME_AER_NS_CHANGED  0u
#define NVME_AEC_SMART	     GENMASK(4, 0) /* all critical warnings */
#define NVME_OAES_NS_CHANGED BIT(8)

#endif /* DRIVERS_NVME_REGS_H */
