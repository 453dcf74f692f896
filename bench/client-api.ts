// What the official Java connector gets out of one and of three nodes: command and query round trips, updates of subscription queries,
// appends and streams that catch up, with 1, 16 and 64 in flight. Client and nodes share this machine; needs a JDK 17 and Maven.
// --nodes=1,3 --kinds=commands,queries,updates,appends,catchup --in-flight=1,16,64 --seconds=3 --connector=2024.2.4
import { CONNECTOR_OF_FRAMEWORK, JavaApp } from '../test/compat/java-app.ts';
import { TestCluster } from '../test/rows/harness.ts';
import { HOST } from '../test/rows/test-node.ts';
import { option, report } from './report.ts';

const WARM_UP_MS = 2000;
const EVENTS = 50_000;
const UNITS: Readonly<Record<string, string>> = {
  commands: 'round trips',
  queries: 'round trips',
  updates: 'updates',
  appends: 'confirmed events',
  catchup: 'events',
};

interface Measured {
  readonly perSecond: number;
  readonly failures: number;
  readonly firstFailure: string;
}

function list(name: string, standard: string): readonly string[] {
  return option(name, standard).split(',');
}

const app = new JavaApp(option('connector', CONNECTOR_OF_FRAMEWORK));
await app.build();
const kinds = list('kinds', Object.keys(UNITS).join(','));
const rows: object[] = [];
for (const nodes of list('nodes', '1,3').map(Number)) {
  const cluster = await TestCluster.started({ nodes, contexts: '_admin,default' });
  const servers = cluster.nodes.map((node) => `${HOST}:${node.ports.grpc}`).join(',');
  for (const kind of kinds) {
    const row: Record<string, number | string> = { nodes, kind, unit: UNITS[kind] ?? kind };
    for (const inFlight of list('in-flight', '1,16,64')) {
      const measured = await app.runWarm<Measured>('BenchMain', {
        'as.servers': servers,
        kind,
        inFlight,
        warmUpMs: WARM_UP_MS,
        measureMs: 1000 * Number(option('seconds', '3')),
        events: EVENTS,
      });
      row[`at ${inFlight}`] = measured.perSecond;
      if (measured.failures > 0) row[`failures at ${inFlight}`] = `${measured.failures}: ${measured.firstFailure}`;
    }
    console.log(JSON.stringify(row));
    rows.push(row);
  }
  await cluster.dispose();
}
report('client-api', rows, [
  `per second with the Java connector ${app.connector}; in flight: calls of one client, subscriptions, or streams read side by side`,
  `200-byte payloads; a handler in the same Java process on another connection; catch-up of ${EVENTS} events or more from the start`,
]);
