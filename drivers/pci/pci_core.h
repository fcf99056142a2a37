/* SPDX-License-Identifier: MIT */
/*
 * drivers/pci/pci_core.h - what the files of the PCI core share.
 *
 * Not for hosts and drivers: drivers/pci/pci.h.
 */
#ifndef DRIVERS_PCI_PCI_CORE_H
#define DRIVERS_PCI_PCI_CORE_H

#include <drivers/pci/pci.h>

#define PCI_MAX_DEPTH 8u /* bridges in a row; recursion follows them */

/* scan.c: find everything below host->root.  0 or -ENOMEM. */
int pci_scan_root(struct pci_host *h);
/* bar.c: sizes of @d's BARs, decoding off.  No side effect on the values. */
void pci_size_bars(struct pci_dev *d);
/* assign.c: a place for every BAR and window below host->root. */
void pci_assign_root(struct pci_host *h);
/* port.c: before the bus behind @d is looked at; and what its link is. */
void pci_port_settle(const struct pci_dev *d);
void pci_port_report(const struct pci_dev *d);
/* intx.c: where the pin of @d ends.  0 or -errno. */
int pci_route_intx(const struct pci_dev *d, struct irqchip **chip, u32 *line);
/* sysfs.c: everything below host->root, once it has its addresses. */
void pci_sys_add_host(struct pci_host *h);
/* pci.c */
void pci_add_dev(struct pci_dev *d);

#endif /* DRIVERS_PCI_PCI_CORE_H */
