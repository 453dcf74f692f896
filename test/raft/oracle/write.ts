// `node write.ts <first seed> <seeds>`: prints schedules, one a line, as fast as they are read.
import { once } from 'node:events';
import { makeSchedule } from './schedule.ts';

const [, , first = '1', count = '1'] = process.argv;
for (let seed = Number(first); seed < Number(first) + Number(count); seed += 1) {
  if (!process.stdout.write(`${JSON.stringify(makeSchedule(seed))}\n`)) await once(process.stdout, 'drain');
}
