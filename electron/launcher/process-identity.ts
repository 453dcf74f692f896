// Tells whether a process id still means the process we knew. A pid alone proves nothing: ids are reused, and in containers a
// dead child may stay as a zombie. Entry points: `readIdentity`, `isSameProcess`.
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);
const PROCESS_TABLE_TIMEOUT_MS = 2000;

/** `startMark` is opaque: equal marks on one machine without a reboot mean the same process. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly startMark: string;
  readonly command: string;
}

/** Null when no such process runs (a zombie does not run). */
export async function readIdentity(pid: number): Promise<ProcessIdentity | null> {
  if (!Number.isInteger(pid) || pid <= 0) {
    return null;
  }
  try {
    return process.platform === 'linux' ? await readFromProc(pid) : await readFromProcessTable(pid);
  } catch {
    return null;
  }
}

export async function isSameProcess(known: Pick<ProcessIdentity, 'pid' | 'startMark'>): Promise<boolean> {
  const found = await readIdentity(known.pid);
  return found !== null && found.startMark === known.startMark;
}

async function readFromProc(pid: number): Promise<ProcessIdentity | null> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  // The second field is the command in brackets and may hold spaces: count from the last bracket.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const state = fields[0];
  const startTicks = fields[19];
  if (state === 'Z' || state === 'X' || startTicks === undefined) {
    return null;
  }
  const bootId = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
  const commandLine = await readFile(`/proc/${pid}/cmdline`, 'utf8');
  return { pid, startMark: `${bootId}:${startTicks}`, command: commandLine.split('\0').join(' ').trim() };
}

async function readFromProcessTable(pid: number): Promise<ProcessIdentity | null> {
  if (process.platform === 'win32') {
    const script = `$p = Get-CimInstance Win32_Process -Filter 'ProcessId=${pid}'; if ($p) { $p.CreationDate.Ticks; $p.CommandLine }`;
    const { stdout } = await run('powershell', ['-NoProfile', '-Command', script], {
      timeout: PROCESS_TABLE_TIMEOUT_MS,
    });
    const [mark, ...command] = stdout.trim().split(/\r?\n/);
    return mark === undefined || mark === '' ? null : { pid, startMark: mark, command: command.join(' ') };
  }
  const { stdout } = await run('ps', ['-o', 'stat=,lstart=,command=', '-p', String(pid)], {
    timeout: PROCESS_TABLE_TIMEOUT_MS,
    env: { ...process.env, LC_ALL: 'C' },
  });
  const found = /^\s*(\S+)\s+(\S+\s+\S+\s+\d+\s+[\d:]+\s+\d{4})\s+(.*)$/.exec(stdout.trim());
  if (found === null || found[1]?.startsWith('Z')) {
    return null;
  }
  return { pid, startMark: found[2] ?? '', command: found[3] ?? '' };
}
