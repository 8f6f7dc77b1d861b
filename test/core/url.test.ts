// The addresses under which clients reach a function.
import { expect, it } from 'vitest';
import { urlsOf } from '../../src/core/url.ts';
import { served } from '../support/proxy.ts';

it.each([
  ['wss://functions.example.com', undefined, ['wss://functions.example.com/test/echo']],
  ['ws://127.0.0.1:8080', undefined, ['ws://127.0.0.1:8080/test/echo']],
  ['wss://functions.example.com', { hosts: ['a.example'], paths: ['/'] }, ['wss://a.example']],
  ['ws://127.0.0.1:8080', { hosts: ['a.example'], paths: ['/shell'] }, ['ws://a.example:8080/shell']],
  ['ws://[::1]:8080', { hosts: ['a.example'], paths: ['/'] }, ['ws://a.example:8080']],
  ['ws://[::1]', { hosts: ['a.example'], paths: ['/'] }, ['ws://a.example']],
  [
    'wss://x',
    { hosts: ['a.example', '*.b.example'], paths: ['/p', '/'] },
    ['wss://a.example/p', 'wss://a.example', 'wss://*.b.example/p', 'wss://*.b.example'],
  ],
])('under %s with the route %j it is reached at %j', (base, route, urls) => {
  expect(urlsOf(served('echo', route ? { route } : {}), base)).toEqual(urls);
});
