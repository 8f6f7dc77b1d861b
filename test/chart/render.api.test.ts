// What the chart renders, in each way to install: helm's linter, the API server and Pod Security have nothing against it, and the
// program knows every option.
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { kubeBinary, startApi, type TestApi } from '../support/cluster.ts';
import { CHART, type ChartValues, helm, mustHelm, type Rendered, render } from '../support/helm.ts';
import { SCENARIOS } from './scenarios.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const ALL = Object.entries(SCENARIOS);
let api: TestApi;

/** The definitions of the kinds of others: as Go modules, pinned in crds/go.sum. */
function foreignDefinitions(): string[] {
  const modules = execFileSync('go', ['mod', 'download', '-json'], { cwd: join(import.meta.dirname, 'crds'), encoding: 'utf8' });
  const folders = [...modules.matchAll(/"Dir": "(.*)"/g)].map(([, folder = '']) => folder);
  const find = (name: string) => folders.find((folder) => folder.includes(name)) ?? '';
  const operator = join(find('prometheus-operator@'), 'example', 'prometheus-operator-crd');
  return [
    ...['podmonitors', 'prometheusrules', 'servicemonitors'].map((kind) => join(operator, `monitoring.coreos.com_${kind}.yaml`)),
    join(find('gateway-api@'), 'config', 'crd', 'standard', 'gateway.networking.k8s.io_httproutes.yaml'),
  ];
}

/** `kubectl`, with its warnings. */
function kubectl(args: readonly string[], input: object) {
  const { status, stdout, stderr } = spawnSync(kubeBinary() ?? '', ['kubectl', '--kubeconfig', api.kubeconfig, ...args], {
    encoding: 'utf8',
    input: JSON.stringify(input),
  });
  return { status, stdout, stderr };
}

beforeAll(async () => {
  api = await startApi();
  for (const name of ['socketpod', 'team-a', 'team-b']) api.kubectl(['create', 'namespace', name]);
  for (const level of ['enforce', 'warn'])
    api.kubectl(['label', 'namespace', 'socketpod', `pod-security.kubernetes.io/${level}=restricted`]);
  for (const file of foreignDefinitions()) api.kubectl(['create', '-f', file]);
  api.kubectl(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=30s']);
}, 60_000);
afterAll(() => api?.stop());

describe.each(ALL)('%s', (_name, values) => {
  it('has nothing that helm lint --strict minds', () => {
    expect(helm(['lint', '--strict', CHART], values)).toMatchObject({ status: 0 });
  });

  it('is accepted by the API server, without a warning', () => {
    const items = render(values).map((object) => ({ ...object, metadata: { namespace: 'socketpod', ...object.metadata } }));
    const { stdout, stderr, status } = kubectl(['apply', '--dry-run=server', '--validate=strict', '-f', '-'], {
      apiVersion: 'v1',
      kind: 'List',
      items,
    });
    expect(stderr).toBe('');
    expect(status).toBe(0);
    expect(stdout.trim().split('\n')).toHaveLength(items.length);
  });

  it('has pods that a namespace with enforce=restricted takes', () => {
    const pods = render(values).flatMap(podsOf);
    expect(pods.length).toBeGreaterThan(2);
    for (const pod of pods) {
      const { stderr, status } = kubectl(['create', '-n', 'socketpod', '--dry-run=server', '-f', '-'], pod);
      expect(stderr).toBe('');
      expect(status).toBe(0);
    }
  });

  it('gives the program options that it knows', () => {
    for (const { args } of render(values)
      .flatMap(podsOf)
      .flatMap(({ spec }) => spec.containers)) {
      if (args === undefined || args[0] === 'connect') continue; // the test pod
      // It gets past its options, and as far as what a cluster would have.
      const env = { ...process.env, SOCKETPOD_KUBECONFIG: '/nowhere' };
      const { stderr } = spawnSync(process.execPath, [join(ROOT, 'src', 'main.ts'), ...args], { encoding: 'utf8', env });
      expect(stderr).toMatch(/^socketpod: .*(\/nowhere|\/etc\/socketpod)/);
    }
  });
});

/** The pods that an object would make. */
function podsOf({ kind, metadata, spec }: Rendered): Rendered[] {
  if (kind === 'Pod') return [{ apiVersion: 'v1', kind, metadata: { name: metadata.name }, spec }];
  if (kind !== 'Deployment' && kind !== 'Job') return [];
  return [
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { ...spec.template.metadata, name: metadata.name },
      spec: withoutAccount(spec.template.spec),
    },
  ];
}

/** No account exists here. */
function withoutAccount(spec: object): object {
  return { ...spec, serviceAccountName: undefined };
}

describe('the definition', () => {
  it('follows an upgrade, and stays when the release goes', () => {
    const crd = render().find(({ kind }) => kind === 'CustomResourceDefinition');
    expect(crd?.metadata.annotations).toEqual({ 'helm.sh/resource-policy': 'keep' });
    const source = parse(readFileSync(join(ROOT, 'crds', 'websocketfunctions.socketpod.dev.yaml'), 'utf8'));
    expect(crd?.spec).toEqual(source.spec);
  });
});

describe('the version', () => {
  it('of the chart and of its image is that of the package', () => {
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    expect(parse(readFileSync(join(CHART, 'Chart.yaml'), 'utf8'))).toMatchObject({ version, appVersion: version });
    expect(deployment('proxy').spec.template.spec.containers[0].image).toBe(`localhost/socketpod:${version}`);
  });
});

function deployment(component: string, values = {}): Rendered {
  const found = render(values).find(({ kind, metadata }) => kind === 'Deployment' && metadata.name === `socketpod-${component}`);
  if (!found) throw new Error(`no Deployment of the ${component}`);
  return found;
}

describe('the proxies', () => {
  it('have the time to drain that they are told, and 15 s more', () => {
    const { spec } = deployment('proxy', { proxy: { drain: { delay: 7, time: 1200 } } });
    expect(spec.template.spec.terminationGracePeriodSeconds).toBe(1222);
    expect(spec.template.spec.containers[0].args).toEqual(expect.arrayContaining(['--drain-delay=7', '--drain-time=1200']));
    expect(spec.strategy.rollingUpdate.maxUnavailable).toBe(0);
  });

  it('start anew when their files change', () => {
    const checksum = (maxConnections: number) =>
      deployment('proxy', { ceilings: { default: { maxConnections } } }).spec.template.metadata.annotations['checksum/files'];
    expect(checksum(1)).not.toBe(checksum(2));
  });

  it('leave their number to the autoscaler where there is one', () => {
    expect(deployment('proxy').spec.replicas).toBe(2);
    expect(deployment('proxy', { proxy: { autoscaling: { enabled: true } } }).spec.replicas).toBeUndefined();
  });
});

describe('namespaced mode', () => {
  it('has no ClusterRole for pods, and Roles in each namespace', () => {
    const objects = render(SCENARIOS.namespaced);
    const forPods = (kind: string) => objects.filter((object) => object.kind === kind && JSON.stringify(object.rules).includes('"pods"'));
    expect(forPods('ClusterRole')).toEqual([]);
    for (const namespace of ['team-a', 'team-b']) {
      expect(forPods('Role').filter(({ metadata }) => metadata.namespace === namespace)).toHaveLength(3); // with that of the clean-up
    }
    expect(objects.filter(({ kind }) => kind === 'ClusterRoleBinding')).toEqual([]);
  });
});

describe('the admin ports of proxies and controllers, and no others, are found', () => {
  const ADMIN = ['socketpod-proxy:9090', 'socketpod-controller:9090'].sort();
  /** `name:port` of the Deployments whose pods have these labels, by the name of the port. */
  const portsOf = (objects: Rendered[], labels: object, name: string) =>
    objects
      .filter(({ kind, spec }) => kind === 'Deployment' && isIn(labels, spec.template.metadata.labels))
      .map(({ metadata, spec }) => {
        const { ports } = spec.template.spec.containers[0];
        return `${metadata.name}:${ports.find((port: { name: string }) => port.name === name)?.containerPort}`;
      });

  it('by a PodMonitor', () => {
    const objects = render({ monitoring: { monitor: 'PodMonitor' } });
    const { selector, podMetricsEndpoints } = objects.find(({ kind }) => kind === 'PodMonitor')?.spec ?? {};
    expect(portsOf(objects, selector.matchLabels, podMetricsEndpoints[0].port).sort()).toEqual(ADMIN);
  });

  it('by a ServiceMonitor, through Services', () => {
    const objects = render({ monitoring: { monitor: 'ServiceMonitor' } });
    const { selector, endpoints } = objects.find(({ kind }) => kind === 'ServiceMonitor')?.spec ?? {};
    const found = objects
      .filter(({ kind, metadata }) => kind === 'Service' && isIn(selector.matchLabels, metadata.labels ?? {}))
      .flatMap(({ spec }) => {
        const port = spec.ports.find(({ name }: { name: string }) => name === endpoints[0].port);
        return portsOf(objects, spec.selector, port?.targetPort);
      });
    expect(found.sort()).toEqual(ADMIN);
  });
});

function isIn(part: object, whole: object): boolean {
  return Object.entries(part).every(([name, value]) => (whole as Record<string, unknown>)[name] === value);
}

describe('the notes tell the next command', () => {
  it.each<[what: string, values: ChartValues, namespace: string, connect: string]>([
    ['', {}, 'own', 'ws://socketpod/default/node-echo'],
    ['with another port', { proxy: { service: { port: 8080 } } }, 'own', 'ws://socketpod:8080/default/node-echo'],
    ['with TLS alone', SCENARIOS['TLS alone'] ?? {}, 'own', '--insecure wss://socketpod:443/default/node-echo'],
    ['for some namespaces', { namespaces: ['own', 'team-b'] }, 'own', 'ws://socketpod/team-b/node-echo'],
    ['in the default namespace, where functions may not be', {}, 'default', 'ws://socketpod/NAMESPACE/node-echo'],
  ])('%s', (_what, values, namespace, connect) => {
    const notes = mustHelm(['install', 'socketpod', CHART, '--namespace', namespace, '--dry-run=client'], values);
    expect(notes).toContain(`kubectl exec -i -n ${namespace} deploy/socketpod-proxy -- socketpod connect ${connect}\n`);
    const [, target] = /kubectl apply -n (\S+)/.exec(notes) ?? [];
    expect(connect).toContain(`/${target}/node-echo`);
  });
});

it('names that look like numbers stay names', () => {
  for (const { metadata, subjects = [], spec } of render({ namespaces: ['789'], monitoring: { monitor: 'PodMonitor' } }, '123')) {
    const selected = spec?.selector?.matchLabels ?? {};
    const names = [metadata.namespace ?? '', ...Object.values({ ...metadata.labels, ...selected }), ...subjects.flatMap(Object.values)];
    for (const name of names) expect(name).toBeTypeOf('string');
  }
});

it('without rbac.create there is no right but those of users', () => {
  const kinds = render({ rbac: { create: false } }).filter(({ kind }) => /Role/.test(kind));
  expect(kinds.filter(({ metadata }) => !metadata.name.includes('edit') && !metadata.name.includes('view'))).toEqual([]);
});
