// A release on the node that the tests run in: install, upgrade, uninstall, and what each leaves.
import { execFileSync } from 'node:child_process';
import type { V1Pod } from '@kubernetes/client-node';
import type { WebSocket } from 'ws';
import { CHART, type ChartValues, helmBeside, mustHelm } from '../support/helm.ts';
import { ask, kubectl, makeNamespace, mustOpen } from '../support/node.ts';

/** Name and namespace of the release. */
const RELEASE = ['socketpod', '--namespace', 'socketpod'] as const;

/** Installs and waits until all is ready. */
export function install(values: ChartValues = {}): string {
  return mustHelm(['install', ...RELEASE, CHART, '--create-namespace', '--wait', '--timeout', '90s'], values);
}

/** Upgrades, by another chart if need be, while the test goes on; resolves when all is ready. */
export function upgrade(values: ChartValues, chart = CHART): Promise<string> {
  return helmBeside(['upgrade', ...RELEASE, chart, '--wait', '--timeout', '90s'], values);
}

/** Uninstalls while the test goes on. */
export function uninstall(): Promise<string> {
  return helmBeside(['uninstall', ...RELEASE, '--wait', '--timeout', '120s']);
}

/** Makes a namespace that takes restricted pods alone. */
export async function makeRestricted(name: string): Promise<void> {
  await makeNamespace(name);
  kubectl(['label', 'namespace', name, 'pod-security.kubernetes.io/enforce=restricted']);
}

/** A function's address through the Service. */
export function serviceUrl(path: string): string {
  return `ws://socketpod.socketpod/${path}`;
}

/** Opens a connection through the Service and hears its own words from the function. */
export async function echoThrough(path: string): Promise<WebSocket> {
  const { socket } = await mustOpen(serviceUrl(path));
  const answer = await ask(socket, `to ${path}`);
  if (answer !== `to ${path}`) throw new Error(`${path} answered ${answer}`);
  return socket;
}

/** Our pods of a component, those that end too. */
export function ourPods(component: string): V1Pod[] {
  return JSON.parse(kubectl(['get', 'pods', '-n', 'socketpod', '-l', `app.kubernetes.io/component=${component}`, '-o', 'json'])).items;
}

/** `NAMESPACE/NAME` of all pods of functions. */
export function functionPods(): string[] {
  const template = '{range .items[*]}{.metadata.namespace}/{.metadata.name} {end}';
  const names = kubectl(['get', 'pods', '-A', '-l', 'socketpod.dev/function', '-o', `jsonpath=${template}`]);
  return names.split(' ').filter((name) => name !== '');
}

/** Every object without a namespace, as `KIND.GROUP/NAME`, but for what Kubernetes makes by itself all the time. */
export function clusterWide(): string[] {
  const kinds = kubectl(['api-resources', '--namespaced=false', '--verbs=list', '-o', 'name']).trim().split('\n');
  const listed = kinds.filter((kind) => !/componentstatuses|^nodes$|apiservices|ipaddresses/.test(kind));
  return kubectl(['get', listed.join(','), '-o', 'name', '--ignore-not-found'])
    .trim()
    .split('\n')
    .sort();
}

/** All lines of the logs of the proxies that are there, as objects. */
export function proxyLines(): Record<string, unknown>[] {
  const text = kubectl(['logs', '-n', 'socketpod', '-l', 'app.kubernetes.io/component=proxy', '--tail=-1']);
  return text
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line));
}

/** Runs a line of shell, as a reader of the docs does. @returns its output */
export function shell(line: string): string {
  return execFileSync('bash', ['-euo', 'pipefail', '-c', line], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
}
