#!/usr/bin/env bash
# usage: images.sh [NAME...]
# Builds images as archives (tar files) without a container engine, and prints their paths: what IMAGES of cluster.sh takes.
#   pause, fn          from images/NAME.c
#   socketpod          the program itself, by the Dockerfile of the project
#   any other name     the folder examples/NAME, by its own Dockerfile, with buildah
# Without a name: all but socketpod, as every change of src makes that one anew. Each is localhost/NAME:1, socketpod with its version
# instead; all are kept in the cache folder by a hash of what they are made of.
#
# What a Dockerfile builds upon (its ARG BASE and ARG RUNTIME) is made here of Debian packages and the project's own Node.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
. "$here/lib.sh"

if [ $# = 0 ]; then
  set -- pause fn
  for dockerfile in "$root"/examples/*/Dockerfile; do set -- "$@" "$(basename "$(dirname "$dockerfile")")"; done
fi

images=$cache/images
mkdir -p "$images"
exec 9> "$images/lock"
flock 9 # two runs that start together build once
work=$(mktemp -d "${TMPDIR:-/tmp}/socketpod-images.XXXXXX")
# A build of several stages leaves mounts of buildah's behind.
clear_away() {
  { grep -o " $work[^ ]*" /proc/mounts || true; } | sort -r | xargs -r umount
  rm -rf --one-file-system "$work"
}
trap clear_away EXIT

digest() { sha256sum "$@" | cut -d' ' -f1; }

# hash_of FOLDER: of all names and contents, wherever the folder lies.
hash_of() {
  tar --sort=name --mtime=@0 --owner=0 --group=0 --mode=a+rX,u+w,go-w --exclude=node_modules --exclude=__pycache__ -c -C "$1" . | digest -
}

# keep ARCHIVE: in the cache, where other work trees keep theirs too; what none of them has used for a week goes.
keep() {
  mv "$work/image.tar" "$1"
  find "$images" -name '*.tar' -mtime +7 -delete
}

# ---- Images of one static program ----

# blob FILE: puts it into the archive under its digest, and prints the two fields that name it.
blob() {
  local sum
  sum=$(digest "$1")
  mv "$1" "$work/oci/blobs/sha256/$sum"
  echo "\"digest\": \"sha256:$sum\", \"size\": $(stat -c %s "$work/oci/blobs/sha256/$sum")"
}

# static_image NAME USER: an OCI archive is a tar of a layer, a config, a manifest and an index that points to each other.
static_image() {
  local name=$1 user=$2 types=application/vnd.oci.image layer config manifest architecture
  need gcc=gcc libc6-dev=/usr/include/stdio.h
  mkdir -p "$work/rootfs" "$work/oci/blobs/sha256"
  gcc -std=gnu11 -O2 -Wall -static -s -pthread -o "$work/rootfs/$name" "$here/images/$name.c"
  tar --sort=name --mtime=@0 --owner=0 --group=0 -cf "$work/layer" -C "$work/rootfs" "$name"
  case $(uname -m) in
    x86_64) architecture=amd64 ;;
    aarch64) architecture=arm64 ;;
    *) architecture=$(uname -m) ;;
  esac
  cat > "$work/config" << JSON
{"architecture": "$architecture", "os": "linux",
 "config": {"Entrypoint": ["/$name"], "User": "$user", "Env": ["PATH=/"]},
 "rootfs": {"type": "layers", "diff_ids": ["sha256:$(digest "$work/layer")"]}}
JSON
  layer=$(blob "$work/layer")
  config=$(blob "$work/config")
  cat > "$work/manifest" << JSON
{"schemaVersion": 2, "mediaType": "$types.manifest.v1+json",
 "config": {"mediaType": "$types.config.v1+json", $config},
 "layers": [{"mediaType": "$types.layer.v1.tar", $layer}]}
JSON
  manifest=$(blob "$work/manifest")
  echo '{"imageLayoutVersion": "1.0.0"}' > "$work/oci/oci-layout"
  cat > "$work/oci/index.json" << JSON
{"schemaVersion": 2, "manifests": [{"mediaType": "$types.manifest.v1+json", $manifest,
 "annotations": {"io.containerd.image.name": "localhost/$name:1", "org.opencontainers.image.ref.name": "1"}}]}
JSON
  tar -cf "$work/image.tar" -C "$work/oci" .
}

# ---- Images of a Dockerfile ----

# isolation chroot and host network: no daemon, no privileges beyond root's. The store is thrown away: only archives are kept.
buildah() {
  command buildah --root "$work/store" --runroot "$work/run" --storage-driver overlay "$@" >> "$work/log" 2>&1 || {
    tail -n 40 "$work/log" >&2
    fail "buildah could not do its part"
  }
}

# The older kind of archive, as its layers are not compressed: loading them is half of a cluster's start otherwise.
push() { buildah push "localhost/$1" "docker-archive:$work/image.tar:localhost/$1"; }

# A Debian of a few packages. With them the base image also gets what the official ones have: npm, or pip.
debian() {
  local release
  release=$(. /etc/os-release && echo "${VERSION_CODENAME:-stable}")
  mmdebstrap --variant=extract --include="base-files,ca-certificates,$1" \
    "$release" "$work/rootfs" >> "$work/log" 2>&1 || {
    tail -n 20 "$work/log" >&2
    fail "mmdebstrap could not do its part"
  }
  printf 'root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000::/tmp:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n' > "$work/rootfs/etc/passwd"
  printf 'root:x:0:\nuser:x:1000:\nnogroup:x:65534:\n' > "$work/rootfs/etc/group"
  printf 'hosts: files dns\n' > "$work/rootfs/etc/nsswitch.conf"
  [ ! -e "$work/rootfs/bin/dash" ] || ln -sf dash "$work/rootfs/bin/sh"
  mkdir -p "$work"/rootfs/usr/local/{bin,lib}
  rm -rf "$work/rootfs"/usr/share/{doc,man,locale,info,zoneinfo} "$work/rootfs"/var/{cache,lib/dpkg,lib/apt}
}

# tool NAME COMMAND...: a program of the base image that takes the machine's own settings for its registry while an image is built
# (see machine_settings), and nothing else afterwards.
tool() {
  local file=$work/rootfs/usr/local/bin/$1
  shift
  printf '#!/bin/sh\n[ ! -e /run/machine/env ] || . /run/machine/env\nexec %s "$@"\n' "$*" > "$file"
  chmod 755 "$file"
}

base_rootfs() {
  local npm
  case $1 in
    node)
      debian libc-bin,dash,coreutils,libstdc++6,libgcc-s1
      install -m 755 "$(node_binary)" "$work/rootfs/usr/local/bin/node"
      npm=$(npm_folder)
      cp -rL "$npm" "$work/rootfs/usr/local/lib/npm"
      tool npm node /usr/local/lib/npm/bin/npm-cli.js
      ;;
    python)
      # what comes last is in every Debian, and what a shell is for
      debian libc-bin,dash,coreutils,python3,python3-pip,bash,grep,hostname,ncurses-base,sed
      rm -f "$work"/rootfs/usr/lib/python3*/EXTERNALLY-MANAGED # pip of Debian refuses to install; pip of the official image does not
      tool pip python3 -m pip
      ;;
    cc) debian libc6,libstdc++6,libgcc-s1 ;; # no shell, like the distroless image of this name
    *) fail "no base image is known for $1" ;;
  esac
}

node_binary() {
  local file
  for file in "$root"/node_modules/node-linux-*/bin/node "$(command -v node)"; do
    [ ! -x "$file" ] || { echo "$file" && return; }
  done
  fail "no node: run npm ci"
}

# npm lies beside the machine's node.
npm_folder() {
  local cli
  cli=$(readlink -f "$(command -v npm)")
  dirname "$(dirname "$cli")"
}

# base KIND: prints the path of the archive of a base image.
base() {
  local kind=$1 hash archive
  hash=$( (
    sed -n '/^debian()/,/^node_binary()/p' "$here/images.sh"
    cat /etc/os-release
    [ "$kind" != node ] || { "$(node_binary)" --version && npm --version; }
  ) | digest - | cut -c1-16)
  archive=$images/base-$kind-$hash.tar
  if [ ! -e "$archive" ]; then
    say "building the base image $kind"
    need buildah=buildah mmdebstrap=mmdebstrap
    rm -rf "$work/rootfs"
    mkdir "$work/rootfs"
    base_rootfs "$kind"
    printf 'FROM scratch\nCOPY rootfs/ /\nENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n' > "$work/Dockerfile"
    case $kind in
      node) echo 'CMD ["node"]' >> "$work/Dockerfile" ;;
      python) echo 'CMD ["python3"]' >> "$work/Dockerfile" ;;
    esac
    buildah bud --isolation chroot --network host --format oci -t "localhost/base-$kind:1" -f "$work/Dockerfile" "$work"
    push "base-$kind:1"
    keep "$archive"
    rm -rf "$work/rootfs"
  fi
  touch "$archive"
  echo "$archive"
}

# How this machine reaches its registries, as volumes of a build: certificates, npm's and pip's settings. They are not in the image.
machine_settings() {
  local name file
  mkdir -p "$work/machine"
  : > "$work/machine/env"
  for name in http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY PIP_INDEX_URL PIP_EXTRA_INDEX_URL PIP_TRUSTED_HOST PIP_FIND_LINKS; do
    [ -z "${!name:-}" ] || printf 'export %s=%q\n' "$name" "${!name}" >> "$work/machine/env"
  done
  printf 'export npm_config_registry=%q\n' "$(cd "$root" && npm config get registry 2> /dev/null)" >> "$work/machine/env"
  if [ -f "$HOME/.npmrc" ]; then
    cp "$HOME/.npmrc" "$work/machine/npmrc"
    echo 'export npm_config_userconfig=/run/machine/npmrc' >> "$work/machine/env"
  fi
  for file in "${PIP_CONFIG_FILE:-}" "$HOME/.config/pip/pip.conf" "$HOME/.pip/pip.conf" /etc/pip.conf; do
    if [ -f "$file" ]; then
      cp "$file" "$work/machine/pip.conf"
      echo 'export PIP_CONFIG_FILE=/run/machine/pip.conf' >> "$work/machine/env"
      break
    fi
  done
  for file in "${NODE_EXTRA_CA_CERTS:-}" "${SSL_CERT_FILE:-}" /etc/ssl/certs/ca-certificates.crt; do
    if [ -f "$file" ]; then
      cp "$file" "$work/machine/ca.crt"
      for name in NODE_EXTRA_CA_CERTS SSL_CERT_FILE PIP_CERT REQUESTS_CA_BUNDLE npm_config_cafile; do
        echo "export $name=/run/machine/ca.crt" >> "$work/machine/env"
      done
      break
    fi
  done
  volumes=(-v "$work/machine:/run/machine:ro")
  [ ! -d "${PIP_FIND_LINKS:-}" ] || volumes+=(-v "$PIP_FIND_LINKS:$PIP_FIND_LINKS:ro")
}

# dockerfile_image TAG FOLDER
dockerfile_image() {
  local tag=$1 folder=$2 arg kind archive bases=()
  need buildah=buildah
  while read -r arg kind; do
    archive=$(base "$kind")
    bases+=(--build-arg "$arg=docker-archive:$archive")
  done < <(base_kinds "$folder")
  machine_settings
  buildah bud --isolation chroot --network host --format oci "${bases[@]}" "${volumes[@]}" -t "localhost/$tag" "$folder"
  push "$tag"
}

# `BASE node` for `ARG BASE=node:24-slim`, `RUNTIME cc` for `ARG RUNTIME=HOST/distroless/cc-debian12:latest`.
base_kinds() { sed -nE 's/^ARG (BASE|RUNTIME)=(.*\/)?([a-z]+).*/\1 \3/p' "$1/Dockerfile"; }

version() { node -p 'require(process.argv[1]).version' "$root/package.json"; }

# What the project's own image is made of: what its .dockerignore lets in.
own_sources() {
  sed -n 's/^!//p' "$root/.dockerignore" | (cd "$root" && tar --sort=name --mtime=@0 --owner=0 --group=0 --mode=a+rX,u+w,go-w -c -T - Dockerfile)
}

# ---- ----

for name in "$@"; do
  case $name in
    pause | fn) hash=$(cat "$here/images/$name.c" "$here/images.sh" | digest -) ;;
    socketpod) hash=$( (own_sources && cat "$here/images.sh" /etc/os-release && "$(node_binary)" --version) | digest -) ;;
    *)
      folder=$root/examples/$name
      [ -e "$folder/Dockerfile" ] || fail "there is no $folder/Dockerfile"
      hash=$( (hash_of "$folder" && cat "$here/images.sh" /etc/os-release && "$(node_binary)" --version) | digest -)
      ;;
  esac
  archive=$images/$name-${hash:0:16}.tar
  if [ ! -e "$archive" ]; then
    say "building localhost/$name"
    clear_away
    mkdir -p "$work"
    case $name in
      pause) static_image pause 65535 ;;
      fn) static_image fn 1000 ;;
      socketpod) dockerfile_image "socketpod:$(version)" "$root" ;;
      *) dockerfile_image "$name:1" "$folder" ;;
    esac
    keep "$archive"
  fi
  touch "$archive"
  echo "$archive"
done
