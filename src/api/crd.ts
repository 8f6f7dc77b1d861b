// The CustomResourceDefinition: names, columns, subresources, around the schema.
import { GROUP, KIND, PLURAL, SHORT, SINGULAR, VERSION } from './names.ts';
import { RESOURCE } from './schema.ts';

/** A column of `kubectl get`; priority 1 shows it with `-o wide` only. */
function column(name: string, type: 'string' | 'integer' | 'date', jsonPath: string, description: string, priority = 0): object {
  return { name, type, jsonPath, description, ...(priority > 0 ? { priority } : {}) };
}

const READY = '.status.conditions[?(@.type=="Ready")]';

/** The definition as an object for the API server (apiextensions.k8s.io/v1). */
export const CRD = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `${PLURAL}.${GROUP}` },
  spec: {
    group: GROUP,
    scope: 'Namespaced',
    names: { plural: PLURAL, singular: SINGULAR, kind: KIND, listKind: `${KIND}List`, shortNames: [SHORT] },
    versions: [
      {
        name: VERSION,
        served: true,
        storage: true,
        schema: { openAPIV3Schema: RESOURCE },
        subresources: {
          status: {},
          scale: { specReplicasPath: '.spec.warmPods', statusReplicasPath: '.status.warmPods', labelSelectorPath: '.status.selector' },
        },
        additionalPrinterColumns: [
          column('Ready', 'string', `${READY}.status`, 'Are connections accepted?'),
          column('Reason', 'string', `${READY}.reason`, 'Why, or why not'),
          column('Open', 'integer', '.status.openConnections', 'Open connections'),
          column('Max', 'integer', '.spec.maxConnections', 'Most connections at a time'),
          column('Warm', 'integer', '.status.warmPods', 'Pods that wait for a connection'),
          column('URL', 'string', '.status.url', 'The address for a client'),
          column('Age', 'date', '.metadata.creationTimestamp', 'Time since its creation'),
          column('Starting', 'integer', '.status.startingPods', 'Pods that are starting', 1),
          column('Idle', 'integer', '.spec.idleTimeoutSeconds', 'Idle timeout in seconds', 1),
          column('Execution', 'integer', '.spec.executionTimeoutSeconds', 'Execution timeout in seconds', 1),
          column('Image', 'string', '.spec.template.spec.containers[0].image', 'Image of the function', 1),
        ],
      },
    ],
  },
} as const;
