// What can be done with a log that is read: copy and save what is shown, open its file, clear the view (ux.md §7).
import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';
import type { ClusterView } from '../../electron/contract/model.ts';
import { openLog } from '../actions.ts';
import { copyText } from '../announce.ts';
import { logs } from '../logs.ts';
import { saveText } from '../save-text.ts';
import { desktop } from '../store.ts';
import { Button } from './controls.tsx';
import { ClearIcon, CopyIcon, OpenIcon, SaveIcon } from './icons.tsx';
import { filteredText, type LogFilter } from './log-terminal.ts';

/** `label` is its name, and its tooltip unless `title` says more. */
function Tool(props: {
  readonly label: string;
  readonly title?: string;
  readonly disabled?: boolean;
  readonly onClick: () => void;
  readonly children: ComponentChildren;
}) {
  const { label, title, disabled, onClick } = props;
  const words = title === undefined ? label : `${label}: ${title}`;
  return (
    <button type="button" class="icon-button" aria-label={label} title={words} disabled={disabled} onClick={onClick}>
      {props.children}
    </button>
  );
}

/** All lines that the filter lets through, not only those on the screen. */
export function TakeAway({ view, filter }: { readonly view: ClusterView; readonly filter: LogFilter }) {
  return (
    <>
      <Tool label="Copy the log" onClick={() => void copyText(filteredText(filter), 'The log is copied.')}>
        <CopyIcon />
      </Tool>
      <Tool
        label="Save the log"
        onClick={() => saveText(`${view.name}-${filter.node ?? 'all'}.log`, filteredText(filter))}
      >
        <SaveIcon />
      </Tool>
      <File view={view} node={filter.node} />
    </>
  );
}

/** A browser tab cannot open files: it copies the path. */
function File({ view, node }: { readonly view: ClusterView; readonly node: string | null }) {
  const found = view.nodes.find((one) => one.name === node);
  return (
    <Tool
      label={desktop.value ? 'Open file' : 'Copy path'}
      title={found === undefined ? 'Choose a node first: each has a file of its own' : found.logFile}
      disabled={found === undefined}
      onClick={() => {
        if (found === undefined) return;
        void (desktop.value
          ? openLog(view.name, found.name)
          : copyText(found.logFile, 'The path of the log is copied: a browser tab cannot open it.'));
      }}
    >
      <OpenIcon />
    </Tool>
  );
}

/** The lines stay known: they are only out of sight. */
export function Clear() {
  const cleared = useSignal(logs.clearedCount);
  useEffect(
    () =>
      logs.subscribe(() => {
        cleared.value = logs.clearedCount;
      }),
    [cleared],
  );
  return (
    <>
      <Tool label="Clear the view of the log" onClick={() => logs.clear()}>
        <ClearIcon />
      </Tool>
      {cleared.value > 0 && (
        <Button small kind="quiet" onClick={() => logs.showCleared()}>
          Show cleared
        </Button>
      )}
    </>
  );
}
