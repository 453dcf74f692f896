// What the monkey sees: run inside the page, so each function stands alone. Entry points: `controlsOf`, `bringUp`, `wasHit`, `lookAt`.

export interface Control {
  readonly label: string;
  readonly kind: 'press' | 'text' | 'select' | 'range';
  /** Among the elements that were found with it. */
  readonly at: number;
  /** Of a select: its values. */
  readonly values: readonly string[];
}

/** All that can be pressed or filled in now, in the topmost dialog or popover if one is open; `skip`: labels to leave alone. */
export function controlsOf(skip: string): readonly Control[] {
  const left = new RegExp(skip, 'i');
  const open = [...document.querySelectorAll('dialog[open], [popover]:popover-open')].at(-1);
  const selector =
    'button, a[href], summary, input, select, textarea, [role="tab"], [role="menuitem"], [role="option"], [role="gridcell"], [tabindex="0"]';
  const found = [...(open ?? document).querySelectorAll<HTMLElement>(selector)];
  Object.assign(window, { found });
  return found.flatMap((element, at) => {
    if (element.matches(':disabled, [type=file], [type=hidden], .xterm *') || !element.checkVisibility()) return [];
    const label =
      element.ariaLabel ??
      (element as HTMLInputElement).labels?.[0]?.textContent ??
      (element.textContent?.trim() || element.title || element.tagName);
    const name = `${element.getAttribute('role') ?? element.tagName.toLowerCase()} "${label.trim().replaceAll(/\s+/g, ' ').slice(0, 60)}"`;
    if (left.test(name) || (element instanceof HTMLAnchorElement && element.target === '_blank')) return [];
    const { width, height } = element.getBoundingClientRect();
    if (width === 0 || height === 0) return [];
    const isText = element.matches(
      'textarea, input:not([type=radio], [type=checkbox], [type=range], [type=button], [type=submit])',
    );
    const kind = isText
      ? 'text'
      : element.matches('select')
        ? 'select'
        : element.matches('[type=range]')
          ? 'range'
          : 'press';
    const values = element instanceof HTMLSelectElement ? [...element.options].map((one) => one.value) : [];
    return [{ label: name, kind, at, values } as const];
  });
}

/** Scrolls to the middle of a control; null where it is gone or something else lies over it. */
export function bringUp(at: number): { readonly x: number; readonly y: number } | null {
  const element = (window as unknown as { readonly found: readonly HTMLElement[] }).found[at];
  element?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  if (element?.isConnected !== true) return null;
  const { left, top, width, height } = element.getBoundingClientRect();
  const place = { x: left + width / 2, y: top + height / 2 };
  const isOf = (one: EventTarget | null): boolean =>
    one instanceof Element && (element.contains(one) || one.closest('label')?.control === element);
  Object.assign(window, { wasHit: false });
  const note = ({ target }: MouseEvent): void => void Object.assign(window, { wasHit: isOf(target) });
  addEventListener('mousedown', note, { capture: true, once: true });
  return isOf(document.elementFromPoint(place.x, place.y)) ? place : null;
}

/** Whether the press reached the control: all may have moved on in between. */
export const wasHit = (): boolean => (window as unknown as { readonly wasHit: boolean }).wasHit;

export interface Look {
  /** What must never be, as sentences. */
  readonly wrong: readonly string[];
  readonly busy: readonly string[];
  /** The element that has the focus, or null: nothing has it. */
  readonly focus: string | null;
  readonly screen: string;
}

export function lookAt(): Look {
  const wrong: string[] = [];
  const { documentElement: root, body } = document;
  if (root.scrollTop !== 0 || root.scrollLeft !== 0 || body.scrollTop !== 0 || body.scrollLeft !== 0)
    wrong.push(`the document is scrolled (${root.scrollLeft}, ${root.scrollTop})`);
  if (root.scrollWidth > root.clientWidth)
    wrong.push(`the document is ${root.scrollWidth - root.clientWidth} px too wide`);
  for (const scroller of document.querySelectorAll('main, .content, .cluster-body, dialog[open], .dialog-body')) {
    if (scroller.scrollWidth <= scroller.clientWidth + 1) continue;
    const right = scroller.getBoundingClientRect().right;
    const widest = [...scroller.querySelectorAll('*')].find((one) => one.getBoundingClientRect().right > right + 1);
    const path = `${widest?.tagName.toLowerCase()}.${widest?.getAttribute('class') ?? ''}`;
    wrong.push(
      `${scroller.tagName}.${scroller.className} is ${scroller.scrollWidth - scroller.clientWidth} px too wide: ${path}`,
    );
  }
  const main = document.querySelector('main');
  const words = main?.innerText.trim() ?? '';
  if (words === '') wrong.push('the page is blank');
  for (const code of document.querySelectorAll('.error-note code'))
    if (/^(INTERNAL|WINDOW_FAILED)$/.test(code.textContent ?? ''))
      wrong.push(`an error ${code.textContent} is shown: ${code.closest('.error-note')?.textContent}`);
  const busy = [...document.querySelectorAll<HTMLElement>('[aria-busy="true"], [title="Under way"]')].map(
    (one) => one.ariaLabel ?? one.getAttribute('aria-labelledby') ?? one.textContent ?? '',
  );
  const at = document.activeElement;
  const focus =
    at === null || at === body || at === root
      ? null
      : `${at.tagName.toLowerCase()}${at.id === '' ? '' : `#${at.id}`} ${at.getAttribute('aria-label') ?? at.textContent?.slice(0, 40) ?? ''}`;
  const shell = document.querySelector('.shell')?.getAttribute('data-screen') ?? '';
  const page = document.querySelector('[data-page]')?.getAttribute('data-page') ?? '';
  const dialog = document.querySelector('dialog[open] h2')?.textContent ?? '';
  return { wrong, busy, focus, screen: [shell, page, dialog].filter((one) => one !== '').join(' / ') };
}
