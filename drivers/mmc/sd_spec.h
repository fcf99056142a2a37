/* SPDX-License-Identifier: MIT */
/*
 * drivers/mmc/sd_spec.h - SD cards in SPI mode: commands, answers, tokens.
 *
 * SD Specifications, Part 1, Physical Layer Simplified Specification 9.10; chapter
 * 7 is SPI mode, 5.3 the CSD.
 */
#ifndef DRIVERS_MMC_SD_SPEC_H
#define DRIVERS_MMC_SD_SPEC_H

#include <lib/types.h>

#define SD_BLOCK 512u

/* A command: start bits and number, argument, CRC7 and stop bit [7.3.1.1] */
#define SD_COMMAND_LEN	 6u
#define SD_COMMAND_START 0x40u
#define SD_COMMAND_STOP	 0x01u

#define SD_GO_IDLE	    0
#define SD_SEND_IF_COND	    8
#define SD_SEND_CSD	    9
#define SD_SEND_CID	    10
#define SD_STOP		    12
#define SD_SEND_STATUS	    13
#define SD_SET_BLOCKLEN	    16
#define SD_READ		    17
#define SD_READ_MULTIPLE    18
#define SD_WRITE	    24
#define SD_WRITE_MULTIPLE   25
#define SD_APP_SEND_OP_COND 41 /* behind SD_APP */
#define SD_APP		    55
#define SD_READ_OCR	    58
#define SD_CRC_ON_OFF	    59

/* CMD8: 2.7 to 3.6 V and a pattern that comes back [4.3.13] */
#define SD_IF_COND	0x1aau
#define SD_IF_COND_MASK 0xfffu
/* ACMD41: we know cards beyond 2 GB [4.2.3.1] */
#define SD_OP_COND_HCS 0x40000000u
/* OCR: addresses are blocks, not bytes [5.1] */
#define SD_OCR_CCS 0x40000000u

/* R1, the first byte of each answer [7.3.2.1]; bit 7 is clear */
#define SD_R1_NONE	0x80u
#define SD_R1_IDLE	BIT(0)
#define SD_R1_ILLEGAL	BIT(2)
#define SD_R1_CRC	BIT(3)
#define SD_ANSWER_BYTES 9u /* within 8 bytes, and a stuff byte */

/* Tokens before data [7.3.3.2]; others below 0x20 are errors */
#define SD_TOKEN_DATA	    0xfeu /* all but multiple writes */
#define SD_TOKEN_WRITE_MORE 0xfcu
#define SD_TOKEN_WRITE_STOP 0xfdu

/* Answer to a block written [7.3.3.1] */
#define SD_WRITE_MASK	  0x1fu
#define SD_WRITE_ACCEPTED 0x05u
#define SD_WRITE_CRC	  0x0bu

#define SD_REGISTER_LEN 16u /* CSD and CID */

#endif /* DRIVERS_MMC_SD_SPEC_H */
