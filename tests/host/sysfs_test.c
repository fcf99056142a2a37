/* SPDX-License-Identifier: MIT */
/* sources: tests/host/fake/locks.c */
/* sources: kernel/dev/sysfs.c kernel/dev/sysfs_class.c lib/string.c lib/fmt.c */
/*
 * tests/host/sysfs_test.c - the tree behind /sys: names, links, listing, removal.
 */
#include <tests/host/cmocka.h>

#include <kernel/dev/sysfs.h>
#include <kernel/hart.h>
#include <kernel/sched/wait.h>
#include <lib/errno.h>
#include <lib/string.h>

/* ---- what the tree wants of the kernel */

static u32 nr_allocs, nr_suspends;
static void (*on_suspend)(void);

void *kmalloc(size_t size)
{
	nr_allocs++;
	return malloc(size);
}

void *kzalloc(size_t size)
{
	nr_allocs++;
	return calloc(1, size);
}

void kfree(const void *p)
{
	nr_allocs -= p != NULL;
	free((void *)(uintptr_t)p);
}

void mutex_lock(struct mutex *m)
{
	assert_false(m->locked);
	m->locked = 1;
}

void mutex_unlock(struct mutex *m)
{
	m->locked = 0;
}

void waiter_init(struct waiter *w)
{
	*w = (struct waiter){ 0 };
}

void wait_prepare(struct waitq *wq, struct waiter *w, bool interruptible)
{
	(void)wq;
	(void)w;
	(void)interruptible;
}

void wait_finish(struct waitq *wq, struct waiter *w)
{
	(void)wq;
	(void)w;
}

int wait_suspend(u64 deadline_ns)
{
	(void)deadline_ns;
	nr_suspends++;
	assert_non_null(on_suspend);
	on_suspend();
	return 0;
}

void wake_up_all_key(struct waitq *wq, u64 key)
{
	(void)wq;
	(void)key;
}

/* ---- helpers */

static s64 show(void *obj, const struct sys_attr *a, char *buf, size_t size)
{
	(void)a;
	return snprintf(buf, size, "%s\n", (const char *)obj);
}

static const struct sys_attr attrs[] = {
	{ .name = "one", .mode = 0444, .show = show },
	{ .name = "two", .mode = 0444, .show = show },
};

/* Node at @path below /sys, referenced, or NULL. */
static struct sys_node *find(const char *path)
{
	struct sys_node *at = sys_node_get(sys_root_node());

	while (at && *path) {
		size_t len = strcspn(path, "/");
		struct sys_node *next = sys_node_lookup(at, path, len);

		sys_node_put(at);
		at = next;
		path += len;
		path += *path == '/';
	}
	return at;
}

static void assert_target(const char *path, const char *want)
{
	struct sys_node *n = find(path);
	char buf[256];

	assert_non_null(n);
	assert_int_equal(sys_node_kind(n), SYS_LINK);
	assert_int_equal(sys_node_target(n, buf, sizeof(buf)), strlen(want));
	assert_string_equal(buf, want);
	/* too long is said, not cut */
	assert_int_equal(sys_node_target(n, buf, strlen(want)), -ENAMETOOLONG);
	sys_node_put(n);
}

static void assert_gone(const char *path)
{
	assert_null(find(path));
}

/* ---- tests */

static void test_names(void **state)
{
	struct sys_dir *d = sys_path("devices/a"), *e;

	(void)state;
	assert_non_null(d);
	assert_ptr_equal(sys_path("devices/a"), d);
	e = sys_mkdir(d, "b", "object");
	assert_non_null(e);
	assert_null(sys_mkdir(d, "b", "again"));
	assert_int_equal(sys_add(e, attrs, 2), 0);
	assert_int_equal(sys_add(e, attrs, 2), -EEXIST);
	/* an attribute is no directory */
	assert_null(sys_path("devices/a/b/one"));
	assert_null(sys_path("devices/a/b/one/c"));
	/* a prefix is no name */
	assert_gone("devices/a/b/on");
	assert_int_equal(sys_add(NULL, attrs, 2), -ENOMEM);
	assert_null(sys_mkdir(NULL, "x", NULL));
	sys_rmdir(NULL);
	sys_rmdir(d);
	assert_gone("devices/a");
}

static void test_links(void **state)
{
	struct sys_dir *dev = sys_mkdir(sys_path("devices/pci"), "0:1", NULL);
	struct sys_dir *disk = sys_mkdir(dev, "vda", NULL);

	(void)state;
	assert_int_equal(sys_join("class/block", disk), 0);
	assert_int_equal(sys_join("bus/pci", dev), 0);
	assert_int_equal(sys_bind("bus/pci", "drv", dev), 0);
	assert_int_equal(sys_link_dev(true, 254, 3, disk), 0);
	assert_int_equal(sys_link(disk, "device", dev), 0);
	assert_target("class/block/vda", "../../devices/pci/0:1/vda");
	assert_target("bus/pci/devices/0:1", "../../../devices/pci/0:1");
	assert_target("devices/pci/0:1/driver", "../../../bus/pci/drivers/drv");
	assert_target("devices/pci/0:1/vda/subsystem",
		      "../../../../class/block");
	assert_target("devices/pci/0:1/vda/device", "../../0:1");
	assert_target("dev/block/254:3", "../../devices/pci/0:1/vda");
	/* everything that leads to what is removed goes with it */
	sys_rmdir(dev);
	assert_gone("class/block/vda");
	assert_gone("bus/pci/devices/0:1");
	assert_gone("bus/pci/drivers/drv/0:1");
	assert_gone("dev/block/254:3");
	assert_gone("devices/pci/0:1");
}

static void test_remove_one(void **state)
{
	struct sys_dir *d = sys_mkdir(sys_path("devices"), "d", "x");

	(void)state;
	sys_add(d, attrs, 2);
	sys_remove(d, "one");
	sys_remove(d, "none");
	assert_gone("devices/d/one");
	sys_node_put(find("devices/d/two"));
	sys_rmdir(d);
}

/* A listing that is interrupted shows each that stays once. */
static void test_listing(void **state)
{
	struct sys_dir *d = sys_mkdir(sys_path("devices"), "list", NULL);
	struct sys_node *dir = find("devices/list"), *n;
	char name[8];
	u32 at = 0, seen = 0;

	(void)state;
	for (u32 i = 0; i < 10; i++) {
		snprintf(name, sizeof(name), "%u", i);
		assert_non_null(sys_mkdir(d, name, NULL));
	}
	assert_int_equal(sys_node_nlink(dir), 12);
	while ((n = sys_node_next(dir, at))) {
		at = sys_node_ino(n) + 1;
		seen++;
		if (!strcmp(sys_node_name(n), "3")) {
			sys_rmdir(sys_subdir(d, "3"));
			sys_rmdir(sys_subdir(d, "5"));
		}
		sys_node_put(n);
	}
	assert_int_equal(seen, 9);
	assert_int_equal(sys_node_nlink(dir), 10);
	sys_rmdir(d);
	assert_null(sys_node_next(dir, 0));
	sys_node_put(dir);
}

static struct sys_node *busy;

static void leave_busy(void)
{
	sys_node_leave(busy);
	on_suspend = NULL;
}

/* Removal waits for a reader; a reader who comes later finds nothing. */
static void test_reader_and_removal(void **state)
{
	struct sys_dir *d = sys_mkdir(sys_path("devices"), "busy", "text");
	void *obj;
	char buf[16];

	(void)state;
	sys_add(d, attrs, 1);
	busy = find("devices/busy/one");
	assert_true(sys_node_enter(busy, &obj));
	assert_int_equal(sys_node_attr(busy)->show(obj, sys_node_attr(busy),
						   buf, sizeof(buf)),
			 5);
	nr_suspends = 0;
	on_suspend = leave_busy;
	sys_rmdir(d);
	assert_int_equal(nr_suspends, 1);
	assert_false(sys_node_enter(busy, &obj));
	sys_node_put(busy);
}

static u32 nr_fills;

static void fill_once(struct sys_dir *d, void *obj)
{
	nr_fills++;
	assert_ptr_equal(obj, &nr_fills);
	assert_non_null(sys_mkdir(d, "below", NULL));
}

/* What is made when somebody looks is made once, and its number is not known before. */
static void test_filled_later(void **state)
{
	struct sys_dir *d = sys_mkdir(sys_path("test"), "late", &nr_fills);
	struct sys_node *n = sys_dir_node(d), *below;

	(void)state;
	nr_fills = 0;
	sys_fill_later(d, fill_once);
	assert_int_equal(sys_node_nlink(n), 1);
	assert_null(sys_node_lookup(n, "other", 5));
	assert_int_equal(nr_fills, 1);
	assert_int_equal(sys_node_nlink(n), 3);
	below = sys_node_lookup(n, "below", 5);
	assert_non_null(below);
	sys_node_put(below);
	assert_int_equal(nr_fills, 1);
	sys_rmdir(d);
}

static void test_no_leak(void **state)
{
	u32 before;

	(void)state;
	test_names(NULL);
	test_links(NULL);
	before = nr_allocs;
	test_names(NULL);
	test_links(NULL);
	test_remove_one(NULL);
	test_listing(NULL);
	test_reader_and_removal(NULL);
	test_filled_later(NULL);
	assert_int_equal(nr_allocs, before);
}

static void test_parse(void **state)
{
	u64 v = 7;

	(void)state;
	assert_int_equal(sys_parse_u64("12\n", 0, 100, &v), 0);
	assert_int_equal(v, 12);
	assert_int_equal(sys_parse_u64("0x10", 0, 100, &v), 0);
	assert_int_equal(v, 16);
	assert_int_equal(sys_parse_u64("", 0, 100, &v), -EINVAL);
	assert_int_equal(sys_parse_u64("\n", 0, 100, &v), -EINVAL);
	assert_int_equal(sys_parse_u64("12 13", 0, 100, &v), -EINVAL);
	assert_int_equal(sys_parse_u64("101", 0, 100, &v), -EINVAL);
	assert_int_equal(sys_parse_u64("1", 2, 100, &v), -EINVAL);
	assert_int_equal(v, 16);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_links),
		cmocka_unit_test(test_remove_one),
		cmocka_unit_test(test_listing),
		cmocka_unit_test(test_reader_and_removal),
		cmocka_unit_test(test_filled_later),
		cmocka_unit_test(test_no_leak),
		cmocka_unit_test(test_parse),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
