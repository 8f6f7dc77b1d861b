#!/usr/bin/env bash
# usage: test.sh [VITEST ARG...], by npm run test:cluster
# Builds what is missing and runs the tests that need a cluster: all of them inside one whole node, so that they reach its pods.
# As another user than root: those on an API server alone.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/lib.sh"
cd "$here/../.."
# Node of the project first; called by hand, npm has not done that.
export PATH=$PWD/node_modules/.bin:$venv/bin:$prometheus:$PATH

KUBE_BINARY=$("$here/build.sh")
export KUBE_BINARY
if [ "$(id -u)" != 0 ]; then
  say "skipped: the tests on a whole node, which needs root"
  exec vitest run --project cluster "$@"
fi
images=$("$here/images.sh")
"$here/../clients/build.sh" > /dev/null # here, as there is no way out of the namespaces
SOCKETPOD_TEST_NODE=1 IMAGES=${images//$'\n'/ } "$here/cluster.sh" vitest run --project cluster "$@"
