import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { parseSettings } from '../../../engine/config/settings.ts';
import { startServer } from './support.ts';

async function freePort(): Promise<number> {
  const server = createServer();
  const port = await new Promise<number>((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port));
  });
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe('management.server.port', () => {
  it('moves the actuator to a port of its own, where nothing else is', async () => {
    const port = await freePort();
    const server = await startServer({ text: `management.server.port=${port}` });
    const there = (path: string) => fetch(`http://127.0.0.1:${port}${path}`);
    for (const path of ['/actuator', '/actuator/health', '/actuator/info']) {
      expect([path, (await there(path)).status, (await server.get(path)).status]).toEqual([path, 200, 404]);
    }
    expect([(await there('/v1/public/me')).status, (await server.get('/v1/public/me')).status]).toEqual([404, 200]);
  });

  it('must be a port that no other server of the node has; that of the HTTP server changes nothing', () => {
    const problemsOf = (port: number) =>
      parseSettings(`management.server.port=${port}`, {}, { machineHostName: 'pc' }).problems;
    expect(problemsOf(8124)).toMatchObject([{ code: 'SETTING_CONFLICT', key: 'management.server.port' }]);
    expect(problemsOf(8024)).toEqual([]);
  });
});
