// The schema of the pod template: only what rules judge is declared, unknown fields of the pod spec are kept.
import { ENV_FUNCTION, ENV_NAMESPACE, ENV_PORT, OURS } from './names.ts';
import type { Rule, Schema } from './schema-form.ts';

/** The most that Kubernetes takes as a label's value, and as all annotations of an object together. */
const MOST_LABEL = 63;
const MOST_ANNOTATION = 262_144;

const NAMES_OF_OURS = [ENV_PORT, ENV_FUNCTION, ENV_NAMESPACE];

/** Labels or annotations of the template; those under socketpod.dev/ are ours. */
function metadataMap(what: string, maxLength: number): Schema {
  return {
    type: 'object',
    description: `${what} of the pods. At most 64, each of at most ${maxLength} characters; none under ${OURS}.`,
    maxProperties: 64,
    additionalProperties: { type: 'string', maxLength },
    'x-kubernetes-validations': [
      {
        rule: `self.all(k, !k.startsWith('${OURS}'))`,
        message: `${what.toLowerCase()} under ${OURS} are set by the platform; take them out`,
      },
    ],
  };
}

const CONTAINER: Schema = {
  type: 'object',
  'x-kubernetes-preserve-unknown-fields': true,
  required: ['name'],
  properties: {
    name: { type: 'string', description: 'Name of the container, a DNS label.', minLength: 1, maxLength: 63 },
    image: { type: 'string', description: 'Image of the container.', maxLength: 1024 },
    ports: {
      type: 'array',
      description: 'Ports of the container. The function needs none; if it declares any, spec.port is among them.',
      maxItems: 32,
      items: {
        type: 'object',
        'x-kubernetes-preserve-unknown-fields': true,
        required: ['containerPort'],
        properties: {
          containerPort: { type: 'integer', description: 'TCP port, 1 to 65535.', format: 'int32', minimum: 1, maximum: 65_535 },
          hostPort: { type: 'integer', description: 'Not allowed.', format: 'int32' },
        },
      },
      'x-kubernetes-validations': [
        {
          rule: 'self.all(p, !has(p.hostPort) || p.hostPort == 0)',
          message: 'hostPort is not allowed: one pod per connection would need a port each; take it out',
        },
      ],
    },
    env: {
      type: 'array',
      description: `Environment variables. The platform adds ${NAMES_OF_OURS.join(', ')}.`,
      maxItems: 256,
      items: {
        type: 'object',
        'x-kubernetes-preserve-unknown-fields': true,
        required: ['name'],
        properties: { name: { type: 'string', description: 'Name of the variable.', minLength: 1, maxLength: 256 } },
      },
      'x-kubernetes-validations': [
        {
          rule: `self.all(e, !(e.name in [${NAMES_OF_OURS.map((name) => `'${name}'`).join(', ')}]))`,
          message: `${NAMES_OF_OURS.join(', ')} are set by the platform; take them out (spec.port sets the port)`,
        },
      ],
    },
  },
};

function containers(description: string, minItems: number): Schema {
  return { type: 'array', description, minItems, maxItems: 16, items: CONTAINER };
}

function never(field: string, why: string): Rule {
  return { rule: `!has(self.${field}) || !self.${field}`, message: `${field} is not allowed: ${why}; take it out`, fieldPath: `.${field}` };
}

const POD_RULES: readonly Rule[] = [
  never('hostNetwork', 'function pods are isolated from their node'),
  never('hostPID', 'function pods are isolated from their node'),
  never('hostIPC', 'function pods are isolated from their node'),
  {
    rule: '!has(self.nodeName)',
    message: 'nodeName is not allowed: the scheduler places the pods; use nodeSelector or affinity',
    fieldPath: '.nodeName',
  },
  {
    rule: '!has(self.ephemeralContainers)',
    message: 'ephemeralContainers is not allowed in a template; take it out',
    fieldPath: '.ephemeralContainers',
  },
  {
    rule: "!has(self.restartPolicy) || self.restartPolicy == 'Never'",
    message: 'restartPolicy must be Never or absent: a pod serves one connection and ends with it',
    fieldPath: '.restartPolicy',
  },
];

/** The schema of `spec.template`. */
export const TEMPLATE: Schema = {
  type: 'object',
  description: 'The pod that is started for each connection (PodTemplateSpec). Its first container is the function.',
  required: ['spec'],
  properties: {
    metadata: {
      type: 'object',
      description: 'Labels and annotations of the pods.',
      properties: { labels: metadataMap('Labels', MOST_LABEL), annotations: metadataMap('Annotations', MOST_ANNOTATION) },
    },
    spec: {
      type: 'object',
      description:
        'PodSpec. The platform sets what it needs (restartPolicy, names, labels, deadline) and safe defaults where it is silent.',
      'x-kubernetes-preserve-unknown-fields': true,
      required: ['containers'],
      properties: {
        containers: containers('Containers; the first one is the function and listens on spec.port.', 1),
        initContainers: containers('Containers that end before the function starts.', 0),
        ephemeralContainers: {
          type: 'array',
          description: 'Not allowed.',
          maxItems: 1,
          items: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
        },
        hostNetwork: { type: 'boolean', description: 'Only false is allowed.' },
        hostPID: { type: 'boolean', description: 'Only false is allowed.' },
        hostIPC: { type: 'boolean', description: 'Only false is allowed.' },
        nodeName: { type: 'string', description: 'Not allowed; use nodeSelector or affinity.', maxLength: 253 },
        restartPolicy: { type: 'string', description: 'Never, or absent.', maxLength: 32 },
      },
      'x-kubernetes-validations': POD_RULES,
    },
  },
};
