import { describe, expect, it } from 'vitest';
import { parseRecoveryFile } from '../../../engine/config/recovery-file.ts';

describe('recovery.json', () => {
  it('BK-9 takes the fields that changed, an old name that is the same, and null for what stays', () => {
    const text = JSON.stringify([
      { name: 'node-1', oldName: 'node-1', grpcInternalPort: 9224, httpPort: null },
      { name: 'node-2', hostName: 'b.example', internalHostName: 'b.internal', httpPort: 1, grpcPort: 65535 },
    ]);
    expect(parseRecoveryFile(`\uFEFF${text}`)).toEqual([
      { name: 'node-1', grpcInternalPort: 9224 },
      { name: 'node-2', hostName: 'b.example', internalHostName: 'b.internal', httpPort: 1, grpcPort: 65535 },
    ]);
  });

  it.each([
    ['{', /not JSON/],
    ['{}', /must be a list/],
    ['[1]', /entry 1 is not an object/],
    ['[{}]', /entry 1: name/],
    ['[{"name":"a","hostName":"b c"}]', /entry 1: hostName/],
    ['[{"name":"a","grpcPort":"8124"}]', /entry 1: grpcPort must be a port/],
    ['[{"name":"a","httpPort":0}]', /entry 1: httpPort/],
    ['[{"name":"a"},{"name":"a"}]', /a is in it twice/],
    ['[{"name":"b","oldName":"a"}]', /renames a to b: names are part of the replicated log/],
  ])('says what is wrong with %s', (text, message) => {
    expect(() => parseRecoveryFile(text)).toThrow(message);
  });
});
