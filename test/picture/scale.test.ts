// Axes and values of the picture.
import { describe, expect, it } from 'vitest';
import { clock, ticks, told } from './scale.ts';

describe('ticks', () => {
  it.each([
    [1, [0, 0.25, 0.5, 0.75, 1]],
    [27, [0, 10, 20, 30]],
    [1.49, [0, 0.5, 1, 1.5]],
    [8.4, [0, 2.5, 5, 7.5, 10]],
    [0.004, [0, 0.001, 0.002, 0.003, 0.004]],
    [0, [0, 0.25, 0.5, 0.75, 1]],
  ])('of %d', (max, expected) => {
    expect(ticks(max).map((one) => Number(one.toFixed(6)))).toEqual(expected);
  });
});

describe('a value', () => {
  it.each([
    [0.0042, 's', '4.2 ms'],
    [1.5, 's', '1.5 s'],
    [0, 's', '0 s'],
    [0.632, 'percentunit', '63.2 %'],
    [1536, 'Bps', '1.5 KiB/s'],
    [12_345_678, 'bytes', '11.8 MiB'],
    [0.25, 'suffix:/s', '0.25/s'],
    [1234.5, 'short', '1235'],
    [0.1741, 'h', '0.174 h'],
  ] as const)('%d in %s is %s', (value, unit, expected) => {
    expect(told(value, unit)).toBe(expected);
  });

  it('of time is a clock', () => {
    expect([0, 9, 61, 600].map(clock)).toEqual(['0:00', '0:09', '1:01', '10:00']);
  });
});
