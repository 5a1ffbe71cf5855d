#!/bin/sh
# new.sh <davit> <kind> <name> <language> <prefix> <library to make>: what `davit plugins new` makes builds and passes
# its own tests and the check as it is, and no word of the templates is left in it.
set -eu
davit=$1 kind=$2 name=$3 language=$4 prefix=$5 library=$6
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$davit" plugins new "$kind" "$name" --lang "$language" --directory "$work/plugin" > /dev/null
for file in README.md .gitignore; do [ -s "$work/plugin/$file" ] || { echo "there is no $file" >&2; exit 1; }; done
if grep -rEn '@[A-Z]+@' "$work/plugin"; then echo "words of the templates are left" >&2; exit 1; fi
"$(dirname "$0")/build.sh" "$davit" "$work/plugin" "$prefix" "$library"
