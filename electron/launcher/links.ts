// Pure: link faults between nodes, as the user sets them and as each engine must apply them.
// Entry points: `mergeLinks`, `faultsOf`.
import type { LinkFault } from '../../engine/control/protocol.ts';
import type { LauncherApi } from '../contract/api.ts';
import type { LinkFaultView } from '../contract/faults.ts';
import type { NodeName } from '../contract/model.ts';

export type Links = Parameters<LauncherApi['setLinks']>[1];

/** Each directed link has at most one fault; one without any effect clears it. */
export function mergeLinks(present: readonly LinkFaultView[], links: Links, now: number): readonly LinkFaultView[] {
  const faults = new Map(present.map((fault) => [`${fault.from} ${fault.to}`, fault]));
  for (const link of links) {
    const harmless = !link.cut && link.delayMs === 0 && link.jitterMs === 0 && link.lossPercent === 0;
    faults.delete(`${link.from} ${link.to}`);
    if (!harmless) {
      faults.set(`${link.from} ${link.to}`, { ...link, since: now });
    }
  }
  return [...faults.values()];
}

/** Delay and loss are made by the sender; a cut is made at both ends, so that it holds when one of them restarts. */
export function faultsOf(node: NodeName, faults: readonly LinkFaultView[]): readonly LinkFault[] {
  return faults.flatMap((fault): readonly LinkFault[] => {
    const { cut, delayMs, jitterMs, lossPercent } = fault;
    if (fault.from === node) {
      return [{ peer: fault.to, direction: 'outbound', cut, delayMs, jitterMs, lossPercent }];
    }
    const inbound = {
      peer: fault.from,
      direction: 'inbound',
      cut: true,
      delayMs: 0,
      jitterMs: 0,
      lossPercent: 0,
    } as const;
    return fault.to === node && cut ? [inbound] : [];
  });
}
