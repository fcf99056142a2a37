#!/bin/sh
# SPDX-License-Identifier: MIT
#
# fuzz-images.sh DIR - small volumes of several kinds, each with a few files,
# for the fuzzer to spoil.  Most have no checksums: with them nearly every
# change is found out at once.
set -eu
export PATH="$PATH:/sbin:/usr/sbin" E2FSPROGS_FAKE_TIME=1700000000
dir=$1
uuid=6b8b4567-327b-23c6-643c-986966334873
rm -rf "$dir/tree" "$dir/value"
mkdir -p "$dir/tree/dir"
for i in $(seq 120); do echo "$i" >"$dir/tree/dir/a_name_that_is_long_enough_$i"; done
truncate -s 3M "$dir/tree/holes"
for i in $(seq 0 11 700); do
	printf x | dd of="$dir/tree/holes" bs=4096 seek="$i" conv=notrunc \
		status=none
done
ln -s dir "$dir/tree/fast"
ln -s "$(printf '%0300d' 7)" "$dir/tree/slow"
make() {
	name=$1
	shift
	rm -f "$dir/$name.img"
	mke2fs -q -F -U $uuid -E hash_seed=$uuid -d "$dir/tree" "$@" \
		"$dir/$name.img" 4096k >/dev/null
	# one attribute fits into the inode, the other needs a block
	printf '%0500d' 9 >"$dir/value"
	printf 'ea_set /holes user.small abc\nea_set -f %s /holes user.large\n' \
		"$dir/value" | debugfs -w -f - "$dir/$name.img" >/dev/null 2>&1
	# mke2fs makes no index of hashes; 1 says that it has changed something
	e2fsck -fyD "$dir/$name.img" >/dev/null || [ $? = 1 ]
	debugfs -R 'htree_dump /dir' "$dir/$name.img" 2>&1 |
		grep -q 'Root node'
}
make 0-ext4 -t ext4 -b 1024 -O ^metadata_csum -J size=1
make 1-csum -t ext4 -b 1024 -J size=1
make 2-plain -t ext4 -b 1024 -O ^metadata_csum,^has_journal
make 3-ext2 -t ext2 -b 1024 -O dir_index
make 4-orphan -t ext4 -b 1024 -O ^metadata_csum,uninit_bg,orphan_file -J size=1
rm -rf "$dir/tree" "$dir/value"
