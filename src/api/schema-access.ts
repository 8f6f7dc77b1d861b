// The schemas of who reaches a function, and where: `spec.route` and `spec.auth`.
import { objectOf, type Schema } from './schema-form.ts';
import type { ApiKey, Auth, JwtAuth, Route } from './types.ts';

const HOST = '^(\\*\\.)?[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)*$';

/** The schema of `spec.route`. */
export const ROUTE = objectOf<Route>(
  {
    hosts: {
      type: 'array',
      description: 'Host names, exact or `*.x`, in lower case without a port. A host belongs to one namespace: the first that names it.',
      minItems: 1,
      maxItems: 16,
      items: { type: 'string', minLength: 1, maxLength: 253, pattern: HOST },
      'x-kubernetes-list-type': 'set',
    },
    paths: {
      type: 'array',
      description: 'Path prefixes, by whole segments, compared without decoding. Of two that match the longer wins. Default: /.',
      default: ['/'],
      minItems: 1,
      maxItems: 16,
      items: {
        type: 'string',
        minLength: 1,
        maxLength: 256,
        pattern: "^/([A-Za-z0-9._~!$&'()*+,;=:@-]+(/[A-Za-z0-9._~!$&'()*+,;=:@-]+)*)?$",
      },
      'x-kubernetes-list-type': 'set',
      'x-kubernetes-validations': [
        { rule: "self.all(p, !p.matches('/[.]{1,2}(/|$)'))", message: 'a path has no dot segments; no request with one is ever routed' },
      ],
    },
  },
  ['hosts'],
  { description: 'Where clients reach the function. Absent: /<namespace>/<name> on every host that no function has claimed.' },
);

/** A public key of RFC 7517. Secrets are refused: whoever may read the function reads its spec. */
const PUBLIC_KEY: Schema = {
  type: 'object',
  'x-kubernetes-preserve-unknown-fields': true,
  required: ['kty'],
  properties: {
    kty: { type: 'string', description: 'Kind of the key; oct is none, as its keys are secrets.', enum: ['RSA', 'EC', 'OKP'] },
    d: { type: 'string', description: 'Not allowed: the private part of a key.', maxLength: 4096 },
  },
  'x-kubernetes-validations': [
    {
      rule: '!has(self.d)',
      message: 'a private key is not allowed: publish its public part only; take out d, and renew the key',
      fieldPath: '.d',
    },
  ],
};

const JWT = objectOf<JwtAuth>(
  {
    issuer: { type: 'string', description: 'The iss claim, compared exactly.', minLength: 1, maxLength: 256 },
    audiences: {
      type: 'array',
      description: 'The aud claim must name one of them.',
      minItems: 1,
      maxItems: 16,
      items: { type: 'string', minLength: 1, maxLength: 256 },
    },
    jwks: objectOf<JwtAuth['jwks']>(
      { keys: { type: 'array', description: 'The keys; 1 to 16.', minItems: 1, maxItems: 16, items: PUBLIC_KEY } },
      ['keys'],
      { description: 'The public keys (RFC 7517), inline: nothing is fetched.' },
    ),
    requiredClaims: {
      type: 'object',
      description: 'Claims that must have these values. A token without them: HTTP 403, code 441.',
      maxProperties: 16,
      additionalProperties: { type: 'string', maxLength: 256 },
    },
  },
  ['issuer', 'audiences', 'jwks'],
  { description: 'Tokens (RFC 7519) of an identity provider. RS, PS, ES and EdDSA signatures only; exp is required.' },
);

/** The schema of `spec.auth`. */
export const AUTH = objectOf<Auth>(
  {
    jwt: JWT,
    apiKeys: {
      type: 'array',
      description: 'Keys for scripts, as the SHA-256 of each in hexadecimal.',
      minItems: 1,
      maxItems: 64,
      items: objectOf<ApiKey>(
        {
          name: { type: 'string', description: 'Shown in logs.', minLength: 1, maxLength: 63 },
          sha256: { type: 'string', description: 'printf %s KEY | sha256sum', pattern: '^[0-9a-f]{64}$' },
        },
        ['name', 'sha256'],
      ),
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['name'],
    },
  },
  [],
  {
    description: 'Who may connect; any of the given ways suffices. Absent: everybody. No or bad credentials: HTTP 401, code 401.',
    'x-kubernetes-validations': [
      { rule: 'has(self.jwt) || has(self.apiKeys)', message: 'auth needs jwt or apiKeys; leave auth out to let everybody in' },
    ],
  },
);
