// The NetworkPolicy of a namespace with functions, whole, and its exceptions.
import { describe, expect, it } from 'vitest';
import { parseRange, type Range } from '../../src/core/address.ts';
import { isPolicyCurrent, type PolicyFacts, policyFor } from '../../src/core/network-policy.ts';

const ranges = (...texts: string[]) => texts.map((text) => parseRange(text) as Range);

const FACTS: PolicyFacts = {
  ownNamespace: 'socketpod',
  proxyLabels: { app: 'proxy' },
  apiServer: ['192.0.2.10', '10.96.0.1', '2001:db8::10'],
  denied: ranges('10.1.2.3/16', '2001:db8:1::/48', '10.1.9.9/16'),
};

function blocks(part: Partial<PolicyFacts>): unknown[] {
  return policyFor('a', [9000], { ...FACTS, ...part }).spec?.egress?.[1]?.to ?? [];
}

describe('the policy', () => {
  it('lets in the proxies on the ports of the functions, and out all but what it names', () => {
    expect(policyFor('team-a', [9000, 8080, 9000], FACTS)).toEqual({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { name: 'socketpod-functions', namespace: 'team-a', labels: { 'app.kubernetes.io/managed-by': 'socketpod-controller' } },
      spec: {
        podSelector: { matchExpressions: [{ key: 'socketpod.dev/function', operator: 'Exists' }] },
        policyTypes: ['Ingress', 'Egress'],
        ingress: [
          {
            from: [
              {
                namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'socketpod' } },
                podSelector: { matchLabels: { app: 'proxy' } },
              },
            ],
            ports: [
              { protocol: 'TCP', port: 8080 },
              { protocol: 'TCP', port: 9000 },
            ],
          },
        ],
        egress: [
          {
            ports: [
              { protocol: 'UDP', port: 53 },
              { protocol: 'TCP', port: 53 },
            ],
          },
          {
            to: [
              { ipBlock: { cidr: '0.0.0.0/0', except: ['10.1.0.0/16', '10.96.0.1/32', '169.254.0.0/16', '192.0.2.10/32'] } },
              { ipBlock: { cidr: '::/0', except: ['2001:db8:1::/48', '2001:db8::10/128', 'fe80::/10'] } },
            ],
          },
        ],
      },
    });
  });

  it('has no way out to a family that is denied whole', () => {
    expect(blocks({ denied: ranges('::/0'), apiServer: [] })).toEqual([{ ipBlock: { cidr: '0.0.0.0/0', except: ['169.254.0.0/16'] } }]);
    expect(blocks({ denied: ranges('0.0.0.0/0', '::/0') })).toEqual([]);
  });

  it('passes over what is no address', () => {
    expect(blocks({ denied: [], apiServer: ['None', 'api.example'] })).toEqual([
      { ipBlock: { cidr: '0.0.0.0/0', except: ['169.254.0.0/16'] } },
      { ipBlock: { cidr: '::/0', except: ['fe80::/10'] } },
    ]);
  });

  it('is current as long as its fields and its label are', () => {
    const wanted = policyFor('a', [9000], FACTS);
    const stored = structuredClone(wanted);
    stored.metadata = { ...stored.metadata, uid: 'x', labels: { other: 'label', ...stored.metadata?.labels } };
    expect(isPolicyCurrent(stored, wanted)).toBe(true);
    expect(isPolicyCurrent({ ...stored, metadata: { labels: {} } }, wanted)).toBe(false);
    expect(isPolicyCurrent(stored, policyFor('a', [9001], FACTS))).toBe(false);
    const reversed = Object.fromEntries(Object.entries(stored.spec ?? {}).reverse());
    expect(isPolicyCurrent({ ...stored, spec: reversed as never }, wanted)).toBe(true);
  });

  it('without any address to go to allows DNS alone', () => {
    const { spec } = policyFor('a', [9000], { ...FACTS, denied: ranges('0.0.0.0/0', '::/0') });
    expect(spec?.egress).toEqual([{ ports: expect.any(Array) }]);
  });
});
