// Reads the output of `strace -f -v -xx -yy`: system calls with the moments of their beginning and end, files, sockets and bytes. Pure.

/** The calls that the audit looks at. */
export const TRACED = 'read,readv,write,writev,sendmsg,sendto,recvmsg,recvfrom,pwrite64,pwritev,fdatasync,fsync';

export interface SystemCall {
  readonly name: string;
  /** What the descriptor is: a path, or `TCP:[local->remote]`. */
  readonly target: string;
  readonly fd: number;
  /** Bytes read or written; empty when the call failed. */
  readonly bytes: Buffer;
  readonly result: number;
  /** Line numbers in the trace: what begins at a later line than another call ended began after it. */
  readonly begin: number;
  readonly end: number;
}

const LINE = /^(\d+)\s+(.*)$/;
const UNFINISHED = ' <unfinished ...>';
const RESUMED = /^<\.\.\. (\w+) resumed>(.*)$/;
const CALL = /^(\w+)\((.*)\)\s+= (-?\d+)/s;
const DESCRIPTOR = /^(\d+)<((?:->|[^>])*)>/;
const QUOTED = /"((?:\\x[0-9a-f]{2})*)"/g;

/** In order of their ends. Calls that the trace does not see ending are left out. */
export function parseTrace(text: string): readonly SystemCall[] {
  const open = new Map<string, { readonly text: string; readonly begin: number }>();
  const calls: SystemCall[] = [];
  for (const [line, content] of text.split('\n').entries()) {
    const [, thread = '', rest = ''] = LINE.exec(content) ?? [];
    if (rest.endsWith(UNFINISHED)) {
      open.set(thread, { text: rest.slice(0, -UNFINISHED.length), begin: line });
      continue;
    }
    const resumed = RESUMED.exec(rest);
    const started = open.get(thread);
    open.delete(thread);
    if (resumed !== null && started === undefined) continue;
    const whole = resumed === null ? rest : `${started?.text ?? ''}${resumed[2] ?? ''}`;
    const call = parseCall(whole, resumed === null ? line : (started?.begin ?? line), line);
    if (call !== null) calls.push(call);
  }
  return calls;
}

function parseCall(text: string, begin: number, end: number): SystemCall | null {
  const [, name, args = '', returned] = CALL.exec(text) ?? [];
  const descriptor = DESCRIPTOR.exec(args);
  if (name === undefined || descriptor === null) return null;
  const result = Number(returned);
  const [annotated, fd, target = ''] = descriptor;
  const parts = [...args.slice(annotated.length).matchAll(QUOTED)].map((match) => bytesOf(match[1] ?? ''));
  const moved = /read|recv|write|send/.test(name) && result > 0 ? result : 0;
  const bytes = Buffer.concat(parts).subarray(0, moved);
  return { name, target: bytesOf(target).toString('latin1'), fd: Number(fd), bytes, result, begin, end };
}

/** `\x68\x69` with anything else taken as it is. */
function bytesOf(text: string): Buffer {
  return Buffer.from(
    text.replace(/\\x([0-9a-f]{2})/g, (_whole, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  );
}

/** `TCP:[127.0.0.1:8124->127.0.0.1:51000]`, also TCPv6; null for anything else. */
export function socketPorts(target: string): { readonly local: number; readonly remote: number } | null {
  const match = /^TCP(?:v6)?:\[.*:(\d+)->.*:(\d+)\]$/.exec(target);
  return match === null ? null : { local: Number(match[1]), remote: Number(match[2]) };
}
