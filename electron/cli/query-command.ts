// `muster query`: the query language over the events of a context (ux.md §9; client-behaviour §8). Entry point: `query`.
import { setTimeout as delay } from 'node:timers/promises';
import { QUERY_ROWS_MAX, valueText } from '../contract/query.ts';
import { table } from './output.ts';
import type { Output } from './output.ts';
import { pickCluster, withSession } from './session.ts';
import type { Installation } from './session.ts';
import { onInterrupt } from './signals.ts';

const WATCH_MS = 2000;

export function query(
  installation: Installation,
  output: Output,
  name: string | undefined,
  context: string,
  text: string,
  watch: boolean,
): Promise<number> {
  return withSession(installation, 'look', async ({ client }) => {
    const cluster = (await pickCluster(client, name)).name;
    const interrupted = watch ? onInterrupt() : null;
    let stopped = false;
    void interrupted?.first.then(() => {
      stopped = true;
    });
    do {
      const answer = await client.queryEvents(cluster, context, text);
      output.object(answer);
      const cells = answer.rows.map((row) => row.map(valueText));
      if (cells.length > 0) output.line(table([...answer.columns], cells).join('\n'));
      const limit = answer.more ? ` The first ${QUERY_ROWS_MAX}: say limit(…), or ask for less.` : '';
      output.note(`${answer.rows.length} rows in ${answer.tookMs} ms.${limit}`);
      if (watch) await delay(WATCH_MS);
    } while (watch && !stopped);
    interrupted?.release();
    return 0;
  });
}
