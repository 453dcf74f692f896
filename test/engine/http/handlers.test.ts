// Who handles what, as the dashboard of Axon Server asks for it.
import { describe, expect, it } from 'vitest';
import { startServer, statusReport } from './support.ts';

const json = (response: Response): Promise<unknown> => response.json();

describe('handlers over REST', () => {
  it('rest-and-cli §5: handlers of commands and queries by client, by query and by component, of one context when asked', async () => {
    const server = await startServer();
    const [handled] = statusReport().clients;
    const { clientId, componentName, commands, queries } = handled!;
    expect(await json(await server.get('/v1/components/clientIds'))).toEqual([clientId]);
    expect(await json(await server.get('/v1/commands'))).toEqual(
      commands.length === 0 ? [] : [{ client: clientId, component: componentName, proxy: null, commands }],
    );
    expect(await json(await server.get('/v1/queries'))).toEqual(
      queries.map((query) => ({
        query,
        resultNames: [],
        components: [{ component: componentName, clients: [clientId] }],
      })),
    );
    const of = `/v1/components/${componentName}`;
    expect(await json(await server.get(`${of}/instances?context=default`))).toMatchObject([{ name: clientId }]);
    expect(await json(await server.get(`${of}/commands`))).toEqual(commands.map((name) => ({ name })));
    expect(await json(await server.get(`${of}/queries`))).toEqual(queries.map((name) => ({ name })));
    for (const path of [`${of}/instances`, `${of}/commands`, `${of}/queries`, '/v1/commands', '/v1/queries'])
      expect(await json(await server.get(`${path}?context=chat`)), path).toEqual([]);
    expect(await json(await server.get('/v1/components/nobody/instances'))).toEqual([]);
  });
});
