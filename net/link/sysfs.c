#include <net/link/dev.h>
void link_sysfs_add(struct net_device *dev) { (void)dev; }
void link_sysfs_remove(struct net_device *dev) { (void)dev; }
void link_sysfs_renamed(struct net_device *dev, const char *old) { (void)dev; (void)old; }
