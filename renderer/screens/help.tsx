// Help: every key, from the same table that runs them (ux.md §14), and what an AXONIQ code means (row B11).
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { CODE_EXPLANATIONS, explainCode } from '../../electron/contract/axoniq-codes.ts';
import { CodeNote } from '../parts/code-note.tsx';
import { Button, CopyButton } from '../parts/controls.tsx';
import { KeyTable } from '../parts/palette.tsx';
import { type TopicId, topics, wantedTopic } from '../topics.ts';
import { startTour } from '../tour.ts';

export function HelpScreen() {
  return (
    <main class="page">
      <h1>Help</h1>
      <p>
        <Button kind="primary" onClick={startTour}>
          Take the five-minute tour
        </Button>{' '}
        Break a cluster on purpose and see why it survives. Every check mark comes from its real state.
      </p>
      <h2>What there is</h2>
      <Topics />
      <h2>Codes that clients see</h2>
      <CodeLookup />
      <h2>Keys</h2>
      <KeyTable />
    </main>
  );
}

function Topics() {
  const wanted = useRef<HTMLDetailsElement>(null);
  const chosen = wantedTopic.value;
  useEffect(() => {
    wanted.current?.querySelector('summary')?.focus();
    return () => {
      wantedTopic.value = null;
    };
  }, []);
  return (
    <div class="topics">
      {(Object.entries(topics) as [TopicId, (typeof topics)[TopicId]][]).map(([id, topic]) => (
        <details key={id} open={id === chosen} {...(id === chosen ? { ref: wanted } : {})}>
          <summary>{topic.title}</summary>
          <p>{topic.text}</p>
          <p>
            <code>{topic.command}</code>{' '}
            <CopyButton text={topic.command} label={`Copy the command of ${topic.title}`} />
          </p>
        </details>
      ))}
    </div>
  );
}

function CodeLookup() {
  const typed = useSignal('');
  const found = explainCode(typed.value);
  return (
    <>
      <label class="field">
        <span>Code, such as AXONIQ-2000 or 2000</span>
        <input
          type="text"
          list="axoniq-codes"
          value={typed.value}
          spellcheck={false}
          onInput={(event) => (typed.value = event.currentTarget.value)}
        />
      </label>
      <datalist id="axoniq-codes">
        {[...CODE_EXPLANATIONS.keys()].map((code) => (
          <option key={code} value={code} />
        ))}
      </datalist>
      <div role="status">
        {found !== null && <CodeNote found={found} />}
        {found === null && typed.value.trim() !== '' && <p class="hint">No such code.</p>}
      </div>
    </>
  );
}
