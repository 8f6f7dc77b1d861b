// Trial pods on a real API server: what it has against a function's pods shows in the status, in its words, and goes when it is mended.
import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { startApi, type TestApi } from '../support/cluster.ts';
import { FunctionsOf, installDefinition, type RunningController, startController } from '../support/controller.ts';
import { samples } from '../support/metrics.ts';
import { until } from '../support/ports.ts';

let api: TestApi;
let functions: FunctionsOf;
let controller: RunningController;

beforeAll(async () => {
  api = await startApi({ controllers: true });
  await installDefinition(api);
  functions = new FunctionsOf(api);
  api.kubectl(['create', 'namespace', 'a']);
  await until('pods can be made in it', () => api.kubectl(['get', 'serviceaccount', '-n', 'a', '-o', 'name']).includes('default'));
  controller = await startController(api.kubeconfig);
  await controller.leads();
}, 90_000);

afterAll(async () => {
  expect(await controller?.stop()).toBe(0);
  await api?.stop();
});

/** A kubeconfig of this service account of `default`. */
function asAccount(name: string): string {
  const config = parse(readFileSync(api.kubeconfig, 'utf8'));
  config.users[0].user = { token: api.kubectl(['create', 'token', name]).trim() };
  writeFileSync(`${api.kubeconfig}.${name}`, stringify(config));
  return `${api.kubeconfig}.${name}`;
}

/** How many pods were tried so far, by what was answered. */
async function tries(status = '2[0-9]{2}|4[0-9]{2}', port = controller.adminPort): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  const fits = new RegExp(`^socketpod_kube_requests_total\\{verb="create",resource="pods",status_code="(${status})"\\}$`);
  return [...samples(text)].reduce((sum, [series, value]) => sum + (fits.test(series) ? value : 0), 0);
}

describe('a trial', () => {
  it('makes no pod', async () => {
    functions.apply('a', 'fine');
    await functions.reason('a', 'fine', 'Accepted');
    expect(await tries('201')).toBeGreaterThan(0);
    expect(api.kubectl(['get', 'pods', '-n', 'a', '-o', 'name'])).toBe('');
  });

  it('finds a typing error of the template, by its path, and its repair at once', async () => {
    functions.apply('a', 'typo', {}, { restartPolicy: 'Never', nodeSelektor: { a: 'b' } });
    const { message } = await functions.reason('a', 'typo', 'PodRejected');
    expect(message).toContain('unknown field "spec.nodeSelektor"');
    expect(await functions.reason('a', 'typo', 'PodRejected', 'Ready')).toMatchObject({ status: 'False', message });
    expect(api.kubectl(['describe', 'wsf', '-n', 'a', 'typo'])).toMatch(
      /Warning\s+PodRejected\s+\S+\s+socketpod-controller\s+.*unknown field "spec.nodeSelektor"/,
    );
    functions.apply('a', 'typo', {}, { nodeSelektor: null });
    await functions.reason('a', 'typo', 'Accepted', 'Accepted', 4000); // no backoff for another template
  });

  it('finds what the API server would refuse at the first client', async () => {
    functions.apply('a', 'invalid', {}, {}, { image: 'localhost/fn:1', imagePullPolicy: 'Perhaps' });
    expect((await functions.reason('a', 'invalid', 'PodRejected')).message).toContain('imagePullPolicy: Unsupported value: "Perhaps"');
    functions.delete('a', 'invalid'); // it would be tried again and again
    functions.apply('a', 'account', {}, { serviceAccountName: 'nobody' });
    expect((await functions.reason('a', 'account', 'PodRejected')).message).toContain('serviceaccount "nobody" not found');
    api.kubectl(['create', 'serviceaccount', '-n', 'a', 'nobody']);
    await functions.reason('a', 'account', 'Accepted'); // tried again by itself
  });

  it('finds what Pod Security forbids, and that it does no more', async () => {
    const privileged = { securityContext: { runAsUser: 0, runAsNonRoot: false } };
    api.kubectl(['label', 'namespace', 'a', 'pod-security.kubernetes.io/enforce=restricted']);
    functions.apply('a', 'root', {}, {}, privileged);
    expect((await functions.reason('a', 'root', 'PodRejected')).message).toMatch(/violates PodSecurity "restricted:latest": .*runAsUser=0/);
    functions.apply('a', 'modest'); // the platform's defaults are within the standard
    await functions.reason('a', 'modest', 'Accepted');
    api.kubectl(['label', 'namespace', 'a', 'pod-security.kubernetes.io/enforce-']);
    await functions.reason('a', 'root', 'Accepted');
  });

  it('is passed under a quota that is used up', async () => {
    api.kubectl(['create', 'quota', 'none', '-n', 'a', '--hard=pods=0']);
    await until('the quota is counted', () => api.kubectl(['get', 'quota', '-n', 'a', 'none', '-o', 'jsonpath={.status.used}']) !== '');
    const before = await tries('403');
    functions.apply('a', 'crowded');
    await functions.reason('a', 'crowded', 'Accepted');
    expect(await tries('403')).toBe(before + 1);
    api.kubectl(['delete', 'quota', '-n', 'a', 'none']);
  });

  it('is made once for each template, and after a restart for none that was accepted', async () => {
    const before = await tries();
    functions.apply('a', 'fine', { maxConnections: 7 });
    await functions.reason('a', 'fine', 'Accepted');
    expect(functions.get('a', 'fine').status?.observedGeneration).toBe(2);
    expect(await tries()).toBe(before);
    functions.apply('a', 'fine', { port: 9001 });
    await functions.reason('a', 'fine', 'Accepted');
    expect(await tries()).toBe(before + 1);

    functions.apply('a', 'typo', {}, { nodeSelektor: { a: 'b' } });
    await functions.reason('a', 'typo', 'PodRejected');
    await controller.stop();
    controller = await startController(api.kubeconfig);
    await controller.leads();
    functions.apply('a', 'typo', {}, { nodeSelektor: null });
    await functions.reason('a', 'typo', 'Accepted');
    expect(await tries(), 'the one that was refused').toBeLessThanOrEqual(2);
  });

  it('refuses nothing for a right that the controller lacks', async () => {
    await controller.stop();
    api.kubectl(['create', 'serviceaccount', 'watcher']);
    api.kubectl(['create', 'clusterrolebinding', 'watcher', '--clusterrole=view', '--serviceaccount=default:watcher']);
    const rules = [
      { apiGroups: ['socketpod.dev'], resources: ['websocketfunctions', 'websocketfunctions/status'], verbs: ['*'] },
      { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['*'] },
      { apiGroups: ['discovery.k8s.io', 'networking.k8s.io'], resources: ['*'], verbs: ['*'] },
    ];
    const role = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name: 'watcher-too' }, rules };
    api.kubectl(['apply', '-f', '-'], JSON.stringify(role));
    api.kubectl(['create', 'clusterrolebinding', 'watcher-too', '--clusterrole=watcher-too', '--serviceaccount=default:watcher']);
    controller = await startController(asAccount('watcher'));
    await controller.leads();
    functions.apply('a', 'unjudged', {}, { nodeSelektor: { a: 'b' } });
    await functions.reason('a', 'unjudged', 'Accepted');
    await until('it is logged', () =>
      controller.lines.some(({ message }) => /^a pod cannot be tried: .*watcher.*cannot create/.test(message)),
    );
  });
});
