// XML with a line per element, for reading. Pure; what is no XML comes back as it was.

const TAG = /<[^>]*>|[^<]+/g;
const INDENT = '  ';

/** An element with only text in it stays on one line. */
export function prettyXml(text: string): string {
  const parts = (text.match(TAG) ?? []).map((part) => part.trim()).filter((part) => part !== '');
  const lines: string[] = [];
  let depth = 0;
  for (let at = 0; at < parts.length; at++) {
    const part = parts[at] ?? '';
    if (part.startsWith('</')) depth = Math.max(0, depth - 1);
    const [inside, close] = [parts[at + 1] ?? '', parts[at + 2] ?? ''];
    const isOpening = /^<[^!?/][^>]*[^/]>$|^<[^!?/]>$/.test(part);
    const isLeaf = isOpening && (inside.startsWith('</') || (!inside.startsWith('<') && close.startsWith('</')));
    if (isLeaf) {
      const taken = inside.startsWith('</') ? 1 : 2;
      lines.push(`${INDENT.repeat(depth)}${parts.slice(at, at + taken + 1).join('')}`);
      at += taken;
      continue;
    }
    lines.push(`${INDENT.repeat(depth)}${part}`);
    if (isOpening) depth += 1;
  }
  return lines.length === 0 ? text : lines.join('\n');
}
