// The words by which calls to the API server are counted.
import { expect, it } from 'vitest';
import { kubeCall } from '../../src/core/kube-call.ts';

it.each<[string, string, boolean, string]>([
  ['GET', '/api/v1/pods', false, 'list pods'],
  ['GET', '/api/v1/pods', true, 'watch pods'],
  ['GET', '/api/v1/namespaces/a/pods', true, 'watch pods'],
  ['GET', '/api/v1/namespaces/a/pods/web', false, 'get pods'],
  ['POST', '/api/v1/namespaces/a/pods', false, 'create pods'],
  ['PATCH', '/api/v1/namespaces/a/pods/web', false, 'patch pods'],
  ['DELETE', '/api/v1/namespaces/a/pods/web', false, 'delete pods'],
  ['GET', '/apis/socketpod.dev/v1alpha1/websocketfunctions', false, 'list websocketfunctions'],
  ['PATCH', '/apis/socketpod.dev/v1alpha1/namespaces/a/websocketfunctions/f/status', false, 'patch websocketfunctions'],
  ['GET', '/api/v1/namespaces', false, 'list namespaces'],
  ['GET', '/api/v1/namespaces/a', false, 'get namespaces'],
])('%s %s (watch: %s) is %s', (method, path, watch, words) => {
  const { verb, resource } = kubeCall(method, path, watch);
  expect(`${verb} ${resource}`).toBe(words);
});
