// Serves the built UI from one folder; nothing outside it. The page gets the look that is set. Entry point: `serveFile`.
import { createReadStream } from 'node:fs';
import { readFile, realpath, stat } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import path from 'node:path';
import type { Look } from '../contract/settings.ts';
import { withLook } from './first-paint.ts';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.map': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
};

/** `/` is `index.html`; a missing file is 404; only GET and HEAD. */
export async function serveFile(
  { uiDir, look }: { readonly uiDir: string | null; readonly look: () => Promise<Look | null> },
  pathname: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('allow', 'GET, HEAD');
    return sendText(response, 405, 'Only GET is answered here.');
  }
  const file = uiDir === null ? null : await findFile(uiDir, pathname);
  if (file === null) {
    const hint = pathname === '/' ? 'The user interface is not built. Build it: npm run build' : 'Not found.';
    return sendText(response, 404, hint);
  }
  const isPage = path.basename(file) === 'index.html';
  const page = isPage ? Buffer.from(withLook(await readFile(file, 'utf8'), await look())) : null;
  response.writeHead(200, {
    'content-type': TYPES[path.extname(file).toLowerCase()] ?? 'application/octet-stream',
    'content-length': page?.length ?? (await stat(file)).size,
  });
  if (request.method === 'HEAD') {
    response.end();
    return;
  }
  if (page !== null) {
    response.end(page);
    return;
  }
  const stream = createReadStream(file);
  stream.on('error', () => response.destroy());
  stream.pipe(response);
}

/** Resolves links before the comparison, so that neither `..` nor a link leads out of the folder. */
async function findFile(uiDir: string, pathname: string): Promise<string | null> {
  try {
    const root = await realpath(uiDir);
    const wanted = pathname === '/' ? '/index.html' : decodeURIComponent(pathname);
    const file = await realpath(path.join(root, wanted));
    const inside = file.startsWith(root + path.sep);
    return inside && (await stat(file)).isFile() ? file : null;
  } catch {
    return null;
  }
}

function sendText(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, {
    'content-type': 'text/plain; charset=utf-8',
    'content-length': Buffer.byteLength(text),
  });
  response.end(text);
}
