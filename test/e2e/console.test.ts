// Feature row E42: the pages of the window show what the pages A1 to A8 of Axon Server's console read, as far as there is a page for it
// (the rest is listed in docs/compat.md).
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { CLIENT, COMPONENT, type ConsoleData, connectConsoleApp, PROCESSOR, readConsole } from '../rows/console.ts';
import { describeRealWindow } from './real-window.ts';

const SHOWN_MS_MAX = 30_000;
const ROLE = { PRIMARY: 'primary' } as Readonly<Record<string, string>>;

describeRealWindow('what the console shows', { waitMsMax: SHOWN_MS_MAX, started: true }, (window) => {
  let page: Page;
  let shown: ConsoleData;
  let app: { readonly end: () => void };
  beforeAll(async () => {
    page = window();
    const text = (await page.locator('.node-card[data-node="node-1"]').textContent()) ?? '';
    const [grpc, http] = [...text.matchAll(/localhost:(\d+)/g)].map(([, port]) => Number(port));
    app = await connectConsoleApp('localhost', grpc ?? 0);
    shown = await readConsole(`http://localhost:${http}`);
  });
  afterAll(() => app?.end());

  const open = (label: string): Promise<void> => page.getByRole('link', { name: label, exact: true }).click();

  it('E42 A1, A2: nodes with their addresses, and who leads what', async () => {
    await open('Overview');
    for (const { name, hostName, grpcPort, httpPort } of shown.nodes) {
      const card = page.locator(`.node-card[data-node="${name}"]`);
      for (const port of [grpcPort, httpPort]) await card.getByText(`${hostName}:${port}`, { exact: true }).waitFor();
      const led = shown.contexts.filter(({ leader }) => leader === name).map(({ context }) => context);
      for (const context of led) await card.getByRole('listitem', { name: `leads ${context}`, exact: true }).waitFor();
    }
    expect(shown.nodes).toHaveLength(3);
  });

  it('E42 A2, A3: apps, the node of each, their handlers, and their event processors', async () => {
    await open('Apps');
    for (const { name, componentName, axonServerNode, context } of shown.clients) {
      const table = page.getByRole('region', { name: 'Table of connected apps' });
      const row = table.getByRole('row', { name: new RegExp(name) });
      await row.waitFor();
      const cells = await row.getByRole('cell').allTextContents();
      expect(await row.getByRole('rowheader').textContent()).toBe(`${componentName} ${name}`);
      expect([cells[0], cells[1]]).toEqual([expect.stringContaining(axonServerNode), context]);
      const commands = (await row.getByRole('cell').nth(3).getAttribute('title')) ?? '';
      expect(commands.split('\n').sort()).toEqual(shown.commands.map((command) => command.name));
      for (const processor of shown.processors) {
        const segments = `token ${PROCESSOR.token}, ${processor.trackers.length} segments`;
        expect(cells[6]).toContain(`${processor.name} ${segments}`);
      }
    }
    expect(shown.clients).toMatchObject([{ name: CLIENT, componentName: COMPONENT }]);
  });

  it('E42 A4: events by token, type, aggregate and sequence number', async () => {
    await open('Events');
    for (const { token, payloadType, aggregateIdentifier, aggregateSequenceNumber } of shown.events) {
      const row = page.locator(`tr[id="event-row-${token}"]`);
      await row.waitFor();
      const cells = await row.getByRole('gridcell').allTextContents();
      // Behind the token a column per node and the time.
      const [type, aggregate, sequence] = cells.slice(1 + shown.nodes.length + 1);
      expect([cells[0], type, aggregate, sequence]).toEqual([
        String(token),
        payloadType,
        aggregateIdentifier,
        String(aggregateSequenceNumber),
      ]);
    }
    expect(shown.events.length).toBeGreaterThan(0);
  });

  it('E42 A7, A8: contexts, their leaders, and the role of every node', async () => {
    await open('Contexts');
    for (const { context, leader, roles } of shown.contexts) {
      const row = page.locator(`tr[data-context="${context}"]`);
      for (const { node, role } of roles)
        await row.getByRole('button', { name: `Role of ${node} in ${context}: ${ROLE[role]}` }).waitFor();
      await row.locator(`td[data-node="${leader}"]`).getByTitle(`leads ${context}`).waitFor();
    }
    expect(shown.contexts.map(({ context }) => context)).toEqual(['_admin', 'default']);
  });
});
