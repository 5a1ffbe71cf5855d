#!/bin/sh
# readme.sh <davit> <source folder> <prefix> <libraries folder>: what the READMEs show is true. The plugin of the installed README
# builds by CMake and by pkg-config as it says; the code in the first README is that of the examples.
set -eu
davit=$1 source=$2 prefix=$3 libraries=$4
here=$(dirname "$0")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# block <file> <language> <number>: the text of a fenced block.
block() { awk -v want="$2" -v number="$3" '/^```/ { if (inside) inside = 0; else if ($0 == "```" want && ++seen == number) { inside = 1; next } }
                                          inside' "$1"; }

readme=$prefix/share/doc/davit-plugin-sdk/README.md
mkdir "$work/shop"
{ block "$readme" cmake 1; block "$readme" cmake 2; } > "$work/shop/CMakeLists.txt"
block "$readme" cpp 1 > "$work/shop/shop.cpp"
block "$readme" cpp 2 > "$work/shop/shop_test.cpp"
"$here/build.sh" "$davit" "$work/shop" "$prefix" "$libraries/readme.so"

export PKG_CONFIG_PATH="$prefix/share/pkgconfig"
command=$(grep -o 'c++ -std=c++20 shop.cpp .*shop.so' "$readme")
(cd "$work/shop" && sh -c "$command")
"$here/../abi/exports.sh" "$work/shop/shop.so"
cp "$work/shop/shop.so" "$libraries/by_hand.so"
# By both ways with the same flags, so that what they give is loaded and unloaded alike.
for flag in $(grep -v '^#' "$prefix/share/cmake/davit-plugin-sdk/DavitPlugin.cmake" | grep -Eo -- '-fno-gnu-unique|-Wl,[-a-zA-Z,]+' | sort -u); do
  case " $(pkg-config --cflags --libs davit-plugin-sdk)" in
    *" $flag"*) ;;
    *) echo "davit_add_plugin has $flag, pkg-config has not" >&2; exit 1 ;;
  esac
done
# shellcheck disable=SC2046  # words
(cd "$work/shop" && clang++ -std=c++20 shop.cpp $(pkg-config --define-variable=gcc_flags= --cflags --libs davit-plugin-sdk) -o clang.so)
"$here/../abi/exports.sh" "$work/shop/clang.so"

same() { # block number, language, file
  block "$source/README.md" "$2" "$1" | diff -u "$source/examples/$3" - || { echo "README.md shows another $3" >&2; exit 1; }
}
same 1 cpp minimal_webhook/minimal_webhook.cpp
same 2 cpp minimal_agent/minimal_agent.cpp
same 1 cmake minimal_webhook/CMakeLists.txt
