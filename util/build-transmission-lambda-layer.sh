#!/usr/bin/env bash
# Build the Lambda layer that holds transmission-create, without Docker, root or installing anything.
#
# Debian's own binaries are fetched from the mirror this machine's apt uses, checked against the sha256 pinned in
# util/transmission-layer/packages.ARCH.lock, and packed with every library they need, loader and C library
# included, so that they run on any Lambda runtime. The same pins give the same bytes.
set -euo pipefail
export LC_ALL=C

readonly RUNTIMES="python3.8 python3.9 python3.10 python3.11 python3.12 python3.13 python3.14 python3.15"
readonly APT_HELPER=/usr/lib/apt/apt-helper
readonly NEEDED_MB=80 # 61 at most, measured
here=$(cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")" && pwd)
readonly here top=${here%/*}
readonly default_output=terraform/backend/lambda/transmission_tools_layer.zip

usage() {
  cat <<END
usage: util/build-transmission-lambda-layer.sh [--arch x86_64|arm64] [--output FILE] [--relock]

  --arch ARCH    x86_64 (default) or arm64; either is built on any machine
  --output FILE  default: $default_output
  --relock       take the versions apt offers today, build, and write them to util/transmission-layer/packages.ARCH.lock
END
}

say() { printf '%s\n' "$*" >&2; }
die() { say "build-transmission-lambda-layer: $*"; exit 1; }
misused() { say "build-transmission-lambda-layer: $*"; usage >&2; exit 2; }

# A field of /etc/os-release; * where it has none.
os_release() { sed -n "s/^$1=\"\{0,1\}\([^\"]*\)\"\{0,1\}\$/\1/p" /etc/os-release 2>/dev/null | grep . || printf '*'; }

need() { command -v "$1" >/dev/null 2>&1 || die "$1 not found: $2"; }

# The machine can do it, or one line says why not.
check_machine() {
  need apt-get "the layer is made of Debian packages; run this on a Debian machine or in a Debian container"
  need awk "install mawk (apt-get install mawk)"
  local id
  id=$(os_release ID)
  [ "$id" = debian ] || die "this machine runs $id, whose mirrors lack the pinned packages:" \
    "run this on a Debian machine or in a Debian container"
  [ -x "$APT_HELPER" ] || die "$APT_HELPER not found: reinstall apt (apt-get install --reinstall apt)"
  need apt-config "reinstall apt (apt-get install --reinstall apt)"
  need dpkg-deb "install dpkg (apt-get install dpkg)"
  need readelf "install binutils (apt-get install binutils)"
  need python3 "install python3 (apt-get install python3)"
  need sha256sum "install coreutils (apt-get install coreutils)"
}

# An apt of our own: the machine's sources, keys, logins and proxies, but lists, cache and package state under
# $tmp, no hooks, and the architecture asked for. Every apt command after this one obeys it.
private_apt() {
  local root=$tmp/apt sourcelist sourceparts netrc netrcparts trusted trustedparts codename
  mkdir -p "$root"/{conf.d,lists/partial,cache/archives/partial,preferences.d}
  : >"$root/status"
  eval "$(apt-config shell sourcelist Dir::Etc::sourcelist/f sourceparts Dir::Etc::sourceparts/d \
    netrc Dir::Etc::netrc/f netrcparts Dir::Etc::netrcparts/d \
    trusted Dir::Etc::trusted/f trustedparts Dir::Etc::trustedparts/d)"
  # Only Debian's packages, only of this machine's release: a relock never takes a third party's libssl3.
  codename=$(os_release VERSION_CODENAME)
  printf 'Package: *\nPin: release o=Debian,n=%s*\nPin-Priority: 990\n\nPackage: *\nPin: release o=*\nPin-Priority: -1\n' \
    "$codename" >"$root/preferences"
  {
    apt-config dump --no-empty | grep '^Acquire::' | grep -vE '^Acquire::(Languages|IndexTargets|Changelogs)'
    cat <<END
Dir::Etc::main "/dev/null";
Dir::Etc::parts "$root/conf.d";
Dir::Etc::sourcelist "$sourcelist";
Dir::Etc::sourceparts "$sourceparts";
Dir::Etc::netrc "$netrc";
Dir::Etc::netrcparts "$netrcparts";
Dir::Etc::trusted "$trusted";
Dir::Etc::trustedparts "$trustedparts";
Dir::Etc::preferences "$root/preferences";
Dir::Etc::preferencesparts "$root/preferences.d";
Dir::State "$root";
Dir::State::lists "$root/lists";
Dir::State::status "$root/status";
Dir::Cache "$root/cache";
Dir::Log "$root";
APT::Architecture "$deb_arch";
APT::Architectures { "$deb_arch"; };
APT::Update::Error-Mode "any";
Acquire::Languages "none";
END
  } >"$root/apt.conf"
  export APT_CONFIG=$root/apt.conf
  # As root, apt reads the network as its own user, who must reach the folders it writes.
  if [ "$(id -u)" = 0 ] && id _apt >/dev/null 2>&1; then
    chmod 0711 "$tmp" "$root"
    chown _apt "$tmp/debs" "$root/lists/partial"
  fi
}

# The repositories of the machine's sources, one URL a line. Nothing is fetched. apt-helper copies from a folder
# only if told so by the scheme.
repositories() {
  apt-get update --print-uris 2>/dev/null | sed -n "s|^'\(.*\)/dists/.*|\1|p" | sed 's|^file:|copy:|' | awk '!seen[$0]++'
}

# Lock lines of transmission-cli and all it depends on, as apt would install them on an empty machine today.
resolve() {
  local plan
  say "reading apt's package lists for $deb_arch ..."
  apt-get update -qq >"$tmp/apt.log" 2>&1 ||
    die "apt cannot read its package lists: $(first_error): check the network and the machine's apt sources"
  plan=$(apt-get -s install --no-install-recommends transmission-cli 2>"$tmp/apt.log" |
    awk '/^Inst /{sub(/\(/, "", $3); print $2 "=" $3}') ||
    die "apt has no installable transmission-cli for $deb_arch: $(first_error): add a Debian release to its sources"
  [ -n "$plan" ] || die "apt's plan for transmission-cli on $deb_arch is empty: add a Debian release to its sources"
  cat <<END
# Debian packages of the layer, $arch: transmission-cli and all it depends on, as apt resolves them.
# name version sha256 path-on-the-mirror; renewed by util/build-transmission-lambda-layer.sh --arch $arch --relock
END
  # shellcheck disable=SC2086 # one word per package
  apt-cache show $plan | awk -v RS= -F'\n' '{
    for (i = 1; i <= NF; i++) { split($i, field, ": "); value[field[1]] = field[2] }
    print value["Package"], value["Version"], value["SHA256"], value["Filename"] }' | sort
}

first_error() { awk '/^[EW]: / && !told { sub(/^[EW]: /, ""); print; told = 1 }' "$tmp/apt.log"; }

# Fetch every package of the lock into $tmp/debs, from whichever repository of the machine's sources has it. By
# its path, not through the package lists: a mirror keeps a file longer than its lists name it, and a machine
# with another Debian release reads the same pool.
fetch() {
  local repositories repository name version sha256 path target found refused said log=''
  local -a wanted
  repositories=$(repositories)
  [ -n "$repositories" ] || die "apt has no package sources: add a Debian mirror to the machine's apt sources"
  for repository in $repositories; do
    wanted=()
    while read -r name version sha256 path; do
      target=$tmp/debs/${path##*/}
      [ -e "$target" ] || wanted+=("$repository/$(in_url "$path")" "$target" "")
    done < <(lock_lines)
    [ ${#wanted[@]} -gt 0 ] || break
    # Not kept in a file: where the disk is full it could not be told.
    said=$("$APT_HELPER" download-file "${wanted[@]}" 2>&1) || drop_unfinished "$said" "${wanted[@]}"
    log+=$said$'\n'
  done
  while read -r name version sha256 path; do
    target=$tmp/debs/${path##*/}
    if [ ! -e "$target" ]; then
      refused=$(other_than_missing "$(in_url "$path")" <<<"$log")
      case $refused in
        "") die "$name $version is no longer on the mirror (a Debian update replaced it): renew the pins with" \
          "util/build-transmission-lambda-layer.sh --arch $arch --relock, or add a Debian snapshot archive to the apt sources" ;;
        *"No space left"*) die "cannot fetch $name $version: $refused: $more_space" ;;
        *) die "cannot fetch $name $version: $refused: check the network and the machine's apt sources, then run this again" ;;
      esac
    fi
    found=$(sha256sum "$target" | cut -d' ' -f1)
    [ "$found" = "$sha256" ] || die "$name $version has sha256 $found, pinned is $sha256: the mirror or the lock" \
      "($lock_name) was changed; do not use it before you know which"
  done < <(lock_lines)
}

# In the path a + reads as a space on mirrors kept in S3.
in_url() { printf %s "${1//+/%2b}"; }

# drop_unfinished SAID [URL TARGET HASH]...: what broke off lies there in part.
drop_unfinished() {
  local said=$1
  shift
  while [ $# -gt 0 ]; do
    case $said in *"Failed to fetch $1 "*) rm -f -- "$2" ;; esac
    shift 3
  done
}

# The first failed download of a path that failed for another reason than that the mirror has no such file.
other_than_missing() {
  awk -v path="$1" '/^E: Failed to fetch / && index($0, path) && !/  404 |File not found|No such file/ && !told {
    sub(/^E: /, ""); print; told = 1 }'
}

lock_lines() { grep -v '^#' "$lock" || true; }

# Four fields a line and our program among them, or the lock was cut or merged badly.
check_lock() {
  lock_lines | awk 'NF != 4 || $3 !~ /^[0-9a-f]+$/ || length($3) != 64 { bad = 1 } $1 == "transmission-cli" { found = 1 }
    END { exit bad || !found }' || die "$lock_name is not a list of name, version, sha256 and path with transmission-cli in it:" \
    "restore it from git, or renew it with --relock"
}

arch=x86_64 output='' relock=
while [ $# -gt 0 ]; do
  case $1 in
    --arch) [ $# -gt 1 ] || misused "--arch needs x86_64 or arm64"; arch=$2; shift ;;
    --arch=*) arch=${1#*=} ;;
    --output) [ -n "${2:-}" ] || misused "--output needs a file name"; output=$2; shift ;;
    --output=?*) output=${1#*=} ;;
    --output=) misused "--output needs a file name" ;;
    --relock) relock=yes ;;
    -h | --help) usage; exit 0 ;;
    *) misused "unknown argument: $1" ;;
  esac
  shift
done
case $arch in
  x86_64) deb_arch=amd64 ;;
  arm64) deb_arch=arm64 ;;
  *) misused "--arch is '$arch'; expected x86_64 or arm64" ;;
esac
readonly arch deb_arch lock_name=util/transmission-layer/packages.$arch.lock
lock=$top/$lock_name
# As it is found from the current folder.
if [ -n "$output" ]; then shown=$output; elif [ . -ef "$top" ]; then shown=$default_output; else shown=$top/$default_output; fi
case $shown in /*) output=$shown ;; *) output=./$shown ;; esac
part=$output.part.$$

check_machine
[ -n "$relock" ] || [ -r "$lock" ] || die "$lock_name not found: restore it from git, or make it with --relock"

# Told before the download rather than after it.
folder=$(dirname -- "$output")
if ! mkdir -p -- "$folder" 2>/dev/null || [ ! -w "$folder" ] || [ -d "$output" ]; then
  die "cannot write $shown: it is a folder, or its folder cannot be made or written; name another with --output"
fi
tmp=$(mktemp -d 2>/dev/null) ||
  die "cannot make a temporary folder in ${TMPDIR:-/tmp}: set TMPDIR to one that is there and can be written"
trap 'rm -rf -- "$tmp" "$part" 2>/dev/null' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
free=$(df -Pk -- "$tmp" | awk 'NR == 2 { print int($4 / 1024) }')
readonly more_space="free some in ${tmp%/*}, or set TMPDIR to another folder"
[ "$free" -ge $NEEDED_MB ] || die "${tmp%/*} has $free MB free, $NEEDED_MB are needed: $more_space"
mkdir "$tmp/debs"
private_apt
if [ -n "$relock" ]; then
  resolve >"$tmp/lock"
  lock=$tmp/lock
fi

check_lock
say "fetching $(lock_lines | wc -l) packages for $arch ..."
fetch
say "packing ..."
python3 "$here/transmission-layer/pack.py" "$arch" "$lock" "$tmp/debs" "$tmp/layer.zip"

# Beside its place first, then renamed: no reader ever sees half of it.
if ! { cp -- "$tmp/layer.zip" "$part" && mv -fT -- "$part" "$output"; } 2>"$tmp/log"; then
  case $(<"$tmp/log") in
    *"No space left"*) die "cannot write $shown: $(head -n 1 "$tmp/log"): free some there, or name another with --output" ;;
    *) die "cannot write $shown: $(head -n 1 "$tmp/log"): make its folder writable, or name another with --output" ;;
  esac
fi
if [ -n "$relock" ]; then
  cp -- "$lock" "$top/$lock_name" 2>"$tmp/log" || die "cannot write $lock_name: $(head -n 1 "$tmp/log")"
  say "wrote $lock_name: look at it with git diff, run the tests in tests/layer, and commit it"
fi
say "wrote $shown: $(wc -c <"$output" | tr -d ' ') bytes, sha256 $(sha256sum "$output" | cut -d' ' -f1)"
say "publish it with:"
cat <<END
aws lambda publish-layer-version --layer-name transmission-tools --description "Lambda layer with transmission-cli tools" --compatible-runtimes $RUNTIMES --compatible-architectures $arch --zip-file $(printf %q "fileb://$shown")
END
