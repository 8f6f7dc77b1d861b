// The wheel of deadlines: nothing early, nothing more than a tick late, nothing twice.
import { describe, expect, it } from 'vitest';
import { type Timed, Wheel } from '../../src/core/wheel.ts';
import { randomBy } from '../support/frames.ts';

interface Entry extends Timed {
  readonly name: string;
}

function entry(name: string): Entry {
  return { name, dueAt: 0, slot: -1 };
}

/** What is due in each advance to these times. */
function run(wheel: Wheel<Entry>, times: number[]): string[] {
  return times.map((now) => {
    const due: string[] = [];
    wheel.advance(now, ({ name }) => due.push(name));
    return due.join(' ');
  });
}

describe('a wheel of 8 slots of 10 ms', () => {
  const wheel = () => new Wheel<Entry>(10, 8, 0);

  it('hands over what is due, at the next tick', () => {
    const w = wheel();
    w.set(entry('a'), 20);
    w.set(entry('b'), 21);
    expect(run(w, [10, 19, 20, 29, 30, 40])).toEqual(['', '', 'a', '', 'b', '']);
    expect(w.size).toBe(0);
  });

  it('keeps what is due in a later revolution', () => {
    const w = wheel();
    w.set(entry('a'), 250);
    expect(run(w, [10, 80, 90, 170, 249, 250])).toEqual(['', '', '', '', '', 'a']);
  });

  it('hands over what is late already at the next tick', () => {
    const w = wheel();
    run(w, [100]);
    w.set(entry('a'), 50);
    expect(run(w, [105, 110])).toEqual(['', 'a']);
  });

  it('moves and takes out', () => {
    const w = wheel();
    const [a, b] = [entry('a'), entry('b')];
    w.set(a, 20);
    w.set(b, 20);
    w.set(a, 40);
    w.delete(b);
    w.delete(b);
    expect(w.size).toBe(1);
    expect(run(w, [20, 40])).toEqual(['', 'a']);
  });

  it('lets an entry be set again while it is handed over, even for a time that is past', () => {
    const w = wheel();
    const a = entry('a');
    w.set(a, 10);
    let times = 0;
    for (const now of [500, 1000, 1500]) {
      w.advance(now, () => {
        times++;
        w.set(a, 0);
      });
    }
    expect(times).toBe(3);
  });

  it('loses nothing over a pause of many revolutions', () => {
    const w = wheel();
    for (const name of ['a', 'b', 'c']) w.set(entry(name), name.charCodeAt(0) * 7);
    expect(run(w, [100_000])[0]?.split(' ').sort()).toEqual(['a', 'b', 'c']);
  });

  it('hands each of 10,000 random deadlines over once, not early and at most a tick late', () => {
    const random = randomBy(3);
    const w = new Wheel<Entry>(20, 512, 0);
    const due = new Map<string, number>();
    const met = new Map<string, number>();
    for (let i = 0; i < 10_000; i++) {
      due.set(`e${i}`, 1 + random() * 60_000);
      w.set(entry(`e${i}`), due.get(`e${i}`) ?? 0);
    }
    for (let now = 0; now <= 60_020; now += 1 + random() * 19) {
      w.advance(now, ({ name }) => {
        expect(met.has(name)).toBe(false);
        met.set(name, now);
      });
    }
    w.advance(60_040, ({ name }) => void met.set(name, 60_040));
    for (const [name, at] of due) {
      const late = (met.get(name) ?? Number.NaN) - at;
      expect(late >= 0 && late <= 40, `${name}: due ${at}, met ${met.get(name)}`).toBe(true);
    }
    expect(w.size).toBe(0);
  });
});
