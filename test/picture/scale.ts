// Numbers for people: round steps of an axis, and values with their unit.
import type { Unit } from '../../charts/monitoring/panel.ts';

/** The round values at which an axis from 0 to at least `max` has its lines: three to five of them, the last one not below `max`. */
export function ticks(max: number): number[] {
  const rough = (max > 0 ? max : 1) / 4;
  const magnitude = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 2.5, 5, 10].find((one) => one * magnitude >= rough * 0.999) ?? 10) * magnitude;
  return Array.from({ length: Math.ceil((max > 0 ? max : 1) / step - 1e-9) + 1 }, (_, index) => index * step);
}

/** A value with its unit, at most three digits. */
export function told(value: number, unit: Unit): string {
  switch (unit) {
    case 's':
      return value > 0 && value < 1 ? `${digits(value * 1000)} ms` : `${digits(value)} s`;
    case 'h':
      return `${digits(value)} h`;
    case 'percentunit':
      return `${digits(value * 100)} %`;
    case 'bytes':
      return scaled(value, 'B');
    case 'Bps':
      return scaled(value, 'B/s');
    default:
      return `${digits(value)}${unit.startsWith('suffix:') ? unit.slice('suffix:'.length) : ''}`;
  }
}

function scaled(value: number, unit: string): string {
  const power = Math.min(3, Math.max(0, Math.floor(Math.log(Math.max(value, 1)) / Math.log(1024))));
  return `${digits(value / 1024 ** power)} ${['', 'Ki', 'Mi', 'Gi'][power]}${unit}`;
}

function digits(value: number): string {
  const size = Math.abs(value);
  return String(Number(value.toFixed(size >= 100 || size === 0 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3)));
}

/** Seconds of the run as `m:ss`. */
export function clock(seconds: number): string {
  return `${Math.floor(seconds / 60)}:${String(Math.round(seconds % 60)).padStart(2, '0')}`;
}
