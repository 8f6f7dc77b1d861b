// More good and bad resources: the bounds of lists and texts, what `key:` without a value does, and the metadata of any object.
import type { Case } from './resources.ts';

const HASH = 'a'.repeat(64);
const JWT = { issuer: 'https://id.example.com', audiences: ['app'], jwks: { keys: [{ kty: 'OKP' }] } };

function some<T>(count: number, make: (i: number) => T): T[] {
  return Array.from({ length: count }, (_, i) => make(i));
}

/** A list or text as long as it may be, and one longer. */
function most(name: string, count: number, at: string, make: (count: number) => Omit<Case, 'name' | 'at'>): Case[] {
  return [
    { name: `${name}: ${count}`, ...make(count) },
    { name: `${name}: ${count + 1}`, ...make(count + 1), at },
  ];
}

const jwt = (more: Record<string, unknown>) => ({ spec: { auth: { jwt: { ...JWT, ...more } } } });
const keys = (...apiKeys: unknown[]) => ({ spec: { auth: { apiKeys } } });
const paths = (...list: unknown[]) => ({ spec: { route: { hosts: ['a.example.com'], paths: list } } });
const hosts = (...list: unknown[]) => ({ spec: { route: { hosts: list } } });
const labelled = (labels: unknown) => ({ metadata: { labels } });
const POD = 'spec.template.spec';
const FUNCTION = `${POD}.containers[0]`;

const BOUNDS: readonly Case[] = [
  ...most('hosts', 16, 'spec.route.hosts', (n) => hosts(...some(n, (i) => `h${i}.example.com`))),
  ...most('letters of a label of a host', 63, 'spec.route.hosts[0]', (n) => hosts(`${'a'.repeat(n)}.example.com`)),
  ...most('letters of a host', 253, 'spec.route.hosts[0]', (n) => hosts(`${'a.'.repeat(120)}${'b'.repeat(n - 240)}`)),
  ...most('paths', 16, 'spec.route.paths', (n) => paths(...some(n, (i) => `/p${i}`))),
  ...most('letters of a path', 256, 'spec.route.paths[0]', (n) => paths(`/${'a'.repeat(n - 1)}`)),
  ...most('origins', 64, 'spec.allowedOrigins', (n) => ({ spec: { allowedOrigins: some(n, (i) => `https://h${i}.example.com`) } })),
  ...most('API keys', 64, 'spec.auth.apiKeys', (n) => keys(...some(n, (i) => ({ name: `k${i}`, sha256: HASH })))),
  ...most('letters of a key name', 63, 'spec.auth.apiKeys[0].name', (n) => keys({ name: 'k'.repeat(n), sha256: HASH })),
  ...most('audiences', 16, 'spec.auth.jwt.audiences', (n) => jwt({ audiences: some(n, (i) => `a${i}`) })),
  ...most('characters of an issuer', 256, 'spec.auth.jwt.issuer', (n) => jwt({ issuer: '\u{1F511}'.repeat(n) })),
  ...most('public keys', 16, 'spec.auth.jwt.jwks.keys', (n) => jwt({ jwks: { keys: some(n, () => ({ kty: 'RSA' })) } })),
  ...most('claims', 16, 'spec.auth.jwt.requiredClaims', (n) => jwt({ requiredClaims: Object.fromEntries(some(n, (i) => [`c${i}`, 'x'])) })),
  ...most('containers', 16, `${POD}.containers`, (n) => ({ pod: { containers: some(n, (i) => ({ name: `c${i}` })) } })),
  ...most('init containers', 16, `${POD}.initContainers`, (n) => ({ pod: { initContainers: some(n, (i) => ({ name: `c${i}` })) } })),
  ...most('ports', 32, `${FUNCTION}.ports`, (n) => ({ container: { ports: some(n, (i) => ({ containerPort: 9000 + i })) } })),
  ...most('environment variables', 256, `${FUNCTION}.env`, (n) => ({ container: { env: some(n, (i) => ({ name: `E${i}` })) } })),
  ...most('labels of the pods', 64, 'spec.template.metadata.labels', (n) => ({
    template: { metadata: { labels: Object.fromEntries(some(n, (i) => [`l${i}`, 'x'])) } },
  })),
  ...most('letters of a label of the pods', 63, 'spec.template.metadata.labels.a', (n) => ({
    template: { metadata: { labels: { a: 'x'.repeat(n) } } },
  })),
];

const NOTHING: readonly Case[] = [
  { name: 'no value of a route', spec: { route: null } },
  { name: 'no value of paths', spec: { route: { hosts: ['a.example.com'], paths: null } } },
  { name: 'no value of a limit', spec: { idleTimeoutSeconds: null } },
  { name: 'no value of env', container: { env: null } },
  { name: 'no value of hostNetwork', pod: { hostNetwork: null } },
  { name: 'no value of a newer field', pod: { somethingNew: null } },
  { name: 'no value of the labels', template: { metadata: { labels: null } } },
  { name: 'no value of a label', template: { metadata: { labels: { a: null } } } },
  { name: 'no value of the status', root: { status: null } },
  { name: 'no value of the spec', root: { spec: null }, at: 'spec' },
  { name: 'no value of hosts', spec: { route: { hosts: null } }, at: 'spec.route.hosts' },
  { name: 'no value of the only way of auth', spec: { auth: { jwt: null } }, at: 'spec.auth' },
  { name: 'no value of an unknown field', spec: { nope: null }, at: 'spec.nope' },
  { name: 'no value in a list', ...hosts(null), at: 'spec.route.hosts[0]' },
];

const METADATA: readonly Case[] = [
  { name: 'no name', metadata: { name: undefined }, at: 'metadata.name' },
  { name: 'an empty name', metadata: { name: '' }, at: 'metadata.name' },
  { name: 'a name that is a number', metadata: { name: 5 }, at: 'metadata.name' },
  { name: 'a name that ends with a dash', metadata: { name: 'a-' }, at: 'metadata.name' },
  { name: 'labels and annotations', metadata: { labels: { 'app.kubernetes.io/name': 'A_b.c-9', b: '' }, annotations: { 'X.y/a': ' ' } } },
  { name: 'an unknown field of the metadata', metadata: { lables: {} }, at: 'metadata.lables' },
  { name: 'what the API server writes', metadata: { generation: 3, creationTimestamp: null, managedFields: [] } },
  { name: 'a label that is true', ...labelled({ a: true }), at: 'metadata.labels' },
  { name: 'labels that are a list', ...labelled([]), at: 'metadata.labels' },
  { name: 'a label key with a blank', ...labelled({ 'a b': 'x' }), at: 'metadata.labels' },
  { name: 'a label key with two slashes', ...labelled({ 'a/b/c': 'x' }), at: 'metadata.labels' },
  { name: 'a label prefix in upper case', ...labelled({ 'A.b/c': 'x' }), at: 'metadata.labels' },
  { name: 'a label value of 64 letters', ...labelled({ a: HASH }), at: 'metadata.labels' },
  { name: 'a status, which is forgotten', root: { status: { openConnections: -1, conditions: [{ type: 'Ready' }] } } },
  { name: 'an unknown field of the status', root: { status: { bogus: 1 } }, at: 'status.bogus' },
];

const TWICE: readonly Case[] = [
  { name: 'a host three times', ...hosts('a', 'a', 'a'), at: 'spec.route.hosts[1]' },
  { name: 'paths that differ at their end', ...paths(`/${'a'.repeat(200)}b`, `/${'a'.repeat(200)}c`) },
  { name: 'a path twice', ...paths('/a', '/a'), at: 'spec.route.paths[1]' },
  { name: 'an origin twice', spec: { allowedOrigins: ['https://a', 'https://a'] }, at: 'spec.allowedOrigins[1]' },
  { name: 'a claim whose name is a number', ...jwt({ requiredClaims: { 0: 3 } }), at: 'spec.auth.jwt.requiredClaims.0' },
];

const RULES: readonly Case[] = [
  { name: 'SOCKETPOD_NAMESPACE is ours', container: { env: [{ name: 'SOCKETPOD_NAMESPACE' }] }, at: `${FUNCTION}.env` },
  {
    name: 'PORT of an init container is ours',
    pod: { initContainers: [{ name: 'init', env: [{ name: 'PORT' }] }] },
    at: `${POD}.initContainers[0].env`,
  },
  { name: 'a port of a second container', pod: { containers: [{ name: 'a' }, { name: 'b', ports: [{ containerPort: 1 }] }] } },
  { name: 'an empty list of ephemeral containers', pod: { ephemeralContainers: [] }, at: `${POD}.ephemeralContainers` },
  { name: 'a path that ends with two dots', ...paths('/a/..'), at: 'spec.route.paths' },
  { name: 'a prefix that only looks like ours', template: { metadata: { labels: { 'socketpod.devx/a': 'b' } } } },
  { name: 'keys of all public kinds', ...jwt({ jwks: { keys: [{ kty: 'RSA', n: 'AA' }, { kty: 'EC' }, { kty: 'OKP' }] } }) },
  { name: 'a secret as a key', ...jwt({ jwks: { keys: [{ kty: 'oct', k: 'AA' }] } }), at: 'spec.auth.jwt.jwks.keys[0].kty' },
  { name: 'a private key', ...jwt({ jwks: { keys: [{ kty: 'RSA', d: 'AA' }] } }), at: 'spec.auth.jwt.jwks.keys[0].d' },
  { name: 'a key without a kind', ...jwt({ jwks: { keys: [{}] } }), at: 'spec.auth.jwt.jwks.keys[0].kty' },
  { name: 'an origin with an address', spec: { allowedOrigins: ['http://[::1]:3000', 'http://127.0.0.1'] } },
  { name: 'an origin in upper case', spec: { allowedOrigins: ['https://App.example.com'] }, at: 'spec.allowedOrigins[0]' },
  { name: 'an unknown field of a key', ...keys({ name: 'a', sha256: HASH, x: 1 }), at: 'spec.auth.apiKeys[0].x' },
];

export const EDGES: readonly Case[] = [...BOUNDS, ...NOTHING, ...METADATA, ...TWICE, ...RULES];
