// The platform is a transparent WebSocket proxy, with TLS in front and without.
import { describe } from 'vitest';
import { attachedDev } from '../support/attached.ts';
import { isTransparent } from './transparent.ts';

describe.each([
  ['plain', false],
  ['TLS', true],
])('over %s', (_how, tls) => isTransparent(attachedDev({ tls })));
