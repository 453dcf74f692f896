// Frames of STOMP 1.2 as text, headers only: what comes in has no body that matters here. Pure.

export interface StompFrame {
  readonly command: string;
  readonly headers: Readonly<Record<string, string>>;
}

const UNESCAPED: Readonly<Record<string, string>> = { '\\n': '\n', '\\r': '\r', '\\c': ':', '\\\\': '\\' };
const ESCAPED: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', ':': '\\c', '\\': '\\\\' };

/** Null: no frame. The first of a header given twice counts. */
export function parseStompFrame(text: string): StompFrame | 'heartbeat' | null {
  if (/^[\r\n]*$/.test(text)) return 'heartbeat';
  const end = text.search(/\r?\n\r?\n/);
  if (end < 0 || !text.includes('\0')) return null;
  const [command = '', ...lines] = text.slice(0, end).split(/\r?\n/);
  if (!/^[A-Z]{3,20}$/.test(command)) return null;
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(':');
    if (colon < 1) return null;
    const key = line.slice(0, colon);
    if (!headers.has(key))
      headers.set(
        key,
        line.slice(colon + 1).replace(/\\[nrc\\]/g, (found) => UNESCAPED[found] ?? found),
      );
  }
  return { command, headers: Object.fromEntries(headers) };
}

export function stompText(command: string, headers: Readonly<Record<string, string>>, body = ''): string {
  const lines = Object.entries(headers).map(
    ([key, value]) =>
      `${key}:${command === 'CONNECTED' ? value : value.replace(/[\n\r:\\]/g, (found) => ESCAPED[found] ?? found)}\n`,
  );
  return `${command}\n${lines.join('')}\n${body}\0`;
}
