// The picture of the README, as it is committed: every panel that it should have, with data, and said to be what it is.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { OVERVIEW } from '../../charts/monitoring/boards.ts';
import { escaped } from './chart.ts';
import { type Answered, picture } from './svg.ts';

const ROWS = OVERVIEW.rows.slice(0, 4);
const svg = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'overview.svg'), 'utf8');

describe('docs/overview.svg', () => {
  it.each(ROWS.flatMap(({ panels }) => panels))('has the panel "$title"', ({ title }) => {
    expect(svg).toContain(`>${escaped(title)}</text>`);
  });

  it('says what it is, and lacks no data', () => {
    expect(svg).toContain('Not a screenshot of Grafana.');
    expect(svg).not.toContain('no data');
    expect(svg).not.toContain('NaN');
  });
});

describe('a picture', () => {
  const [stat] = ROWS[0]?.panels ?? [];
  const [stacked] = ROWS[1]?.panels ?? [];
  const draw = (...panels: Answered[]) => picture('A <run>', ['a & b'], [{ title: 'Row', panels }], { seconds: 30, step: 10 });

  it('escapes what comes from outside', () => {
    expect(draw()).toContain('A &lt;run&gt;');
    expect(draw()).toContain('a &amp; b');
    if (stacked) expect(draw({ panel: stacked, lines: [{ name: '<fn>', template: '', values: [1, 2, 3, 4] }] })).toContain('&lt;fn&gt;');
  });

  it('leaves a gap where there is nothing, and says so where there is nothing at all', () => {
    if (stacked) {
      const drawn = draw({ panel: stacked, lines: [{ name: 'fn', template: '', values: [1, Number.NaN, 3, 4] }] });
      expect(drawn.match(/class="edge"/g)).toHaveLength(1);
      expect(/<path d="(M[^"]*)" class="edge"/.exec(drawn)?.[1]?.match(/M/g)).toHaveLength(2);
      expect(drawn).not.toContain('NaN');
    }
    if (stat) expect(draw({ panel: stat, lines: [] })).toContain('no data');
  });
});
