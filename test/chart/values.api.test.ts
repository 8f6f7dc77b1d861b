// values.schema.json says in clear words what is wrong with values, before anything is changed.
import { describe, expect, it } from 'vitest';
import { type Group, schemaOf, type Value } from '../../charts/values/kinds.ts';
import { VALUES } from '../../charts/values/values.ts';
import { CHART, type ChartValues, helm } from '../support/helm.ts';

function refusal(values: ChartValues): string {
  const { status, stderr } = helm(['template', 'socketpod', CHART], values);
  expect(status).not.toBe(0);
  return stderr;
}

describe('values of the wrong kind', () => {
  it.each([
    [{ proxy: { replicas: 'two' } }, "at '/proxy/replicas': got string, want integer"],
    [{ proxy: { drain: { time: -1 } } }, "at '/proxy/drain/time': minimum: got -1, want 0"],
    [{ namespaces: 'team-a' }, "at '/namespaces': got string, want array"],
    [{ namespaces: ['Team A'] }, "at '/namespaces/0': 'Team A' does not match pattern"],
    [{ publicUrl: 'functions.example.com' }, "at '/publicUrl': 'functions.example.com' does not match pattern"],
    [{ monitoring: { monitor: 'Both' } }, "at '/monitoring/monitor': value must be one of 'None', 'PodMonitor', 'ServiceMonitor'"],
    [{ ceilings: { default: { maxConnections: 0 } } }, "at '/ceilings/default/maxConnections': minimum: got 0, want 1"],
    [{ hostRules: [{ hosts: ['a.example.com'] }] }, "at '/hostRules/0': missing property 'namespaces'"],
    [{ hostRules: [{ hosts: [], namespaces: ['*'] }] }, "at '/hostRules/0/hosts': minItems: got 0, want 1"],
    [{ hostRules: [{ hosts: ['*.*'], namespaces: ['*'] }] }, "at '/hostRules/0/hosts/0': '*.*' does not match pattern"],
    [{ proxy: { trustedProxies: ['everybody'] } }, "at '/proxy/trustedProxies/0': 'everybody' does not match pattern"],
  ])('%j: %s', (values, words) => {
    expect(refusal(values)).toContain(words);
  });
});

describe('unknown names', () => {
  it.each([
    [{ replicas: 3 }, "at '': additional properties 'replicas' not allowed"],
    [{ proxy: { drian: {} } }, "at '/proxy': additional properties 'drian' not allowed"],
    [{ ceilings: { default: { maxPods: 1 } } }, "at '/ceilings/default': additional properties 'maxPods' not allowed"],
    [{ hostRules: [{ host: 'a.example.com' }] }, "at '/hostRules/0': additional properties 'host' not allowed"],
  ])('%j: %s', (values, words) => {
    expect(refusal(values)).toContain(words);
  });
});

describe('what cannot go together', () => {
  it.each(['ingress', 'httpRoute'])('%s and no port without TLS', (front) => {
    const words = refusal({ [front]: { enabled: true }, proxy: { tls: { secrets: ['tls'], plain: false } } });
    expect(words).toContain(`${front}.enabled needs the port without TLS: set proxy.tls.plain to true`);
  });
});

describe('one account for both', () => {
  const both = { proxy: { serviceAccount: { create: false } }, controller: { serviceAccount: { create: false } } };
  it('cannot go with the admission policy', () => {
    expect(refusal(both)).toContain('give each its own name, or set admissionPolicy.enabled to false');
    const { stderr } = helm(['template', 'socketpod', CHART], { ...both, admissionPolicy: { enabled: false } });
    expect(stderr).toBe('');
  });
});

it('the schema knows every name at every level, and nothing else', () => {
  const check = (value: Value | Group, path: string) => {
    if (!('members' in value)) return;
    expect(schemaOf(value), path).toMatchObject({ type: 'object', additionalProperties: false });
    for (const [name, member] of Object.entries(value.members)) check(member, `${path}.${name}`);
  };
  check(VALUES, 'values');
});
