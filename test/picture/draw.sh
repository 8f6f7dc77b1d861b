#!/usr/bin/env bash
# usage: npm run picture
# Draws docs/overview.svg from a run on a fresh whole node, as test/cluster makes it, of SOCKETPOD_PICTURE_SECONDS (240).
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cluster=$here/../cluster
. "$cluster/lib.sh"
cd "$here/../.."
export PATH=$PWD/node_modules/.bin:$prometheus:$PATH
"$cluster/install.sh"
images=$("$cluster/images.sh" node-echo)
IMAGES=${images//$'\n'/ } "$cluster/cluster.sh" node test/picture/draw.ts
