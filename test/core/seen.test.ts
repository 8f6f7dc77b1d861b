import { describe, expect, it } from 'vitest';
import { closeText, OUTCOMES, type Outcome, type Reason } from '../../src/core/outcome.ts';
import { meaningOf } from '../../src/core/seen.ts';

const ROWS = Object.entries(OUTCOMES) as [Reason, Outcome][];

describe('a close frame', () => {
  it.each([
    [1000, '', 200, /either side closed with 1000/],
    [1011, '', 200, /the function closed with 1011/],
    [1011, 'oops', 200, /the function closed with 1011/],
    [1005, '', 439, /without a code/],
    [4001, 'bye', 439, /another code/],
    [1001, '', 439, /another code/],
    [1001, '455 idle timeout', 455, /idleTimeoutSeconds/],
    [1008, '429 rate exceeded', 429, /over a rate/],
    [1011, '439 function exited', 439, /dropped its TCP connection, or .*exited, or .*deleted/],
    [1011, '434 function exited', 434, /memory/],
    [1013, '432 max connections; id 7f3a', 432, /maxConnections/],
    [4000, '455 idle timeout', 439, /another code/],
    [1011, '200 normal closure', 200, /the function closed with 1011/],
    [1011, '455 bottles of beer', 200, /the function closed with 1011/],
  ])('%i %j is function code %i', (code, reason, functionCode, meaning) => {
    expect(meaningOf({ kind: 'closed', code, reason })).toEqual({
      functionCode,
      meaning: expect.stringMatching(meaning),
      success: functionCode === 200,
    });
  });

  it('of ours gives back the function code of its reason, for every reason that closes with a code', () => {
    for (const [reason, row] of ROWS) {
      const code = row.close?.client;
      if (typeof code !== 'number') continue;
      expect(meaningOf({ kind: 'closed', code, reason: closeText(reason) }), reason).toMatchObject({
        functionCode: row.code,
        success: false,
      });
    }
  });
});

describe('a refusal', () => {
  it('gives back the function code and names the cause, for every reason that refuses', () => {
    for (const [reason, row] of ROWS) {
      const httpStatus = row.refusal?.status;
      if (!httpStatus) continue;
      const { functionCode, meaning, success } = meaningOf({ kind: 'refused', httpStatus, functionCode: String(row.code) });
      expect({ functionCode, success }, reason).toEqual({ functionCode: row.code, success: false });
      expect(meaning, reason).toContain(row.cause);
    }
  });

  it.each([
    [403, '200', 200, true, /the function answered the upgrade with a status below 500/],
    [502, '430', 430, false, /did not answer with WebSocket, or the function answered .* from 500/],
    [404, undefined, undefined, false, /something else than Socketpod/],
    [503, '999', 999, false, /unknown here/],
    [503, 'x', undefined, false, /unknown here/],
  ])('HTTP %i with X-Socketpod-Status %s is function code %s', (httpStatus, header, functionCode, success, meaning) => {
    expect(meaningOf({ kind: 'refused', httpStatus, functionCode: header })).toEqual({
      functionCode,
      meaning: expect.stringMatching(meaning),
      success,
    });
  });
});

it('a lost connection has a code that only the platform knows', () => {
  const lost = { functionCode: undefined, success: false };
  expect(meaningOf({ kind: 'lost' })).toMatchObject(lost);
  expect(meaningOf({ kind: 'closed', code: 1006, reason: '' })).toMatchObject(lost);
});
