// The OpenAPI v3 schema of the resource: every bound, enum and default, said once. It is structural (Kubernetes, "Specifying a
// structural schema") and tied to types.ts by the compiler: a field that is missing or unknown here does not compile.
import { AUTH, ROUTE } from './schema-access.ts';
import { objectOf, type Rule, type Schema } from './schema-form.ts';
import { TEMPLATE } from './schema-template.ts';
import type { Condition, WebSocketFunctionSpec, WebSocketFunctionStatus } from './types.ts';

/** Bounds of a whole number that the operator's ceilings narrow further. */
const UP_TO_CEILING = { type: 'integer', format: 'int64', minimum: 1, maximum: 2_147_483_647 } as const;

/** The rules that tie fields of the spec together. */
const SPEC_RULES: readonly Rule[] = [
  {
    rule: 'self.executionTimeoutSeconds >= self.idleTimeoutSeconds',
    message: 'executionTimeoutSeconds is below idleTimeoutSeconds; raise it or lower idleTimeoutSeconds',
    fieldPath: '.executionTimeoutSeconds',
  },
  {
    rule: 'self.maxConnections == 0 || self.warmPods <= self.maxConnections',
    message: 'warmPods is over maxConnections; raise maxConnections or lower warmPods',
    fieldPath: '.warmPods',
  },
  {
    // By name, as has() of an indexed list is not CEL that every implementation takes.
    rule: 'self.template.spec.containers.all(c, c.name != self.template.spec.containers[0].name || !has(c.ports) || c.ports.size() == 0 || c.ports.exists(p, p.containerPort == self.port))',
    message: 'the first container declares ports, but none of them is spec.port; add it or change port',
    fieldPath: '.port',
  },
];

/** The schema of `spec`. */
export const SPEC: Schema = objectOf<Required<WebSocketFunctionSpec>>(
  {
    template: TEMPLATE,
    port: {
      type: 'integer',
      format: 'int32',
      description: 'TCP port on which the function listens, on all interfaces; also in its environment as PORT. 1 to 65535, default 9000.',
      default: 9000,
      minimum: 1,
      maximum: 65_535,
    },
    route: ROUTE,
    initTimeoutSeconds: seconds(
      'From the upgrade request to the answer of the function',
      90,
      3,
      300,
      '446, 447, 449 or 450',
      'InitTimeout',
    ),
    idleTimeoutSeconds: seconds(
      'Longest time without data either way, from the 101; pings do not count',
      60,
      10,
      7200,
      '455',
      'WSParams.IdleTimeOut',
    ),
    executionTimeoutSeconds: seconds(
      'Longest time a connection may be open, from the 101; at least idleTimeoutSeconds',
      7200,
      10,
      86_400,
      '433',
      'Timeout',
    ),
    maxMessageBytes: {
      ...UP_TO_CEILING,
      description:
        'Longest message either way, all fragments, in bytes of payload. 1 to the ceiling of the operator, default 262144 (256 KiB). Over it: code 406 or 407. SCF: 256 KB.',
      default: 262_144,
    },
    maxBytesPerSecond: {
      ...UP_TO_CEILING,
      description:
        'Payload bytes per second from client to function. 1 to the ceiling of the operator, default 131072. Over it: code 429, see onRateExceeded. SCF: 128 KB/s.',
      default: 131_072,
    },
    maxMessagesPerSecond: {
      ...UP_TO_CEILING,
      description:
        'Messages per second from client to function. 1 to the ceiling of the operator, default 10. Over it: code 429, see onRateExceeded. SCF: 10 QPS.',
      default: 10,
    },
    onRateExceeded: {
      type: 'string',
      description:
        'What happens over a rate. Throttle (default): the client is read more slowly, nothing is lost. Close: code 429, close code 1008.',
      enum: ['Throttle', 'Close'],
      default: 'Throttle',
    },
    maxConnections: {
      ...UP_TO_CEILING,
      description:
        'Most pods at a time, connected or warm. 0 (off) to the ceiling of the operator, default 100. Over it: HTTP 429, code 432. SCF: reserved quota.',
      default: 100,
      minimum: 0,
    },
    warmPods: {
      ...UP_TO_CEILING,
      description:
        'Pods kept started for connections to come. 0 (default) to maxConnections. SCF: provisioned concurrency. The scale subresource sets it.',
      default: 0,
      minimum: 0,
    },
    refuseWith: {
      type: 'string',
      description:
        'How a browser hears of a refusal. HTTPStatus (default): an HTTP error, which scripts cannot read. CloseFrame: 101 and at once a close frame that says why.',
      enum: ['HTTPStatus', 'CloseFrame'],
      default: 'HTTPStatus',
    },
    allowedOrigins: {
      type: 'array',
      description: 'Origins of pages that may connect, exact or https://*.x. Absent: any. A foreign Origin: HTTP 403, code 441.',
      minItems: 1,
      maxItems: 64,
      // As browsers write an origin: in lower case.
      items: { type: 'string', maxLength: 256, pattern: '^[a-z][a-z0-9+.-]*://((\\*\\.)?[a-z0-9._-]+|\\[[0-9a-f:.]+\\])(:[0-9]{1,5})?$' },
      'x-kubernetes-list-type': 'set',
    },
    auth: AUTH,
  },
  ['template'],
  { description: 'The desired WebSocket server and its limits.', 'x-kubernetes-validations': SPEC_RULES },
);

function seconds(what: string, fallback: number, minimum: number, maximum: number, code: string, scf: string): Schema {
  const description = `${what}, in seconds. ${minimum} to ${maximum}, default ${fallback}. Over it: code ${code}. SCF: ${scf}.`;
  return { type: 'integer', format: 'int32', description, default: fallback, minimum, maximum };
}

const CONDITION = objectOf<Condition>(
  {
    type: { type: 'string', description: 'Accepted, Ready or WarmPodsReady.', maxLength: 316 },
    status: { type: 'string', enum: ['True', 'False', 'Unknown'] },
    observedGeneration: { type: 'integer', format: 'int64', minimum: 0 },
    lastTransitionTime: { type: 'string', format: 'date-time' },
    reason: { type: 'string', maxLength: 1024 },
    message: { type: 'string', maxLength: 32_768 },
  },
  ['type', 'status', 'lastTransitionTime', 'reason', 'message'],
);

const COUNT: Schema = { type: 'integer', format: 'int32', minimum: 0 };

/** The schema of `status`. */
export const STATUS: Schema = objectOf<WebSocketFunctionStatus>(
  {
    observedGeneration: { type: 'integer', format: 'int64', description: 'The generation of spec that this status is about.' },
    url: { type: 'string', description: 'The address for a client.', maxLength: 1024 },
    hosts: { type: 'array', description: 'The hosts that this function holds.', maxItems: 16, items: { type: 'string', maxLength: 253 } },
    openConnections: { ...COUNT, description: 'Connections that are open.' },
    startingPods: { ...COUNT, description: 'Pods that are starting.' },
    warmPods: { ...COUNT, description: 'Pods that wait for a connection.' },
    selector: { type: 'string', description: 'Label selector of the warm pods, for the scale subresource.', maxLength: 256 },
    conditions: {
      type: 'array',
      description: 'Accepted, Ready, and WarmPodsReady where warmPods is set.',
      maxItems: 8,
      items: CONDITION,
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['type'],
    },
  },
  [],
  { description: 'What is observed; written by the controller.' },
);

/** The schema of the whole object. */
export const RESOURCE: Schema = {
  type: 'object',
  description: 'A WebSocket server in a container, of which every connection gets a pod of its own.',
  required: ['spec'],
  properties: {
    apiVersion: { type: 'string', description: 'socketpod.dev/v1alpha1' },
    kind: { type: 'string', description: 'WebSocketFunction' },
    metadata: { type: 'object', properties: { name: { type: 'string', maxLength: 253 } } },
    spec: SPEC,
    status: STATUS,
  },
  'x-kubernetes-validations': [
    {
      rule: "self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$') && self.metadata.name.size() <= 52",
      message: 'the name must be a DNS label that starts with a letter, of at most 52 characters: its pods are named after it',
      fieldPath: '.metadata.name',
    },
  ],
};
