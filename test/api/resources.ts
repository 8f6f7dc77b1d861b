// Good and bad resources, each rule and bound of the resource at least once each way. `at` is the field that is at fault; without
// it the resource is good. The unit test and the test on a real API server go through the same list.
import { EDGES } from './resources-edges.ts';

/** One resource: the fields laid over a good one. */
export interface Case {
  readonly name: string;
  readonly at?: string;
  readonly spec?: Record<string, unknown>;
  /** Laid over the pod spec of the template. */
  readonly pod?: Record<string, unknown>;
  /** Laid over the first container. */
  readonly container?: Record<string, unknown>;
  readonly template?: Record<string, unknown>;
  readonly metadata?: Record<string, unknown>;
  readonly root?: Record<string, unknown>;
}

/** The whole object of a case. */
export function objectOf({ spec, pod, container, template, metadata, root }: Case): Record<string, unknown> {
  const containers = [{ name: 'function', image: 'example/echo:1', ...container }];
  return {
    apiVersion: 'socketpod.dev/v1alpha1',
    kind: 'WebSocketFunction',
    metadata: { name: 'echo', namespace: 'default', ...metadata },
    spec: { template: { spec: { containers, ...pod }, ...template }, ...spec },
    ...root,
  };
}

const HASH = '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08';
const JWT = { issuer: 'https://id.example.com', audiences: ['app'], jwks: { keys: [{ kty: 'OKP', crv: 'Ed25519', x: 'AA' }] } };

/** A field with the least and the most it may be, and the values next to them. */
function range(field: string, least: number, most: number, more: Record<string, unknown> = {}): Case[] {
  return [
    { name: `${field} ${least}`, spec: { ...more, [field]: least } },
    { name: `${field} ${most}`, spec: { executionTimeoutSeconds: 86_400, ...more, [field]: most } },
    { name: `${field} ${least - 1}`, spec: { ...more, [field]: least - 1 }, at: `spec.${field}` },
    { name: `${field} ${most + 1}`, spec: { ...more, [field]: most + 1 }, at: `spec.${field}` },
  ];
}

const MOST = 2_147_483_647;

export const CASES: readonly Case[] = [
  { name: 'only what is required' },
  { name: 'no spec', root: { spec: undefined }, at: 'spec' },
  { name: 'no template', root: { spec: {} }, at: 'spec.template' },
  { name: 'an unknown field', spec: { idleTimeout: 10 }, at: 'spec.idleTimeout' },
  { name: 'an unknown field of the root', root: { specs: {} }, at: 'specs' },
  { name: 'a newer field of the pod spec', pod: { somethingNew: { a: 1 } } },
  { name: 'a newer field of a container', container: { somethingNew: true } },
  { name: 'an unknown field of the template', template: { status: {} }, at: 'spec.template.status' },

  { name: 'a name of 52 characters', metadata: { name: 'a'.repeat(52) } },
  { name: 'a name of 53 characters', metadata: { name: 'a'.repeat(53) }, at: 'metadata.name' },
  { name: 'a name that starts with a digit', metadata: { name: '9a' }, at: 'metadata.name' },
  { name: 'a name with a dot', metadata: { name: 'a.b' }, at: 'metadata.name' },

  ...range('port', 1, 65_535),
  ...range('initTimeoutSeconds', 3, 300),
  ...range('idleTimeoutSeconds', 10, 7200),
  ...range('executionTimeoutSeconds', 10, 86_400, { idleTimeoutSeconds: 10 }),
  ...range('maxMessageBytes', 1, MOST),
  ...range('maxBytesPerSecond', 1, MOST),
  ...range('maxMessagesPerSecond', 1, MOST),
  ...range('maxConnections', 0, MOST),
  { name: 'warmPods -1', spec: { warmPods: -1 }, at: 'spec.warmPods' },
  { name: 'a number as text', spec: { idleTimeoutSeconds: '60' }, at: 'spec.idleTimeoutSeconds' },
  { name: 'half a second', spec: { idleTimeoutSeconds: 60.5 }, at: 'spec.idleTimeoutSeconds' },

  { name: 'execution equal to idle', spec: { idleTimeoutSeconds: 100, executionTimeoutSeconds: 100 } },
  { name: 'execution below idle', spec: { idleTimeoutSeconds: 100, executionTimeoutSeconds: 99 }, at: 'spec.executionTimeoutSeconds' },
  { name: 'as many warm pods as connections', spec: { maxConnections: 5, warmPods: 5 } },
  { name: 'more warm pods than connections', spec: { maxConnections: 5, warmPods: 6 }, at: 'spec.warmPods' },
  { name: 'warm pods of a function that is off', spec: { maxConnections: 0, warmPods: 6 } },
  { name: 'Throttle', spec: { onRateExceeded: 'Throttle' } },
  { name: 'another way of rates', spec: { onRateExceeded: 'Drop' }, at: 'spec.onRateExceeded' },
  { name: 'CloseFrame', spec: { refuseWith: 'CloseFrame' } },
  { name: 'another way of refusals', spec: { refuseWith: 'Hangup' }, at: 'spec.refuseWith' },

  { name: 'a container port that is the port', spec: { port: 80 }, container: { ports: [{ containerPort: 443 }, { containerPort: 80 }] } },
  { name: 'no container port that is the port', spec: { port: 81 }, container: { ports: [{ containerPort: 80 }] }, at: 'spec.port' },
  { name: 'hostPort 0', container: { ports: [{ containerPort: 9000, hostPort: 0 }] } },
  { name: 'a hostPort', container: { ports: [{ containerPort: 9000, hostPort: 80 }] }, at: 'spec.template.spec.containers[0].ports' },
  {
    name: 'a hostPort of an init container',
    pod: { initContainers: [{ name: 'init', ports: [{ containerPort: 1, hostPort: 1 }] }] },
    at: 'spec.template.spec.initContainers[0].ports',
  },
  { name: 'no containers', pod: { containers: [] }, at: 'spec.template.spec.containers' },
  { name: 'a container without a name', container: { name: undefined }, at: 'spec.template.spec.containers[0].name' },
  { name: 'hostNetwork false', pod: { hostNetwork: false } },
  { name: 'hostNetwork', pod: { hostNetwork: true }, at: 'spec.template.spec.hostNetwork' },
  { name: 'hostPID', pod: { hostPID: true }, at: 'spec.template.spec.hostPID' },
  { name: 'hostIPC', pod: { hostIPC: true }, at: 'spec.template.spec.hostIPC' },
  { name: 'a nodeName', pod: { nodeName: 'node1' }, at: 'spec.template.spec.nodeName' },
  { name: 'ephemeral containers', pod: { ephemeralContainers: [{ name: 'x' }] }, at: 'spec.template.spec.ephemeralContainers' },
  { name: 'restartPolicy Never', pod: { restartPolicy: 'Never' } },
  { name: 'restartPolicy Always', pod: { restartPolicy: 'Always' }, at: 'spec.template.spec.restartPolicy' },
  { name: 'labels of the author', template: { metadata: { labels: { app: 'echo' }, annotations: { 'example.com/a': 'b' } } } },
  { name: 'a label of ours', template: { metadata: { labels: { 'socketpod.dev/state': 'warm' } } }, at: 'spec.template.metadata.labels' },
  {
    name: 'an annotation of ours',
    template: { metadata: { annotations: { 'socketpod.dev/x': 'y' } } },
    at: 'spec.template.metadata.annotations',
  },
  { name: 'an environment variable', container: { env: [{ name: 'MODE', value: 'fast' }] } },
  { name: 'PORT is ours', container: { env: [{ name: 'PORT', value: '1' }] }, at: 'spec.template.spec.containers[0].env' },
  { name: 'SOCKETPOD_FUNCTION is ours', container: { env: [{ name: 'SOCKETPOD_FUNCTION' }] }, at: 'spec.template.spec.containers[0].env' },

  { name: 'a host and paths', spec: { route: { hosts: ['term.example.com', '*.example.org'], paths: ['/', '/shell/v1'] } } },
  { name: 'paths without a host', spec: { route: { paths: ['/x'] } }, at: 'spec.route.hosts' },
  { name: 'an empty list of hosts', spec: { route: { hosts: [] } }, at: 'spec.route.hosts' },
  { name: 'a host twice', spec: { route: { hosts: ['a.example.com', 'a.example.com'] } }, at: 'spec.route.hosts[1]' },
  { name: 'a host in upper case', spec: { route: { hosts: ['A.example.com'] } }, at: 'spec.route.hosts[0]' },
  { name: 'a host with a port', spec: { route: { hosts: ['a.example.com:80'] } }, at: 'spec.route.hosts[0]' },
  { name: 'a star inside a host', spec: { route: { hosts: ['a.*.com'] } }, at: 'spec.route.hosts[0]' },
  { name: 'a path without a slash', spec: { route: { hosts: ['a.example.com'], paths: ['shell'] } }, at: 'spec.route.paths[0]' },
  { name: 'a path with a final slash', spec: { route: { hosts: ['a.example.com'], paths: ['/shell/'] } }, at: 'spec.route.paths[0]' },
  { name: 'a path with an escape', spec: { route: { hosts: ['a.example.com'], paths: ['/a%2fb'] } }, at: 'spec.route.paths[0]' },
  { name: 'a path with a dot segment', spec: { route: { hosts: ['a.example.com'], paths: ['/a/../b'] } }, at: 'spec.route.paths' },
  { name: 'a path with dots', spec: { route: { hosts: ['a.example.com'], paths: ['/a.b/...'] } } },

  { name: 'origins', spec: { allowedOrigins: ['https://app.example.com', 'https://*.example.org:8443'] } },
  { name: 'no origins', spec: { allowedOrigins: [] }, at: 'spec.allowedOrigins' },
  { name: 'an origin with a path', spec: { allowedOrigins: ['https://app.example.com/x'] }, at: 'spec.allowedOrigins[0]' },
  { name: 'an API key', spec: { auth: { apiKeys: [{ name: 'ci', sha256: HASH }] } } },
  {
    name: 'a hash in upper case',
    spec: { auth: { apiKeys: [{ name: 'ci', sha256: HASH.toUpperCase() }] } },
    at: 'spec.auth.apiKeys[0].sha256',
  },
  {
    name: 'a key name twice',
    spec: {
      auth: {
        apiKeys: [
          { name: 'ci', sha256: HASH },
          { name: 'ci', sha256: HASH },
        ],
      },
    },
    at: 'spec.auth.apiKeys[1]',
  },
  { name: 'JWT', spec: { auth: { jwt: { ...JWT, requiredClaims: { role: 'admin' } } } } },
  { name: 'JWT without an issuer', spec: { auth: { jwt: { ...JWT, issuer: undefined } } }, at: 'spec.auth.jwt.issuer' },
  { name: 'JWT without keys', spec: { auth: { jwt: { ...JWT, jwks: { keys: [] } } } }, at: 'spec.auth.jwt.jwks.keys' },
  {
    name: 'a claim that is not text',
    spec: { auth: { jwt: { ...JWT, requiredClaims: { level: 3 } } } },
    at: 'spec.auth.jwt.requiredClaims.level',
  },
  { name: 'auth without a way', spec: { auth: {} }, at: 'spec.auth' },
  ...EDGES,
];
