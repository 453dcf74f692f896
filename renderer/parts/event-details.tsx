// One event in full: what it is, its metadata, its payload to read or as bytes (ux.md §9).
import { useSignal } from '@preact/signals';
import { useMemo } from 'preact/hooks';
import { givenOf } from '../../electron/contract/event-words.ts';
import type { EventDetail } from '../../electron/contract/events.ts';
import { bytesShort, count, moment } from '../format.ts';
import { prettyXml } from '../pretty-xml.ts';
import { CopyButton } from './controls.tsx';

/** Characters of a payload that are laid out; what is copied is whole. */
const SHOWN_CHARS_MAX = 64 * 1024;

const bytesOf = (payload: string): Uint8Array => Uint8Array.from(atob(payload), (character) => character.charCodeAt(0));

/** Null: these bytes are no text. A character that the cut of a long payload went through does not count. */
function textOf(bytes: Uint8Array): string | null {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true });
    return /[\u0000-\u0008\u000e-\u001f]/.test(text) ? null : text;
  } catch {
    return null;
  }
}

function readable(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text.trimStart().startsWith('<') ? prettyXml(text) : text;
  }
}

const hex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(' ');

/** What is not all of it, in words; null: all is shown. */
function cutWords(detail: EventDetail, bytes: number, shown: string): string | null {
  const read = bytes < detail.size ? `the first ${bytesShort(bytes)} of ${bytesShort(detail.size)} were read` : '';
  const laidOut = shown.length > SHOWN_CHARS_MAX ? `the first ${count(SHOWN_CHARS_MAX)} characters are shown` : '';
  const words = [read, laidOut].filter((one) => one !== '').join(', ');
  return words === '' ? null : `A long payload: ${words}.`;
}

export function EventDetails({ detail }: { readonly detail: EventDetail }) {
  const wantsHex = useSignal(false);
  const bytes = useMemo(() => bytesOf(detail.payload), [detail]);
  const plain = useMemo(() => textOf(bytes), [bytes]);
  const isHex = wantsHex.value || plain === null;
  const text = useMemo(() => (isHex ? hex(bytes) : readable(plain ?? '')), [bytes, isHex]);
  const cut = cutWords(detail, bytes.length, text);
  return (
    <section class="event-detail" aria-label={`Event ${detail.token}`}>
      <header class="button-row">
        <h3>
          {detail.type} <span class="hint">#{detail.token}</span>
        </h3>
        <CopyButton text={text} label="Copy the payload" />
        {plain !== null && bytes.length === detail.size && (
          <CopyButton text={givenOf(detail.type, plain)} label="Copy as given(…)" words="given(…)" />
        )}
        <label class="field-inline push">
          <input
            type="checkbox"
            checked={isHex}
            disabled={plain === null}
            onChange={(event) => {
              wantsHex.value = event.currentTarget.checked;
            }}
          />
          Hex
        </label>
      </header>
      <dl class="facts">
        <dt>Time</dt>
        <dd>{moment(detail.timestamp)}</dd>
        <dt>Id</dt>
        <dd>{detail.id}</dd>
        {detail.aggregateId !== '' && (
          <>
            <dt>Aggregate</dt>
            <dd>
              {detail.aggregateType} {detail.aggregateId} #{count(detail.sequence)}
            </dd>
          </>
        )}
        {detail.tags.length > 0 && (
          <>
            <dt>Tags</dt>
            <dd>{detail.tags.join(', ')}</dd>
          </>
        )}
        {Object.entries(detail.metaData).map(([key, value]) => (
          <>
            <dt>{key}</dt>
            <dd>{String(value)}</dd>
          </>
        ))}
      </dl>
      {plain === null && <p class="hint">These bytes are no text.</p>}
      {cut !== null && <p class="hint">{cut}</p>}
      {detail.size === 0 && <p class="hint">It has no payload.</p>}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard (WCAG 2.1.1) */}
      <pre tabIndex={0}>{text.slice(0, SHOWN_CHARS_MAX)}</pre>
    </section>
  );
}
