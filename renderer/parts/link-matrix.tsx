// Who hears whom: an N×N grid of switches and ready-made breaks, staged, with what they mean said before they are applied (ux.md §4.3).
import { useSignal } from '@preact/signals';
import { useRef } from 'preact/hooks';
import type { DirectedLink } from '../../electron/contract/link-plan.ts';
import { between, linkConsequences, linkPresets, sameLink } from '../../electron/contract/link-plan.ts';
import type { ClusterView, NodeName } from '../../electron/contract/model.ts';
import { parsePartition, UsageError } from '../../electron/contract/grammar.ts';
import { setLinks } from '../actions.ts';
import { plural } from '../format.ts';
import {
  CUT,
  cellWords,
  changesOf,
  hasLink,
  isOpen,
  type LinkPurpose,
  OPEN,
  painted,
  replaced,
  retroubled,
  SLOW,
  stagingOf,
  type Trouble,
  type TroubledLink,
} from '../link-staging.ts';
import { commandsBlocked, context as shownContext, dialog } from '../store.ts';
import { Button, Dialog, isBusy, SubjectError, Swatch } from './controls.tsx';
import { CheckIcon, ClockIcon, ScissorsIcon } from './icons.tsx';

function linkAt(target: EventTarget | null): DirectedLink | null {
  const { from, to } = (target as Element | null)?.closest<HTMLElement>('.link-cell')?.dataset ?? {};
  return from === undefined || to === undefined ? null : { from, to };
}

/** Arrows move; with Shift what they leave and what they reach is chosen. */
function moveInGrid(event: KeyboardEvent, choose: (links: readonly DirectedLink[]) => void): void {
  const cell = (event.target as Element).closest('td, th') as HTMLTableCellElement | null;
  const row = cell?.parentElement as HTMLTableRowElement | null;
  const table = row?.closest('table');
  if (!cell || !row || !table) return;
  const dx = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
  const dy = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
  if (dx === 0 && dy === 0) return;
  event.preventDefault();
  // Over the empty diagonal to the next switch.
  for (let x = cell.cellIndex + dx, y = row.rowIndex + dy; ; x += dx, y += dy) {
    const next = table.rows[y]?.cells[x];
    if (next === undefined) return;
    const button = next.querySelector('button');
    if (button !== null) {
      button.focus();
      const [left, reached] = [linkAt(cell.firstElementChild), linkAt(button)];
      if (event.shiftKey && left !== null && reached !== null) choose([left, reached]);
      return;
    }
  }
}

interface GridProps {
  readonly names: readonly NodeName[];
  readonly staged: readonly TroubledLink[];
  /** What choosing a link does to it. */
  readonly verb: string;
  readonly blocked: boolean;
  /** The editor opens at its first link. */
  readonly focused: boolean;
  /** All of them on or off, the others stay as they are. */
  readonly onPaint: (links: readonly DirectedLink[], on: boolean) => void;
}

function Row({ names, staged, verb, blocked, focused, onPaint, from }: GridProps & { readonly from: NodeName }) {
  const around = between([[from], names.filter((one) => one !== from)]);
  const isolated = around.length > 0 && around.every((link) => hasLink(staged, link));
  return (
    <tr>
      <th scope="row">
        <All
          {...{ staged, verb, blocked, onPaint }}
          index={names.indexOf(from)}
          name={from}
          words={`from ${from}`}
          links={around.filter((link) => link.from === from)}
        />
      </th>
      {names.map((to) => {
        if (from === to) return <td key={to} class="self" />;
        const link = staged.find((one) => sameLink(one, { from, to }));
        const words = cellWords(link ?? OPEN);
        return (
          <td key={to}>
            <button
              type="button"
              class="link-cell"
              // biome-ignore lint/a11y/noAutofocus: a dialog puts the focus where it is asked to, else on its ✕
              autoFocus={focused && from === names[0] && to === names[1]}
              data-from={from}
              data-to={to}
              aria-pressed={link !== undefined}
              aria-label={`${verb} ${from} to ${to}, now ${words}`}
              disabled={blocked}
              onClick={() => onPaint([{ from, to }], link === undefined)}
            >
              {link?.cut === true ? <ScissorsIcon /> : words === 'open' ? <CheckIcon /> : <ClockIcon />}
              {words}
            </button>
          </td>
        );
      })}
      <td>
        <Button
          small
          aria-pressed={isolated}
          aria-label={`${isolated ? 'Rejoin' : 'Isolate'} ${from}`}
          blocked={blocked && 'Under way'}
          onClick={() => onPaint(around, !isolated)}
        >
          {isolated ? 'Rejoin' : 'Isolate'}
        </Button>
      </td>
    </tr>
  );
}

/** A header: everything that its node sends, or that it receives. */
function All(
  props: Pick<GridProps, 'staged' | 'verb' | 'blocked' | 'onPaint'> & {
    readonly index: number;
    readonly name: NodeName;
    readonly words: string;
    readonly links: readonly DirectedLink[];
  },
) {
  const { staged, verb, blocked, onPaint, index, name, words, links } = props;
  const on = links.length > 0 && links.every((link) => hasLink(staged, link));
  return (
    <button
      type="button"
      class="link-head"
      aria-pressed={on}
      aria-label={`${verb} all ${words}`}
      disabled={blocked || links.length === 0}
      onClick={() => onPaint(links, !on)}
    >
      <Swatch index={index} /> {name}
    </button>
  );
}

/** More nodes stand closer. */
const ROOMY_MAX = 6;

function Grid(props: GridProps) {
  const { names, staged, verb, blocked, onPaint } = props;
  /** A press that moves on to other cells changes them all as it would have changed the first. */
  const drag = useRef<{ readonly link: DirectedLink; readonly on: boolean } | null>(null);
  return (
    <div class="matrix-wrap">
      <table
        class={names.length > ROOMY_MAX ? 'matrix many' : 'matrix'}
        onKeyDown={(event) => moveInGrid(event, (links) => !blocked && onPaint(links, true))}
        onPointerDown={(event) => {
          const link = linkAt(event.target);
          drag.current = link === null || blocked ? null : { link, on: !hasLink(staged, link) };
          // A finger would keep its first cell to itself.
          if (event.target instanceof Element && event.target.hasPointerCapture(event.pointerId)) {
            event.target.releasePointerCapture(event.pointerId);
          }
        }}
        onPointerOver={(event) => {
          const link = linkAt(event.target);
          const from = drag.current;
          if (event.buttons !== 1 || from === null || link === null || sameLink(link, from.link)) return;
          onPaint([from.link, link], from.on);
        }}
      >
        <caption class="visually-hidden">Link from row to column</caption>
        <thead>
          <tr>
            <td class="corner">from ↓ to →</td>
            {names.map((name, index) => (
              <th key={name} scope="col">
                <All
                  {...{ staged, verb, blocked, onPaint, index, name }}
                  words={`to ${name}`}
                  links={names.filter((from) => from !== name).map((from) => ({ from, to: name }))}
                />
              </th>
            ))}
            <td />
          </tr>
        </thead>
        <tbody>
          {names.map((from) => (
            <Row key={from} {...props} from={from} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** Groups as words, the grammar of `muster partition`. */
function Groups({
  names,
  onStage,
}: Pick<GridProps, 'names'> & { readonly onStage: (links: readonly DirectedLink[]) => void }) {
  const problem = useSignal<string | null>(null);
  const stage = (text: string): void => {
    try {
      const links = parsePartition([text]);
      const stranger = links.find((link) => !names.includes(link.from));
      problem.value = stranger === undefined ? null : `There is no ${stranger.from}.`;
      if (stranger === undefined) onStage(links);
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      problem.value = error.message;
    }
  };
  return (
    <label class="field">
      <span>Groups that do not hear each other</span>
      <input
        type="text"
        placeholder="node-1 / node-2 node-3"
        onChange={(event) => event.currentTarget.value.trim() !== '' && stage(event.currentTarget.value)}
      />
      {problem.value !== null && <small role="alert">{problem.value}</small>}
    </label>
  );
}

function Kind({
  trouble,
  focused,
  onChange,
}: {
  readonly trouble: Trouble;
  /** The editor opens at its numbers. */
  readonly focused: boolean;
  readonly onChange: (next: Trouble) => void;
}) {
  const number = (key: 'delayMs' | 'jitterMs' | 'lossPercent', label: string, max: number) => (
    <label class="field-inline">
      <span>{label}</span>
      <input
        type="number"
        min="0"
        max={max}
        // biome-ignore lint/a11y/noAutofocus: as above
        autoFocus={focused && key === 'delayMs'}
        value={trouble[key]}
        onInput={(event) =>
          onChange({
            ...trouble,
            [key]: Math.min(max, Math.max(0, Math.round(event.currentTarget.valueAsNumber || 0))),
          })
        }
      />
    </label>
  );
  return (
    <fieldset class="toolbar">
      <legend class="visually-hidden">What happens on the chosen links</legend>
      <label class="field-inline">
        <input type="radio" name="trouble" checked={trouble.cut} onChange={() => onChange(CUT)} /> Cut
      </label>
      <label class="field-inline">
        <input type="radio" name="trouble" checked={!trouble.cut} onChange={() => onChange(SLOW)} /> Slow
      </label>
      {!trouble.cut && (
        <>
          {number('delayMs', 'Delay ms', 60_000)}
          {number('jitterMs', 'Jitter ms', 60_000)}
          {number('lossPercent', 'Loss %', 100)}
        </>
      )}
    </fieldset>
  );
}

/** `3 links cut`, `2 links slow`, or both. */
function stagedWords(links: readonly TroubledLink[]): string {
  const cut = links.filter((link) => link.cut).length;
  const slow = links.filter((link) => !link.cut && !isOpen(link)).length;
  const words = [
    cut > 0 ? `${plural(cut, 'link')} cut` : '',
    slow > 0 ? `${plural(slow, 'link')} slow or lossy` : '',
  ].filter((one) => one !== '');
  return words.length === 0 ? 'All links open.' : `${words.join(', ')}.`;
}

export function LinkMatrix({ view, purpose }: { readonly view: ClusterView; readonly purpose: LinkPurpose }) {
  const names = view.nodes.map((node) => node.name);
  const staging = useSignal(stagingOf(view.faults, purpose));
  const { links, trouble } = staging.value;
  const changes = changesOf(staging.value);
  const blocked = commandsBlocked.value !== null || isBusy('links');
  const stage = (wanted: readonly DirectedLink[]): void => {
    staging.value = replaced(staging.peek(), wanted);
  };
  const close = (): void => {
    dialog.value = null;
  };
  const apply = async (): Promise<void> => {
    if (await setLinks(changesOf(staging.peek()))) close();
  };
  return (
    <Dialog title="Links between the nodes" wide onClose={close}>
      <p class="hint">
        Each row sends, each column receives: press a cell, a name for all of its links, or drag over several (Shift and
        arrows). Faults hold only between nodes: apps and this window still reach every node.
      </p>
      {/* biome-ignore lint/a11y/useSemanticElements: a fieldset would bring a legend for a row of buttons */}
      <div class="toolbar" role="group" aria-label="Ready-made breaks">
        {linkPresets(names, shownContext.value?.leader ?? null).map((preset) => (
          <Button key={preset.label} small blocked={blocked && 'Under way'} onClick={() => stage(preset.links)}>
            {preset.label}
          </Button>
        ))}
        <Button small kind="quiet" onClick={() => stage([])}>
          All open
        </Button>
      </div>
      <Kind
        trouble={trouble}
        focused={purpose === 'slow-network'}
        onChange={(next) => {
          staging.value = retroubled(staging.peek(), next);
        }}
      />
      <Grid
        names={names}
        staged={links}
        verb={trouble.cut ? 'Cut' : 'Slow'}
        blocked={blocked}
        focused={purpose !== 'slow-network'}
        onPaint={(wanted, on) => {
          staging.value = painted(staging.peek(), wanted, on);
        }}
      />
      <Groups names={names} onStage={stage} />
      <ul class="consequences" aria-label="What this will mean" aria-live="polite">
        {linkConsequences(
          view,
          links.filter((link) => link.cut),
        ).map((sentence) => (
          <li key={sentence}>{sentence}</li>
        ))}
      </ul>
      <SubjectError subject="links" />
      <footer class="dialog-foot">
        <span class="hint">{stagedWords(links)}</span>
        <span class="push" />
        <Button onClick={close}>Cancel</Button>
        <Button
          kind="primary"
          blocked={changes.length === 0 ? 'Nothing to change' : blocked && 'Under way'}
          onClick={() => void apply()}
        >
          Apply
        </Button>
      </footer>
    </Dialog>
  );
}
