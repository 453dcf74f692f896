// The loopback server for browsers and commands, as the launcher tells of it (ux.md §13). Types only.
import type { LauncherErrorData } from './model.ts';
import type { AppSettings } from './settings.ts';

export interface ControlPortView {
  /** As set; what listens now is `url`. */
  readonly wish: AppSettings['controlPort'];
  /** Null: nothing listens. */
  readonly url: string | null;
  /** The address with its token, for a browser; null as `url`. */
  readonly page: string | null;
  readonly token: string | null;
  readonly tokenFile: string;
  /** Why the wish holds from the next start only, as a sentence. Absent: it holds at once. */
  readonly fixed?: string;
  /** Why nothing listens though it should. */
  readonly problem?: LauncherErrorData;
}
