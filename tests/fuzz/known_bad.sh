#!/usr/bin/env bash
# Does the replay notice a broken promise and say of which file, an empty folder, and wrong usage?
# Usage: known_bad.sh PROGRAM CORPUS
set -euo pipefail
program=$1
folder=$(mktemp -d)
trap 'rm -rf -- "$folder"' EXIT
ulimit -c 0

expect() {
  local wanted=$1 text=$2 status=0 output
  shift 2
  output=$({ "$program" "$@"; } 2>&1) || status=$?
  if [[ $status != "$wanted" || $output != *"$text"* ]]; then
    echo "known_bad $*: ended with $status instead of $wanted, and said: $output" >&2
    exit 1
  fi
}

expect 0 "1 inputs passed" "$2"
expect 1 "holds no inputs" "$folder"
expect 2 "name the folder"
expect 2 "name the folder" "$folder/none"
printf 'bad! and more' >"$folder/finding"
expect 134 "broken promise: no input is bad" "$folder"
expect 134 "$folder/finding" "$folder"
