#!/usr/bin/env bash
# usage: cluster.sh [CMD ARG...]
# A fresh Kubernetes with real nodes, in network, mount and pid namespaces of its own, for the time of CMD (a shell if there is
# none). CMD runs inside: it reaches pods, Services and nodes by their addresses, and Services by name; it has KUBECONFIG, and
# kubectl and helm on PATH. The exit code is CMD's. Nothing is left behind, whatever is killed, and with kill -9 too.
#   NODES=1         how many
#   IMAGES          tar files to load beside pause and fn: what images.sh prints. Nothing is ever pulled
#   DNS=0           without CoreDNS
#   NETPOL=0        without the NetworkPolicy enforcer
#   LOGS=FOLDER     keep the logs of all parts there
#   APISERVER_FLAGS, CONTROLLERS_FLAGS (more words), KUBELET_CONFIG (more lines of yaml)
#   API_ONLY=1      etcd and the API server alone, as any user: api.sh
#   USE_EXISTING=1  no cluster is made: CMD runs on the one of your KUBECONFIG
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/lib.sh"

[ $# -gt 0 ] || set -- "${SHELL:-bash}"
[ -z "${USE_EXISTING:-}" ] || exec "$@"
[ -z "${API_ONLY:-}" ] || exec "$here/api.sh" "$@"

# ---- Outside: makes the namespaces, waits, and clears away -----------------------------------------------------------------

outside() {
  [ "$(id -u)" = 0 ] || fail -c 77 "a cluster with nodes needs root (namespaces, cgroups, containerd): run it as root, or with API_ONLY=1"
  need containerd=containerd runc=runc containernetworking-plugins=/usr/lib/cni/bridge nftables=nft conntrack=conntrack \
    iproute2=ip iptables=iptables openssl=openssl curl=curl procps=sysctl util-linux=unshare
  KUBE=${KUBE_BINARY:-$("$here/build.sh")}
  local basic
  basic=$("$here/images.sh" pause fn)
  IMAGES="$basic ${IMAGES:-}"

  claim "${TMPDIR:-/tmp}/socketpod-clusters"
  # One cgroup for each cluster: two clusters that shared /kubepods would kill each other's pods.
  CGROUP=/socketpod.${W##*/}
  export W KUBE CGROUP IMAGES
  trap clean EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  # Whatever kills this shell, the kernel then kills unshare, and with it the pid namespace: every process, and by that every
  # mount, interface and rule.
  SOCKETPOD_INSIDE=1 "${heeding_interrupts[@]}" setpriv --pdeathsig KILL \
    unshare --net --mount --pid --ipc --uts --fork --kill-child --mount-proc -- "$0" "$@" 9>&- <&0 &
  child=$!
  local code=0
  wait $child || code=$?
  exit $code
}

forget() { remove_cgroups "/socketpod.$1"; }

# The folder of a cgroup in each hierarchy of v1, or the one of v2.
cgroup_folders() {
  local folder
  for folder in /sys/fs/cgroup"$1" /sys/fs/cgroup/*"$1"; do
    [ ! -d "$folder" ] || echo "$folder"
  done
}

remove_cgroups() {
  local folders
  folders=$(cgroup_folders "$1")
  [ -z "$folders" ] || find $folders -depth -type d -exec rmdir {} + 2> /dev/null || true
}

clean() {
  trap - EXIT
  local folders pids
  # Reaped before its folder goes, or etcd would go on writing into it.
  if [ -n "${child:-}" ]; then
    kill -9 "$child" 2> /dev/null || true
    wait "$child" 2> /dev/null || true
  fi
  folders=$(cgroup_folders "$CGROUP")
  if [ -n "$folders" ]; then
    for _ in $(seq 50); do # the kernel may still be ending them; then the cgroups are empty and can go
      pids=$(find $folders -name cgroup.procs -exec cat {} + 2> /dev/null | sort -u) || true
      [ -n "$pids" ] || break
      kill -9 $pids 2> /dev/null || true
      sleep .05
    done
  fi
  remove_cgroups "$CGROUP"
  rm -rf --one-file-system "$W" 2> /dev/null || {
    sleep .5
    rm -rf --one-file-system "$W"
  }
}

[ -n "${SOCKETPOD_INSIDE:-}" ] || outside "$@"

# ---- Inside: this shell is process 1 of the namespaces ---------------------------------------------------------------------
# Addresses are of 198.18.0.0/15, which is for benchmarks and never routed:
# pods of node n 198.18.(4n).0/22, fake pods 198.18.64.0/18, Services 198.18.255.0/24, nodes 198.19.0.x; node1 also has the API.

unset SOCKETPOD_INSIDE
NODES=${NODES:-1}
PKI=$W/pki
API=198.19.0.1
export NODES PKI API
export KUBECONFIG=$PKI/admin.conf
mkdir -p "$PKI" "$W/log"

start() {
  local name=$1
  shift
  "$@" > "$W/log/$name.log" 2>&1 < /dev/null &
}

keep_logs() {
  [ -z "${LOGS:-}" ] || { mkdir -p "$LOGS" && cp "$W"/log/*.log "$LOGS"/; }
}

# wait_for WHAT COMMAND...
wait_for() {
  local what=$1
  shift
  or_failed() { "$@" || [ -e "$W/failed" ]; }
  if ! poll 90 or_failed "$@" || [ -e "$W/failed" ]; then
    tail -n 5 "$W"/log/*.log >&2
    keep_logs
    fail "$what did not come up"
  fi
}

since=$(date +%s%N)
told() { say "$1 after $((($(date +%s%N) - since) / 1000000)) ms"; }

node_address() { [ "$1" = 1 ] && echo $API || echo "198.19.0.$((10 + $1))"; }

network() {
  hostname node1
  ip link set lo up
  ip link add br-node type bridge
  ip address add $API/24 dev br-node
  ip link set br-node up
  # Nobody is there: but a packet to a Service needs some route before its destination is rewritten.
  ip route add default via 198.19.0.254 dev br-node onlink
  # Each fake pod of KWOK answers: one server on 0.0.0.0 plays them all.
  ip route add local 198.18.64.0/18 dev lo
  sysctl -qw net.ipv4.ip_forward=1
  # Of our own: containerd's sockets, the pods' network namespaces, the lock of iptables.
  mount -t tmpfs tmpfs /run
  mkdir -p /run/lock /run/netns
  # The machine's servers cannot answer here, and whoever looks itself up would wait 5 to 10 s for them.
  printf 'nameserver %s\nsearch svc.cluster.local\n' $API > "$W/resolv.conf"
  mount --bind "$W/resolv.conf" /etc/resolv.conf
  printf '127.0.0.1 localhost\n%s node1\n' $API > "$W/hosts"
  mount --bind "$W/hosts" /etc/hosts
}

# certificate NAME SUBJECT [ALTERNATIVE NAMES]: also a kubeconfig NAME.conf that uses it.
certificate() {
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$PKI/$1.key" -out "$PKI/$1.csr" -subj "$2" 2> /dev/null
  openssl x509 -req -in "$PKI/$1.csr" -CA "$PKI/ca.crt" -CAkey "$PKI/ca.key" -set_serial "0x$(openssl rand -hex 8)" -days 30 \
    -out "$PKI/$1.crt" -extfile <(echo "${3:+subjectAltName=$3}") 2> /dev/null
  cat > "$PKI/$1.conf" << YAML
apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "https://$API:6443", certificate-authority: $PKI/ca.crt}}]
users: [{name: u, user: {client-certificate: $PKI/$1.crt, client-key: $PKI/$1.key}}]
contexts: [{name: c, context: {cluster: c, user: u}}]
current-context: c
YAML
}

certificates() {
  openssl genrsa -out "$PKI/sa.key" 2048 2> /dev/null &
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$PKI/ca.key" -out "$PKI/ca.crt" \
    -subj /CN=test-ca -days 30 2> /dev/null
  # 198.18.255.1 is the Service `kubernetes`: what pods call.
  local names=DNS:localhost,DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,DNS:kubernetes.default.svc.cluster.local
  certificate apiserver /CN=kube-apiserver "IP:127.0.0.1,IP:$API,IP:198.18.255.1,$names" &
  certificate admin /O=system:masters/CN=admin &
  certificate controllers /CN=system:kube-controller-manager &
  certificate scheduler /CN=system:kube-scheduler &
  certificate proxy /CN=system:kube-proxy &
  local n
  for n in $(seq "$NODES"); do
    certificate "node$n" "/O=system:nodes/CN=system:node:node$n" "IP:$(node_address "$n"),DNS:node$n" &
  done
  wait
}

control_plane() {
  start etcd "$KUBE" etcd --data-dir "$W/etcd" --unsafe-no-fsync --log-level warn \
    --listen-client-urls http://127.0.0.1:2379 --advertise-client-urls http://127.0.0.1:2379 --listen-peer-urls http://127.0.0.1:2380
  start apiserver "$KUBE" apiserver --etcd-servers http://127.0.0.1:2379 --secure-port 6443 --advertise-address $API \
    --tls-cert-file "$PKI/apiserver.crt" --tls-private-key-file "$PKI/apiserver.key" --client-ca-file "$PKI/ca.crt" \
    --service-account-key-file "$PKI/sa.key" --service-account-signing-key-file "$PKI/sa.key" \
    --service-account-issuer https://kubernetes.default.svc --service-cluster-ip-range 198.18.255.0/24 \
    --authorization-mode Node,RBAC --enable-admission-plugins NodeRestriction --allow-privileged \
    --kubelet-client-certificate "$PKI/admin.crt" --kubelet-client-key "$PKI/admin.key" \
    --kubelet-preferred-address-types InternalIP ${APISERVER_FLAGS:-}
}

# Wait for the API server first, so that they do not sit in a back-off of seconds.
controllers() {
  start controllers "$KUBE" controller-manager --kubeconfig "$PKI/controllers.conf" \
    --authentication-kubeconfig "$PKI/controllers.conf" --authorization-kubeconfig "$PKI/controllers.conf" \
    --service-account-private-key-file "$PKI/sa.key" --root-ca-file "$PKI/ca.crt" --use-service-account-credentials \
    --leader-elect=false --kube-api-qps 200 --kube-api-burst 400 ${CONTROLLERS_FLAGS:-}
  start scheduler "$KUBE" scheduler --kubeconfig "$PKI/scheduler.conf" \
    --authentication-kubeconfig "$PKI/scheduler.conf" --authorization-kubeconfig "$PKI/scheduler.conf" \
    --leader-elect=false --kube-api-qps 200 --kube-api-burst 400
}

# Further nodes are network, mount and uts namespaces within ours, one cable each to the bridge.
further_node() {
  local n=$1 pid
  start "node$n" unshare --net --mount --uts -- "$here/node.sh" "$n"
  poll 10 [ -s "$W/node$n.pid" ]
  pid=$(cat "$W/node$n.pid")
  ip link add "vn$n" type veth peer name eth0 netns "$pid"
  ip link set "vn$n" master br-node up
  ip route add "198.18.$((n * 4)).0/22" via "$(node_address "$n")"
  touch "$W/node$n.go"
}

# curl, as every kubectl costs 150 ms.
get() { curl -sf -m 5 --cacert "$PKI/ca.crt" --cert "$PKI/admin.crt" --key "$PKI/admin.key" "https://$API:6443$1"; }
node_ready() { get "/api/v1/nodes/$1" | tr -d ' \n' | grep -q '"type":"Ready","status":"True"'; }

network
certificates
control_plane
start node1 "$here/node.sh" 1
for n in $(seq 2 "$NODES"); do further_node "$n"; done
wait_for "the API server" get /readyz
told "API server ready"
controllers
[ "${DNS:-1}" = 0 ] || "$here/dns.sh"
for n in $(seq "$NODES"); do
  wait_for "node$n" node_ready "node$n"
  wait_for "the images on node$n" [ -e "$W/node$n.images" ]
done
# Before it exists the first pod cannot be created.
wait_for "the default ServiceAccount" get /api/v1/namespaces/default/serviceaccounts/default
told "$NODES node(s) ready"

export PATH=$(dirname "$KUBE")/bin:$PATH
export CONTAINERD_ADDRESS=/run/containerd.sock # for ctr, of node1
code=0
"$@" || code=$?
keep_logs
exit $code # with process 1 everything in the namespaces ends
