#!/usr/bin/env bash
# usage: test.sh [VITEST ARG...], by npm run test:chart
# The real helm on a whole node, with the image that we would publish. On a node of its own: what is installed holds for all of it.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/../cluster/lib.sh"
cd "$here/../.."
export PATH=$PWD/node_modules/.bin:$PATH

[ "$(id -u)" = 0 ] || fail -c 77 "a whole node needs root"
KUBE_BINARY=$("$here/../cluster/build.sh")
export KUBE_BINARY
images=$("$here/../cluster/images.sh" fn node-echo python-push socketpod)
SOCKETPOD_TEST_NODE=1 IMAGES=${images//$'\n'/ } "$here/../cluster/cluster.sh" vitest run --project chart "$@"
