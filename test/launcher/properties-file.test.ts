import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { renderProperties, USER_MARK, writeProperties } from '../../electron/launcher/properties-file.ts';
import { plan } from './builders.ts';
import { removeDir, temporaryDir } from './support.ts';

let dir = '';
beforeAll(async () => {
  dir = await temporaryDir();
});
afterAll(() => removeDir(dir));

const planned = plan();
const second = planned.nodes[1] ?? planned.nodes[0]!;

describe('generated properties', () => {
  const lines = renderProperties(planned, second, null).split('\n');

  it('properties 9: writes every key that a local node needs', () => {
    const keys = lines.filter((line) => /^[a-z]/.test(line)).map((line) => line.slice(0, line.indexOf('=')));
    for (const key of [
      'name',
      'hostname',
      'internal-hostname',
      'port',
      'internal-port',
      'event.storage',
      'snapshot.storage',
      'controldb-path',
      'replication.log-storage-folder',
      'pid-file-location',
      'controldb-backup-location',
      'autocluster.first',
      'autocluster.contexts',
      'devmode.enabled',
      'muster.timing-profile',
    ]) {
      expect(keys).toContain(`axoniq.axonserver.${key}`);
    }
    expect(keys).toContain('server.port');
    expect(keys).toContain('logging.file.name');
    expect(lines).toContain('server.address=127.0.0.1');
  });

  it('AC-16: asks for DCB contexts only when the cluster is to have them', () => {
    const asked = (dcb: boolean): boolean =>
      renderProperties(plan({ dcb }), second, null).includes('axoniq.axonserver.autocluster.dcb=true\n');
    expect([asked(true), asked(false)]).toEqual([true, false]);
    expect(lines.filter((line) => line.includes('dcb'))).toEqual([]);
  });

  it('ID-5: leaves domain and internal-domain explicitly empty', () => {
    expect(lines).toContain('axoniq.axonserver.domain=');
    expect(lines).toContain('axoniq.axonserver.internal-domain=');
  });

  it('decision 7, AC-1: names the first node with its port and lists _admin first', () => {
    expect(lines).toContain('axoniq.axonserver.autocluster.first=localhost:8224');
    expect(lines).toContain('axoniq.axonserver.autocluster.contexts=_admin,default');
  });

  it("keeps the user's part when it writes again", () => {
    const edited = `${renderProperties(planned, second, null)}axoniq.axonserver.heartbeat.enabled=true\n# mine\n`;
    const again = renderProperties(planned, second, edited);
    expect(again.slice(again.indexOf(USER_MARK))).toBe(
      `${USER_MARK}\naxoniq.axonserver.heartbeat.enabled=true\n# mine\n`,
    );
    expect(renderProperties(planned, second, again)).toBe(again);
  });

  it.each(['axoniq.axonserver.internal-port=1', 'axoniq.axonserver.internalPort = 1', 'server.port: 1'])(
    'refuses a user line that moves the node: %s',
    (line) => {
      const edited = `${renderProperties(planned, second, null)}${line}\n`;
      expect(() => renderProperties(planned, second, edited)).toThrow(/sets/);
    },
  );

  it('bad input: refuses a file that it did not write instead of overwriting it', () => {
    expect(() => renderProperties(planned, second, 'axoniq.axonserver.name=other\n')).toThrow(/not written by Muster/);
  });
});

describe('properties on disk', () => {
  it('writes the file and the log folder of a node', async () => {
    const node = plan({}, path.join(dir, 'a')).nodes[0]!;
    await writeProperties(plan({}, path.join(dir, 'a')), node);
    expect(await readFile(node.propertiesFile, 'utf8')).toContain('axoniq.axonserver.name=node-1');
  });

  it('bad input: names an unreadable file with PROPERTIES_UNREADABLE', async () => {
    const broken = plan({}, path.join(dir, 'b'));
    const node = broken.nodes[0]!;
    await mkdir(node.propertiesFile, { recursive: true });
    await expect(writeProperties(broken, node)).rejects.toMatchObject({
      data: { code: 'PROPERTIES_UNREADABLE', node: 'node-1' },
    });
  });
});
