#!/usr/bin/env bash
# Wrong arguments end with 2 and one line, before anything is installed or built; from any folder.
set -euo pipefail
scripts=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../../scripts" && pwd)
expect_usage_error() {
  local status=0 output
  output=$("$@" 2>&1) || status=$?
  if [[ $status != 2 || $(wc -l <<<"$output") != 1 ]]; then
    echo "$*: ended with $status and said: $output" >&2
    exit 1
  fi
}
expect_usage_error "$scripts/test" nonsense
expect_usage_error "$scripts/run" --exit
expect_usage_error "$scripts/faults" --nonsense
expect_usage_error "$scripts/faults" --seed
expect_usage_error "$scripts/bench"
expect_usage_error "$scripts/bench" nonsense
expect_usage_error "$scripts/fuzz" --nonsense
expect_usage_error "$scripts/fuzz" --seconds
expect_usage_error "$scripts/fuzz" --seconds soon
expect_usage_error "$scripts/fuzz" nonsense
"$scripts/run" --help | grep -q -- --demo
