#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Check the models with spin: what we do must pass, and each thing that the
# model can leave out must be missed, or the model proves nothing.  One line
# for each.  O is the build directory.
set -u

here=$(cd "$(dirname "$0")" && pwd)
out=${O:-build}/model
mkdir -p "$out"
bad=0
n=0

# try MODEL WANT DEFINES...: WANT is pass or fail.
try()
{
	model=$1 want=$2
	shift 2
	n=$((n + 1))
	dir=$out/$n
	rm -rf "$dir"
	mkdir -p "$dir"
	if ! (cd "$dir" && spin "$@" -a "$here/$model.pml" >spin.log 2>&1 &&
	      gcc -O1 -DSAFETY -DVECTORSZ=2048 -w -o pan pan.c >gcc.log 2>&1 &&
	      timeout 100 ./pan -m100000 >pan.log 2>&1); then
		echo "  FAIL $model $*: did not run, see $dir"
		bad=$((bad + 1))
		return
	fi
	got=fail
	grep -q 'errors: 0' "$dir/pan.log" && got=pass
	# A search that was cut short proves nothing.
	grep -q 'max search depth too small' "$dir/pan.log" && got='cut short'
	states=$(sed -n 's/^ *\([0-9.e+]*\) states, stored.*/\1/p' "$dir/pan.log")
	if [ "$got" = "$want" ]; then
		echo "  ok   $model ${*:-as it is}: ${got}es, $states states" |
			sed 's/failes/is found/; s/passes/holds/'
	else
		echo "  FAIL $model ${*:-as it is}: $got, expected $want"
		bad=$((bad + 1))
	fi
}

try sleep_wake pass
try sleep_wake fail -DNO_SENDER_FENCE
try sleep_wake fail -DNO_RECEIVER_FENCE
try sleep_wake fail -DNO_SECOND_LOOK
try sleep_wake fail -DCLEAR_AFTER_DRAIN
try sleep_wake pass -DCLEAR_BEFORE_ANNOUNCE

echo "models: $((n - bad)) passed, $bad failed"
[ "$bad" = 0 ]
