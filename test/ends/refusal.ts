// What every refusal has in common, whatever refused it (contract part 3).
import { expect } from 'vitest';
import type { Row } from './contract.ts';

/** Holds an HTTP answer to its row. @returns the connection's id */
export function expectRefusal(
  row: Row,
  seen: { status: number; headers: Readonly<Record<string, string | undefined>>; body: string },
): string {
  const { headers } = seen;
  const id = headers['x-request-id'] ?? '';
  expect(id).toMatch(/^[0-9a-f-]{36}$/);
  expect(headers['x-socketpod-status']).toBe(String(row.code));
  expect(headers.connection?.toLowerCase()).toBe('close');
  if (row.http === 'own') {
    expect(seen.status).toBe(row.code === 200 ? 403 : 500);
    expect([headers['x-mine'], seen.body]).toEqual(['yes', 'not today']);
    return id;
  }
  expect(seen.status).toBe(row.http);
  expect(headers['cache-control']).toBe('no-store');
  expect(headers['retry-after']).toBe(row.retryAfter === undefined ? undefined : String(row.retryAfter));
  expect([headers.upgrade, headers['sec-websocket-version']]).toEqual(row.http === 426 ? ['websocket', '13'] : [undefined, undefined]);
  const body = JSON.parse(seen.body);
  expect(body).toEqual({ statusCode: row.code, errorMessage: expect.stringMatching(/\S/), requestId: id });
  return id;
}
