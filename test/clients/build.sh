#!/usr/bin/env bash
# Builds the client in Go, once for each state of its sources, and prints its path.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/go"
. ../../cluster/lib.sh

command -v go > /dev/null || fail -c 77 "a client of the tests is built with Go: install Go 1.26 (https://go.dev/dl)"
hash=$(cat go.mod go.sum ./*.go <(go env GOVERSION) | sha256sum | cut -c1-16)
folder=$cache/clients/$hash
mkdir -p "$folder"

exec 9> "$folder/lock"
flock 9 # two runs that start together build once
if [ ! -x "$folder/client" ]; then
  CGO_ENABLED=0 go build -buildvcs=false -trimpath -o "$folder/client.part" . >&2
  mv "$folder/client.part" "$folder/client" # whoever looks sees all of it or nothing
fi
echo "$folder/client"
