#!/bin/sh
# layout.sh <layout program> <golden file>: the layout of the ABI is what was promised. A released minor may only
# append. DAVIT_UPDATE_GOLDEN=1 writes the file anew; the diff is then to be reviewed as a change of the ABI.
set -eu
new=$(mktemp)
trap 'rm -f "$new"' EXIT
"$1" > "$new"
if [ -n "${DAVIT_UPDATE_GOLDEN:-}" ]; then
  cp "$new" "$2"
fi
diff -u "$2" "$new" || {
  echo "The layout of the ABI changed. If something was only appended: DAVIT_UPDATE_GOLDEN=1, and raise DAVIT_ABI_MINOR." >&2
  exit 1
}
