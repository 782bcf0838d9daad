import { writeFileSync } from 'node:fs';
import type { Latencies } from './histogram.ts';

// What a benchmark prints while it runs, and writes as JSON at its end.

export interface Row {
  what: string;
  value: number;
  unit: string;
  p50?: number;
  p99?: number;
  p999?: number;
  ratio?: number;
  of?: string;
}
const rows: Row[] = [];

export function report(row: Row): void {
  rows.push(row);
  const times = row.p50 === undefined ? '' : `p50 ${ms(row.p50)}  p99 ${ms(row.p99!)}  p99.9 ${ms(row.p999!)}`;
  const ratio = row.ratio === undefined ? '' : `${row.ratio.toFixed(2)} of ${row.of}`;
  process.stdout.write(`${row.what.padEnd(52)} ${round(row.value).padStart(9)} ${row.unit.padEnd(14)} ${times.padEnd(48)} ${ratio}\n`);
}
const ms = (value: number): string => `${value < 10 ? value.toFixed(1) : value.toFixed(0)} ms`;
const round = (value: number): string => (value < 100 ? value.toFixed(1) : Math.round(value).toLocaleString('en'));
export const latencies = ({ p50, p99, p999 }: Latencies) => ({ p50, p99, p999 });

/** `1 socket`, `50 sockets in pairs`. */
export const named = (sockets: number): string => (sockets === 1 ? '1 socket' : `${sockets} sockets in pairs`);

/** Prints which settings were raised, once, at the beginning. */
export function reportRaised(raised: Readonly<Record<string, string>>): void {
  const list = Object.entries(raised).map(([name, value]) => `${name}=${value}`);
  process.stdout.write(`Settings raised for the benchmark: ${list.join(' ')}\n\n`);
}

/** Writes everything that was reported, with how it was measured. */
export function writeReport(file: string, how: object): void {
  writeFileSync(file, `${JSON.stringify({ ...how, rows }, null, 2)}\n`);
  process.stdout.write(`\nThe same as JSON: ${file}\n`);
}
