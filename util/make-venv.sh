#!/bin/sh
# make-venv.sh PYTHON DIR: a virtual environment, on Debian too, where python3 comes without venv and pip.
set -eu
python=$1
dir=$2

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
  echo "s3torrent needs Python 3.11 or newer; $python is $("$python" --version 2>&1)." \
    "Give another: make PYTHON=python3.13 ..." >&2
  exit 2
}
rm -rf "$dir"
if ! "$python" -m venv "$dir" >/dev/null 2>&1; then
  version=$("$python" -c 'import sys; print("python%d.%d" % sys.version_info[:2])')
  echo "$python has no venv module; installing $version-venv with apt ..." >&2
  if ! { apt-get update -qq && apt-get install -y -qq "$version-venv"; } >/dev/null 2>&1; then
    echo "cannot make a virtual environment: install $version-venv (as root: apt-get install $version-venv)" >&2
    exit 2
  fi
  rm -rf "$dir"
  "$python" -m venv "$dir"
fi
