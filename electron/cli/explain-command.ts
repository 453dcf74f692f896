// `muster explain`: what an AXONIQ code means and what to do next (row B11). Needs no launcher. Entry point: `addExplainCommand`.
import type { Command } from 'commander';
import { CODE_EXPLANATIONS, explainCode } from '../contract/axoniq-codes.ts';
import type { CodeExplanation } from '../contract/axoniq-codes.ts';
import { UsageError } from '../contract/grammar.ts';
import type { AddCommand, RunCommand } from './fault-commands.ts';
import type { Output } from './output.ts';

const textOf = ({ code, cause, next }: CodeExplanation): string =>
  `${code}: ${cause}\n${next.map((step) => `  - ${step}`).join('\n')}`;

function explain(output: Output, code: string | undefined): number {
  if (code === undefined) {
    const all = [...CODE_EXPLANATIONS.values()];
    output.object(all);
    output.line(all.map(textOf).join('\n'));
    return 0;
  }
  const found = explainCode(code);
  if (found === null) {
    throw new UsageError(
      `'${code}' is no code that clients see. List them: muster explain. Codes of Muster itself are in docs/errors.md.`,
    );
  }
  output.object(found);
  output.line(textOf(found));
  return 0;
}

export function addExplainCommand(program: Command, add: AddCommand, run: RunCommand): void {
  add(
    program,
    'explain [code]',
    'what an AXONIQ code that a client got means, and what to do; without a code all',
  ).action((code: string | undefined, _options: unknown, command: Command) =>
    run(command, async (_installation, output) => explain(output, code)),
  );
}
