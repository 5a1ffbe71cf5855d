#!/bin/sh
# headers.sh <plugin-sdk folder>: the ABI headers compile alone and together, as each C and C++ that is promised, with
# both compilers, and include nothing but C standard headers and each other; each C++ header compiles alone.
set -eu
sdk=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

refuse() {
  echo "$1" >&2
  failed=1
}

check() { # compiler, language, standard, headers…
  local compiler="$1" language="$2" standard="$3" header
  shift 3
  for header in "$@"; do echo "#include <davit/$header>"; done > "$work/unit.$language"
  "$compiler" -std="$standard" -Wall -Wextra -Wshadow -pedantic -Werror -fsyntax-only -I "$sdk/include" \
    "$work/unit.$language" || refuse "$compiler -std=$standard: $*"
}

cd "$sdk/include/davit"
abi=$(echo abi/*.h)
compilers=
for compiler in gcc clang; do
  if command -v "$compiler" > /dev/null; then compilers="$compilers $compiler"; else refuse "there is no $compiler"; fi
done
for compiler in $compilers; do
  for dialect in "c c11" "c c17" "cpp c++17" "cpp c++20"; do
    for header in $abi; do check "$compiler" $dialect "$header"; done
    check "$compiler" $dialect $abi
  done
done

for include in $(sed -n 's/^#include *//p' abi/*.h | sort -u); do
  case $include in
    '<stddef.h>' | '<stdint.h>') ;;
    '"'*'"') [ -f "abi/$(echo "$include" | tr -d '"')" ] || refuse "an ABI header includes $include" ;;
    *) refuse "an ABI header includes $include" ;;
  esac
done

for header in *.hpp testing/*.hpp; do check gcc cpp c++20 "$header"; done
case $compilers in *clang*) check clang cpp c++20 *.hpp testing/*.hpp ;; esac
exit $failed
