#!/usr/bin/env bash
# Installs what the tests need beside Go, Node and npm: Debian packages, and in the cache folder a virtual environment for Python and
# Prometheus (test.sh puts them on PATH). As root; does nothing when all is there.
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

# Unpacked, not installed: installed, Debian's package serves at port 9090 from then on and at each boot, adds a user, and brings a
# dozen packages for its web pages. The tests need its two programs, which need nothing but the C library.
if [ ! -x "$prometheus/promtool" ]; then
  say "unpacking prometheus into $prometheus"
  rm -rf "$prometheus"
  mkdir -p "$prometheus/package"
  download() { (cd "$prometheus/package" && apt-get -qq -o APT::Sandbox::User=root download prometheus); }
  download || { apt-get update -qq && download; } # its lists of packages may be missing, or too old
  # promtool comes second in the package: it says that all is there.
  dpkg-deb --fsys-tarfile "$prometheus"/package/*.deb | tar x -C "$prometheus" --strip-components=3 ./usr/bin/prometheus ./usr/bin/promtool
  rm -r "$prometheus/package"
fi
