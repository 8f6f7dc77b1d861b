#!/usr/bin/env bash
# usage: npm run bench:warm
# Warm starts on a fresh whole node, as test/cluster makes it: prints, asserts nothing.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cluster=$here/../cluster
cd "$here/../.."
export PATH=$PWD/node_modules/.bin:$PATH
images=$("$cluster/images.sh" fn)
IMAGES=${images//$'\n'/ } "$cluster/cluster.sh" node test/bench/warm.ts
