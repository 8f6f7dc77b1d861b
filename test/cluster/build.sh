#!/usr/bin/env bash
# Builds the one binary with all of Kubernetes, once for each state of its sources, and prints its path.
# The first build takes about five minutes on two cores and 4 GB of Go's build cache; a second run finds it at once.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

command -v go > /dev/null || { echo "the cluster for tests is built with Go: install Go 1.26 (https://go.dev/dl)" >&2; exit 77; }
hash=$(cat go.mod go.sum ./*.go <(go env GOVERSION) | sha256sum | cut -c1-16)
cache=${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/socketpod/cluster/$hash
mkdir -p "$cache"

exec 9> "$cache/lock"
flock 9 # two runs that start together build once
if [ ! -x "$cache/kube" ]; then
  CGO_ENABLED=0 go build -buildvcs=false -trimpath \
    -ldflags='-s -w -X k8s.io/component-base/version.gitVersion=v1.36.3' -o "$cache/kube.part" . >&2
  mv "$cache/kube.part" "$cache/kube" # whoever looks sees all of it or nothing
fi
# Under these names the binary is that program.
mkdir -p "$cache/bin"
for name in kubectl helm kwok etcd; do ln -sf ../kube "$cache/bin/$name"; done
echo "$cache/kube"
