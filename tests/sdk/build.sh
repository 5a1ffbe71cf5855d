#!/bin/sh
# build.sh <davit> <plugin folder> <prefix> <library to make>: a copy of the folder, in a place that knows nothing of this
# tree, builds against the SDK in the prefix, passes its own tests and `davit plugins check` with its own testdata; what
# comes out exports the factories and nothing else.
set -eu
davit=$1 folder=$2 prefix=$3 library=$4
here=$(dirname "$0")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -r "$folder/." "$work"
cd "$work"

quietly() { "$@" > "$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }; }

if [ -f Cargo.toml ]; then
  # The binding is the SDK's, whole.
  cmp src/davit_abi.rs "$prefix/share/davit-plugin-sdk/rust/davit_abi.rs"
  cmp src/davit_abi.layout "$prefix/share/davit-plugin-sdk/rust/davit_abi.layout"
  quietly cargo build --release --offline
  quietly cargo test --offline
  grep -q 'test result: ok. [1-9]' log || { cat log; exit 1; }
  built=$(echo target/release/lib*.so)
else
  # Debug: it compiles in half the time.
  quietly cmake -S . -B build -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_BUILD_TYPE=Debug \
    -DCMAKE_CXX_FLAGS="-Wall -Wextra -Werror" -DCMAKE_C_FLAGS="-Wall -Wextra -Werror"
  grep -q "davit-plugin-sdk_DIR:PATH=$prefix/" build/CMakeCache.txt
  quietly cmake --build build
  if grep -q enable_testing CMakeLists.txt; then quietly ctest --test-dir build --output-on-failure --no-tests=error; fi
  built=$(echo build/plugins/*.so)
fi
"$here/../abi/exports.sh" "$built"
set -- plugins check "$built" --strict note
if [ -d testdata ]; then set -- "$@" --testdata testdata; fi
quietly "$davit" "$@"
mkdir -p "$(dirname "$library")"
cp "$built" "$library"
