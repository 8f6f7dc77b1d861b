#!/usr/bin/env bash
# Builds the one binary with all of Kubernetes, once for each state of its sources, and prints its path.
# The first build takes about five minutes on two cores and 4 GB of Go's build cache; a second run finds it at once.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
. ./lib.sh

command -v go > /dev/null || fail -c 77 "the cluster for tests is built with Go: install Go 1.26 (https://go.dev/dl)"
hash=$(cat go.mod go.sum ./*.go <(go env GOVERSION) | sha256sum | cut -c1-16)
folder=$cache/cluster/$hash
mkdir -p "$folder"

exec 9> "$folder/lock"
flock 9 # two runs that start together build once
if [ ! -x "$folder/kube" ]; then
  say "building Kubernetes for the tests; the first time takes minutes"
  CGO_ENABLED=0 go build -buildvcs=false -trimpath \
    -ldflags='-s -w -X k8s.io/component-base/version.gitVersion=v1.36.3' -o "$folder/kube.part" . >&2
  mv "$folder/kube.part" "$folder/kube" # whoever looks sees all of it or nothing
fi
# Under these names the binary is that program.
mkdir -p "$folder/bin"
for name in kubectl helm kwok etcd; do ln -sf ../kube "$folder/bin/$name"; done
echo "$folder/kube"
