/* SPDX-License-Identifier: MIT */
/*
 * drivers/uart/ns16550_regs.h - registers of the NS16550 and its clones
 * [National Semiconductor PC16550D data sheet, table II].
 *
 * Offsets are register numbers; the device tree says how far apart they are.
 */
#ifndef DRIVERS_UART_NS16550_REGS_H
#define DRIVERS_UART_NS16550_REGS_H

#include <lib/types.h>

#define UART_RBR 0 /* RO received byte */
#define UART_THR 0 /* WO byte to send */
#define UART_DLL 0 /* RW divisor, low, while LCR_DLAB */
#define UART_DLM 1 /* RW divisor, high, while LCR_DLAB */

/* Interrupt enable */
#define UART_IER      1
#define UART_IER_RX   BIT(0)
#define UART_IER_TX   BIT(1)
#define UART_IER_LINE BIT(2)

/* Interrupt identification, RO */
#define UART_IIR       2
#define UART_IIR_NONE  BIT(0)
#define UART_IIR_ID    0x0fu
#define UART_IIR_BUSY  0x07u /* DesignWare: LCR written while busy */
#define UART_IIR_TMO   0x0cu /* bytes wait in the FIFO */
#define UART_IIR_FIFOS 0xc0u /* both set: FIFOs work */

/* FIFO control, WO */
#define UART_FCR	  2
#define UART_FCR_ENABLE	  BIT(0)
#define UART_FCR_CLEAR_RX BIT(1)
#define UART_FCR_CLEAR_TX BIT(2)

/* Line control */
#define UART_LCR	3
#define UART_LCR_WLEN	0x03u /* 5 bits and up */
#define UART_LCR_STOP	BIT(2)
#define UART_LCR_PARITY BIT(3)
#define UART_LCR_EVEN	BIT(4)
#define UART_LCR_BREAK	BIT(6)
#define UART_LCR_DLAB	BIT(7)

/* Modem control */
#define UART_MCR      4
#define UART_MCR_DTR  BIT(0)
#define UART_MCR_RTS  BIT(1)
#define UART_MCR_OUT2 BIT(3) /* gates the interrupt on PCs */
#define UART_MCR_LOOP BIT(4)

/* Line status, RO */
#define UART_LSR      5
#define UART_LSR_DR   BIT(0)
#define UART_LSR_PE   BIT(2)
#define UART_LSR_FE   BIT(3)
#define UART_LSR_BI   BIT(4)
#define UART_LSR_THRE BIT(5)
#define UART_LSR_TEMT BIT(6)

/* Modem status, RO */
#define UART_MSR     6
#define UART_MSR_CTS BIT(4)
#define UART_MSR_DSR BIT(5)
#define UART_MSR_RI  BIT(6)
#define UART_MSR_DCD BIT(7)

/* DesignWare: UART status; reading it ends the busy interrupt */
#define UART_DW_USR 0x1f

#define UART_FIFO_SIZE 16u

#endif /* DRIVERS_UART_NS16550_REGS_H */
