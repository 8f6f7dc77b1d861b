// The CPU time of another process, as the kernel counts it (Linux: /proc).
import { readFileSync } from 'node:fs';

/** The kernel tells CPU time in ticks of so many microseconds. */
const TICK_US = 10_000;

/** User and system time of a process so far, in microseconds. */
export function cpuMicroseconds(pid: number | undefined): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const [user, system] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13);
  return (Number(user) + Number(system)) * TICK_US;
}
