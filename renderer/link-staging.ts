// Pure: what the partition editor has chosen, link by link, before anything is applied (ux.md §4.3). Every link keeps its own trouble: what
// the form says is for the links that are chosen under it. Entry points: `stagingOf`, `painted`, `retroubled`, `changesOf`.
import { type DirectedLink, sameLink } from '../electron/contract/link-plan.ts';

export interface Trouble {
  readonly cut: boolean;
  readonly delayMs: number;
  readonly jitterMs: number;
  readonly lossPercent: number;
}

export type TroubledLink = DirectedLink & Trouble;

/** For what the editor is opened: to see all links, to cut some, to slow some. */
export type LinkPurpose = 'links' | 'partition' | 'slow-network';

export const isLinkPurpose = (dialog: string | null): dialog is LinkPurpose =>
  dialog === 'links' || dialog === 'partition' || dialog === 'slow-network';

export interface Staging {
  /** What holds when the editor opens; the rest of the world may change it meanwhile. */
  readonly before: readonly TroubledLink[];
  readonly links: readonly TroubledLink[];
  /** They follow the form. */
  readonly chosen: readonly DirectedLink[];
  readonly trouble: Trouble;
}

export const CUT: Trouble = { cut: true, delayMs: 0, jitterMs: 0, lossPercent: 0 };
export const SLOW: Trouble = { cut: false, delayMs: 80, jitterMs: 20, lossPercent: 0 };
export const OPEN: Trouble = { cut: false, delayMs: 0, jitterMs: 0, lossPercent: 0 };

export const hasLink = (links: readonly DirectedLink[], link: DirectedLink): boolean =>
  links.some((one) => sameLink(one, link));

const sameTrouble = (left: Trouble, right: Trouble): boolean =>
  left.cut === right.cut &&
  left.delayMs === right.delayMs &&
  left.jitterMs === right.jitterMs &&
  left.lossPercent === right.lossPercent;

export const isOpen = (trouble: Trouble): boolean => sameTrouble(trouble, OPEN);

const troubleOf = ({ cut, delayMs, jitterMs, lossPercent }: Trouble): Trouble => ({
  cut,
  delayMs,
  jitterMs,
  lossPercent,
});

/** Links that are slow already follow the form when it shows their numbers; cut ones are only changed when they are chosen. */
export function stagingOf(faults: readonly TroubledLink[], purpose: LinkPurpose): Staging {
  const before = faults.map((fault) => ({ from: fault.from, to: fault.to, ...troubleOf(fault) }));
  const slow = before.find((link) => !link.cut);
  const first = purpose === 'partition' ? CUT : purpose === 'slow-network' ? (slow ?? SLOW) : (before[0] ?? CUT);
  const trouble = troubleOf(first);
  return { before, links: before, chosen: before.filter((link) => !link.cut && sameTrouble(link, trouble)), trouble };
}

/** `on`: with the trouble of the form; the others stay as they are. */
export function painted(staging: Staging, links: readonly DirectedLink[], on: boolean): Staging {
  const rest = staging.links.filter((link) => !hasLink(links, link));
  const others = staging.chosen.filter((link) => !hasLink(links, link));
  if (!on) return { ...staging, links: rest, chosen: others };
  const made = links.map(({ from, to }) => ({ from, to, ...staging.trouble }));
  return { ...staging, links: [...rest, ...made], chosen: [...others, ...links] };
}

/** Exactly these. */
export const replaced = (staging: Staging, links: readonly DirectedLink[]): Staging =>
  painted({ ...staging, links: [], chosen: [] }, links, true);

export const retroubled = (staging: Staging, trouble: Trouble): Staging => ({
  ...staging,
  trouble,
  links: staging.links.map((link) => (hasLink(staging.chosen, link) ? { ...link, ...trouble } : link)),
});

/** Only what is otherwise than before: what somebody else changes meanwhile stays. */
export function changesOf({ before, links }: Staging): readonly TroubledLink[] {
  const healed = before.filter((link) => !hasLink(links, link)).map(({ from, to }) => ({ from, to, ...OPEN }));
  const set = links.filter((link) => {
    const known = before.find((one) => sameLink(one, link));
    return !sameTrouble(link, known ?? OPEN);
  });
  return [...healed, ...set];
}

/** As short as a cell: `cut`, `80 ms`, `5 % lost`, `open`. */
export function cellWords(trouble: Trouble): string {
  if (trouble.cut) return 'cut';
  if (trouble.delayMs > 0) return `${trouble.delayMs} ms`;
  if (trouble.jitterMs > 0) return `± ${trouble.jitterMs} ms`;
  return trouble.lossPercent > 0 ? `${trouble.lossPercent} % lost` : 'open';
}
