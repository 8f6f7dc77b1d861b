# Shared by the scripts of this folder, which source it: the cache folder, messages, and what the machine must have.

shopt -s inherit_errexit # set -e holds in $(...) too

# A service or a bare container may have no HOME, and nobody's does not exist; Go, kubectl and helm all want to write there.
if [ ! -w "${HOME:-/nonexistent}" ]; then
  HOME=$(getent passwd "$(id -u)" | cut -d: -f6)
  if [ ! -w "${HOME:-/nonexistent}" ]; then
    HOME=${TMPDIR:-/tmp}/socketpod-home-$(id -u)
    mkdir -p -m 700 "$HOME"
  fi
  export HOME
fi

# Everything that is built once and kept. test/support/cluster.ts looks in the same place.
cache=${XDG_CACHE_HOME:-$HOME/.cache}/socketpod
venv=$cache/venv # Python with `websockets`: install.sh
prometheus=$cache/prometheus # prometheus and promtool: install.sh

# Progress goes to stderr: stdout belongs to the command that runs in the cluster.
say() { echo "cluster: $*" >&2; }

# fail [-c CODE] MESSAGE. 77 is what test runners take as "cannot run here".
fail() {
  local code=1
  if [ "$1" = -c ]; then
    code=$2
    shift 2
  fi
  say "$*"
  exit "$code"
}

# need PACKAGE=FILE_OR_COMMAND...: one line with everything that is missing, as the command that installs it.
need() {
  local entry package thing missing=()
  for entry in "$@"; do
    package=${entry%%=*} thing=${entry#*=}
    [ -e "$thing" ] || command -v "$thing" > /dev/null || missing+=("$package")
  done
  [ ${#missing[@]} = 0 ] || fail -c 77 "missing here: apt-get install -y --no-install-recommends ${missing[*]}"
}

# poll SECONDS COMMAND...: until it succeeds; fails when the time is over.
poll() {
  local end=$((SECONDS + $1))
  shift
  until "$@" > /dev/null 2>&1; do
    [ $SECONDS -lt $end ] || return 1
    sleep .03
  done
}

# A shell without job control lets what it starts with & ignore Ctrl-C, and by inheritance an interactive shell's commands too.
heeding_interrupts=(env --default-signal=INT --default-signal=QUIT)

# claim FOLDER: makes a work folder in it and sets W to its path. Whoever uses it holds its lock as fd 9 (children must not:
# 9>&-), so an unlocked one is what a run left that got kill -9: each start deletes those, after `forget ITS_NAME`.
claim() {
  local all=$1 left
  mkdir -p -m 700 "$all"
  # Another user could plant folders and links, and we delete what we find.
  [ -O "$all" ] && [ ! -L "$all" ] || fail "$all belongs to somebody else"
  exec 8> "$all/start.lock" # no other start may sweep a folder between its making and its locking
  flock 8
  W=$(mktemp -d "$all/c.XXXXXX")
  exec 9> "$W/lock"
  flock 9
  for left in "$all"/c.*; do
    if flock -n "$left/lock" true 2> /dev/null; then
      forget "${left##*/}"
      rm -rf --one-file-system "$left"
    fi
  done
  exec 8>&-
}
forget() { :; }
