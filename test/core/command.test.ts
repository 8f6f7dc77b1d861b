// A container as a local process: command, arguments and environment as the kubelet reads them.
import { describe, expect, it } from 'vitest';
import type { CompleteSpec } from '../../src/api/types.ts';
import { expand, localCommand } from '../../src/core/command.ts';
import type { ServedFunction } from '../../src/core/served.ts';
import { served } from '../support/proxy.ts';

type Container = CompleteSpec['template']['spec']['containers'][number];

function fn(container: Partial<Container>, more: Partial<ServedFunction> = {}): ServedFunction {
  return served('echo', { template: { spec: { containers: [{ name: 'function', ...container }] } } }, more);
}

describe('a variable in a command', () => {
  it.each([
    ['$(A)', '1'],
    ['x$(A)y$(B)z', 'x1y2z'],
    ['$(C)', '$(C)'],
    ['$$(A)', '$(A)'],
    ['$$$(A)', '$1'],
    ['$$$$(A)', '$$(A)'],
    ['$A', '$A'],
    ['$(A', '$(A'],
    ['$()', '$()'],
    ['$(constructor)', '$(constructor)'],
    ['', ''],
  ])('%s becomes %s', (text, expanded) => expect(expand(text, { A: '1', B: '2' })).toBe(expanded));
});

describe('the command line of a function', () => {
  it('is command and args of the container, with its environment filled in', () => {
    const container = { command: ['node', '$(FILE)'], args: ['--port', '$(PORT)', '$$(PORT)'], env: [{ name: 'FILE', value: 's.js' }] };
    expect(localCommand(fn(container), 4711)).toEqual({
      file: 'node',
      args: ['s.js', '--port', '4711', '$(PORT)'],
      env: { FILE: 's.js', PORT: '4711', SOCKETPOD_FUNCTION: 'echo', SOCKETPOD_NAMESPACE: 'test' },
    });
  });

  it('lets a variable use those before it, and an empty one be empty', () => {
    const env = [{ name: 'A', value: '1' }, { name: 'B', value: '$(A)$(C)' }, { name: 'C' }];
    expect(localCommand(fn({ command: ['x'], env }), 1)).toMatchObject({ env: { A: '1', B: '1$(C)', C: '' } });
  });

  it('does not let a container say the port or who it is', () => {
    const env = [
      { name: 'PORT', value: '1' },
      { name: 'SOCKETPOD_FUNCTION', value: 'other' },
    ];
    expect(localCommand(fn({ command: ['x'], env }), 4711)).toMatchObject({ env: { PORT: '4711', SOCKETPOD_FUNCTION: 'echo' } });
  });

  it('is the annotation through the shell, where there is one', () => {
    expect(localCommand(fn({ command: ['x'] }, { devCommand: 'npm start $PORT' }), 1)).toMatchObject({
      file: '/bin/sh',
      args: ['-c', 'npm start $PORT'],
    });
  });

  it('is missing in words when there is nothing to run here', () => {
    expect(localCommand(fn({}), 1)).toMatch(/has no command/);
    expect(localCommand(fn({ command: [] }), 1)).toMatch(/has no command/);
    expect(localCommand(fn({ args: ['--only'] }), 1)).toMatch(/has no command/);
  });

  it('is missing in words when only a cluster can fill its environment', () => {
    expect(localCommand(fn({ command: ['x'], env: [{ name: 'KEY', valueFrom: {} }] }, { devCommand: 'y' }), 1)).toMatch(
      /env KEY has valueFrom/,
    );
  });
});
