# shellcheck shell=bash
# What the set-up says, and how it calls. Sourced by s3-torrent-lambda-setup.sh.

changes=0 failures=()
ok() { printf '[ok]     %s\n' "$*"; }
made() { ok "$*" && changes=$((changes + 1)); }
note() { printf '[note]   %s\n' "$*"; }
failed() { printf '[FAILED] %s\n' "$*" && failures+=("$*"); }
critical() { failed "$*" && finish 4; }

finish() {
  local code=$1 failure
  if [ ${#failures[@]} -gt 0 ]; then
    [ "$code" = 4 ] || code=1
    printf '\n%s failed:\n' "${#failures[@]}" >&2
    for failure in "${failures[@]}"; do printf '  %s\n' "$failure" >&2; done
    [ "$code" = 1 ] || printf 's3torrent is not set up at %s: mend that, then run this again\n' "$endpoint" >&2
  fi
  exit "$code"
}

call() { aws --endpoint-url "$endpoint" --cli-connect-timeout 5 --cli-read-timeout 300 "$@" 2>"$tmp/error"; }
helper() { python3 -IS "$here/setup/$1.py" "${@:2}" 2>"$tmp/error"; }
document() { helper documents "$@"; }

# What the last of them said, on one line.
said() { awk 'NF { last = $0 } /An error occurred/ { found = $0 } END { print found ? found : last }' "$tmp/error"; }

# Whether it said that the thing is not there.
absent() { grep -qE '\((NoSuch[A-Za-z]*|ResourceNotFoundException)\)' "$tmp/error"; }

# What it said, and what to do about it.
why() {
  local said
  said=$(said)
  case $said in
    *AccessDenied* | *"not authorized"*) printf '%s: allow this for the credentials in use' "$said" ;;
    *"not enabled"*) printf '%s: add the service to SERVICES of the stack, and start it again' "$said" ;;
    *ResourceConflict*) printf '%s: another change is under way; run this again in a moment' "$said" ;;
    *"config profile"*) printf '%s: name another in AWS_PROFILE, or unset it' "$said" ;;
    *"for parameter"* | *"Invalid bucket name"*) printf '%s: correct that setting; --help lists them' "$said" ;;
    *[Cc]onnect*) printf "%s: the stack went away; look at its log, and start it again" "$said" ;;
    *) printf '%s: %s' "$said" "${1:-look at the log of the stack}" ;;
  esac
}

check_tools() {
  PATH=$PATH:$top/.venv/bin # where make test puts one
  command -v aws >/dev/null || critical "aws: not on PATH: install the AWS CLI (pip install awscli)"
  command -v awk >/dev/null || critical "awk: not on PATH: install it (mawk or gawk)"
  command -v python3 >/dev/null || critical "python3: not on PATH: install Python 3"
}
