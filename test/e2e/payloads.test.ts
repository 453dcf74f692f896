// One event in full: payloads that are no text, that are long, that are empty (ux.md §9).
import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { violations } from './axe.ts';
import { describeWindow } from './harness.ts';
import { cluster, context } from './view-parts.ts';

const row = {
  token: 0,
  id: 'e0',
  timestamp: Date.UTC(2023, 10, 14, 22, 13, 20),
  type: 'CardIssued',
  revision: '',
  aggregateType: 'Card',
  aggregateId: 'card-1',
  sequence: 0,
  tags: [],
  metaData: {},
  size: 0,
  replicas: {},
};

describeWindow('an event in full', (window) => {
  /** Shows the event with these bytes of a payload that has `size`. */
  const open = async (bytes: Buffer, size = bytes.length): Promise<Page> => {
    const page = { context: 'default', node: 'node-1', firstToken: 0, lastToken: 0, scanned: 1, next: null };
    const event = { ...row, size };
    window.fake.on('readEvents', () => ({ ...page, events: [event], uncommitted: {} }));
    window.fake.on('eventTree', () => ({ groups: [], scanned: 1, complete: true }));
    window.fake.on('readEvent', () => ({ ...event, payload: bytes.toString('base64') }));
    window.fake.on('searches', () => []);
    const opened = await window.openCluster(cluster({ contexts: [context('default')] }));
    await opened.getByRole('link', { name: 'Events', exact: true }).click();
    await opened.getByRole('row', { name: /CardIssued/ }).click();
    await opened.getByRole('region', { name: 'Event 0' }).waitFor();
    return opened;
  };
  const copied = (page: Page): Promise<string> => page.evaluate(() => navigator.clipboard.readText());

  it('UX-9 bytes that are no text are shown and copied as hex, and are no part of a test', async () => {
    const page = await open(Buffer.from([0xac, 0xed, 0x00, 0x05, 0x73]));
    const event = page.getByRole('region', { name: 'Event 0' });
    await event.getByText('ac ed 00 05 73').waitFor();
    await event.getByText('These bytes are no text.').waitFor();
    expect(await event.getByRole('checkbox', { name: 'Hex' }).isDisabled()).toBe(true);
    expect(await event.getByRole('button', { name: 'Copy as given(…)' }).count()).toBe(0);
    await event.getByRole('button', { name: 'Copy the payload' }).click();
    await expect.poll(() => copied(page)).toBe('ac ed 00 05 73');
    await event.getByText(/^2023-11-1[45] /).waitFor();
  });

  it('UX-9 a long payload is shown from its beginning, says so, and is copied whole', async () => {
    const long = 'ä'.repeat(150_000);
    const bytes = Buffer.from(long).subarray(0, 262_145);
    const page = await open(bytes, 300_000);
    const event = page.getByRole('region', { name: 'Event 0' });
    await event
      .getByText('A long payload: the first 257 KB of 293 KB were read, the first 65,536 characters are shown.')
      .waitFor();
    expect((await event.locator('pre').textContent())?.length).toBe(65_536);
    await event.getByRole('button', { name: 'Copy the payload' }).click();
    await expect.poll(async () => (await copied(page)).length, { message: 'what was read' }).toBe(131_072);
    expect(await event.getByRole('button', { name: 'Copy as given(…)' }).count(), 'half an event').toBe(0);
    await event.getByRole('checkbox', { name: 'Hex' }).check();
    await event.getByText(/^c3 a4 c3 a4/).waitFor();
    expect(await violations(page, 'long payload')).toEqual([]);
  });

  it('UX-9 an event without a payload says so', async () => {
    const page = await open(Buffer.alloc(0));
    await page.getByText('It has no payload.').waitFor();
  });
});
