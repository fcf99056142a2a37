/* SPDX-License-Identifier: MIT */
/*
 * drivers/pci/port.c - the link of a PCI Express port: is it there, does it stay,
 * how fast is it.
 *
 * The host's reset reached what is behind a switch too, so a port's link may still
 * be in training when the port is found.
 *
 * ERRATA
 *   ASM2824 (the switch of the HiFive Unmatched): with some partners its ports go
 *   round between speeds for ever.  The link is never active, but reports that its
 *   bandwidth changed; at 2.5 GT/s it comes up, and can be sped up from there.
 *   The limit that cures it outlives a reset of the link.
 *
 * Context: boot, in a thread; sleeps.
 */
#include <drivers/pci/pci_core.h>

#include <kernel/log.h>
#include <kernel/sched/wait.h>
#include <kernel/time/clock.h>

#define GEN1	    1u
#define ASMEDIA	    0x1b21
#define ASM2824	    0x2824
#define POLL_MS	    10u
#define TRAIN_MS    1000u /* from reset [6.6.1] */
#define SLOTLESS_MS 200u /* of that; the parent bus took 100 and more already */
#define RETRAIN_MS  250u /* 11 to 44 have been seen */
#define RESET_MS    100u /* from active to the first request [6.6.1] */

static void sleep_ms(u32 ms)
{
	(void)sleep_until_ns(clock_mono_ns() + ms * NSEC_PER_MSEC, false);
}

/* Its PCI Express capability if @d is a port with a link below it, else 0. */
static u32 port_cap(const struct pci_dev *d)
{
	u32 cap = pci_find_cap(d, PCI_CAP_ID_EXP, 0);
	u64 type;

	if (!cap)
		return 0;
	type = FIELD_GET(PCI_EXP_PORT_TYPE, pci_read16(d, cap + PCI_EXP_FLAGS));
	return type == PCI_EXP_ROOT_PORT || type == PCI_EXP_DOWNSTREAM ? cap
								       : 0;
}

static bool is_active(const struct pci_dev *d, u32 cap)
{
	u16 sta = pci_read16(d, cap + PCI_EXP_LNKSTA);

	return (sta & PCI_EXP_LNKSTA_DLLLA) && !(sta & PCI_EXP_LNKSTA_TRAINING);
}

static bool wait_active(const struct pci_dev *d, u32 cap, u32 timeout_ms)
{
	for (u32 ms = 0; ms < timeout_ms; ms += POLL_MS) {
		if (is_active(d, cap))
			return true;
		sleep_ms(POLL_MS);
	}
	return is_active(d, cap);
}

static bool retrain(const struct pci_dev *d, u32 cap, u32 gen)
{
	u32 ctl2 = pci_read16(d, cap + PCI_EXP_LNKCTL2);
	u32 ctl = pci_read16(d, cap + PCI_EXP_LNKCTL);

	ctl2 &= ~(u32)PCI_EXP_LNKCTL2_SPEED;
	pci_write16(d, cap + PCI_EXP_LNKCTL2, ctl2 | gen);
	pci_write16(d, cap + PCI_EXP_LNKCTL, ctl | (u32)PCI_EXP_LNKCTL_RETRAIN);
	return wait_active(d, cap, RETRAIN_MS);
}

/* Up at 2.5 GT/s, then as fast as it gets. */
static void rescue(const struct pci_dev *d, u32 cap)
{
	u32 old = pci_read16(d, cap + PCI_EXP_LNKCTL2);
	u32 best = (u32)FIELD_GET(PCI_EXP_LNKCAP_SPEED,
				  pci_read32(d, cap + PCI_EXP_LNKCAP));

	pr_warn("pci %s: link does not settle, retraining", d->name);
	if (!retrain(d, cap, GEN1)) {
		pci_write16(d, cap + PCI_EXP_LNKCTL2, old);
		pr_warn("pci %s: no link", d->name);
		return;
	}
	if (d->vendor == ASMEDIA && d->device == ASM2824 && best > GEN1 &&
	    !retrain(d, cap, best) && !retrain(d, cap, GEN1))
		pr_warn("pci %s: link lost again", d->name);
	sleep_ms(RESET_MS);
}

/* A root port that hides "not yet" answers makes slow devices look absent. */
static void show_retries(const struct pci_dev *d, u32 cap)
{
	u32 type = (u32)FIELD_GET(PCI_EXP_PORT_TYPE,
				  pci_read16(d, cap + PCI_EXP_FLAGS));
	u32 ctl;

	if (type != PCI_EXP_ROOT_PORT ||
	    !(pci_read16(d, cap + PCI_EXP_RTCAP) & PCI_EXP_RTCAP_RETRIES))
		return;
	ctl = pci_read16(d, cap + PCI_EXP_RTCTL);
	pci_write16(d, cap + PCI_EXP_RTCTL, ctl | (u32)PCI_EXP_RTCTL_RETRIES);
}

void pci_port_settle(const struct pci_dev *d)
{
	u32 cap = port_cap(d);
	bool has_slot;

	if (cap)
		show_retries(d, cap);
	if (!cap || is_active(d, cap) ||
	    !(pci_read32(d, cap + PCI_EXP_LNKCAP) & PCI_EXP_LNKCAP_DLLLA))
		return;
	if (pci_read16(d, cap + PCI_EXP_LNKSTA) & PCI_EXP_LNKSTA_LBMS) {
		rescue(d, cap);
		return;
	}
	has_slot = pci_read16(d, cap + PCI_EXP_FLAGS) & PCI_EXP_SLOT;
	if (has_slot &&
	    !(pci_read16(d, cap + PCI_EXP_SLTSTA) & PCI_EXP_SLTSTA_PRESENT))
		return; /* empty */
	/* without a slot nothing says whether somebody is there */
	if (wait_active(d, cap, has_slot ? TRAIN_MS : SLOTLESS_MS))
		sleep_ms(RESET_MS);
	else if (has_slot)
		rescue(d, cap);
}

static const char *slot_text(const struct pci_dev *d, u32 cap)
{
	if (!(pci_read16(d, cap + PCI_EXP_FLAGS) & PCI_EXP_SLOT))
		return "no slot";
	return pci_read16(d, cap + PCI_EXP_SLTSTA) & PCI_EXP_SLTSTA_PRESENT
		       ? "slot, card present"
		       : "empty slot";
}

void pci_port_report(const struct pci_dev *d)
{
	u32 cap = port_cap(d);
	u16 sta;

	if (!cap)
		return;
	sta = pci_read16(d, cap + PCI_EXP_LNKSTA);
	if (list_empty(&d->child->devs)) {
		pr_info("pci %s: nobody there: %s, link %sactive", d->name,
			slot_text(d, cap), is_active(d, cap) ? "" : "not ");
		return;
	}
	pr_info("pci %s: link to bus %u is generation %u, %u lanes", d->name,
		d->child->nr, (u32)FIELD_GET(PCI_EXP_LNKSTA_SPEED, sta),
		(u32)FIELD_GET(PCI_EXP_LNKSTA_LANES, sta));
}
