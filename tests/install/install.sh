#!/bin/sh
# install.sh <build folder>: installs the component davit into an empty prefix, looks at what is there, and lets it
# check its configuration, with all plugins, and serve by it.
set -eu
work=$(mktemp -d)
host=
trap '[ -z "$host" ] || kill "$host" 2>/dev/null; rm -rf "$work"' EXIT
prefix=$work/prefix
cmake --install "$1" --component davit --prefix "$prefix" >/dev/null

fail() { echo "$1" >&2; exit 1; }
for file in bin/davit share/davit/davit.yaml share/davit/nginx/davit.conf share/davit/prometheus.yml share/davit/alerts.yml \
  share/davit/grafana/davit.json lib/davit/plugins/github.so lib/davit/plugins/command_agent.so; do
  [ -f "$prefix/$file" ] || fail "$file is not installed"
done
for plugin in "$1"/plugins/*.so; do
  [ -f "$prefix/lib/davit/plugins/$(basename "$plugin")" ] || fail "$plugin is not installed"
done
[ ! -e "$prefix/include" ] || fail "the SDK is a component of its own"
if grep -n build/ "$prefix/share/davit/davit.yaml"; then fail "the configuration names the build folder"; fi

mkdir "$work/elsewhere"
cd "$work/elsewhere"
export GITHUB_WEBHOOK_SECRET=a-secret-for-tests-0123456789
sed -i 's/port: 8080/port: 0/' "$prefix/share/davit/davit.yaml"
export DAVIT_CONFIG="$prefix/share/davit/davit.yaml"
"$prefix/bin/davit" check-config

mkfifo ready
"$prefix/bin/davit" serve --ready-fd=3 3>ready >log 2>&1 &
host=$!
read -r line <ready || { cat log >&2; fail "it does not serve"; }
# The dashboard is part of the program, or the program says that it has none.
if [ -f "$1/host/dashboard/built_dashboard.cpp" ]; then first='<div id="app">'; else first='without its dashboard'; fi
curl --silent --show-error --fail "http://127.0.0.1:${line#ready }/" | grep -q "$first" || fail "the first page is not as it was built"
"$prefix/bin/davit" plugins list --url="http://127.0.0.1:${line#ready }" >list
kill "$host"
wait "$host" || fail "it did not stop in order"
host=
for plugin in github command-agent; do
  grep "$plugin" list | grep -q serving || { cat list log >&2; fail "$plugin does not serve"; }
done
