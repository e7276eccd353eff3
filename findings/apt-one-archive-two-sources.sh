#!/bin/sh
# apt 2.6, 3.0.4, 3.3.3: two package sources of one archive.
#
# apt takes http://host/path and https://host/path for the same archive. When two sources of the same archive and suite, in
# whatever files, differ in Signed-By or Trusted, no apt command works any more, `update` included: exit code 100, not even
# for packages of other sources. A source that differs in the suite is another one. What is switched off does not count.
#
# Needs apt-get; touches nothing outside a temporary directory. Prints what it sees, and ends with 1 when that is not the following:
#   the same key: 0
#   another key: 100
#   another key, https beside http: 100
#   another key, a slash at the end: 100
#   trusted beside not: 100
#   another key, another suite: 0
#   another key, switched off: 0
set -eu
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir -p "$folder/etc/apt/sources.list.d" "$folder/etc/apt/preferences.d" "$folder/etc/apt/apt.conf.d" "$folder/var/lib/apt/lists/partial" "$folder/var/lib/dpkg"
: >"$folder/var/lib/dpkg/status"
echo 'deb [signed-by=/a.gpg] http://example.com/debian stable main' >"$folder/etc/apt/sources.list"

look() { # CASE SUFFIX SOURCE
  rm -f "$folder/etc/apt/sources.list.d"/*
  printf '%b\n' "$3" >"$folder/etc/apt/sources.list.d/other.$2"
  code=0
  apt-get -o Dir="$folder" -o Dir::State::status="$folder/var/lib/dpkg/status" indextargets >"$folder/said" 2>&1 || code=$?
  echo "$1: $code"
}

{
  look 'the same key' list 'deb [signed-by=/a.gpg] http://example.com/debian stable main'
  look 'another key' list 'deb [signed-by=/b.gpg] http://example.com/debian stable contrib'
  look 'another key, https beside http' list 'deb [signed-by=/b.gpg] https://example.com/debian stable main'
  look 'another key, a slash at the end' sources 'Types: deb\nURIs: http://example.com/debian/\nSuites: stable\nComponents: main\nSigned-By: /b.gpg'
  look 'trusted beside not' list 'deb [signed-by=/a.gpg trusted=yes] http://example.com/debian stable main'
  look 'another key, another suite' list 'deb [signed-by=/b.gpg] http://example.com/debian testing main'
  look 'another key, switched off' sources 'Enabled: no\nTypes: deb\nURIs: http://example.com/debian\nSuites: stable\nComponents: main\nSigned-By: /b.gpg'
} >"$folder/seen"
cat "$folder/seen"
sed -n 's/^#   //p' "$here/${0##*/}" >"$folder/expected"
cmp -s "$folder/seen" "$folder/expected"
