// Names the process that listens on a TCP port: "java (pid 4711)". Best effort: without the rights to look, the answer is null.
// Entry point: `portHolder`.
import { execFile } from 'node:child_process';
import { readdir, readFile, readlink } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);
const LOOKUP_TIMEOUT_MS = 3000;
/** Value of the state column of /proc/net/tcp for a listening socket. */
const TCP_LISTEN = '0A';

export interface PortHolder {
  readonly pid: number;
  readonly name: string;
}

export async function portHolder(port: number): Promise<PortHolder | null> {
  try {
    switch (process.platform) {
      case 'linux':
        return await fromProc(port);
      case 'win32':
        return await fromNetstat(port);
      default:
        return await fromLsof(port);
    }
  } catch {
    return null;
  }
}

export function holderText(holder: PortHolder | null): string {
  return holder === null ? 'another process' : `${holder.name} (pid ${holder.pid})`;
}

async function fromProc(port: number): Promise<PortHolder | null> {
  const tables = await Promise.all(
    ['/proc/net/tcp', '/proc/net/tcp6'].map((file) => readFile(file, 'utf8').catch(() => '')),
  );
  const sockets = new Set(tables.flatMap((table) => listeningInodes(table, port)).map((inode) => `socket:[${inode}]`));
  if (sockets.size === 0) {
    return null;
  }
  for (const entry of await readdir('/proc')) {
    if (/^\d+$/.test(entry) && (await ownsSocket(entry, sockets))) {
      const name = (await readFile(`/proc/${entry}/comm`, 'utf8')).trim();
      return { pid: Number(entry), name };
    }
  }
  return null;
}

/** Exported for its test: rows are `sl local:port remote:port state … inode`, numbers in hexadecimal. */
export function listeningInodes(table: string, port: number): readonly string[] {
  const wanted = port.toString(16).toUpperCase().padStart(4, '0');
  return table
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[3] === TCP_LISTEN && fields[1]?.split(':')[1] === wanted)
    .map((fields) => fields[9] ?? '')
    .filter((inode) => inode !== '' && inode !== '0');
}

async function ownsSocket(pid: string, sockets: ReadonlySet<string>): Promise<boolean> {
  const descriptors = await readdir(`/proc/${pid}/fd`).catch(() => []);
  for (const descriptor of descriptors) {
    const target = await readlink(`/proc/${pid}/fd/${descriptor}`).catch(() => '');
    if (sockets.has(target)) {
      return true;
    }
  }
  return false;
}

async function fromLsof(port: number): Promise<PortHolder | null> {
  const { stdout } = await run('lsof', ['-nP', `-iTCP:${port}`, '-sTCP:LISTEN', '-Fpc'], {
    timeout: LOOKUP_TIMEOUT_MS,
  });
  const pid = /^p(\d+)$/m.exec(stdout)?.[1];
  return pid === undefined ? null : { pid: Number(pid), name: /^c(.+)$/m.exec(stdout)?.[1] ?? 'process' };
}

async function fromNetstat(port: number): Promise<PortHolder | null> {
  const { stdout } = await run('netstat', ['-ano', '-p', 'TCP'], { timeout: LOOKUP_TIMEOUT_MS });
  const row = stdout.split(/\r?\n/).find((line) => new RegExp(`:${port}\\s+\\S+\\s+LISTENING`).test(line));
  const pid = row?.trim().split(/\s+/).at(-1);
  if (pid === undefined) {
    return null;
  }
  const list = await run('tasklist', ['/FI', `PID eq ${pid}`, '/FO', 'CSV', '/NH'], { timeout: LOOKUP_TIMEOUT_MS });
  return { pid: Number(pid), name: /^"([^"]+)"/.exec(list.stdout)?.[1] ?? 'process' };
}
