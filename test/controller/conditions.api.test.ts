// `socketpod controller` on a real API server: each reason of the conditions, whose a host is, and what kubectl shows of it.
import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SPEC } from '../../src/api/schema.ts';
import { connectKube, type KubeClient } from '../../src/kube/client.ts';
import type { Heartbeat } from '../../src/kube/heartbeat.ts';
import { startApi, type TestApi } from '../support/cluster.ts';
import { FunctionsOf, installDefinition, playProxy, type RunningController, startController } from '../support/controller.ts';
import { until } from '../support/ports.ts';

const NAME = 'websocketfunctions.socketpod.dev';
let api: TestApi;
let client: KubeClient;
let heartbeat: Heartbeat | undefined;
let functions: FunctionsOf;
let controller: RunningController;

beforeAll(async () => {
  api = await startApi({ controllers: true });
  client = connectKube(api.kubeconfig);
  await installDefinition(api);
  functions = new FunctionsOf(api);
  for (const name of ['a', 'b', 'c']) api.kubectl(['create', 'namespace', name]);
  writeFileSync(`${api.kubeconfig}.ceilings`, 'default: {maxConnections: 500}\nnamespaces: {c: {maxConnections: 900}}\n');
  writeFileSync(`${api.kubeconfig}.hosts`, '[{hosts: ["*.example"], namespaces: ["*"]}, {hosts: [only.test], namespaces: [c]}]\n');
  const files = ['--ceilings', `${api.kubeconfig}.ceilings`, '--host-rules', `${api.kubeconfig}.hosts`];
  controller = await startController(api.kubeconfig, [...files, '--public-url', 'wss://functions.example']);
  await controller.leads();
}, 90_000);

afterAll(async () => {
  expect(await controller?.stop()).toBe(0);
  await heartbeat?.stop();
  await client?.close();
  await api?.stop();
});

describe('Accepted', () => {
  it('of a function that nothing stands against, and Ready as soon as a proxy lives', async () => {
    functions.apply('a', 'plain');
    await functions.reason('a', 'plain', 'Accepted');
    await functions.reason('a', 'plain', 'NoProxy', 'Ready');
    heartbeat = await playProxy(client, 'aaaaaaaaaa');
    await functions.reason('a', 'plain', 'Ready', 'Ready');
    expect(api.kubectl(['wait', '-n', 'a', 'wsf/plain', '--for=condition=Ready', '--timeout=10s'])).toContain('condition met');
    const { status } = functions.get('a', 'plain');
    expect(status).toMatchObject({
      observedGeneration: 1,
      url: 'wss://functions.example/a/plain',
      openConnections: 0,
      startingPods: 0,
      warmPods: 0,
      selector: 'socketpod.dev/function=plain,socketpod.dev/state=warm',
    });
    expect(status?.conditions).toMatchObject([
      { type: 'Accepted', status: 'True', observedGeneration: 1 },
      { type: 'Ready', status: 'True', observedGeneration: 1 },
    ]);
    await until('the Events are there', () => functions.events('a', 'plain').length === 2);
    expect(functions.events('a', 'plain').sort()).toEqual([
      'Normal Ready: connections are taken',
      'Warning NoProxy: no proxy takes connections; look at the pods of the proxy',
    ]);
  });

  it('of one over a ceiling, which namespaces may have of their own; and the edit that mends it', async () => {
    functions.apply('a', 'large', { maxConnections: 501 });
    functions.apply('c', 'large', { maxConnections: 501 });
    const words = 'spec.maxConnections: 501 is over the ceiling 500 of the operator; lower it, or ask for a higher ceiling';
    expect(await functions.reason('a', 'large', 'CeilingExceeded')).toMatchObject({ status: 'False', message: words });
    expect(await functions.reason('a', 'large', 'CeilingExceeded', 'Ready')).toMatchObject({ status: 'False', message: words });
    expect(functions.get('a', 'large').status?.hosts).toEqual([]);
    await functions.reason('c', 'large', 'Accepted');
    const described = api.kubectl(['describe', 'wsf', '-n', 'a', 'large']);
    expect(described).toMatch(/Message:\s+spec\.maxConnections: 501 is over the ceiling 500/);
    expect(described).toMatch(/Warning\s+CeilingExceeded\s+\S+\s+socketpod-controller\s+spec\.maxConnections: 501 is over the ceiling/);
    const columns = api.kubectl(['get', 'wsf', '-n', 'a', 'large']).split('\n');
    expect(columns[0]).toMatch(/^NAME\s+READY\s+REASON\s+OPEN\s+MAX\s+WARM\s+URL\s+AGE\s*$/);
    expect(columns[1]).toMatch(/^large\s+False\s+CeilingExceeded\s+0\s+501\s+0\s+wss:\/\/functions\.example\/a\/large\s+/);
    functions.apply('a', 'large', { maxConnections: 500 });
    expect(await functions.reason('a', 'large', 'Accepted')).toMatchObject({ status: 'True', observedGeneration: 2 });
  });

  it('of one that is switched off', async () => {
    functions.apply('a', 'off', { maxConnections: 0, warmPods: 3 });
    await functions.reason('a', 'off', 'Accepted');
    await functions.reason('a', 'off', 'SwitchedOff', 'Ready');
    expect(functions.condition('a', 'off', 'WarmPodsReady')).toBeUndefined();
  });

  it('of one whose host the host rules keep from its namespace', async () => {
    functions.apply('a', 'foreign', { route: { hosts: ['only.test'] } });
    functions.apply('c', 'foreign', { route: { hosts: ['only.test'] } });
    const { message } = await functions.reason('a', 'foreign', 'HostNotAllowed');
    expect(message).toBe("host only.test may not be claimed in namespace a: the operator's host rules say so");
    await functions.reason('c', 'foreign', 'Accepted');
    expect(functions.get('c', 'foreign').status).toMatchObject({ hosts: ['only.test'], url: 'wss://only.test' });
  });

  it('of an object of an older definition that today’s rules refuse', async () => {
    const path = '/spec/versions/0/schema/openAPIV3Schema/properties/spec/x-kubernetes-validations';
    const patch = (value: unknown) => JSON.stringify([{ op: 'replace', path, value }]);
    const rules = (value: unknown) => api.kubectl(['patch', 'crd', NAME, '--type=json', '-p', patch(value)]);
    rules([]);
    const bad = { idleTimeoutSeconds: 600, executionTimeoutSeconds: 60 };
    await until('the rules hold no more', () => {
      try {
        functions.apply('a', 'old', bad);
        return true;
      } catch {
        return false;
      }
    });
    expect((await functions.reason('a', 'old', 'InvalidSpec')).message).toContain('executionTimeoutSeconds is below idleTimeoutSeconds');
    functions.delete('a', 'old');
    rules(SPEC['x-kubernetes-validations']);
  });
});

describe('a host that two namespaces claim', () => {
  it('is kept by its holder; the other is refused with its name, and gets it when the holder is deleted', async () => {
    functions.apply('b', 'first', { route: { hosts: ['x.example'], paths: ['/shell'] } });
    await functions.reason('b', 'first', 'Accepted');
    expect(functions.get('b', 'first').status).toMatchObject({ hosts: ['x.example'], url: 'wss://x.example/shell' });
    functions.apply('a', 'second', { route: { hosts: ['x.example', 'y.example'] } });
    const { message } = await functions.reason('a', 'second', 'HostTaken');
    expect(message).toBe('host x.example belongs to b/first; choose another host');
    expect(functions.get('a', 'second').status).toMatchObject({ hosts: ['y.example'], url: 'wss://y.example' });
    await functions.reason('b', 'first', 'Accepted');
    functions.delete('b', 'first');
    await functions.reason('a', 'second', 'Accepted');
    expect(functions.get('a', 'second').status).toMatchObject({ hosts: ['x.example', 'y.example'], url: 'wss://x.example' });
    await until('both changes are told', () => functions.events('a', 'second').length >= 3);
    expect(functions.events('a', 'second')).toContain('Warning HostTaken: host x.example belongs to b/first; choose another host');
  });

  it('stays with a younger holder when an older function comes to name it, and moves when the holder lets it go', async () => {
    functions.apply('a', 'older');
    await functions.reason('a', 'older', 'Accepted');
    functions.apply('b', 'younger', { route: { hosts: ['z.example'] } });
    await functions.reason('b', 'younger', 'Accepted');
    functions.apply('a', 'older', { route: { hosts: ['z.example'] } });
    expect((await functions.reason('a', 'older', 'HostTaken')).message).toContain('belongs to b/younger');
    expect(functions.get('b', 'younger').status?.hosts).toEqual(['z.example']);
    functions.apply('b', 'younger', { route: { hosts: ['w.example'] } });
    await functions.reason('a', 'older', 'Accepted');
    await functions.reason('b', 'younger', 'Accepted');
    expect(functions.get('a', 'older').status?.hosts).toEqual(['z.example']);
    functions.apply('b', 'younger', { route: { hosts: ['z.example'] } });
    expect((await functions.reason('b', 'younger', 'HostTaken')).message).toContain('belongs to a/older');
  });

  it('is shared within a namespace, and is the namespace’s until the last one that names it is gone', async () => {
    functions.apply('a', 'one', { route: { hosts: ['s.example'], paths: ['/one'] } });
    await functions.reason('a', 'one', 'Accepted');
    functions.apply('b', 'waits', { route: { hosts: ['s.example'] } });
    await functions.reason('b', 'waits', 'HostTaken');
    functions.apply('a', 'two', { route: { hosts: ['s.example'], paths: ['/two'] } });
    await functions.reason('a', 'two', 'Accepted');
    functions.delete('a', 'one');
    await until('the other one is named', () => functions.condition('b', 'waits', 'Accepted')?.message.includes('a/two') === true);
    functions.delete('a', 'two');
    await functions.reason('b', 'waits', 'Accepted');
  });
});
