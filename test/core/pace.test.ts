// So many a second and no more; and quantities of Kubernetes as numbers.
import { describe, expect, it } from 'vitest';
import { Pace } from '../../src/core/pace.ts';
import { parseQuantity } from '../../src/core/quantity.ts';

describe('a pace', () => {
  it('lets a burst through, and then one at a time', () => {
    const pace = new Pace(10, 3);
    expect([1, 2, 3, 4, 5].map(() => pace.take(1000))).toEqual([0, 0, 0, 100, 200]);
  });

  it('has its burst again after a pause, and never more', () => {
    const pace = new Pace(10, 3);
    for (let i = 0; i < 5; i++) pace.take(0);
    expect([pace.take(350), pace.take(350)]).toEqual([0, 50]);
    expect([1, 2, 3, 4].map(() => pace.take(1e6))).toEqual([0, 0, 0, 100]);
  });
});

describe('a quantity', () => {
  it.each<[string | number | undefined, number | undefined]>([
    ['128Mi', 134_217_728],
    ['1.5Gi', 1_610_612_736],
    ['1G', 1e9],
    ['2e9', 2e9],
    ['2E3', 2000],
    ['2E', 2e18],
    ['100k', 1e5],
    ['500m', 0.5],
    ['.5', 0.5],
    ['7', 7],
    [7, 7],
    ['+3Ki', 3072],
    ['', undefined],
    [undefined, undefined],
    ['lots', undefined],
    ['1 Gi', undefined],
    ['1KiB', undefined],
  ])('%s is %s', (quantity, value) => expect(parseQuantity(quantity)).toBe(value));
});
