// Always one headline, the facts behind it, and the buttons that change it (ux.md §4.2).
import type { ContextView, Headline, NodeAction, NodeState, Why } from '../../electron/contract/model.ts';
import { act, actionWord, healLinks } from '../actions.ts';
import { clock, count, seconds } from '../format.ts';
import { api, attempt, commandsBlocked, connected, go, now, openCluster } from '../store.ts';
import { Button, isBusy, SubjectError } from './controls.tsx';
import { StateGlyph } from './icons.tsx';

/** Headline → words, tone, and the glyph that says the same without colour. */
export const headlines: Readonly<
  Record<Headline, { readonly word: string; readonly tone: 'ok' | 'warn' | 'bad' | 'idle'; readonly glyph: NodeState }>
> = {
  healthy: { word: 'Healthy', tone: 'ok', glyph: 'ready' },
  electing: { word: 'Electing a leader', tone: 'warn', glyph: 'joining' },
  'no-quorum': { word: 'No majority', tone: 'bad', glyph: 'crashed' },
  'blocked-no-active-backup': { word: 'Commits are blocked', tone: 'bad', glyph: 'frozen' },
  'stale-leader': { word: 'Cut-off leader', tone: 'warn', glyph: 'isolated' },
  'catching-up': { word: 'Catching up', tone: 'warn', glyph: 'catching-up' },
  forming: { word: 'Forming', tone: 'warn', glyph: 'starting' },
  stopped: { word: 'Stopped', tone: 'idle', glyph: 'stopped' },
  unknown: { word: 'Unknown', tone: 'idle', glyph: 'stale' },
};

const toPage = (page: string): void => go({ screen: 'cluster', name: openCluster.peek() ?? '', page });

/** Steps that are no action on a node. */
const otherSteps: Readonly<Partial<Record<Why['next'][number]['action'], (context: string) => void>>> = {
  'move-leader': (context) => void attempt('context', () => api().moveLeader(openCluster.peek() ?? '', context, null)),
  'change-roles': () => toPage('contexts'),
  configure: () => toPage('configuration'),
  'show-logs': () => {
    const strip = document.querySelector<HTMLElement>('.log-strip');
    strip?.scrollIntoView({ block: 'nearest' });
    strip?.focus();
  },
};

function NextStep({ step, context }: { readonly step: Why['next'][number]; readonly context: string }) {
  const { action, node } = step;
  const blocked = commandsBlocked.value ?? false;
  if (action === 'heal') {
    return (
      <Button small kind="primary" blocked={blocked} aria-busy={isBusy('links')} onClick={() => void healLinks(null)}>
        {step.label}
      </Button>
    );
  }
  const elsewhere = otherSteps[action];
  if (elsewhere !== undefined) {
    return (
      <Button small blocked={action === 'move-leader' && blocked} onClick={() => elsewhere(context)}>
        {step.label}
      </Button>
    );
  }
  if (node === null) return null;
  return (
    <Button
      small
      kind="primary"
      blocked={blocked || (isBusy(`node:${node}`) && 'Under way')}
      onClick={() => void act(node, action as NodeAction)}
    >
      {step.label || `${actionWord[action as NodeAction]} ${node}`}
    </Button>
  );
}

/** The headline stands above already; a sentence that begins with it goes on after it. */
const afterHeadline = (sentence: string): string => sentence.replace(/^(Healthy|Electing|Forming)[.:] /, '');

export function WhyPanel({ context }: { readonly context: ContextView }) {
  const { why } = context;
  // What was true when the launcher was last heard is no state of now (ux.md §1).
  const headline = headlines[connected.value ? why.headline : 'unknown'];
  return (
    <section class={`why tone-${headline.tone}`} aria-label={`Why: ${context.name}`} data-headline={why.headline}>
      <h3>
        <StateGlyph state={headline.glyph} />
        {headline.word}
      </h3>
      <p class="why-sentence">{connected.value ? afterHeadline(why.sentence) : `When last seen: ${why.sentence}`}</p>
      <dl class="why-facts">
        <div>
          <dt>Leader</dt>
          <dd>{context.leader ?? 'none'}</dd>
        </div>
        <div>
          <dt>Term</dt>
          <dd>{count(context.term)}</dd>
        </div>
        <div>
          <dt>Committed</dt>
          <dd>{count(context.commitIndex)}</dd>
        </div>
        <div>
          <dt>Events</dt>
          <dd>{count(context.lastToken === null ? null : context.lastToken + 1)}</dd>
        </div>
        {connected.value && context.leaderSince !== null && (
          <div title={`since ${clock(context.leaderSince)}`}>
            <dt>Leads for</dt>
            <dd>{seconds(now.value - context.leaderSince)}</dd>
          </div>
        )}
      </dl>
      {why.lossSentence !== null && <p class="why-loss">{why.lossSentence}</p>}
      {why.notes.length > 0 && (
        <ul class="why-notes">
          {why.notes.map((note) => (
            <li key={note}>{note}</li>
          ))}
        </ul>
      )}
      {why.next.length > 0 && (
        <div class="why-next">
          {why.next.map((step) => (
            <NextStep key={step.label} step={step} context={context.name} />
          ))}
        </div>
      )}
      <SubjectError subject="context" />
    </section>
  );
}
