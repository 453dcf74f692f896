// An event by hand, for development (ux.md §9).
import { api, attempt, commandsBlocked } from '../store.ts';
import { isBusy, SubjectError } from './controls.tsx';

const wordsOf = (text: string): readonly string[] => text.split(/[\s,]+/).filter((word) => word !== '');

const pairsOf = (text: string): readonly (readonly [string, string])[] =>
  wordsOf(text).map((word) => {
    const cut = word.indexOf('=');
    return cut < 0 ? [word, ''] : [word.slice(0, cut), word.slice(cut + 1)];
  });

export function AppendForm({
  cluster,
  context,
  onDone,
}: {
  readonly cluster: string;
  readonly context: string;
  readonly onDone: () => void;
}) {
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const data = new FormData(event.currentTarget as HTMLFormElement);
    const text = (name: string): string => String(data.get(name) ?? '');
    void attempt('append', async () => {
      await api().appendEvent(cluster, context, {
        type: text('type'),
        revision: text('revision'),
        aggregateType: text('aggregateType'),
        aggregateId: text('aggregateId'),
        sequence: null,
        payload: text('payload'),
        metaData: Object.fromEntries(pairsOf(text('meta'))),
        tags: wordsOf(text('tags')),
      });
      onDone();
    });
  };
  return (
    <form class="append-form button-row" onSubmit={submit} aria-label="Append an event">
      <input type="text" name="type" required placeholder="Type" aria-label="Type of the event" />
      <input type="text" name="aggregateType" placeholder="Aggregate type" aria-label="Aggregate type" />
      <input type="text" name="aggregateId" placeholder="Aggregate" aria-label="Aggregate" />
      <input type="text" name="revision" placeholder="Revision" aria-label="Revision" />
      <input type="text" name="meta" placeholder="Metadata key=value" aria-label="Metadata" />
      <input type="text" name="tags" placeholder="Tags key=value (DCB)" aria-label="Tags" />
      <input type="text" name="payload" placeholder='Payload, {"amount": 5}' aria-label="Payload" />
      <button type="submit" class="button small" disabled={isBusy('append') || commandsBlocked.value !== null}>
        Append
      </button>
      <SubjectError subject="append" />
    </form>
  );
}
