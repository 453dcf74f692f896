// Colours for what is not drawn by CSS (canvas chart, terminal): read from the tokens of theme.css, again on every theme change.

/** Value of a custom property: fonts as written, all others as a colour whose `light-dark()` the browser has resolved. */
export function token(name: string): string {
  if (name.startsWith('--font')) return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const probe = document.createElement('span');
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const value = getComputedStyle(probe).color;
  probe.remove();
  return value;
}

const dark = matchMedia('(prefers-color-scheme: dark)');

export function onThemeChange(listener: () => void): () => void {
  dark.addEventListener('change', listener);
  const chosen = new MutationObserver(listener);
  chosen.observe(document.documentElement, { attributeFilter: ['data-theme'] });
  return () => {
    dark.removeEventListener('change', listener);
    chosen.disconnect();
  };
}
