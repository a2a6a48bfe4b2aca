#!/usr/bin/env bash
# Puts on this machine what the tests need and no Python package carries: a Java runtime for Spark, the MariaDB
# server programs, Chinese fonts for worksheets as PDF and poppler's pdftotext to read them back. Does nothing
# where all are there. PostgreSQL comes from the test lock's wheel.
# The servers themselves are started and stopped by the tests, on temporary folders and ports.
set -euo pipefail

have_java()    { command -v java >/dev/null 2>&1; }
have_mariadb() { command -v mariadbd >/dev/null 2>&1 || [ -x /usr/sbin/mariadbd ]; }
have_fonts()   { ls /usr/share/fonts/*/noto/Noto*CJK* >/dev/null 2>&1; }
have_poppler() { command -v pdftotext >/dev/null 2>&1; }

missing=()
have_java    || missing+=(default-jre-headless)
have_mariadb || missing+=(mariadb-server)
have_fonts   || missing+=(fonts-noto-cjk)
have_poppler || missing+=(poppler-utils)
[ "${#missing[@]}" -eq 0 ] && exit 0

if ! command -v apt-get >/dev/null 2>&1; then
  echo "The tests need: ${missing[*]}. Without apt-get they cannot be installed from here; install a Java 17 runtime," >&2
  echo "the MariaDB server, Noto CJK fonts and poppler by hand, then run make test again." >&2
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
have_java && have_mariadb && have_fonts && have_poppler
