/* SPDX-License-Identifier: MIT */
/* sources: lib/fdt.c lib/fdt_reg.c */
/*
 * tests/host/fdt_test.c - trees made by dtc, and 20000 corruptions of one.
 */
#include <unistd.h>

#include <tests/host/cmocka.h>

#include <lib/errno.h>
#include <lib/fdt.h>

static const char board[] =
	"/dts-v1/;\n"
	"/memreserve/ 0x80000000 0x20000;\n"
	"/memreserve/ 0x1 0x0;\n"
	"/ {\n"
	"	#address-cells = <2>;\n"
	"	#size-cells = <2>;\n"
	"	compatible = \"maker,board\", \"maker,soc\";\n"
	"	model = \"Board\";\n"
	"	aliases { serial0 = &uart; bad = \"nowhere\"; };\n"
	"	chosen {\n"
	"		stdout-path = \"serial0:115200n8\";\n"
	"		linux,initrd-start = <0x1 0x84000000>;\n"
	"		linux,initrd-end = <0x88000000>;\n"
	"		raw = [01 02 03];\n"
	"	};\n"
	"	cpus {\n"
	"		#address-cells = <1>;\n"
	"		#size-cells = <0>;\n"
	"		cpu@0 { reg = <0>; status = \"disabled\"; };\n"
	"		cpu@1 { reg = <1>; status = \"okay\";\n"
	"			intc: interrupt-controller { phandle = <7>; };\n"
	"		};\n"
	"	};\n"
	"	memory@80000000 {\n"
	"		device_type = \"memory\";\n"
	"		reg = <0 0x80000000 0 0x40000000>,\n"
	"		      <4 0x00000000 0 0x80000000>;\n"
	"	};\n"
	"	soc {\n"
	"		#address-cells = <1>;\n"
	"		#size-cells = <1>;\n"
	"		ranges = <0x10000000 1 0x50000000 0x1000000>,\n"
	"			 <0x20000000 0 0x60000000 0x1000000>;\n"
	"		uart: serial@10001000 {\n"
	"			compatible = \"maker,uart1\", \"ns16550a\";\n"
	"			reg = <0x10001000 0x100>;\n"
	"			interrupts-extended = <&intc 5>;\n"
	"		};\n"
	"		bus@20000000 {\n"
	"			#address-cells = <2>;\n"
	"			#size-cells = <1>;\n"
	"			ranges = <0 0x0 0x20000000 0x100000>;\n"
	"			dev@40 {\n"
	"				compatible = \"ns16550a\";\n"
	"				reg = <0 0x40 0x10>;\n"
	"			};\n"
	"			far@0 { reg = <1 0x0 0x10>; };\n"
	"		};\n"
	"		flat {\n"
	"			#address-cells = <1>;\n"
	"			#size-cells = <1>;\n"
	"			ranges;\n"
	"			dev@20000020 { reg = <0x20000020 4>; };\n"
	"		};\n"
	"		closed {\n"
	"			#address-cells = <1>;\n"
	"			#size-cells = <1>;\n"
	"			dev@8 { reg = <8 4>; };\n"
	"		};\n"
	"		pci { #address-cells = <3>; #size-cells = <2>;\n"
	"			dev@0 { reg = <0 0 0 0 0>; };\n"
	"		};\n"
	"	};\n"
	"};\n";

static u8 *fdt;
static size_t fdt_len;

static int compile(void **state)
{
	char path[] = "/tmp/fdt_testXXXXXX", cmd[128], out[64];
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, board, strlen(board)), strlen(board));
	close(fd);
	snprintf(out, sizeof(out), "%s.dtb", path);
	snprintf(cmd, sizeof(cmd), "dtc -q -@ -I dts -O dtb %s -o %s", path,
		 out);
	assert_int_equal(system(cmd), 0);
	fdt = read_file(out, &fdt_len);
	unlink(path);
	unlink(out);
	fdt = realloc(fdt, fdt_len); /* ASan knows the end */
	return 0;
}

static int release(void **state)
{
	free(fdt);
	return 0;
}

static int node(const char *path)
{
	int n = fdt_path_offset(fdt, path);

	assert_true(n >= 0);
	return n;
}

static void test_check(void **state)
{
	assert_int_equal(fdt_check(fdt, fdt_len), 0);
	assert_int_equal(fdt_check(fdt, fdt_len + 100), 0);
	assert_int_equal(fdt_size(fdt), fdt_len);
	for (size_t n = 0; n < fdt_len; n++) {
		u8 *cut = exact_copy(fdt, n);

		assert_int_equal(fdt_check(cut, n), -EINVAL);
		free(cut);
	}
}

static void test_walk(void **state)
{
	int root = fdt_root(fdt), n = fdt_first_child(fdt, root);
	static const char *const want[] = { "aliases", "chosen", "cpus",
					    "memory@80000000", "soc" };

	assert_string_equal(fdt_name(fdt, root), "");
	assert_int_equal(fdt_parent(fdt, root), -ENOENT);
	assert_int_equal(fdt_next_sibling(fdt, root), -ENOENT);
	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		assert_string_equal(fdt_name(fdt, n), want[i]);
		assert_int_equal(fdt_parent(fdt, n), root);
		n = fdt_next_sibling(fdt, n);
	}
	assert_string_equal(fdt_name(fdt, n), "__symbols__");
	assert_int_equal(fdt_next_sibling(fdt, n), -ENOENT);
	assert_int_equal(fdt_first_child(fdt, n), -ENOENT);
	n = node("/cpus/cpu@1/interrupt-controller");
	assert_int_equal(fdt_parent(fdt, n), node("/cpus/cpu@1"));
	assert_int_equal(fdt_next_sibling(fdt, n), -ENOENT);
}

static void test_depth_first(void **state)
{
	int nr = 0, n = -1;

	while ((n = fdt_next_node(fdt, n)) >= 0)
		nr++;
	assert_int_equal(n, -ENOENT);
	assert_int_equal(nr, 20);
}

static void test_paths(void **state)
{
	assert_int_equal(node("/"), fdt_root(fdt));
	assert_int_equal(node("/soc/serial"), node("/soc/serial@10001000"));
	assert_int_equal(node("serial0"), node("/soc/serial"));
	assert_int_equal(node("serial0:115200n8"), node("/soc/serial"));
	assert_int_equal(node("//cpus///cpu@1/"), node("/cpus/cpu@1"));
	assert_int_equal(fdt_path_offset(fdt, "/cpus/cpu@2"), -ENOENT);
	assert_int_equal(fdt_path_offset(fdt, "/cpu"), -ENOENT);
	assert_int_equal(fdt_path_offset(fdt, "/soc/serial@1"), -ENOENT);
	assert_int_equal(fdt_path_offset(fdt, "serial1"), -ENOENT);
	assert_int_equal(fdt_path_offset(fdt, "serial"), -ENOENT);
	assert_int_equal(fdt_path_offset(fdt, "bad"), -ENOENT);
	assert_int_equal(fdt_path_offset(fdt, ""), -ENOENT);
	assert_int_equal(fdt_subnode(fdt, node("/soc"), "bus"),
			 node("/soc/bus"));
}

static void test_props(void **state)
{
	int chosen = node("/chosen"), len;
	const void *value;
	const char *name;
	u64 v64;
	u32 v;

	assert_non_null(fdt_prop(fdt, chosen, "raw", &len));
	assert_int_equal(len, 3);
	assert_null(fdt_prop(fdt, chosen, "ra", NULL));
	assert_null(fdt_prop(fdt, chosen, "compatible", NULL));
	assert_int_equal(fdt_prop_u32(fdt, chosen, "raw", &v), -EINVAL);
	assert_int_equal(fdt_prop_u32(fdt, chosen, "x", &v), -ENOENT);
	assert_int_equal(fdt_prop_u64(fdt, chosen, "raw", &v64), -EINVAL);
	assert_int_equal(fdt_prop_u64(fdt, chosen, "linux,initrd-start", &v64),
			 0);
	assert_int_equal(v64, 0x184000000);
	assert_int_equal(fdt_prop_u64(fdt, chosen, "linux,initrd-end", &v64),
			 0);
	assert_int_equal(v64, 0x88000000);
	assert_string_equal(fdt_prop_str(fdt, node("/"), "model"), "Board");
	assert_null(fdt_prop_str(fdt, chosen, "raw"));
	assert_int_equal(fdt_prop_cell(fdt, node("serial0"),
				       "interrupts-extended", 1, &v),
			 0);
	assert_int_equal(v, 5);
	assert_int_equal(fdt_prop_cell(fdt, node("serial0"),
				       "interrupts-extended", 2, &v),
			 -ENOENT);
	assert_int_equal(fdt_prop_at(fdt, chosen, 3, &name, &value, &len), 0);
	assert_string_equal(name, "raw");
	assert_int_equal(fdt_prop_at(fdt, chosen, 4, &name, &value, &len),
			 -ENOENT);
}

static void test_compatible(void **state)
{
	int n = fdt_next_compatible(fdt, -1, "ns16550a");

	assert_int_equal(n, node("/soc/serial"));
	n = fdt_next_compatible(fdt, n, "ns16550a");
	assert_int_equal(n, node("/soc/bus/dev"));
	assert_int_equal(fdt_next_compatible(fdt, n, "ns16550a"), -ENOENT);
	assert_true(fdt_compatible(fdt, fdt_root(fdt), "maker,soc"));
	assert_false(fdt_compatible(fdt, fdt_root(fdt), "maker"));
	assert_false(fdt_compatible(fdt, node("/chosen"), "maker"));
	assert_false(fdt_stringlist_contains("ab", 2, "ab"));
	assert_true(fdt_stringlist_contains("a\0b", 4, "b"));
}

static void test_status(void **state)
{
	assert_true(fdt_status_okay(fdt, node("/soc")));
	assert_true(fdt_status_okay(fdt, node("/cpus/cpu@1")));
	assert_false(fdt_status_okay(fdt, node("/cpus/cpu@0")));
}

static void test_phandle(void **state)
{
	assert_int_equal(fdt_by_phandle(fdt, 7),
			 node("/cpus/cpu@1/interrupt-controller"));
	assert_int_equal(fdt_by_phandle(fdt, 77), -ENOENT);
}

static void expect_reg(const char *path, unsigned int idx, u64 addr, u64 size)
{
	u64 a = 0, s = 0;

	assert_int_equal(fdt_reg(fdt, node(path), idx, &a, &s), 0);
	assert_int_equal(a, addr);
	assert_int_equal(s, size);
	assert_int_equal(fdt_reg(fdt, node(path), idx, &a, NULL), 0);
}

static void test_reg(void **state)
{
	u64 a = 1, s = 2;

	expect_reg("/memory", 0, 0x80000000, 0x40000000);
	expect_reg("/memory", 1, 0x400000000, 0x80000000);
	expect_reg("/soc/serial", 0, 0x150001000, 0x100);
	expect_reg("/soc/bus/dev", 0, 0x60000040, 0x10);
	expect_reg("/soc/flat/dev", 0, 0x60000020, 4);
	assert_int_equal(fdt_reg(fdt, node("/memory"), 2, &a, &s), -ENOENT);
	assert_int_equal(fdt_reg(fdt, node("/soc"), 0, &a, &s), -ENOENT);
	assert_int_equal(fdt_reg(fdt, node("/"), 0, &a, &s), -ENOENT);
	assert_int_equal(fdt_reg(fdt, node("/soc/closed/dev"), 0, &a, &s),
			 -EINVAL);
	assert_int_equal(fdt_reg(fdt, node("/soc/bus/far"), 0, &a, &s),
			 -EINVAL);
	assert_int_equal(fdt_reg(fdt, node("/soc/pci/dev"), 0, &a, &s),
			 -EINVAL);
	assert_int_equal(fdt_reg(fdt, node("/cpus/cpu@1"), 0, &a, &s),
			 -EINVAL); /* a number, not an address */
	assert_int_equal(a, 1);
	assert_int_equal(s, 2);
	assert_int_equal(fdt_addr_cells(fdt, node("/cpus")), 1);
	assert_int_equal(fdt_size_cells(fdt, node("/cpus")), 0);
	assert_int_equal(fdt_addr_cells(fdt, node("/chosen")), 2);
	assert_int_equal(fdt_size_cells(fdt, node("/chosen")), 1);
}

static void test_memreserve(void **state)
{
	u64 a, s;

	assert_int_equal(fdt_memreserve(fdt, 0, &a, &s), 0);
	assert_int_equal(a, 0x80000000);
	assert_int_equal(s, 0x20000);
	assert_int_equal(fdt_memreserve(fdt, 1, &a, &s), 0);
	assert_int_equal(fdt_memreserve(fdt, 2, &a, &s), -ENOENT);
}

/* Offsets that are no nodes. */
static void test_bad_nodes(void **state)
{
	static const int bad[] = { -2, -100,	INT32_MIN, 1,
				   2,  1 << 20, INT32_MAX, INT32_MAX & ~3 };
	u64 a;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_null(fdt_name(fdt, bad[i]));
		assert_null(fdt_prop(fdt, bad[i], "reg", NULL));
		assert_int_equal(fdt_first_child(fdt, bad[i]), -ENOENT);
		assert_int_equal(fdt_next_sibling(fdt, bad[i]), -ENOENT);
		assert_int_equal(fdt_next_node(fdt, bad[i]), -ENOENT);
		assert_int_equal(fdt_parent(fdt, bad[i]), -ENOENT);
		assert_int_equal(fdt_reg(fdt, bad[i], 0, &a, NULL), -ENOENT);
	}
}

/* All that can be asked; ASan and the time-out watch. */
static u64 use_everything(const void *f)
{
	u64 a = 0, s = 0, sum = 0;
	const char *name, *str;
	const void *value;
	int len, nr = 0;

	for (int n = fdt_root(f); n >= 0; n = fdt_next_node(f, n)) {
		assert_true(nr++ < 1000);
		sum += strlen(fdt_name(f, n)) + (u64)fdt_parent(f, n) +
		       (u64)fdt_next_sibling(f, n);
		for (unsigned int i = 0;
		     fdt_prop_at(f, n, i, &name, &value, &len) == 0; i++) {
			sum += strlen(name);
			while (len)
				sum += ((const u8 *)value)[--len];
		}
		for (unsigned int i = 0; i < 4; i++)
			if (fdt_reg(f, n, i, &a, &s) == 0)
				sum += a + s;
		str = fdt_prop_str(f, n, "model");
		sum += str ? strlen(str) : 0;
		sum += fdt_status_okay(f, n);
	}
	sum += (u64)fdt_next_compatible(f, -1, "ns16550a");
	sum += (u64)fdt_path_offset(f, "serial0");
	sum += (u64)fdt_path_offset(f, "/soc/bus/dev@40");
	sum += (u64)fdt_by_phandle(f, 7);
	for (unsigned int i = 0; fdt_memreserve(f, i, &a, &s) == 0; i++)
		sum += a;
	return sum;
}

static void mutate(u8 *f, u64 *seed)
{
	for (u64 n = random_below(seed, 6) + 1; n; n--) {
		u64 at = random_below(seed, fdt_len);

		switch (random_below(seed, 4)) {
		case 0:
			f[at] = (u8)next_random(seed);
			break;
		case 1: /* a header field */
			f[random_below(seed, 40)] = (u8)next_random(seed);
			break;
		case 2: /* a token, or a small number */
			f[(at & ~3ull) + 3 < fdt_len ? (at & ~3ull) + 3 : 3] =
				(u8)random_below(seed, 10);
			break;
		default:
			f[at] ^= (u8)(1 << random_below(seed, 8));
		}
	}
}

static void test_mutations(void **state)
{
	u64 seed = 2024;
	int sound = 0;

	for (int i = 0; i < 20000; i++) {
		u8 *bad = exact_copy(fdt, fdt_len);

		mutate(bad, &seed);
		if (fdt_check(bad, fdt_len) == 0) {
			use_everything(bad);
			sound++;
		}
		free(bad);
	}
	/* Most changes of values are not seen by the check: worth the while. */
	assert_true(sound > 2000);
	print_message("%d of 20000 pass fdt_check()\n", sound);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_check),
		cmocka_unit_test(test_walk),
		cmocka_unit_test(test_depth_first),
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_props),
		cmocka_unit_test(test_compatible),
		cmocka_unit_test(test_status),
		cmocka_unit_test(test_phandle),
		cmocka_unit_test(test_reg),
		cmocka_unit_test(test_memreserve),
		cmocka_unit_test(test_bad_nodes),
		cmocka_unit_test(test_mutations),
	};

	return cmocka_run_group_tests(tests, compile, release);
}
