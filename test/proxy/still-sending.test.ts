import { join } from 'node:path';
import { describe } from 'vitest';
import { runStillSending } from '../clients/still-sending.ts';

describe('a client', () => {
  runStillSending([['ws', process.execPath, join(import.meta.dirname, '..', 'clients', 'ws.ts')]]);
});
