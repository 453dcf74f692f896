// From where apps reach a cluster, in words (ux.md §6). Entry point: `worksFrom`.

const HERE: readonly string[] = ['localhost', '127.0.0.1', '::1'];

/** `host` is the name that apps are told; one sentence of what works, and what to do when that is not enough. */
export function worksFrom(host: string): string {
  return HERE.includes(host)
    ? 'Works from this computer. For apps in containers: a new cluster, “My app runs in Docker” (muster up --host docker).'
    : `Works from everywhere that reaches this computer as ${host}, the host name that apps are told.`;
}
