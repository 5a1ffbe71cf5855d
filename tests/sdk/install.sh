#!/bin/sh
# install.sh <build folder> <prefix>: the SDK alone, into an empty prefix.
set -eu
rm -rf "$2"
cmake --install "$1" --component sdk --prefix "$2" > /dev/null
find "$2" -type f | sort
