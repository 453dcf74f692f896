// Tokens of the properties and of the system token file (properties.md §5), read at the start of a node.
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Settings } from './config/settings.ts';
import { type FixedToken, fixedTokens } from './context/access-control.ts';
import { newToken } from './context/secrets.ts';
import { ExitCode } from './control/protocol.ts';
import { StartError } from './start-error.ts';
import type { Env } from './util/env.ts';

const TOKEN_FILE = '.token';
const TOKEN_FILE_BYTES_MAX = 4096;

export interface AccessTokens {
  readonly fixed: readonly FixedToken[];
  /** What nodes show each other; null when access control is off and none is set. */
  readonly internal: string | null;
}

/** Null when access control is off. Throws StartError SYSTEM_TOKEN_UNUSABLE. */
export function loadAccessTokens(env: Env, settings: Settings, baseDir: string): AccessTokens | null {
  const { accessControlEnabled, internalToken, systemTokenFile, tokenDir, token, adminToken } = settings.accesscontrol;
  if (!accessControlEnabled) return null;
  const given = blankIsNull(systemTokenFile);
  const admin = blankIsNull(adminToken);
  const file = resolve(baseDir, given ?? join(tokenDir, TOKEN_FILE));
  const system = given !== null ? readToken(file) : admin === null ? readOrMakeToken(file) : null;
  let internal = blankIsNull(internalToken);
  if (internal === null) {
    // A port that takes whoever comes would make the tokens worthless.
    env.log.warn('accesscontrol.internal-token is not set: no other node can connect to this one', {
      code: 'ACCESS_NO_INTERNAL_TOKEN',
    });
    internal = randomBytes(32).toString('hex');
  }
  const all = [system, admin].filter((text) => text !== null);
  return { fixed: fixedTokens({ admin: all, application: blankIsNull(token) }), internal };
}

function blankIsNull(text: string | null): string | null {
  return text === null || text.trim() === '' ? null : text.trim();
}

function readOrMakeToken(file: string): string {
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    writeFileSync(file, `${newToken()}\n`, { flag: 'wx', mode: 0o600 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw unusable(file, error);
  }
  return readToken(file);
}

/** Its first line. */
function readToken(file: string): string {
  let text: string;
  try {
    text = readFileSync(file, 'utf8').slice(0, TOKEN_FILE_BYTES_MAX);
  } catch (error) {
    throw unusable(file, error);
  }
  const token = (text.split('\n')[0] ?? '').trim();
  if (token === '') throw unusable(file, new Error('its first line is empty'));
  return token;
}

function unusable(file: string, error: unknown): StartError {
  const why = error instanceof Error ? error.message : String(error);
  return new StartError(
    ExitCode.BAD_CONFIGURATION,
    'SYSTEM_TOKEN_UNUSABLE',
    `The system token file ${file} cannot be used: ${why}`,
    ['Write a token as its first line', 'Or correct accesscontrol.systemtokenfile'],
  );
}
