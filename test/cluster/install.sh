#!/usr/bin/env bash
# Installs what the tests need beside Go, Node and npm: Debian packages, and a virtual environment for Python in the cache folder
# (lib.sh puts it on PATH). As root; does nothing when all is there.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/lib.sh"

packages=(
  # nodes: cluster.sh
  containerd runc containernetworking-plugins nftables conntrack iproute2 iptables openssl curl procps util-linux
  # images: images.sh
  gcc libc6-dev buildah mmdebstrap
  # a real browser as a client; a function in Python
  chromium python3 python3-venv
)
missing=()
for package in "${packages[@]}"; do
  [ "$(dpkg-query -W -f '${Status}' "$package" 2> /dev/null)" = "install ok installed" ] || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
  [ "$(id -u)" = 0 ] || fail -c 77 "missing here: apt-get install -y --no-install-recommends ${missing[*]}"
  say "installing ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends "${missing[@]}"
fi

# Not into the system's Python: Debian's pip refuses that, and rightly.
requirements=$here/../../examples/python-push/requirements.txt
if ! cmp -s "$requirements" "$venv/requirements.txt"; then
  say "making $venv"
  rm -rf "$venv"
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet -r "$requirements"
  cp "$requirements" "$venv/requirements.txt" # last: it says that all is there
fi
