// Who may claim which hosts, by the operator's word, and how a bad file is told.
import { describe, expect, it } from 'vitest';
import { deniedHosts, type HostRules, parseHostRules } from '../../src/api/host-rules.ts';

function parsed(value: unknown): HostRules {
  const result = parseHostRules(value);
  if ('problems' in result) throw new Error(JSON.stringify(result.problems));
  return result.rules;
}

function problems(value: unknown): string[] {
  const result = parseHostRules(value);
  return 'problems' in result ? result.problems.map(({ path, message }) => `${path}: ${message}`) : [];
}

describe('host rules', () => {
  const rules = parsed([
    { hosts: ['*.apps.example.com', 'a.example'], namespaces: ['team-a', 'team-b'] },
    { hosts: ['b.example'], namespaces: ['*'] },
    { hosts: ['*'], namespaces: ['ops'] },
  ]);

  it.each([
    ['x.apps.example.com', 'team-a', true],
    ['x.y.apps.example.com', 'team-b', true],
    ['*.apps.example.com', 'team-a', true],
    ['*.y.apps.example.com', 'team-a', true],
    ['apps.example.com', 'team-a', false],
    ['xapps.example.com', 'team-a', false],
    ['*.example.com', 'team-a', false],
    ['a.example', 'team-a', true],
    ['a.example', 'team-c', false],
    ['b.example', 'team-c', true],
    ['*.b.example', 'team-c', false],
    ['c.example', 'team-a', false],
    ['c.example', 'ops', true],
    ['*.c.example', 'ops', true],
  ])('%s in %s: %s', (host, namespace, allowed) => expect(deniedHosts([host], namespace, rules)).toEqual(allowed ? [] : [host]));

  it('that are absent deny nothing, and empty ones everything', () => {
    expect(deniedHosts(['a.example'], 'a', undefined)).toEqual([]);
    expect(deniedHosts(['a.example', 'b.example'], 'a', parsed([]))).toEqual(['a.example', 'b.example']);
  });

  it.each<[unknown, string]>([
    [null, ': null is not a list of {hosts, namespaces}'],
    [{ hosts: [] }, ': {"hosts":[]} is not a list of {hosts, namespaces}'],
    [['x'], '[0]: "x" is not a mapping'],
    [[{ host: ['a'], namespaces: ['b'] }], '[0].host: unknown field; known are hosts, namespaces'],
    [[{ hosts: [], namespaces: ['b'] }], '[0].hosts: [] is not a list of at least one'],
    [[{ hosts: 'a', namespaces: ['b'] }], '[0].hosts: "a" is not a list of at least one'],
    [[{ hosts: ['A.example'], namespaces: ['b'] }], '[0].hosts[0]: "A.example" is not a host in lower case, *.x or *'],
    [[{ hosts: ['a.example:80'], namespaces: ['b'] }], '[0].hosts[0]: "a.example:80" is not a host in lower case, *.x or *'],
    [[{ hosts: ['a.*.example'], namespaces: ['b'] }], '[0].hosts[0]: "a.*.example" is not a host in lower case, *.x or *'],
    [[{ hosts: ['a'], namespaces: ['b', 1] }], '[0].namespaces[1]: 1 is not a name of a namespace or *'],
    [[{ hosts: ['a'], namespaces: ['team-*'] }], '[0].namespaces[0]: "team-*" is not a name of a namespace or *'],
  ])('%j is told by its place', (value, problem) => expect(problems(value)).toContain(problem));
});
