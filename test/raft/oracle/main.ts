// `npm run oracle -- --seeds 10000 [--from 1]`: exit 0: etcd's raft agrees with every step; 1: it does not, or cannot be had.
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { askEtcd, prepareOracle } from './oracle.ts';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../..');
const { values } = parseArgs({
  options: { seeds: { type: 'string', default: '2000' }, from: { type: 'string', default: '1' } },
});
const [from, seeds] = [Number(values.from), Number(values.seeds)];
const { binary, missing } = prepareOracle();
if (binary === null || !(from >= 0) || !(seeds >= 1)) {
  console.error(`oracle: ${missing ?? '--seeds and --from take whole numbers'}`);
  process.exit(1);
}
const summary = await askEtcd(binary, root, from, seeds);
console.log(`${summary.schedules} schedules, ${summary.steps} steps, ${summary.disagreements.length} disagreements`);
for (const [why, count] of Object.entries(summary.excluded)) console.log(`  on purpose ${count} times: ${why}`);
for (const { seed, step, what } of summary.disagreements) console.error(`seed ${seed}, step ${step}: ${what}`);
if (summary.broken !== null) console.error(summary.broken);
process.exitCode = summary.disagreements.length === 0 && summary.broken === null ? 0 : 1;
