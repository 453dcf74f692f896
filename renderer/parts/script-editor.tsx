// A chaos script as text with line numbers; problems come from the parser that runs it (ux.md §11).
import { useRef } from 'preact/hooks';
import type { ScriptProblem } from '../../electron/contract/chaos.ts';

const ROWS_MIN = 9;

export function ScriptEditor(props: {
  readonly text: string;
  readonly problems: readonly ScriptProblem[];
  readonly onInput: (text: string) => void;
}) {
  const { text, problems } = props;
  const area = useRef<HTMLTextAreaElement>(null);
  const lines = text.split('\n');
  const rows = Math.max(ROWS_MIN, lines.length);
  const wrong = new Set(problems.map((problem) => problem.line));
  const goTo = ({ line, column }: ScriptProblem): void => {
    const at = lines.slice(0, line - 1).reduce((sum, one) => sum + one.length + 1, 0) + column - 1;
    area.current?.focus();
    area.current?.setSelectionRange(at, at);
  };
  return (
    <>
      <div class="script-editor">
        <ol class="script-gutter" aria-hidden="true">
          {Array.from({ length: rows }, (_, index) => (
            <li key={index} class={wrong.has(index + 1) ? 'wrong' : ''}>
              {wrong.has(index + 1) ? '✕' : index + 1}
            </li>
          ))}
        </ol>
        <textarea
          ref={area}
          aria-label="Script"
          aria-invalid={problems.length > 0}
          aria-describedby="script-problems"
          spellcheck={false}
          autocapitalize="off"
          wrap="off"
          rows={rows}
          value={text}
          onInput={(event) => props.onInput(event.currentTarget.value)}
        />
      </div>
      <ul id="script-problems" class="script-problems" aria-label="Problems of the script">
        {problems.map((problem) => (
          <li key={`${problem.line}:${problem.column}`}>
            <button type="button" onClick={() => goTo(problem)}>
              Line {problem.line}, column {problem.column}
            </button>{' '}
            {problem.text}
          </li>
        ))}
      </ul>
    </>
  );
}
