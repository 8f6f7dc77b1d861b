import { describe, expect, it } from 'vitest';
import { Liveness } from '../../src/core/liveness.ts';

/** What the watcher heard: at a second, of a proxy, a renewal; or that its Lease went; or that the watch was cut or a call failed. */
type Heard = [second: number, id: string, what: 'renewed' | 'unchanged' | 'gone' | 'cut'];

function judge(heard: readonly Heard[]): Liveness {
  const liveness = new Liveness();
  const renewals = new Map<string, number>();
  for (const [second, id, what] of heard) {
    const now = second * 1000;
    if (what === 'cut') liveness.doubt();
    else if (what === 'gone') liveness.gone(id, now);
    else {
      if (what === 'renewed') renewals.set(id, second);
      liveness.seen(id, String(renewals.get(id)), now);
    }
  }
  return liveness;
}

/** Somebody else's renewals: what proves that the watch works. */
const beats = (from: number, to: number, every = 10, id = 'other'): Heard[] =>
  Array.from({ length: Math.floor((to - from) / every) + 1 }, (_, i) => [from + i * every, id, 'renewed']);
const first: Heard = [0, 'one', 'renewed'];

describe('a proxy', () => {
  it.each<[verdict: 'dead' | 'alive', why: string, heard: Heard[]]>([
    ['alive', 'silent for less than 30 s', [first, ...beats(9, 29)]],
    ['dead', 'silent for 30 s while others were heard', [first, ...beats(10, 30)]],
    ['dead', 'its Lease was listed again, unchanged', [first, ...beats(10, 20), [30, 'one', 'unchanged']]],
    ['alive', 'it was renewed in time', [first, ...beats(5, 25), [28, 'one', 'renewed'], ...beats(35, 55)]],
    ['dead', 'and then no more', [first, ...beats(5, 25), [28, 'one', 'renewed'], ...beats(35, 65)]],
    ['alive', 'silence is no proof: nobody else was heard', [first]],
    ['alive', 'the watch was silent for a minute, and speaks of others first', [first, [60, 'other', 'renewed']]],
    ['alive', 'its age started anew behind that silence', [first, [60, 'other', 'renewed'], ...beats(70, 80)]],
    ['dead', 'and ran from there', [first, [60, 'other', 'renewed'], ...beats(70, 90)]],
    ['alive', 'the watch was cut, and is not back', [first, ...beats(10, 20), [25, '', 'cut']]],
    ['alive', 'the watch was cut, and is back', [first, ...beats(10, 20), [25, '', 'cut'], ...beats(30, 50)]],
    ['dead', 'and 30 s after it was back', [first, ...beats(10, 20), [25, '', 'cut'], ...beats(30, 60)]],
    [
      'alive',
      'cut again and again',
      [
        first,
        ...[10, 20, 30, 40, 50].flatMap((s): Heard[] => [
          [s, 'other', 'renewed'],
          [s + 5, '', 'cut'],
        ]),
      ],
    ],
    ['dead', 'found dead once, a cut says nothing new', [first, ...beats(10, 30), [31, '', 'cut'], [40, 'other', 'renewed']]],
    ['alive', 'found dead once, it is back', [first, ...beats(10, 30), [31, 'one', 'renewed']]],
    ['alive', 'a leader died too: silent for the 15 s until the next one leads', [first, ...beats(1, 1), ...beats(18, 26, 4)]],
    ['dead', 'and that silence counts', [first, ...beats(1, 1), ...beats(18, 30, 4)]],
    [
      'alive',
      'our path stalled for 18 s between two renewals of it',
      [first, ...beats(4, 8, 4), [26, 'other', 'renewed'], [28, 'one', 'renewed'], ...beats(32, 56, 4)],
    ],
    ['alive', 'its Lease was deleted just now', [first, ...beats(10, 20), [25, 'one', 'gone'], ...beats(29, 29)]],
    ['dead', 'and that was no sign of life', [first, ...beats(10, 20), [25, 'one', 'gone'], ...beats(30, 30)]],
    ['dead', 'its Lease was deleted by who knew it dead before us', [first, ...beats(10, 20), [29, 'one', 'gone'], ...beats(31, 31)]],
    ['alive', 'and it made another', [first, ...beats(10, 20), [25, 'one', 'gone'], [33, 'one', 'renewed'], ...beats(40, 60)]],
  ])('is %s: %s', (verdict, _why, heard) => {
    expect(judge(heard).isDead('one', 0) ? 'dead' : 'alive').toBe(verdict);
  });

  it('whose Lease was deleted is dead 30 s after its last renewal, and stays so', () => {
    const heard: Heard[] = [first, ...beats(10, 20), [25, 'one', 'gone'], ...beats(30, 30)];
    expect(judge(heard).isDead('one', 0)).toBe(true);
    expect(judge([...heard, ...beats(60, 600)]).isDead('one', 0)).toBe(true);
  });

  it('whose Lease was deleted because it was dead does not live for that', () => {
    expect(judge([first, ...beats(10, 30), [31, 'one', 'gone'], ...beats(32, 32)]).isDead('one', 0)).toBe(true);
  });

  it.each<[boolean, number, Heard[]]>([
    [false, 0, []],
    [false, 0, beats(5, 25)],
    [true, 0, beats(5, 35)],
    [false, 20, beats(5, 45)],
    [true, 20, beats(5, 55)],
    [false, 0, [...beats(5, 25), [26, '', 'cut'], ...beats(35, 55)]],
  ])('without a Lease is as old as its first pod, if the watch is as old: %s', (dead, podSeenAtSecond, heard) => {
    expect(judge(heard).isDead('unknown', podSeenAtSecond * 1000)).toBe(dead);
  });
});
