/* SPDX-License-Identifier: MIT */
/*
 * kernel/dev/tty/termios.h - terminal modes as Linux spells them on riscv64
 * (asm-generic/termbits.h): flags, control characters, structures.
 *
 * Owns nothing; numbers and layouts only, so that the line discipline and its
 * host test share them.
 */
#ifndef KERNEL_DEV_TTY_TERMIOS_H
#define KERNEL_DEV_TTY_TERMIOS_H

#include <lib/types.h>

/* c_cc */
#define VINTR	 0
#define VQUIT	 1
#define VERASE	 2
#define VKILL	 3
#define VEOF	 4
#define VTIME	 5
#define VMIN	 6
#define VSWTC	 7
#define VSTART	 8
#define VSTOP	 9
#define VSUSP	 10
#define VEOL	 11
#define VREPRINT 12
#define VDISCARD 13
#define VWERASE	 14
#define VLNEXT	 15
#define VEOL2	 16
#define NCCS	 19

/* c_iflag */
#define IGNBRK	0000001u
#define BRKINT	0000002u
#define IGNPAR	0000004u
#define PARMRK	0000010u
#define INPCK	0000020u
#define ISTRIP	0000040u
#define INLCR	0000100u
#define IGNCR	0000200u
#define ICRNL	0000400u
#define IUCLC	0001000u
#define IXON	0002000u
#define IXANY	0004000u
#define IXOFF	0010000u
#define IMAXBEL 0020000u
#define IUTF8	0040000u

/* c_oflag */
#define OPOST  0000001u
#define OLCUC  0000002u
#define ONLCR  0000004u
#define OCRNL  0000010u
#define ONOCR  0000020u
#define ONLRET 0000040u
#define TABDLY 0014000u
#define XTABS  0014000u

/* c_cflag */
#define CBAUD	0010017u
#define B0	0000000u
#define B9600	0000015u
#define B38400	0000017u
#define B115200 0010002u
#define BOTHER	0010000u
#define CSIZE	0000060u
#define CS5	0000000u
#define CS6	0000020u
#define CS7	0000040u
#define CS8	0000060u
#define CSTOPB	0000100u
#define CREAD	0000200u
#define PARENB	0000400u
#define PARODD	0001000u
#define HUPCL	0002000u
#define CLOCAL	0004000u
#define CRTSCTS 020000000000u

/* c_lflag */
#define ISIG	0000001u
#define ICANON	0000002u
#define ECHO	0000010u
#define ECHOE	0000020u
#define ECHOK	0000040u
#define ECHONL	0000100u
#define NOFLSH	0000200u
#define TOSTOP	0000400u
#define ECHOCTL 0001000u
#define ECHOPRT 0002000u
#define ECHOKE	0004000u
#define IEXTEN	0100000u
#define EXTPROC 0200000u

/* TCGETS2 and friends; also the form that the kernel keeps. */
struct termios2 {
	u32 c_iflag;
	u32 c_oflag;
	u32 c_cflag;
	u32 c_lflag;
	u8 c_line;
	u8 c_cc[NCCS];
	u32 c_ispeed;
	u32 c_ospeed;
};
STATIC_ASSERT(sizeof(struct termios2) == 44, "Linux ABI");

/* TCGETS: termios2 without the speeds. */
#define TERMIOS_SIZE offsetof(struct termios2, c_ispeed)
STATIC_ASSERT(TERMIOS_SIZE == 36, "Linux ABI");

/* TCGETA: the structure of System V. */
#define TERMIO_NCC 8
struct termio {
	u16 c_iflag;
	u16 c_oflag;
	u16 c_cflag;
	u16 c_lflag;
	u8 c_line;
	u8 c_cc[TERMIO_NCC];
	u8 pad;
};
STATIC_ASSERT(sizeof(struct termio) == 18, "Linux ABI");

struct winsize {
	u16 ws_row;
	u16 ws_col;
	u16 ws_xpixel;
	u16 ws_ypixel;
};

/* What a terminal starts with: cooked, echoing, 38400 baud. */
#define TERMIOS_DEFAULT                                                     \
	{                                                                   \
		.c_iflag = ICRNL | IXON, .c_oflag = OPOST | ONLCR,          \
		.c_cflag = B38400 | CS8 | CREAD | HUPCL,                    \
		.c_lflag = ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | \
			   ECHOKE | IEXTEN,                                 \
		.c_cc = { [VINTR] = 3,	   [VQUIT] = 28,    [VERASE] = 127, \
			  [VKILL] = 21,	   [VEOF] = 4,	    [VMIN] = 1,     \
			  [VSTART] = 17,   [VSTOP] = 19,    [VSUSP] = 26,   \
			  [VREPRINT] = 18, [VDISCARD] = 15, [VWERASE] = 23, \
			  [VLNEXT] = 22 },                                  \
		.c_ispeed = 38400, .c_ospeed = 38400,                       \
	}

#endif /* KERNEL_DEV_TTY_TERMIOS_H */
