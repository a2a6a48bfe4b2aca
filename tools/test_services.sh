#!/usr/bin/env bash
# Puts on this machine what the tests need and no Python package carries: a Java runtime for Spark and the
# MariaDB server programs. Does nothing where both are there. PostgreSQL comes from the test lock's wheel.
# The servers themselves are started and stopped by the tests, on temporary folders and ports.
set -euo pipefail

have_java()    { command -v java >/dev/null 2>&1; }
have_mariadb() { command -v mariadbd >/dev/null 2>&1 || [ -x /usr/sbin/mariadbd ]; }

missing=()
have_java    || missing+=(default-jre-headless)
have_mariadb || missing+=(mariadb-server)
[ "${#missing[@]}" -eq 0 ] && exit 0

if ! command -v apt-get >/dev/null 2>&1; then
  echo "The tests need: ${missing[*]}. Without apt-get they cannot be installed from here; install a Java 17 runtime" >&2
  echo "and the MariaDB server by hand, then run make test again." >&2
  exit 2
fi
root=(); [ "$(id -u)" -eq 0 ] || root=(sudo)
echo "Installing for the tests: ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
# No service may start by itself: the tests run their own server on their own folder.
policy=/usr/sbin/policy-rc.d
made=0
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' | "${root[@]}" tee "$policy" >/dev/null
  "${root[@]}" chmod +x "$policy"
  made=1
fi
trap '[ "$made" -eq 1 ] && "${root[@]}" rm -f "$policy"' EXIT
"${root[@]}" apt-get update -qq
"${root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
have_java && have_mariadb
