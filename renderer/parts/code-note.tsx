// One AXONIQ code with its cause and the next steps (row B11).
import type { CodeExplanation } from '../../electron/contract/axoniq-codes.ts';

export function CodeNote({ found }: { readonly found: CodeExplanation }) {
  return (
    <section class="code-note" aria-label={`What ${found.code} means`}>
      <p>
        <code>{found.code}</code> {found.cause}
      </p>
      <ul>
        {found.next.map((step) => (
          <li key={step}>{step}</li>
        ))}
      </ul>
    </section>
  );
}
