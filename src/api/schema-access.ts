// The schemas of who reaches a function, and where: `spec.route` and `spec.auth`.
import { objectOf } from './schema-form.ts';
import type { Auth, Route } from './types.ts';

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

/** The schema of `spec.auth`. */
export const AUTH = objectOf<Auth>(
  {
    jwt: {
      type: 'object',
      description: 'Tokens (RFC 7519) of an identity provider. RS, PS, ES and EdDSA signatures only; exp is required.',
      required: ['issuer', 'audiences', 'jwks'],
      properties: {
        issuer: { type: 'string', description: 'The iss claim, compared exactly.', minLength: 1, maxLength: 256 },
        audiences: {
          type: 'array',
          description: 'The aud claim must name one of them.',
          minItems: 1,
          maxItems: 16,
          items: { type: 'string', minLength: 1, maxLength: 256 },
        },
        jwks: {
          type: 'object',
          description: 'The public keys (RFC 7517), inline: nothing is fetched.',
          required: ['keys'],
          properties: {
            keys: {
              type: 'array',
              minItems: 1,
              maxItems: 16,
              items: {
                type: 'object',
                'x-kubernetes-preserve-unknown-fields': true,
                properties: { kty: { type: 'string', maxLength: 16 } },
              },
            },
          },
        },
        requiredClaims: {
          type: 'object',
          description: 'Claims that must have these values. A token without them: HTTP 403, code 441.',
          maxProperties: 16,
          additionalProperties: { type: 'string', maxLength: 256 },
        },
      },
    },
    apiKeys: {
      type: 'array',
      description: 'Keys for scripts, as the SHA-256 of each in hexadecimal.',
      minItems: 1,
      maxItems: 64,
      items: {
        type: 'object',
        required: ['name', 'sha256'],
        properties: {
          name: { type: 'string', description: 'Shown in logs.', minLength: 1, maxLength: 63 },
          sha256: { type: 'string', description: 'printf %s KEY | sha256sum', pattern: '^[0-9a-f]{64}$' },
        },
      },
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
