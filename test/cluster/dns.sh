#!/usr/bin/env bash
# By cluster.sh only: CoreDNS as a process of node1. Pods reach it as 198.18.255.10, a Service without selector; the node itself
# by its own address, so that the tests resolve cluster names too.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/lib.sh"

# ttl 1: a test that deletes and makes a Service anew must not meet the old address.
cat > "$W/Corefile" << COREFILE
.:53 {
  bind $API
  errors
  ready 127.0.0.1:8181
  kubernetes cluster.local in-addr.arpa {
    kubeconfig $PKI/admin.conf c
    pods insecure
    ttl 1
  }
}
COREFILE
"$KUBE" coredns -conf "$W/Corefile" > "$W/log/coredns.log" 2>&1 < /dev/null &

"$KUBE" kubectl apply -f - > /dev/null << YAML
apiVersion: v1
kind: Service
metadata: {name: kube-dns, namespace: kube-system, labels: {k8s-app: kube-dns}}
spec: {clusterIP: 198.18.255.10, ports: [{name: dns, port: 53, protocol: UDP}, {name: dns-tcp, port: 53, protocol: TCP}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: kube-dns-node1, namespace: kube-system, labels: {kubernetes.io/service-name: kube-dns, endpointslice.kubernetes.io/managed-by: test-cluster}}
addressType: IPv4
endpoints: [{addresses: ["$API"], conditions: {ready: true}}]
ports: [{name: dns, port: 53, protocol: UDP}, {name: dns-tcp, port: 53, protocol: TCP}]
YAML
poll 20 curl -sf -m 2 http://127.0.0.1:8181/ready || fail "CoreDNS did not come up"
