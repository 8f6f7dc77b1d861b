#!/usr/bin/env bash
# usage: node.sh N, by cluster.sh only: containerd, kubelet, kube-proxy and the NetworkPolicy enforcer of node N in the namespaces
# that it is started in.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/lib.sh"
n=$1
D=$W/node$n
address=$API
mkdir -p "$D/cni" "$D/kubelet"
trap 'touch "$W/failed"' EXIT # it ends by failure only: cluster.sh need not wait for its time-out

start() {
  local name=$1
  shift
  "$@" > "$W/log/$name$n.log" 2>&1 < /dev/null &
}

# A node other than the first has empty namespaces, and a cable once cluster.sh has put it in.
further_network() {
  address=198.19.0.$((10 + n))
  echo $$ > "$W/node$n.pid"
  poll 10 [ -e "$W/node$n.go" ]
  hostname "node$n"
  ip link set lo up
  ip address add "$address/24" dev eth0
  ip link set eth0 up
  ip route add default via "$API"
  sysctl -qw net.ipv4.ip_forward=1
  mount -t tmpfs tmpfs /run
  mkdir -p /run/lock /run/netns
  local m
  for m in $(seq "$NODES"); do
    [ "$m" = "$n" ] || ip route add "198.18.$((m * 4)).0/22" via "198.19.0.$([ "$m" = 1 ] && echo 1 || echo $((10 + m)))"
  done
}
[ "$n" = 1 ] || further_network

# The kubelet wants its cgroup to exist, in every hierarchy of v1; a new cpuset is empty, and nothing starts in an empty one.
cgroups() {
  local root
  if [ -e /sys/fs/cgroup/cgroup.controllers ]; then # v2
    mkdir -p "/sys/fs/cgroup$CGROUP/$n"
    for root in /sys/fs/cgroup "/sys/fs/cgroup$CGROUP"; do
      local controller
      for controller in cpu cpuset io memory pids hugetlb; do
        echo "+$controller" > "$root/cgroup.subtree_control" || true # one that the kernel lacks is not needed
      done
    done
    return
  fi
  for root in /sys/fs/cgroup/*/; do
    [ -e "$root/cgroup.procs" ] || continue
    mkdir -p "$root$CGROUP/$n"
    [ -e "$root/cpuset.cpus" ] || continue
    local folder
    for folder in "$root$CGROUP" "$root$CGROUP/$n"; do
      cat "$root/cpuset.cpus" > "$folder/cpuset.cpus"
      cat "$root/cpuset.mems" > "$folder/cpuset.mems"
    done
  done
}
cgroups

# restrict_oom_score_adj: a container that runs this may lack CAP_SYS_RESOURCE; runc then cannot lower the score, and no pod starts.
# The socket is in /run, as its path may have 107 bytes at most.
cat > "$D/containerd.toml" << TOML
version = 2
root = "$D/containerd"
state = "/run/containerd"
[grpc]
  address = "/run/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "localhost/pause:1"
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "$D/cni"
TOML

# portmap is what makes hostPort work.
cat > "$D/cni/10-pods.conflist" << JSON
{
  "cniVersion": "0.4.0",
  "name": "pods",
  "plugins": [
    {
      "type": "bridge", "bridge": "cni0", "isGateway": true, "ipMasq": false, "hairpinMode": true,
      "ipam": {
        "type": "host-local", "ranges": [[{ "subnet": "198.18.$((n * 4)).0/22" }]],
        "routes": [{ "dst": "0.0.0.0/0" }], "dataDir": "$D/ipam"
      }
    },
    { "type": "portmap", "capabilities": { "portMappings": true } }
  ]
}
JSON

# - cgroupRoot: see cluster.sh. No systemd, so cgroupfs; 1.36 refuses cgroup v1 unless told.
# - Nothing is evicted and no image deleted because the machine's disk is full: images cannot be pulled again.
# - Without localStorageCapacityIsolation the node offers no ephemeral-storage: a pod that requests it stays Pending.
# - resolvConf "": pods get our DNS only.
cat > "$D/kubelet.yaml" << YAML
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
containerRuntimeEndpoint: unix:///run/containerd.sock
cgroupDriver: cgroupfs
cgroupRoot: $CGROUP/$n
failCgroupV1: false
failSwapOn: false
enforceNodeAllocatable: []
localStorageCapacityIsolation: false
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: $PKI/ca.crt}}
authorization: {mode: Webhook}
tlsCertFile: $PKI/node$n.crt
tlsPrivateKeyFile: $PKI/node$n.key
clusterDNS: [198.18.255.10]
clusterDomain: cluster.local
resolvConf: ""
maxPods: 1000
registryPullQPS: 0
kubeAPIQPS: 200
kubeAPIBurst: 400
serializeImagePulls: false
imageGCHighThresholdPercent: 100
imageGCLowThresholdPercent: 99
evictionHard: {memory.available: "50Mi", nodefs.available: "0%", imagefs.available: "0%", nodefs.inodesFree: "0%"}
volumePluginDir: $D/kubelet/plugins
podLogsDir: $D/podlogs
${KUBELET_CONFIG:-}
YAML

# - minSyncPeriod: the default of 1 s refuses connections to a Service for 1 s after a pod is ready; there is no flag for it.
# - conntrack: zeros leave the kernel's values, which cannot be set in a network namespace.
cat > "$D/proxy.yaml" << YAML
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
mode: nftables
hostnameOverride: node$n
clusterCIDR: 198.18.0.0/17
nodePortAddresses: [198.19.0.0/24]
clientConnection: {kubeconfig: $PKI/proxy.conf, qps: 100, burst: 200}
conntrack: {maxPerCore: 0, min: 0, tcpEstablishedTimeout: 0s, tcpCloseWaitTimeout: 0s}
nftables: {minSyncPeriod: 20ms}
YAML

export CONTAINERD_ADDRESS=/run/containerd.sock
start containerd containerd -c "$D/containerd.toml"
poll 20 ctr version || fail "containerd of node$n did not come up"
# The larger images take seconds: meanwhile the node gets ready. cluster.sh waits for both.
# containerd's CRI makes a record of an image as soon as it sees it; who comes second fails, and finds it there the next time.
load_image() { ctr -n k8s.io images import --snapshotter overlayfs "$1" > /dev/null; }
load_images() {
  local image pids=()
  for image in $IMAGES; do
    { load_image "$image" || load_image "$image" || load_image "$image"; } &
    pids+=($!)
  done
  for image in "${pids[@]}"; do wait "$image" || touch "$W/failed"; done
  touch "$W/node$n.images"
}
load_images &

api_ready() { curl -sf -m 5 --cacert "$PKI/ca.crt" --cert "$PKI/admin.crt" --key "$PKI/admin.key" "https://$API:6443/readyz"; }
poll 90 api_ready || fail "node$n sees no API server"
start kubelet "$KUBE" kubelet --config "$D/kubelet.yaml" --kubeconfig "$PKI/node$n.conf" --root-dir "$D/kubelet" \
  --cert-dir "$D/kubelet/pki" --hostname-override "node$n" --node-ip "$address"
start kube-proxy "$KUBE" kube-proxy --config "$D/proxy.yaml"
[ "${NETPOL:-1}" = 0 ] || start netpol "$KUBE" netpol "$PKI/admin.conf"
wait
