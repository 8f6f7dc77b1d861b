// `socketpod validate` and a real API server give the same verdict at the same field; and the resource behaves as kubectl users
// expect. Every object is a dry run, but for those of the last tests.
import { readFileSync } from 'node:fs';
import { Agent, fetch } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { validate } from '../../src/api/validate.ts';
import { startApi, type TestApi } from '../support/cluster.ts';
import { until } from '../support/ports.ts';
import { CASES, objectOf } from './resources.ts';

const CRD_FILE = 'crds/websocketfunctions.socketpod.dev.yaml';
let api: TestApi;
let server: { url: string; token: string; dispatcher: Agent };

beforeAll(async () => {
  api = await startApi();
  const config = parse(readFileSync(api.kubeconfig, 'utf8'));
  const { server: url, 'certificate-authority': ca } = config.clusters[0].cluster;
  const dispatcher = new Agent({ connect: { ca: readFileSync(ca, 'utf8') } });
  server = { url, token: config.users[0].user.token, dispatcher };
  api.kubectl(['apply', '-f', CRD_FILE]);
  await until('the resource is served', async () => (await create(objectOf({ name: '' }))).code === 201);
}, 90_000);

afterAll(async () => {
  await server?.dispatcher.close();
  await api?.stop();
});

interface Verdict {
  code: number;
  fields: string[];
  message: string;
}

async function create(object: object): Promise<Verdict> {
  const answer = await fetch(
    `${server.url}/apis/socketpod.dev/v1alpha1/namespaces/default/websocketfunctions?dryRun=All&fieldValidation=Strict`,
    {
      method: 'POST',
      headers: { authorization: `Bearer ${server.token}`, 'content-type': 'application/json' },
      body: JSON.stringify(object),
      dispatcher: server.dispatcher,
    },
  );
  const body = (await answer.json()) as { message?: string; details?: { causes?: { field?: string }[] } };
  const unknown = [...(body.message ?? '').matchAll(/unknown field "([^"]+)"/g)].map((match) => match[1] ?? '');
  // `<nil>` only says that rules were not asked; the check of the scale subresource begins its path with a dot.
  const caused = (body.details?.causes ?? []).map(({ field = '' }) => field.replace(/^\./, '')).filter((field) => field !== '<nil>');
  return { code: answer.status, fields: [...new Set([...caused, ...unknown])].sort(), message: body.message ?? '' };
}

describe('a real API server and socketpod validate', () => {
  it('are asked about at least 60 resources', () => expect(CASES.length).toBeGreaterThanOrEqual(60));

  it.each(CASES.map((one) => [one.name, one] as const))('agree on %s', async (_name, one) => {
    const object = JSON.parse(JSON.stringify(objectOf(one)));
    const verdict = await create(object);
    const ours = [...new Set(validate(object).map(({ path }) => path))].sort();
    expect(verdict.code === 201, verdict.message).toBe(one.at === undefined);
    if (one.at !== undefined) expect(ours).toContain(one.at);
    // What is not even of the type of a Go field (a label that is true) is refused without a field.
    if (verdict.code !== 400 || verdict.fields.length > 0) expect(verdict.fields, verdict.message).toEqual(ours);
  });
});

describe('the resource', () => {
  it('is applied by the server side twice without a new version', () => {
    const apply = () => api.kubectl(['apply', '--server-side', '-f', '-', '-o', 'jsonpath={.metadata.resourceVersion}'], text);
    const text = JSON.stringify(objectOf({ name: '', metadata: { name: 'applied' }, spec: { route: { hosts: ['a.example.com'] } } }));
    expect(apply()).toBe(apply());
  });

  it('so is its definition', () => {
    const apply = () =>
      api.kubectl(['apply', '--server-side', '--force-conflicts', '-f', CRD_FILE, '-o', 'jsonpath={.metadata.resourceVersion}']);
    apply();
    expect(apply()).toBe(apply());
  });

  it('is scaled by its warm pods, up to its own ceiling', () => {
    api.kubectl(['apply', '-f', '-'], JSON.stringify(objectOf({ name: '', metadata: { name: 'scaled' }, spec: { maxConnections: 5 } })));
    api.kubectl(['scale', 'wsf/scaled', '--replicas=5']);
    expect(api.kubectl(['get', 'wsf/scaled', '-o', 'jsonpath={.spec.warmPods}'])).toBe('5');
    expect(() => api.kubectl(['scale', 'wsf/scaled', '--replicas=6'])).toThrow(/warmPods is over maxConnections/);
  });

  it('explains its fields with unit, range, default, code and SCF name', () => {
    const text = api.kubectl(['explain', 'wsf.spec.idleTimeoutSeconds']).replaceAll(/\s+/g, ' ');
    expect(text).toContain('in seconds. 10 to 7200, default 60. Over it: code 455. SCF: WSParams.IdleTimeOut.');
  });

  it('shows the columns of the contract', () => {
    const [head] = api.kubectl(['get', 'wsf', '-o', 'wide']).split('\n');
    expect(head?.split(/\s+/)).toEqual([
      'NAME',
      'READY',
      'REASON',
      'OPEN',
      'MAX',
      'WARM',
      'URL',
      'AGE',
      'STARTING',
      'IDLE',
      'EXECUTION',
      'IMAGE',
    ]);
  });
});
