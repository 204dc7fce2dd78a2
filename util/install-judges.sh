#!/bin/sh
# Install the independent judges of the tests, where apt may: the clients and creators we are compared with.
# Without them the tests that need them are skipped, and say so.
set -eu
missing=
command -v transmission-show >/dev/null 2>&1 || missing="$missing transmission-cli"
command -v aria2c >/dev/null 2>&1 || missing="$missing aria2"
command -v mktorrent >/dev/null 2>&1 || missing="$missing mktorrent"
command -v bats >/dev/null 2>&1 || missing="$missing bats"
command -v shellcheck >/dev/null 2>&1 || missing="$missing shellcheck"
command -v jq >/dev/null 2>&1 || missing="$missing jq"
command -v readelf >/dev/null 2>&1 || missing="$missing binutils"
command -v ffprobe >/dev/null 2>&1 || missing="$missing ffmpeg"
command -v opentracker >/dev/null 2>&1 || missing="$missing opentracker"
command -v transmission-daemon >/dev/null 2>&1 || missing="$missing transmission-daemon"
command -v curl >/dev/null 2>&1 || missing="$missing curl"
command -v gcc >/dev/null 2>&1 || missing="$missing gcc libc6-dev"
command -v aarch64-linux-gnu-gcc >/dev/null 2>&1 || missing="$missing gcc-aarch64-linux-gnu libc6-dev-arm64-cross"
command -v qemu-aarch64-static >/dev/null 2>&1 || missing="$missing qemu-user-static"
command -v chromium >/dev/null 2>&1 || missing="$missing chromium"
command -v zsh >/dev/null 2>&1 || missing="$missing zsh"
command -v fish >/dev/null 2>&1 || missing="$missing fish"
command -v man >/dev/null 2>&1 || missing="$missing man-db"
command -v groff >/dev/null 2>&1 || missing="$missing groff"
command -v mandoc >/dev/null 2>&1 || missing="$missing mandoc"

# axe-core judges the catalogue's page. It is no package of Debian's: npm brings it, and its sum says that it is the one.
AXE=4.14.1
AXE_SHA256=29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c
axe=.judges/node_modules/axe-core/axe.min.js
if [ ! -f "$axe" ]; then
  if command -v npm >/dev/null 2>&1 &&
    npm install "axe-core@$AXE" --prefix .judges --ignore-scripts --no-save --no-audit --no-fund --silent >/dev/null 2>&1; then
    echo "$AXE_SHA256  $axe" | sha256sum --check --quiet || { rm -rf .judges && exit 1; }
  else
    echo "axe-core not installed (needs npm); its tests will be skipped" >&2
  fi
fi

[ -n "$missing" ] || exit 0
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
  echo "judges not installed (needs root and apt):$missing; their tests will be skipped" >&2
  exit 0
fi
echo "installing the judges with apt:$missing"
# shellcheck disable=SC2086
{ apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing; } >/dev/null 2>&1 ||
  echo "apt could not install:$missing; their tests will be skipped" >&2
