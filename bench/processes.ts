// What the operating system tells of processes, for benchmarks of the window. Linux only.
import { readFileSync } from 'node:fs';

/** Of the kernel's accounting; 100 on every Linux that runs Electron. */
const TICKS_PER_SECOND = 100;

/** CPU seconds, user and system, that a process used since it began. */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name of the program stands in brackets and may have spaces.
  const [utime, stime] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13)
    .map(Number);
  return ((utime ?? Number.NaN) + (stime ?? Number.NaN)) / TICKS_PER_SECOND;
}

export interface Memory {
  /** All pages that are in memory, those of the program's file included, which all processes of the app share. */
  readonly resident: number;
  /** Each page counted in equal parts for the processes that share it: what the process really costs. */
  readonly share: number;
  /** Pages that are of no file. */
  readonly own: number;
}

/** MB (10^6 bytes). */
export function memoryOf(pid: number): Memory {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8') + readFileSync(`/proc/${pid}/status`, 'utf8');
  const of = (name: string): number => (Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1]) * 1024) / 1e6;
  return { resident: of('VmRSS'), share: of('Pss'), own: of('RssAnon') };
}
