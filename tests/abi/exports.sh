#!/bin/sh
# exports.sh <library>…: a plugin exports the factory symbols and nothing else, and nothing pins it in memory.
set -eu
failed=0
for library in "$@"; do
  symbols=$(nm -D --defined-only "$library" | awk '{print $3}')
  [ -n "$symbols" ] || { echo "$library exports no factory" >&2; failed=1; }
  for symbol in $symbols; do
    case $symbol in
      davit_webhook_factory_v1 | davit_agent_factory_v1) ;;
      # A sanitizer's own, in the sanitizer builds.
      __asan_* | ___asan_* | __ubsan_* | __odr_asan*) ;;
      *) echo "$library exports $symbol" >&2; failed=1 ;;
    esac
  done
  if readelf -sW "$library" | awk '$5 == "UNIQUE"' | grep -q .; then
    echo "$library has unique symbols" >&2
    failed=1
  fi
  if readelf -dW "$library" | grep -Eq 'NODELETE|TEXTREL|RPATH|RUNPATH'; then
    echo "$library has NODELETE, TEXTREL or a run path" >&2
    failed=1
  fi
  if ! readelf -dW "$library" | grep -q NOW; then
    echo "$library is not bound at once" >&2
    failed=1
  fi
done
exit $failed
