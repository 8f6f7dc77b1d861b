// The queue of keys: one at a time for each, bounded in all, tried again, and still when it is stopped.
import { afterEach, describe, expect, it } from 'vitest';
import { WorkQueue } from '../../src/kube/queue.ts';
import { until } from '../support/ports.ts';

interface Job {
  readonly key: string;
  end(afterMs?: number): void;
  fail(): void;
}

const queues: WorkQueue[] = [];

afterEach(() => Promise.all(queues.splice(0).map((queue) => queue.stop())));

/** A queue whose works end when the test says so. */
function played(concurrency = 10): { queue: WorkQueue; jobs: Job[]; ended: string[] } {
  const jobs: Job[] = [];
  const ended: string[] = [];
  const queue = new WorkQueue({
    concurrency,
    work: (key) => new Promise((end, fail) => jobs.push({ key, end, fail: () => fail(new Error('no')) })),
    ended: (key, _seconds, error) => void ended.push(error ? `${key} failed` : key),
  });
  queue.start();
  queues.push(queue);
  return { queue, jobs, ended };
}

describe('a queue', () => {
  it('works on a key once, however often it is added, and once more if it is added meanwhile', async () => {
    const { queue, jobs, ended } = played();
    for (let i = 0; i < 5; i++) queue.add('a');
    await until('it begins', () => jobs.length === 1);
    for (let i = 0; i < 5; i++) queue.add('a');
    expect([jobs.length, queue.depth]).toEqual([1, 1]);
    jobs[0]?.end();
    await until('it begins again', () => jobs.length === 2);
    jobs[1]?.end();
    await until('both have ended', () => ended.length === 2);
    expect([jobs.length, queue.depth]).toEqual([2, 0]);
  });

  it('works on a bounded number, in the order in which they came', async () => {
    const { queue, jobs } = played(2);
    for (const key of ['a', 'b', 'c', 'd']) queue.add(key);
    await until('two begin', () => jobs.length === 2);
    expect(queue.depth).toBe(2);
    jobs[1]?.end();
    await until('the third begins', () => jobs.length === 3);
    expect(jobs.map(({ key }) => key)).toEqual(['a', 'b', 'c']);
    for (const job of jobs) job.end();
    await until('the last begins', () => jobs.length === 4);
    jobs[3]?.end();
  });

  it('tries again after a failure, later each time', async () => {
    const { queue, jobs, ended } = played();
    queue.add('a');
    for (const n of [1, 2]) {
      await until('it is tried', () => jobs.length === n, 20_000);
      jobs[n - 1]?.fail();
    }
    await until('it is tried a third time', () => jobs.length === 3, 20_000);
    jobs[2]?.end();
    await until('it has ended', () => ended.length === 3);
    expect(ended).toEqual(['a failed', 'a failed', 'a']);
  });

  it('comes back to a key when the work wants it, or sooner', async () => {
    const { queue, jobs, ended } = played();
    queue.add('a');
    await until('it begins', () => jobs.length === 1);
    jobs[0]?.end(1);
    await until('it comes back', () => jobs.length === 2);
    jobs[1]?.end(3_600_000);
    await until('it has ended', () => ended.length === 2);
    queue.addAfter('a', 7_200_000);
    queue.addAfter('a', 1);
    await until('it comes back', () => jobs.length === 3);
    jobs[2]?.end(3_600_000);
    await until('it has ended', () => ended.length === 3);
    queue.add('a');
    await until('it comes back', () => jobs.length === 4);
    jobs[3]?.end();
  });

  it('that stops waits for what is under way, forgets the rest, and can start anew', async () => {
    const { queue, jobs } = played(1);
    for (const key of ['a', 'b']) queue.add(key);
    await until('one begins', () => jobs.length === 1);
    let stopped = false;
    const stopping = queue.stop().then(() => {
      stopped = true;
    });
    queue.add('c');
    expect(stopped).toBe(false);
    jobs[0]?.end(1);
    await stopping;
    expect([jobs.length, queue.depth]).toEqual([1, 0]);
    queue.start();
    queue.add('d');
    await until('it works again', () => jobs.length === 2);
    expect(jobs[1]?.key).toBe('d');
    jobs[1]?.end();
  });
});
