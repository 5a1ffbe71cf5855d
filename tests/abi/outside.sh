#!/bin/sh
# outside.sh <build folder> <source folder> <drive program>: the examples build against the installed SDK, in a folder
# that knows nothing of this tree, by CMake and by pkg-config; and what comes out serves.
set -eu
build=$1 source=$2 drive=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
order='{"order": {"id": "A-17", "state": "failed", "reason": "card declined"}}'
task='{"order": "A-17", "reason": "card declined"}'

cmake --install "$build" --component sdk --prefix "$work/prefix" > "$work/log" || { cat "$work/log"; exit 1; }
cp -r "$source/examples" "$work/examples"
for example in minimal_webhook minimal_agent minimal_webhook_c minimal_agent_c; do
  (cd "$work/examples/$example" &&
    cmake -S . -B build -DCMAKE_PREFIX_PATH="$work/prefix" -DCMAKE_BUILD_TYPE=Release && cmake --build build) \
    > "$work/log" 2>&1 || { cat "$work/log"; exit 1; }
  library=$work/examples/$example/build/plugins/$example.so
  "$source/tests/abi/exports.sh" "$library"
  case $example in
    *webhook*) "$drive" "$library" webhook "$order" > "$work/answer" ;;
    *agent*) "$drive" "$library" agent "$task" > "$work/answer" ;;
  esac
  grep -q 'card declined' "$work/answer" || { cat "$work/answer"; exit 1; }
done

export PKG_CONFIG_PATH="$work/prefix/share/pkgconfig"
c++ -std=c++20 "$work/examples/minimal_webhook/minimal_webhook.cpp" $(pkg-config --cflags --libs davit-plugin-sdk) \
  -fno-gnu-unique -o "$work/by_hand.so"
"$source/tests/abi/exports.sh" "$work/by_hand.so"
"$drive" "$work/by_hand.so" webhook "$order" > "$work/answer"
grep -q 'Order A-17 failed' "$work/answer"
