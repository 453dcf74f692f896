// Keeps the keyboard somewhere: when the focused element goes, is disabled or hidden, the browser lets the focus fall to nowhere, single keys
// stop to work and a screen reader starts again at the top. Then the nearest card or panel around it takes the focus, else the heading of
// the page; a button that is free again gets it back. Who leaves an element on purpose is left alone. Entry point: `bindFocus`.

/** What had the focus last, and what lay around it, from inside out. */
let last: { readonly element: HTMLElement; readonly around: readonly Element[] } | null = null;
/** Focused before dialogs and menus took over, newest last. */
let earlier: readonly HTMLElement[] = [];
const EARLIER_MAX = 20;
/** Where the focus was put in place of `last`. */
let standIn: HTMLElement | null = null;

const OVERLAY = 'dialog, [popover]';

const isUsable = (element: Element): boolean =>
  element.isConnected &&
  !element.matches(':disabled, [inert] *') &&
  element.checkVisibility({ visibilityProperty: true });

function isNowhere(): boolean {
  const at = document.activeElement;
  return at === null || at === document.body || at.matches(':disabled');
}

function ancestors(element: Element): readonly Element[] {
  const parent = element.parentElement;
  return parent === null ? [] : [parent, ...ancestors(parent)];
}

function onFocusIn({ target }: FocusEvent): void {
  if (!(target instanceof HTMLElement) || target === standIn) return;
  standIn = null;
  if (last !== null && last.element.closest(OVERLAY) === null)
    earlier = [...earlier.filter((one) => one !== last?.element), last.element].slice(-EARLIER_MAX);
  last = { element: target, around: ancestors(target) };
}

/** After the turn in which it may have been taken away: still there means that somebody left it. */
function onFocusOut({ target }: FocusEvent): void {
  queueMicrotask(() => {
    if (last?.element === target && isNowhere() && isUsable(last.element)) last = null;
  });
}

/** The heading is no stop of Tab: it takes the focus only from here. */
function heading(): HTMLElement | null {
  const found = document.querySelector<HTMLElement>('main h1') ?? document.querySelector<HTMLElement>('main');
  if (found !== null && !found.hasAttribute('tabindex')) found.tabIndex = -1;
  return found;
}

function standInFor({ around }: NonNullable<typeof last>): HTMLElement | null {
  // What lies below a modal dialog takes no focus.
  const modal = [...document.querySelectorAll<HTMLDialogElement>('dialog:modal')].at(-1);
  const takes = (one: Element): boolean => isUsable(one) && (modal === undefined || modal.contains(one));
  const panel = around.find((one) => one.hasAttribute('tabindex') && takes(one));
  if (panel !== undefined) return panel as HTMLElement;
  if (modal !== undefined) return modal.querySelector('button:enabled');
  const wasOver = around.some((one) => one.matches(OVERLAY));
  return (wasOver ? earlier.findLast(takes) : undefined) ?? heading();
}

function keep(): void {
  if (last === null) return;
  if (standIn !== null && document.activeElement === standIn && isUsable(last.element)) {
    standIn = null;
    last.element.focus({ preventScroll: true });
    return;
  }
  if (!isNowhere() || isUsable(last.element)) return;
  standIn = standInFor(last);
  standIn?.focus({ preventScroll: true });
}

/** Call once. Texts that change are not looked at, only what comes, goes, or is disabled. */
export function bindFocus(): void {
  document.addEventListener('focusin', onFocusIn);
  document.addEventListener('focusout', onFocusOut);
  new MutationObserver(keep).observe(document.body, {
    subtree: true,
    childList: true,
    attributes: true,
    attributeFilter: ['disabled', 'hidden', 'inert', 'open'],
  });
}
