#!/usr/bin/env bash
# Wrong arguments end with 2 and one line, --help with 0 and how to call; both before anything is installed or built, and
# from any folder.
set -euo pipefail
scripts=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../../scripts" && pwd)

# What would install or build only tells that it was called.
stand_ins=$(mktemp -d)
trap 'rm -rf -- "$stand_ins"' EXIT
for program in dpkg-query apt-get cmake ctest; do
  printf '#!/bin/sh\necho %s >>%s\nexit 1\n' "$program" "$stand_ins/called" >"$stand_ins/$program"
  chmod 755 "$stand_ins/$program"
done
PATH=$stand_ins:$PATH

fail() {
  echo "$*" >&2
  exit 1
}
status=
output=
call() {
  status=0
  output=$("$@" 2>&1) || status=$?
  [[ ! -e $stand_ins/called ]] || fail "$*: called $(head -n 1 "$stand_ins/called") first"
}
expect_usage_error() {
  call "$@"
  [[ $status == 2 && $(wc -l <<<"$output") == 1 ]] || fail "$*: ended with $status and said: $output"
}
expect_help() {
  call "$@"
  [[ $status == 0 && $output == *"Usage: scripts/"* ]] || fail "$*: ended with $status and said: $output"
}
expect_usage_error "$scripts/test" nonsense
expect_help "$scripts/test" --help
expect_help "$scripts/test" -h
expect_help "$scripts/test" dev --help
expect_usage_error "$scripts/run" --exit
expect_help "$scripts/run" --help
expect_usage_error "$scripts/faults" --nonsense
expect_usage_error "$scripts/faults" --seed
expect_usage_error "$scripts/faults" --seed abc
expect_usage_error "$scripts/faults" --seed --long
expect_usage_error "$scripts/faults" --seed 123456789012345678901
expect_usage_error "$scripts/faults" --preset nonsense
expect_usage_error "$scripts/faults" nosuch
expect_usage_error "$scripts/faults" kill nosuch
expect_help "$scripts/faults" --help
expect_usage_error "$scripts/bench"
expect_usage_error "$scripts/bench" nonsense
expect_usage_error "$scripts/bench" --seconds 1
expect_usage_error "$scripts/bench" dashboard --seconds 1
expect_help "$scripts/bench" --help
expect_help "$scripts/bench" ingest --help
expect_usage_error "$scripts/fuzz" --nonsense
expect_usage_error "$scripts/fuzz" --seconds
expect_usage_error "$scripts/fuzz" --seconds soon
expect_usage_error "$scripts/fuzz" nonsense
