/* SPDX-License-Identifier: MIT */
/*
 * kernel/dev/tty/ioctls.h - numbers of the terminal ioctls
 * (asm-generic/ioctls.h).
 */
#ifndef KERNEL_DEV_TTY_IOCTLS_H
#define KERNEL_DEV_TTY_IOCTLS_H

#define TCGETS	       0x5401u
#define TCSETS	       0x5402u
#define TCSETSW	       0x5403u
#define TCSETSF	       0x5404u
#define TCGETA	       0x5405u
#define TCSETA	       0x5406u
#define TCSETAW	       0x5407u
#define TCSETAF	       0x5408u
#define TCSBRK	       0x5409u
#define TCXONC	       0x540au
#define TCFLSH	       0x540bu
#define TIOCEXCL       0x540cu
#define TIOCNXCL       0x540du
#define TIOCSCTTY      0x540eu
#define TIOCGPGRP      0x540fu
#define TIOCSPGRP      0x5410u
#define TIOCOUTQ       0x5411u
#define TIOCSTI	       0x5412u
#define TIOCGWINSZ     0x5413u
#define TIOCSWINSZ     0x5414u
#define TIOCMGET       0x5415u
#define TIOCMBIS       0x5416u
#define TIOCMBIC       0x5417u
#define TIOCMSET       0x5418u
#define TIOCGSOFTCAR   0x5419u
#define TIOCSSOFTCAR   0x541au
#define FIONREAD       0x541bu
#define TIOCCONS       0x541du
#define TIOCPKT	       0x5420u
#define TIOCNOTTY      0x5422u
#define TIOCSETD       0x5423u
#define TIOCGETD       0x5424u
#define TCSBRKP	       0x5425u
#define TIOCSBRK       0x5427u
#define TIOCCBRK       0x5428u
#define TIOCGSID       0x5429u
#define TCGETS2	       0x802c542au
#define TCSETS2	       0x402c542bu
#define TCSETSW2       0x402c542cu
#define TCSETSF2       0x402c542du
#define TIOCGPTN       0x80045430u
#define TIOCSPTLCK     0x40045431u
#define TIOCGDEV       0x80045432u
#define TIOCSIG	       0x40045436u
#define TIOCVHANGUP    0x5437u
#define TIOCGLCKTRMIOS 0x5456u
#define TIOCSLCKTRMIOS 0x5457u
#define TIOCGPKT       0x80045438u
#define TIOCGPTLCK     0x80045439u
#define TIOCGEXCL      0x80045440u
#define TIOCGPTPEER    0x5441u

/* TCXONC */
#define TCOOFF 0
#define TCOON  1
#define TCIOFF 2
#define TCION  3
/* TCFLSH */
#define TCIFLUSH  0
#define TCOFLUSH  1
#define TCIOFLUSH 2

/* First byte of what a master in packet mode reads. */
#define TIOCPKT_DATA	   0x00u
#define TIOCPKT_FLUSHREAD  0x01u
#define TIOCPKT_FLUSHWRITE 0x02u
#define TIOCPKT_STOP	   0x04u
#define TIOCPKT_START	   0x08u
#define TIOCPKT_NOSTOP	   0x10u
#define TIOCPKT_DOSTOP	   0x20u
#define TIOCPKT_IOCTL	   0x40u

#endif /* KERNEL_DEV_TTY_IOCTLS_H */
