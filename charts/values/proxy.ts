// The values of the proxies, what leads to them, and how they take it.
import { choice, flag, group, kubernetes, list, text, texts, whole } from './kinds.ts';
import { workload } from './workload.ts';

const CIDR = { type: 'string', pattern: '^[0-9a-fA-F.:]+(/[0-9]{1,3})?$' };
const PORT = [1, 65535] as const;
const NODE_PORT = [0, 65535] as const;
const A_LOT = 1_000_000;

const SERVICE = group('The Service in front of the proxies.', {
  type: choice(['ClusterIP', 'NodePort', 'LoadBalancer'], 'Its type.'),
  port: whole(80, PORT, 'Its port without TLS.'),
  tlsPort: whole(443, PORT, 'Its port with TLS, if there is a certificate.'),
  nodePort: whole(0, NODE_PORT, 'Node port of the port without TLS; 0: one that the cluster chooses.'),
  tlsNodePort: whole(0, NODE_PORT, 'Node port of the port with TLS; 0: one that the cluster chooses.'),
  annotations: texts('Its annotations: what a cloud wants to be told of a load balancer.'),
  loadBalancerClass: text('', 'Which load balancer serves it; empty: the default one.'),
  loadBalancerSourceRanges: list('Who may come through the load balancer; empty: everybody.', CIDR),
  externalTrafficPolicy: choice(
    ['Cluster', 'Local'],
    'For the types NodePort and LoadBalancer. Local keeps the address of the client and sends only to nodes that have a proxy.',
  ),
  appProtocol: text('kubernetes.io/ws', 'What a gateway is told of the port without TLS; empty: nothing.'),
});

const AUTOSCALING = group('A HorizontalPodAutoscaler for the proxies.', {
  enabled: flag(false, 'Whether there is one; then proxy.replicas is not used.'),
  minReplicas: whole(2, [1, 1000], 'Fewest proxies.'),
  maxReplicas: whole(10, [1, 1000], 'Most proxies.'),
  cpuUtilization: whole(70, [1, 1000], 'Percent of the requested CPU time that a proxy should use.'),
  metrics: list('Further metrics, as in a HorizontalPodAutoscaler.', { type: 'object' }),
  behavior: kubernetes('How fast it scales. Each proxy that goes drains first.', {
    scaleDown: { stabilizationWindowSeconds: 600, policies: [{ type: 'Pods', value: 1, periodSeconds: 60 }] },
  }),
});

/** What clients connect to. */
export const PROXY = group('The proxies: what clients connect to.', {
  replicas: whole(2, [0, 1000], 'How many.'),
  service: SERVICE,
  autoscaling: AUTOSCALING,
  tls: group('TLS that ends at the proxies.', {
    secrets: list(
      'Names of Secrets of type kubernetes.io/tls in the namespace of the release; the first is for names that none of them has. Certificates are replaced without a restart.',
      { type: 'string', minLength: 1 },
    ),
    plain: flag(true, 'Whether the port without TLS stays open beside it. Without a Secret it always is.'),
  }),
  trustedProxies: list('Load balancers whose X-Forwarded-For is believed.', CIDR),
  proxyProtocol: flag(false, 'Whether trustedProxies begin every connection with a PROXY protocol v2 header.'),
  drain: group('What happens at SIGTERM. The grace period of the pods is both and 15 s more.', {
    delay: whole(5, [0, 300], 'Seconds for which connections are still taken while load balancers notice.'),
    time: whole(900, [0, 86400], 'Seconds for which open connections may go on.'),
  }),
  maxConnectionsPerAddress: whole(0, [0, A_LOT], 'Sockets that one client address may have; 0: any number.'),
  maxFramesPerSecond: whole(2000, [1, A_LOT], 'Frames of any kind that a client may send in a second.'),
  maxPending: whole(1000, [1, A_LOT], 'Handshakes that a proxy holds at a time.'),
  maxStartsPerSecond: whole(50, [1, 100_000], 'Pods that a proxy starts in a second; twice as many at once.'),
  unschedulableGrace: whole(0, [0, 300], 'Seconds after which a start that finds no node ends; 0: at its initTimeoutSeconds.'),
  bindAddress: text('0.0.0.0', 'Address that its ports are opened on; "[::]" for clusters with IPv6.'),
  ...workload('proxy', { requests: { cpu: '100m', memory: '192Mi' }, limits: { memory: '1Gi' } }),
});
