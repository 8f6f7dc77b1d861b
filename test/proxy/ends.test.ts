// How an open connection ends, with TLS in front and without.
import { describe } from 'vitest';
import { rawScene } from '../support/scene.ts';
import { endsAsPromised } from './ends.ts';

describe.each([
  ['plain', false],
  ['TLS', true],
])('over %s', (_how, tls) => endsAsPromised(rawScene({ tls })));
