// Generated files are as the code says.
import { expect, it } from 'vitest';
import { staleFiles } from './support/generate.ts';

it('no generated file is stale; npm run generate mends it', () => {
  expect(staleFiles()).toEqual([]);
});
