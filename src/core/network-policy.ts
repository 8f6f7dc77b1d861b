// The NetworkPolicy of a namespace that has functions (contract part 9): in only from the proxies, on the ports of the functions; out
// to DNS and everywhere but the API server, link-local addresses and what the operator denies.
import type { V1NetworkPolicy, V1NetworkPolicyPeer, V1NetworkPolicySpec } from '@kubernetes/client-node';
import { LABEL_FUNCTION, LABEL_MANAGED_BY, MANAGED_BY_CONTROLLER } from '../api/names.ts';
import { formatRange, isV4Range, parseRange, type Range } from './address.ts';

/** Its name in each namespace. */
export const POLICY_NAME = 'socketpod-functions';

/** Where cloud providers answer about the node and its credentials, among others (RFC 3927; RFC 4291, section 2.5.6). */
const LINK_LOCAL = ['169.254.0.0/16', 'fe80::/10'].map((text) => parseRange(text) as Range);

/** What all policies of an installation have in common. */
export interface PolicyFacts {
  /** The namespace of the proxies, and the labels of their pods. */
  readonly ownNamespace: string;
  readonly proxyLabels: Readonly<Record<string, string>>;
  /** Addresses of the API server, its Service's too. */
  readonly apiServer: readonly string[];
  /** What the operator denies besides. */
  readonly denied: readonly Range[];
}

/** The policy of a namespace. @param ports those of its functions */
export function policyFor(namespace: string, ports: Iterable<number>, facts: PolicyFacts): V1NetworkPolicy {
  const to = everywhereBut(facts);
  const spec: V1NetworkPolicySpec = {
    podSelector: { matchExpressions: [{ key: LABEL_FUNCTION, operator: 'Exists' }] },
    policyTypes: ['Ingress', 'Egress'],
    ingress: [
      {
        _from: [
          {
            namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': facts.ownNamespace } },
            podSelector: { matchLabels: { ...facts.proxyLabels } },
          },
        ],
        ports: [...new Set(ports)].sort((a, b) => a - b).map((port) => ({ protocol: 'TCP', port })),
      },
    ],
    egress: [
      // To any address: on some clusters a node-local cache answers at a link-local one.
      { ports: ['UDP', 'TCP'].map((protocol) => ({ protocol, port: 53 })) },
      ...(to.length > 0 ? [{ to }] : []), // without a peer it would allow everything
    ],
  };
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: POLICY_NAME, namespace, labels: { [LABEL_MANAGED_BY]: MANAGED_BY_CONTROLLER } },
    spec: wireOf(spec),
  };
}

/** client-node calls the field `from` by another name, as it is a word of some languages; the API does not. */
function wireOf(spec: V1NetworkPolicySpec): V1NetworkPolicySpec {
  const ingress = spec.ingress?.map(({ _from, ...rest }) => ({ from: _from, ...rest }));
  return { ...spec, ...(ingress ? { ingress } : {}) };
}

function everywhereBut({ apiServer, denied }: PolicyFacts): V1NetworkPolicyPeer[] {
  const out = [...LINK_LOCAL, ...apiServer.flatMap((address) => parseRange(address) ?? []), ...denied];
  const families = [
    { cidr: '0.0.0.0/0', of: (range: Range) => isV4Range(range) },
    { cidr: '::/0', of: (range: Range) => !isV4Range(range) },
  ];
  return families.flatMap(({ cidr, of }) => {
    const except = [...new Set(out.filter(of).map(formatRange))].sort();
    // A whole family can be denied, but no exception may be as large as its block.
    return except.includes(cidr) ? [] : [{ ipBlock: { cidr, except } }];
  });
}

/** Is a policy as it should be? What others added beside our fields is theirs. */
export function isPolicyCurrent(found: V1NetworkPolicy, wanted: V1NetworkPolicy): boolean {
  return found.metadata?.labels?.[LABEL_MANAGED_BY] === MANAGED_BY_CONTROLLER && sorted(found.spec) === sorted(wanted.spec);
}

/** JSON with the fields of objects in one order. */
function sorted(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}
