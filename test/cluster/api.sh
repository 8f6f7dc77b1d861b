#!/usr/bin/env bash
# usage: api.sh CMD ARG...
# etcd and a kube-apiserver on free ports of 127.0.0.1 for the time of CMD. Any user, no packages but openssl, no namespaces.
# KCM=1 adds the controller manager (garbage collection, namespaces); READY_FILE is written when all is up.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
kube=${KUBE_BINARY:-$("$here/build.sh")}
work=$(mktemp -d "${TMPDIR:-/tmp}/socketpod-api.XXXXXX")

stop() {
  trap - EXIT
  local pids
  pids=$(jobs -p)
  [ -z "$pids" ] || kill -9 $pids 2> /dev/null || true
  wait 2> /dev/null || true
  rm -rf "$work"
}
trap stop EXIT
trap 'exit 130' INT TERM HUP

# Children die with us, even when we get kill -9.
start() {
  local name=$1
  shift
  setpriv --pdeathsig KILL "$@" > "$work/$name.log" 2>&1 &
}
free_ports() {
  python3 -c "import socket; s=[socket.socket() for _ in range($1)]; [x.bind(('127.0.0.1',0)) for x in s]; print(*[x.getsockname()[1] for x in s])"
}

read -r api_port kcm_port etcd_port peer_port <<< "$(free_ports 4)"
openssl genrsa -out "$work/sa.key" 2048 2> /dev/null
token=$(openssl rand -hex 16)
echo "$token,admin,admin,system:masters" > "$work/tokens.csv"

start etcd "$kube" etcd --data-dir "$work/etcd" --unsafe-no-fsync --log-level warn \
  --listen-client-urls "http://127.0.0.1:$etcd_port" --advertise-client-urls "http://127.0.0.1:$etcd_port" \
  --listen-peer-urls "http://127.0.0.1:$peer_port" --initial-advertise-peer-urls "http://127.0.0.1:$peer_port" \
  --initial-cluster "default=http://127.0.0.1:$peer_port"
start apiserver "$kube" apiserver --etcd-servers "http://127.0.0.1:$etcd_port" \
  --bind-address 127.0.0.1 --secure-port "$api_port" --cert-dir "$work/certs" --endpoint-reconciler-type none \
  --token-auth-file "$work/tokens.csv" --authorization-mode RBAC --service-cluster-ip-range 198.18.255.0/24 --allow-privileged \
  --service-account-key-file "$work/sa.key" --service-account-signing-key-file "$work/sa.key" \
  --service-account-issuer https://kubernetes.default.svc \
  $([ -n "${KCM:-}" ] || echo --disable-admission-plugins ServiceAccount) ${APISERVER_FLAGS:-}

export KUBECONFIG=$work/kubeconfig
cat > "$KUBECONFIG" << Y
apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "https://127.0.0.1:$api_port", certificate-authority: $work/certs/apiserver.crt}}]
users: [{name: u, user: {token: "$token"}}]
contexts: [{name: c, context: {cluster: c, user: u}}]
current-context: c
Y
for _ in $(seq 1000); do
  [ "$(curl -sk -H "Authorization: Bearer $token" "https://127.0.0.1:$api_port/readyz")" = ok ] && break
  [ "$(jobs -pr | wc -l)" = 2 ] || { tail -5 "$work"/*.log >&2; exit 1; }
  sleep .03
done
if [ -n "${KCM:-}" ]; then
  start kcm "$kube" controller-manager --kubeconfig "$KUBECONFIG" --bind-address 127.0.0.1 --secure-port "$kcm_port" --cert-dir "$work/kcm" \
    --service-account-private-key-file "$work/sa.key" --root-ca-file "$work/certs/apiserver.crt" \
    --use-service-account-credentials --leader-elect=false --kube-api-qps 200 --kube-api-burst 400
  for _ in $(seq 400); do "$kube" kubectl get serviceaccount default > /dev/null 2>&1 && break; sleep .05; done
fi
export PATH=$(dirname "$kube")/bin:$PATH
[ -z "${READY_FILE:-}" ] || { echo "$KUBECONFIG" > "$READY_FILE.part"; mv "$READY_FILE.part" "$READY_FILE"; }
# In the background, as a signal to this shell would wait for the end of a command in the foreground.
"$@" <&0 &
code=0
wait $! || code=$?
exit $code
