#!/usr/bin/env bash
# usage: api.sh [CMD ARG...]
# etcd and a kube-apiserver on free ports of 127.0.0.1 for the time of CMD (a shell if there is none), with KUBECONFIG set and
# kubectl and helm on PATH. Any user, no namespaces, no packages but openssl and curl.
#   CONTROLLERS=1    the controller manager too. Without it nothing is garbage-collected and a deleted namespace stays forever
#   READY_FILE=PATH  written when all is up: the kubeconfig's path, the server's URL and the admin's token, one a line
#   APISERVER_FLAGS  further flags
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/lib.sh"
need openssl=openssl curl=curl
kube=${KUBE_BINARY:-$("$here/build.sh")}
claim "${TMPDIR:-/tmp}/socketpod-api-$(id -u)"
work=$W

stop() {
  trap - EXIT
  local pids
  pids=$(jobs -p)
  [ -z "$pids" ] || kill -9 $pids 2> /dev/null || true
  wait 2> /dev/null || true
  rm -rf "$work"
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# There is no pid namespace here: each child dies with this shell on its own account, even when that gets kill -9.
start() {
  local name=$1
  shift
  setpriv --pdeathsig KILL "$@" > "$work/$name.log" 2>&1 < /dev/null 9>&- &
}

# All are bound at the same time, so that they differ.
free_ports() {
  node -e '
    const servers = Array.from({ length: Number(process.argv[1]) }, () => require("node:net").createServer().listen(0, "127.0.0.1"));
    Promise.all(servers.map((server) => new Promise((resolve) => server.on("listening", resolve)))).then(() => {
      console.log(...servers.map((server) => server.address().port));
      process.exit();
    });' "$1"
}

read -r api_port controllers_port etcd_port peer_port <<< "$(free_ports 4)"
openssl genrsa -out "$work/sa.key" 2048 2> /dev/null
token=$(openssl rand -hex 16)
echo "$token,admin,admin,system:masters" > "$work/tokens.csv"

# etcd compares the URLs of a member as texts: --initial-cluster must repeat its own peer URL.
start etcd "$kube" etcd --data-dir "$work/etcd" --unsafe-no-fsync --log-level warn \
  --listen-client-urls "http://127.0.0.1:$etcd_port" --advertise-client-urls "http://127.0.0.1:$etcd_port" \
  --listen-peer-urls "http://127.0.0.1:$peer_port" --initial-advertise-peer-urls "http://127.0.0.1:$peer_port" \
  --initial-cluster "default=http://127.0.0.1:$peer_port"

# Nobody makes the default ServiceAccounts without the controller manager, and its admission plugin would wait for them.
flags=()
[ -n "${CONTROLLERS:-}" ] || flags+=(--disable-admission-plugins ServiceAccount)
start apiserver "$kube" apiserver --etcd-servers "http://127.0.0.1:$etcd_port" \
  --bind-address 127.0.0.1 --secure-port "$api_port" --cert-dir "$work/certs" --endpoint-reconciler-type none \
  --token-auth-file "$work/tokens.csv" --authorization-mode RBAC --service-cluster-ip-range 198.18.255.0/24 --allow-privileged \
  --service-account-key-file "$work/sa.key" --service-account-signing-key-file "$work/sa.key" \
  --service-account-issuer https://kubernetes.default.svc "${flags[@]}" ${APISERVER_FLAGS:-}

url=https://127.0.0.1:$api_port
export KUBECONFIG=$work/kubeconfig
cat > "$KUBECONFIG" << YAML
apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "$url", certificate-authority: $work/certs/apiserver.crt}}]
users: [{name: u, user: {token: "$token"}}]
contexts: [{name: c, context: {cluster: c, user: u}}]
current-context: c
YAML

# curl, as every kubectl costs 150 ms.
get() { curl -sf -m 5 --cacert "$work/certs/apiserver.crt" -H "Authorization: Bearer $token" "$url$1"; }
up_or_dead() { get /readyz || [ "$(jobs -pr | wc -l)" -lt 2 ]; }
if ! poll 60 up_or_dead || [ "$(jobs -pr | wc -l)" -lt 2 ]; then
  tail -n 5 "$work"/*.log >&2
  fail "the API server did not come up"
fi

if [ -n "${CONTROLLERS:-}" ]; then
  start controllers "$kube" controller-manager --kubeconfig "$KUBECONFIG" \
    --bind-address 127.0.0.1 --secure-port "$controllers_port" --cert-dir "$work/controllers" \
    --service-account-private-key-file "$work/sa.key" --root-ca-file "$work/certs/apiserver.crt" \
    --use-service-account-credentials --leader-elect=false --kube-api-qps 200 --kube-api-burst 400
  # Before it exists the first pod cannot be created.
  poll 60 get /api/v1/namespaces/default/serviceaccounts/default || {
    tail -n 5 "$work/controllers.log" >&2
    fail "the controller manager did not come up"
  }
fi

PATH=$(dirname "$kube")/bin:$PATH
if [ -n "${READY_FILE:-}" ]; then
  printf '%s\n' "$KUBECONFIG" "$url" "$token" > "$READY_FILE.part"
  mv "$READY_FILE.part" "$READY_FILE"
fi

[ $# -gt 0 ] || set -- "${SHELL:-bash}"
# In the background, as a trap of this shell would wait for the end of a command in the foreground.
"${heeding_interrupts[@]}" setpriv --pdeathsig TERM "$@" <&0 9>&- &
code=0
wait $! || code=$?
exit $code
