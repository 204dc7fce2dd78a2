#!/bin/sh
# util/build-wheels.sh PYTHON FOLDER
#
# A wheel for each architecture that a compiler is here for, with its C kernel: one for Python 3.11 and later.
# The tag says glibc 2.34, that of Amazon Linux 2023; tests/unit/devstack/test_wheels.py looks at what the kernels ask of it.
set -eu

python=$1 folder=$2
for machine in x86_64 aarch64; do
  compiler=$machine-linux-gnu-gcc
  if ! command -v "$compiler" >/dev/null; then
    echo "no wheel for $machine: $compiler is not installed (Debian: gcc-$(echo $machine | tr _ -)-linux-gnu)" >&2
    continue
  fi
  tag=manylinux_2_34_$machine
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  CC=$compiler LDSHARED="$compiler -shared" _PYTHON_HOST_PLATFORM=linux-$machine \
    "$python" setup.py --quiet build --build-base "$work/build" egg_info --egg-base "$work" \
    bdist_wheel --plat-name "$tag" --dist-dir "$work" 2>"$work/log" || { cat "$work/log" >&2; exit 1; }
  wheel=$(echo "$work"/*.whl)
  for built in hashing/_kernel store/_files; do
    if ! "$python" -m zipfile --list "$wheel" | grep "s3torrent/$built.abi3.so" >/dev/null; then
      cat "$work/log" >&2
      echo "$compiler built no $built: are Python's headers there for $machine?" >&2
      exit 1
    fi
  done
  mkdir -p "$folder"
  mv "$wheel" "$folder/"
  echo "$folder/$(basename "$wheel")"
  rm -rf "$work"
done
