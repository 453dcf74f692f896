import { describe, expect, it } from 'vitest';
import { type ConfigParts, differencesOf } from '../../electron/launcher/config-differences.ts';

const P = 'axoniq.axonserver.';
const parts = (patch: Partial<ConfigParts> = {}): ConfigParts => ({
  generated: [
    { key: `${P}devmode.enabled`, value: 'true' },
    { key: `${P}accesscontrol.token`, value: 'abc' },
  ],
  yours: '',
  inForce: [
    { key: `${P}devmode.enabled`, value: 'true' },
    { key: `${P}accesscontrol.token`, value: 'abc' },
  ],
  started: true,
  ...patch,
});

describe('ux 12: generated, yours and in force', () => {
  it('tells nothing when all are the same, and nothing of what is in force when nothing runs', () => {
    expect(differencesOf(parts())).toEqual([]);
    expect(differencesOf(parts({ inForce: null }))).toEqual([]);
  });

  it('a line of yours wins, waits for a restart, or replaces the default', () => {
    const yours = `${P}devmodeEnabled=1\n${P}devmode.enabled = false\n${P}max-message-size=8MB\n`;
    const found = differencesOf(parts({ yours }));
    expect(found.map((one) => [one.key, one.generated, one.yours, one.inForce, one.waits])).toEqual([
      [`${P}devmode.enabled`, 'true', 'false', 'true', true],
      [`${P}devmodeEnabled`, null, '1', null, false],
      [`${P}max-message-size`, null, '8MB', null, true],
    ]);
    expect(found.map((one) => one.sentence)).toEqual([
      'Waits for a restart of the node: true now, false then.',
      'Not supported by this engine; the line is kept.',
      'Waits for a restart of the node: the default 4MB now, 8MB then.',
    ]);
    const inForce = [
      { key: `${P}devmode.enabled`, value: 'false' },
      { key: `${P}accesscontrol.token`, value: 'abc' },
      { key: `${P}maxMessageSize`, value: '8MB' },
    ];
    expect(differencesOf(parts({ yours, inForce })).map((one) => one.sentence)).toEqual([
      'Yours wins over the generated line.',
      'Yours, instead of the default 4MB.',
      'Not supported by this engine; the line is kept.',
    ]);
  });

  it('a line taken out is told as long as the process has it', () => {
    const inForce = [...(parts().inForce ?? []), { key: `${P}max-message-size`, value: '8MB' }];
    expect(differencesOf(parts({ inForce }))).toMatchObject([
      { yours: null, inForce: '8MB', waits: true, sentence: expect.stringContaining('8MB now, the default 4MB then') },
    ]);
  });

  it('never tells a secret, but that it differs', () => {
    const [found] = differencesOf(parts({ yours: `${P}accesscontrol.token=new-one\n` }));
    expect(found).toMatchObject({ generated: '(secret)', yours: '(secret)', inForce: '(secret)', waits: true });
    expect(JSON.stringify(found)).not.toMatch(/abc|new-one/);
  });

  it('keys of the first start are too late on a node with data, and keys without effect say why', () => {
    const yours = `${P}autocluster.contexts=a,b\n${P}event.retention-time=1d\n`;
    const sentences = (started: boolean) =>
      differencesOf(parts({ yours, started, inForce: null })).map((one) => one.sentence);
    expect(sentences(true)[0]).toMatch(/^Too late/);
    expect(sentences(false)[0]).toBe('Yours, instead of none.');
    expect(sentences(true)[1]).toMatch(/^No effect here: the log is the event store/);
  });

  it('reads your part as the engine does, Latin-1 and escapes included', () => {
    const inForce = [
      ...(parts().inForce ?? []),
      { key: `${P}tags.city`, value: Buffer.from('Köln').toString('latin1') },
    ];
    expect(differencesOf(parts({ yours: `${P}tags.city=Köln\n`, inForce }))).toMatchObject([{ waits: false }]);
  });
});
