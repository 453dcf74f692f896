// What a node advertises: rules ID-3 to ID-6 of cluster-semantics §1. Pure; nothing is resolved.

export interface HostNameInput {
  /** Null = not configured; an empty text = configured empty. */
  readonly hostname: string | null;
  readonly domain: string | null;
  readonly internalHostname: string | null;
  readonly internalDomain: string | null;
  /** Host name of the machine as the system tells it, e.g. `pc.corp.example`. */
  readonly machineHostName: string;
}

export interface HostNames {
  /** Without domain: the default of the node name (ID-1). */
  readonly shortName: string;
  /** What clients are told. */
  readonly hostName: string;
  /** What peers are told; `autocluster.first` is compared with this text (AC-2, AC-3). */
  readonly internalHostName: string;
  readonly warnings: readonly string[];
}

/**
 * ID-3: the internal pair defaults to the client pair, the domain to the machine's own. ID-4: a dotted host name is split,
 * a configured domain wins over the split-off rest. ID-6: an explicitly empty internal domain is honoured (2023.x rule).
 */
export function resolveHostNames(input: HostNameInput): HostNames {
  const warnings: string[] = [];
  const machine = splitMachineName(input.machineHostName);
  const client = resolvePair('hostname', input.hostname, input.domain, machine, warnings);
  const internal = resolvePair(
    'internal-hostname',
    input.internalHostname,
    input.internalDomain,
    { host: client.host, domain: client.domain },
    warnings,
  );
  return { shortName: client.host, hostName: join(client), internalHostName: join(internal), warnings };
}

interface HostPair {
  readonly host: string;
  readonly domain: string;
}

function resolvePair(
  key: string,
  host: string | null,
  domain: string | null,
  fallback: HostPair,
  warnings: string[],
): HostPair {
  if (host === null || host === '') {
    return { host: fallback.host, domain: isWhole(fallback.host) ? '' : (domain ?? fallback.domain) };
  }
  if (isWhole(host)) {
    if (host.includes('.') && !host.includes(':')) {
      warnings.push(`${key}=${host} starts with a digit and is kept whole; no domain is added`);
    }
    return { host, domain: '' };
  }
  const dot = host.indexOf('.');
  if (dot < 0) {
    return { host, domain: domain ?? fallback.domain };
  }
  const rest = host.slice(dot + 1);
  if (domain !== null && domain !== rest) {
    warnings.push(
      `${key}=${host} is split at the first dot; the configured domain "${domain}" wins and "${rest}" is dropped`,
    );
  }
  return { host: host.slice(0, dot), domain: domain ?? rest };
}

/** Addresses are never split and get no domain (ID-4). */
function isWhole(host: string): boolean {
  return /^\d/.test(host) || host.includes(':');
}

function splitMachineName(name: string): HostPair {
  const dot = name.indexOf('.');
  if (dot < 0 || isWhole(name)) {
    return { host: name, domain: '' };
  }
  return { host: name.slice(0, dot), domain: name.slice(dot + 1) };
}

function join(pair: HostPair): string {
  return pair.domain === '' ? pair.host : `${pair.host}.${pair.domain}`;
}
