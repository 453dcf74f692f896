import { describe, expect, it } from 'vitest';
import { metricBody, metricsOf, prometheusText } from '../../../engine/http/metrics.ts';
import { Meters } from '../../../engine/util/meters.ts';
import { startServer, statusReport } from './support.ts';

describe('metrics', () => {
  const meters = new Meters(() => 0);
  meters.of('default').event.mark(3);
  meters.of('other').event.mark(2);
  const metrics = metricsOf(statusReport(), meters, ['default', 'other']);

  it('E38 axon.* with the context as tag, in the text format of Prometheus', () => {
    const lines = prometheusText(metrics).split('\n');
    expect(lines).toEqual(
      expect.arrayContaining([
        '# TYPE axon_events_total counter',
        'axon_events_total{context="default"} 3',
        'axon_events_total{context="other"} 2',
        'axon_raft_term{context="default"} 4',
        'axon_clients 1',
      ]),
    );
    expect(
      lines.filter(
        (line) => line !== '' && !/^(# (HELP|TYPE) .+|[a-z_]+({context="[^"]+"})? -?\d+(\.\d+)?)$/.test(line),
      ),
    ).toEqual([]);
  });

  it('E38 one metric over all contexts or one of them; an unknown one is nothing', () => {
    const told = (context: string | null) => metricBody(metrics, 'axon.events', context);
    expect(told(null)).toMatchObject({ measurements: [{ statistic: 'COUNT', value: 5 }] });
    expect(told('other')).toMatchObject({
      measurements: [{ value: 2 }],
      availableTags: [{ tag: 'context', values: ['default', 'other'] }],
    });
    expect(metricBody(metrics, 'axon.nothing', null)).toBeNull();
  });

  it('E38 are served by the actuator', async () => {
    const server = await startServer();
    const names = (await (await server.get('/actuator/metrics')).json()) as { names: string[] };
    for (const name of names.names) {
      const answer = await server.get(`/actuator/metrics/${name}`);
      expect([name, answer.status, await answer.json()]).toEqual([name, 200, expect.objectContaining({ name })]);
    }
    expect((await server.get('/actuator/metrics/nothing')).status).toBe(404);
    const scraped = await server.get('/actuator/prometheus');
    expect([scraped.status, scraped.headers.get('content-type')]).toEqual([
      200,
      'text/plain; version=0.0.4; charset=utf-8',
    ]);
    expect(await scraped.text()).toContain('axon_raft_term{context="default"} 4');
  });
});
