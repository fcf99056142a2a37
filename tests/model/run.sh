#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Check the models with spin: what we do must hold, and each fault that a model
# can be given must be found, or the model proves nothing.  One line for each.
# O is the build directory; each case has a directory of its own there.
set -u

here=$(cd "$(dirname "$0")" && pwd)
out=${O:-build}/model
jobs=$(nproc)
n=0

# check DIR MODEL WANT DEFINES...: one case; its line goes to DIR/line.
check()
{
	dir=$1 model=$2 want=$3
	shift 3
	name="$model ${*:-as it is}"
	if ! (cd "$dir" && spin "$@" -a "$here/$model.pml" >spin.log 2>&1 &&
	      gcc -O1 -DSAFETY -w -o pan pan.c >gcc.log 2>&1 &&
	      timeout 100 ./pan -m100000 -w20 >pan.log 2>&1); then
		echo "  FAIL $name: did not run, see $dir" >"$dir/line"
		return
	fi
	got=found
	grep -q 'errors: 0' "$dir/pan.log" && got=holds
	# A search that was cut short proves nothing.
	grep -q 'max search depth too small' "$dir/pan.log" && got='cut short'
	states=$(sed -n 's/^ *\([0-9.e+]*\) states, stored.*/\1/p' \
		"$dir/pan.log")
	if [ "$got" = "$want" ]; then
		echo "  ok   $name: $got, $states states" >"$dir/line"
	else
		echo "  FAIL $name: $got, expected $want" >"$dir/line"
	fi
}

# try MODEL WANT DEFINES...: WANT is holds or found.
try()
{
	n=$((n + 1))
	dir=$out/$(printf %02d $n)
	rm -rf "$dir"
	mkdir -p "$dir"
	check "$dir" "$@" &
	[ $((n % jobs)) = 0 ] && wait
}

rm -rf "$out"
mkdir -p "$out"

try sleep_wake holds
try sleep_wake found -DNO_SENDER_FENCE
try sleep_wake found -DNO_RECEIVER_FENCE
try sleep_wake found -DNO_SECOND_LOOK
try sleep_wake found -DCLEAR_AFTER_DRAIN
try sleep_wake holds -DCLEAR_BEFORE_ANNOUNCE

try promise holds
try promise found -DNO_LAST_POSTED
try promise found -DNO_LOOK
try promise found -DNO_KEEP
try promise holds -DNO_LAST

try wait holds
try wait found -DNO_WAKER_FENCE
try wait found -DNO_WAITER_FENCE
try wait found -DNO_FINISH
try wait found -DBLIND_WAKE

try flush holds
try flush found -DNO_FLUSHER_FENCE
try flush found -DNO_COPIER_FENCE
try flush found -DNO_USER_FENCE
try flush found -DLATE_ANNOUNCE

wait
cat "$out"/*/line
bad=$(cat "$out"/*/line | grep -vc '^  ok ')
echo "models: $((n - bad)) passed, $bad failed"
[ "$bad" = 0 ]
