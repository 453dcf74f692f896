import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadAccessTokens } from '../../../engine/access-tokens.ts';
import { parseSettings } from '../../../engine/config/settings.ts';
import { AccessControl } from '../../../engine/context/access-control.ts';
import { createGrpcServer } from '../../../engine/rpc/grpc-server.ts';
import { registerLicenseService } from '../../../engine/rpc/user-admin-service.ts';
import { connect } from '../rpc/axon-test-client.ts';
import { recordingEnv } from '../rpc/grpc-test-client.ts';

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'muster-tokens-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const PREFIX = 'axoniq.axonserver.accesscontrol.';

function load(lines: readonly string[]) {
  const text = lines.map((line) => `${PREFIX}${line}\n`).join('');
  const { settings, problems } = parseSettings(text, {}, { machineHostName: 'pc' });
  expect(problems).toEqual([]);
  const env = recordingEnv();
  return { tokens: loadAccessTokens(env, settings, dir), env };
}

const whoHas = (tokens: ReturnType<typeof loadAccessTokens>, token: string) =>
  new AccessControl(() => undefined, tokens?.fixed ?? []).ofToken(token)?.kind ?? null;

describe('tokens of the properties file (properties.md §5)', () => {
  it('off: nothing is read and nothing is made', () => {
    expect(load(['systemtokenfile=./nowhere']).tokens).toBeNull();
  });

  it('makes ./security/.token for the owner only, and takes it again at the next start', () => {
    const { tokens } = load(['enabled=true', 'internal-token=x']);
    const file = join(dir, 'security', '.token');
    const made = readFileSync(file, 'utf8').trim();
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(whoHas(tokens, made)).toBe('system');
    expect(whoHas(load(['enabled=true']).tokens, made)).toBe('system');
    expect(tokens?.internal).toBe('x');
  });

  it('takes the first line of systemtokenfile, admin-token and token', () => {
    writeFileSync(join(dir, 'mine'), 'the-first-line\r\nanother\n');
    const { tokens } = load(['enabled=true', 'systemtokenfile=mine', 'admin-token=the-admin', 'token=the-apps']);
    expect(['the-first-line', 'the-admin', 'the-apps', 'another', ''].map((token) => whoHas(tokens, token))).toEqual([
      'system',
      'system',
      'application',
      null,
      null,
    ]);
  });

  it('SYSTEM_TOKEN_UNUSABLE when the named file is missing or empty', () => {
    const refused = expect.objectContaining({ code: 'SYSTEM_TOKEN_UNUSABLE', exitCode: 64 });
    expect(() => load(['enabled=true', 'systemtokenfile=missing'])).toThrow(refused);
    writeFileSync(join(dir, 'empty'), '\n');
    expect(() => load(['enabled=true', 'systemtokenfile=empty'])).toThrow(refused);
  });

  it('without an internal token nodes make up different ones, and say so', () => {
    const [one, two] = [load(['enabled=true']), load(['enabled=true', 'internal-token='])];
    expect(one.tokens?.internal).not.toBe(two.tokens?.internal);
    expect(one.env.lines.map((line) => line.fields.code)).toContain('ACCESS_NO_INTERNAL_TOKEN');
  });
});

describe('LicenseService', () => {
  it('answers that there is no licence text', async () => {
    const server = createGrpcServer({ env: recordingEnv() });
    registerLicenseService(server);
    const client = connect(await server.listen('127.0.0.1', 0), 'license.proto', 'license.LicenseService');
    const reply = await new Promise((resolve, reject) =>
      client['GetLicense']?.({}, (error: unknown, value: unknown) => (error ? reject(error) : resolve(value))),
    );
    expect(reply).toEqual({ license_content: '' });
    client.close();
    await server.close(0);
  });
});
