// Every value of the chart, once: values.yaml, values.schema.json and docs/values.md are made of this.
import { CEILED } from '../../src/api/ceilings.ts';
import { choice, flag, group, KUBERNETES, list, record, text, texts, type Value, whole } from './kinds.ts';
import { PROXY } from './proxy.ts';
import { workload } from './workload.ts';

const NAME = { type: 'string', pattern: '^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$' };
const HOST = { type: 'string', pattern: '^(\\*\\.)?[a-z0-9]([-.a-z0-9]*[a-z0-9])?$' };
const CIDR = { type: 'string', pattern: '^[0-9a-fA-F.:]+/[0-9]{1,3}$' };
/** At least one of these, or `*` for all. */
const someOf = ({ type, pattern }: typeof NAME) => ({ type: 'array', minItems: 1, items: { type, pattern: `^\\*$|${pattern}` } });
const CEILINGS = record(Object.fromEntries(CEILED.map((field) => [field, { type: 'integer', minimum: 1, maximum: 2_147_483_647 }])));

const ceilings: Value = {
  description:
    'The most that functions may ask for: `profile` (default: 64 times the field defaults; scf: the limits of the original), and over it `default` and `namespaces.NAME` with any of maxMessageBytes, maxBytesPerSecond, maxMessagesPerSecond, maxConnections.',
  fallback: {},
  schema: record({
    profile: { type: 'string', enum: ['default', 'scf'] },
    default: CEILINGS,
    namespaces: { type: 'object', additionalProperties: CEILINGS },
  }),
};

/** All values. */
export const VALUES = group('Values of the chart socketpod.', {
  nameOverride: text('', 'Instead of `socketpod`, in labels and names.'),
  fullnameOverride: text('', 'Instead of the name of the release, in the names of objects.'),
  image: group('The image of Socketpod.', {
    repository: text('localhost/socketpod', 'Where it is; the default is one that you have built and loaded yourself.'),
    tag: text('', 'Its tag; empty: the version of the chart.'),
    digest: text('', 'Its digest, instead of a tag.', 'sha256:[0-9a-f]{64}'),
    pullPolicy: choice(['IfNotPresent', 'Always', 'Never'], 'When it is pulled.'),
  }),
  imagePullSecrets: list('Secrets to pull it with.', record({ name: { type: 'string' } })),
  namespaces: list(
    'Namespaces whose functions are served, by Roles in each of them; they must exist. Empty: all namespaces, by ClusterRoles.',
    NAME,
  ),
  publicUrl: text('', 'Base of the addresses that clients use, as in wss://functions.example.com.', '(ws|http)s?://[^/?#]+/?'),
  ceilings,
  hostRules: list('When given, these are the only hosts that functions may claim, each by these namespaces alone.', {
    ...record({ hosts: someOf(HOST), namespaces: someOf(NAME) }),
    required: ['hosts', 'namespaces'],
  }),
  podDefaults: flag(true, 'Whether pods of functions get the defaults of the restricted Pod Security Standard where a template is silent.'),
  crds: group('The definition of WebSocketFunction.', {
    install: flag(true, 'Whether it is installed and upgraded with the release. It stays when the release goes.'),
  }),
  rbac: group('Roles.', {
    create: flag(true, 'Whether the accounts get their Roles.'),
    aggregate: flag(true, 'Whether the roles edit and admin of your users may write WebSocketFunctions, and view may read them.'),
  }),
  admissionPolicy: group('The ValidatingAdmissionPolicy for what our accounts do to pods.', {
    enabled: flag(true, 'Whether there is one.'),
    allow: group('What pods of functions may have nevertheless.', {
      hostNamespaces: flag(false, 'hostNetwork, hostPID, hostIPC.'),
      hostPath: flag(false, 'Volumes of type hostPath.'),
      hostPort: flag(false, 'Ports of the node.'),
      privileged: flag(false, 'Privileged containers.'),
      capabilities: list('Capabilities that containers may add.', { type: 'string', pattern: '^[A-Z_]+$' }),
      namespaces: list('Namespaces among kube-* and our own that may have functions.', NAME),
    }),
  }),
  networkPolicy: group('NetworkPolicies.', {
    functions: flag(true, 'Whether the controller keeps one in each namespace that has functions: in only from the proxies.'),
    denyCidrs: list('Addresses that functions must not reach, besides the API server and link-local ones.', CIDR),
    own: flag(true, 'Whether there is one for our own pods: data ports from everywhere, the admin port from adminFrom.'),
    adminFrom: list('Who reaches the admin port besides our own namespace, as `from` of a NetworkPolicy.', KUBERNETES, [
      { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'monitoring' } } },
    ]),
  }),
  proxy: PROXY,
  controller: group('The controller: accepts functions, writes their status, clears away. One of its pods leads.', {
    replicas: whole(2, [0, 10], 'How many.'),
    ...workload('controller', { requests: { cpu: '20m', memory: '128Mi' }, limits: { memory: '512Mi' } }),
  }),
  ingress: group('An Ingress in front of the proxies.', {
    enabled: flag(false, 'Whether there is one.'),
    className: text('', 'Its class; empty: the default of the cluster.'),
    annotations: texts('Further annotations. Those for the timeouts of ingress-nginx are there.'),
    hosts: list('Its hosts; empty: all.', HOST),
    tls: list('Its certificates, as in an Ingress.', KUBERNETES),
    timeoutSeconds: whole(7260, [1, 100_000], 'Longest time without data: over every idleTimeoutSeconds and initTimeoutSeconds.'),
  }),
  httpRoute: group('An HTTPRoute of the Gateway API in front of the proxies.', {
    enabled: flag(false, 'Whether there is one.'),
    annotations: texts('Its annotations.'),
    parentRefs: list('Its gateways.', KUBERNETES),
    hostnames: list('Its hosts; empty: those of the gateways.', HOST),
    timeout: text('0s', 'Longest time of a request; 0s: any, as a connection is one request.', '([0-9]{1,5}(h|m|s|ms)){1,4}'),
  }),
  monitoring: group('What Prometheus and Grafana find by themselves.', {
    monitor: choice(['None', 'PodMonitor', 'ServiceMonitor'], 'How the operator of Prometheus finds proxies and controllers.'),
    interval: text('30s', 'Time between two scrapes.', '([0-9]+(h|m|s|ms))+'),
    labels: texts('Further labels of monitor and rules, by which your Prometheus chooses them.'),
    rules: flag(false, 'Whether there is a PrometheusRule with recording rules and alerts.'),
    dashboards: group('Dashboards for Grafana.', {
      enabled: flag(false, 'Whether there are ConfigMaps with them.'),
      labels: { ...texts('Labels by which the sidecar of Grafana finds them.'), fallback: { grafana_dashboard: '1' } },
      annotations: texts('Annotations, as for the folder of Grafana.'),
    }),
  }),
  uninstall: group('What helm uninstall does first.', {
    cleanup: flag(true, 'Whether a Job ends proxies and controller, and then deletes the pods of functions and what the controller made.'),
    graceSeconds: whole(10, [0, 3600], 'Seconds that pods of functions have to end.'),
    timeoutSeconds: whole(240, [10, 86400], 'Seconds after which, besides proxy.drain.delay, it gives up and says what is left.'),
  }),
  test: group('What helm test does.', {
    function: text(
      '',
      'NAMESPACE/NAME of a function to connect to; empty: only the health of the proxies is asked for.',
      '[-a-z0-9]+/[-a-z0-9]+',
    ),
  }),
  global: { description: 'Not used; here for charts that contain this one.', fallback: {}, schema: KUBERNETES },
});
