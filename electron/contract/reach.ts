// From where apps reach a cluster, in words (ux.md §6). Entry points: `worksFrom`, `isHere`.

/** What Docker calls the computer that it runs on, inside a container. */
export const DOCKER_HOST = 'host.docker.internal';
const HERE: readonly string[] = ['localhost', '127.0.0.1', '::1'];

export const isHere = (host: string): boolean => HERE.includes(host);

/** `host` is the name that apps are told; one sentence of what works, and what to do when that is not enough. */
export function worksFrom(host: string): string {
  return isHere(host)
    ? 'Works from this computer. For apps in containers choose Docker (muster host docker).'
    : `Works from everywhere that reaches this computer as ${host}, the host name that apps are told.`;
}
