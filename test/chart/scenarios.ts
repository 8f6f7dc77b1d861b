// The ways to install that the tests look at.
import type { ChartValues } from '../support/helm.ts';

/** Everything that can be switched on, is. */
const EVERYTHING_ON = {
  imagePullSecrets: [{ name: 'registry' }],
  image: { digest: `sha256:${'0'.repeat(64)}` },
  publicUrl: 'wss://functions.example.com',
  ceilings: { profile: 'scf', default: { maxConnections: 1000 }, namespaces: { 'team-a': { maxMessageBytes: 1_048_576 } } },
  hostRules: [
    { hosts: ['*.apps.example.com', 'term.example.com'], namespaces: ['team-a'] },
    { hosts: ['*'], namespaces: ['team-b'] },
    { hosts: ['internal.example.com'], namespaces: ['*'] },
  ],
  admissionPolicy: {
    allow: {
      hostNamespaces: true,
      hostPath: true,
      hostPort: true,
      privileged: true,
      capabilities: ['NET_ADMIN'],
      namespaces: ['kube-functions'],
    },
  },
  networkPolicy: { denyCidrs: ['10.0.0.0/8', 'fd00::/8'] },
  proxy: {
    autoscaling: {
      enabled: true,
      metrics: [{ type: 'Resource', resource: { name: 'memory', target: { type: 'Utilization', averageUtilization: 80 } } }],
    },
    service: {
      type: 'LoadBalancer',
      annotations: { 'example.com/idle-timeout': '7200' },
      loadBalancerClass: 'example.com/tcp',
      loadBalancerSourceRanges: ['203.0.113.0/24'],
      externalTrafficPolicy: 'Local',
      nodePort: 30_080,
      tlsNodePort: 30_443,
    },
    tls: { secrets: ['functions.example.com', 'term.example.com'] },
    trustedProxies: ['10.0.0.0/24', '2001:db8::/64'],
    proxyProtocol: true,
    maxConnectionsPerAddress: 100,
    unschedulableGrace: 30,
    serviceAccount: { annotations: { 'example.com/role': 'proxy' } },
    podAnnotations: { 'example.com/a': 'b' },
    podLabels: { 'example.com/c': 'd' },
    nodeSelector: { 'kubernetes.io/os': 'linux' },
    tolerations: [{ key: 'edge', operator: 'Exists' }],
    affinity: { nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [] } },
    topologySpreadConstraints: [
      { maxSkew: 1, topologyKey: 'kubernetes.io/hostname', whenUnsatisfiable: 'DoNotSchedule', labelSelector: { matchLabels: { a: 'b' } } },
    ],
    priorityClassName: 'system-cluster-critical',
    extraArgs: ['--max-pending=2000'],
    extraEnv: [{ name: 'NODE_OPTIONS', value: '--max-old-space-size=768' }],
  },
  controller: { tolerations: [{ key: 'edge', operator: 'Exists' }], extraEnv: [{ name: 'TZ', value: 'UTC' }] },
  ingress: {
    enabled: true,
    className: 'nginx',
    annotations: { 'example.com/e': 'f' },
    hosts: ['functions.example.com', '*.apps.example.com'],
    tls: [{ secretName: 'functions', hosts: ['functions.example.com'] }],
  },
  httpRoute: { enabled: true, parentRefs: [{ name: 'gateway', namespace: 'gateways' }], hostnames: ['functions.example.com'] },
  monitoring: {
    monitor: 'ServiceMonitor',
    rules: true,
    labels: { release: 'prometheus' },
    dashboards: { enabled: true, annotations: { folder: 'Socketpod' } },
  },
  test: { function: 'default/node-echo' },
};

/** Everything that can be switched off, is. */
const EVERYTHING_OFF = {
  podDefaults: false,
  crds: { install: false },
  rbac: { create: false, aggregate: false },
  admissionPolicy: { enabled: false },
  networkPolicy: { functions: false, own: false },
  proxy: {
    replicas: 0,
    podDisruptionBudget: { enabled: false },
    serviceAccount: { create: false },
    resources: null,
    service: { appProtocol: '' },
  },
  controller: { replicas: 0, podDisruptionBudget: { enabled: false }, serviceAccount: { create: false }, resources: null },
  uninstall: { cleanup: false },
};

/** By name. */
export const SCENARIOS: Readonly<Record<string, ChartValues>> = {
  default: {},
  'everything on': EVERYTHING_ON,
  'everything off': EVERYTHING_OFF,
  'highly available': {
    proxy: { replicas: 5, podDisruptionBudget: { maxUnavailable: 2 }, service: { type: 'NodePort' }, drain: { delay: 15, time: 3600 } },
    controller: { replicas: 3 },
    monitoring: { monitor: 'PodMonitor' },
  },
  namespaced: { namespaces: ['team-a', 'team-b'] },
  'TLS alone': { proxy: { tls: { secrets: ['tls'], plain: false } } },
};
