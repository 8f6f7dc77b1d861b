// What `dev` tells people of an end.
import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { terminalReport } from '../../src/cli/dev-report.ts';
import { type ConnectionRecord, NOTHING_HAPPENED } from '../../src/proxy/record.ts';

/** The lines about an end with these fields, without colours. */
function told(part: Partial<ConnectionRecord>): string {
  let text = '';
  const out = new Writable({
    write: (chunk, _encoding, done) => {
      text += chunk;
      done();
    },
  });
  const record: ConnectionRecord = {
    ...NOTHING_HAPPENED,
    id: '0123456789',
    function: 'default/echo',
    reason: 'function_exited',
    httpStatus: 101,
    clientAddress: '127.0.0.1',
    ...part,
  };
  terminalReport(out).ended(record);
  return text;
}

describe('the lines about an end', () => {
  const LINE = '01234567 end   default/echo  439 function_exited  open 0.0 s, 0 up, 0 down';
  it.each<[string, Partial<ConnectionRecord>, string]>([
    ['nothing more is known', {}, `${LINE}\n`],
    ['a detail', { detail: 'exit code 7' }, `${LINE}  exit code 7\n`],
    [
      'last words, under the line and indented',
      { detail: 'exit code 7', lastWords: 'Error: x\n    at y' },
      `${LINE}  exit code 7\n         Error: x\n             at y\n`,
    ],
    [
      'text that would be obeyed by the terminal, as it is written in JSON',
      { detail: 'x\x1b[2J\x9b2J\r', lastWords: 'a\u2028\x07b\nc' },
      `${LINE}  x\\u001b[2J\\u009b2J\\u000d\n         a\\u2028\\u0007b\n         c\n`,
    ],
  ])('%s', (_what, part, lines) => expect(told(part)).toBe(lines));
});
