// What can be said of each of the two Deployments: proxy and controller.
import { flag, group, KUBERNETES, kubernetes, list, text, texts, whole } from './kinds.ts';

/** The values of a Deployment. */
export function workload(name: string, resources: object) {
  return {
    podDisruptionBudget: group(`The PodDisruptionBudget of the ${name}.`, {
      enabled: flag(true, 'Whether there is one.'),
      maxUnavailable: whole(1, [1, 1000], 'Pods that a drain of nodes may take away at a time.'),
    }),
    serviceAccount: group(`The account of the ${name}.`, {
      create: flag(true, 'Whether the chart makes it.'),
      name: text('', 'Its name; empty: one made of the name of the release.'),
      annotations: texts('Its annotations.'),
    }),
    resources: kubernetes('Requests and limits of its container.', resources),
    podAnnotations: texts('Further annotations of its pods.'),
    podLabels: texts('Further labels of its pods.'),
    nodeSelector: texts('Labels of the nodes that it runs on.'),
    tolerations: list('Taints that it tolerates.', KUBERNETES),
    affinity: kubernetes('Its affinity.'),
    topologySpreadConstraints: list('How its pods are spread; empty: over nodes and zones, where there is room.', KUBERNETES),
    priorityClassName: text('', 'Its priority class; empty: the default of the cluster.'),
    extraArgs: list(`Further options of \`socketpod ${name}\`, as its \`--help\` has them.`, { type: 'string' }),
    extraEnv: list('Further environment variables, as in a container.', KUBERNETES),
  };
}
