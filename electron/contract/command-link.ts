// The command `muster` of a user, as a link in a folder of their own (ux.md §13). Types only.

/** `replace`: also a link that leads to another Muster. Whatever else is there stays, whoever asks. */
export const commandLinkWishes = ['install', 'replace', 'remove'] as const;
export type CommandLinkWish = (typeof commandLinkWishes)[number];

export interface CommandLinkView {
  /**
   * `installed`: the link leads here. `another`: it leads to another Muster. `foreign`: what is there is not of Muster. `provided`: the
   * system has the command already (the deb). `impossible`: no link can be made here; `next` says what to do instead.
   */
  readonly state: 'absent' | 'installed' | 'another' | 'foreign' | 'provided' | 'impossible';
  /** Where the link is or would be, and what it leads to or would lead to. */
  readonly file: string;
  readonly target: string;
  /** What a link that is there leads to now; null: there is no link. */
  readonly leadsTo: string | null;
  /** Judged by the PATH that the launcher was started with, as is `found`. */
  readonly folderOnPath: boolean;
  /** What a terminal starts for `muster`; null: nothing. */
  readonly found: { readonly file: string; readonly own: boolean } | null;
  readonly sentence: string;
  /** What to do, best first; empty when all is well. */
  readonly next: readonly string[];
  /** For a shell's start file or a terminal; null when the folder is on the PATH or nothing is installed. */
  readonly pathLine: string | null;
}
