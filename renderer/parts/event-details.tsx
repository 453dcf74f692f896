// One event in full: what it is, its metadata, its payload to read or as bytes (ux.md §9).
import { useSignal } from '@preact/signals';
import { givenOf } from '../../electron/contract/event-words.ts';
import type { EventDetail } from '../../electron/contract/events.ts';
import { count } from '../format.ts';
import { prettyXml } from '../pretty-xml.ts';
import { CopyButton } from './controls.tsx';

const decoded = (payload: string): string =>
  new TextDecoder().decode(Uint8Array.from(atob(payload), (character) => character.charCodeAt(0)));

const readable = (payload: string): string => {
  const text = decoded(payload);
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text.trimStart().startsWith('<') ? prettyXml(text) : text;
  }
};

const hex = (payload: string): string =>
  [...atob(payload)].map((character) => character.charCodeAt(0).toString(16).padStart(2, '0')).join(' ');

export function EventDetails({ detail }: { readonly detail: EventDetail }) {
  const raw = useSignal(false);
  const text = readable(detail.payload);
  return (
    <section class="event-detail" aria-label={`Event ${detail.token}`}>
      <header class="button-row">
        <h3>
          {detail.type} <span class="hint">#{detail.token}</span>
        </h3>
        <CopyButton text={text} label="Copy the payload" />
        <CopyButton text={givenOf(detail.type, decoded(detail.payload))} label="Copy as given(…)" words="given(…)" />
        <label class="field-inline push">
          <input
            type="checkbox"
            checked={raw.value}
            onChange={(event) => {
              raw.value = event.currentTarget.checked;
            }}
          />
          Hex
        </label>
      </header>
      <dl class="facts">
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
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard (WCAG 2.1.1) */}
      <pre tabIndex={0}>{raw.value ? hex(detail.payload) : text}</pre>
    </section>
  );
}
