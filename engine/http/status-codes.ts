// AXONIQ codes to HTTP statuses (cluster-semantics §7, rest-and-cli §0). A code without a row is a server error.

const rows: readonly (readonly [status: number, codes: string])[] = [
  [400, '1304 1305 2001 2002 2101 2107 2308 2309 2311 2500 2501 2502 2510 2511 2610 2700 2701 3004 3005'],
  [403, '1000 1001 1700 2301 2302 2303 2304 2305 2307'],
  [404, '1300 1301 1302 2100 2108 2800 2801 2802 4000 5000 6001'],
  [406, '2306 2310'],
  [409, '2000 2200'],
  [429, '1900 3000'],
  [503, '1100 1400 1500 6000 7000'],
];
const statuses: ReadonlyMap<string, number> = new Map(
  rows.flatMap(([status, codes]) => codes.split(' ').map((code) => [`AXONIQ-${code}`, status] as const)),
);

export function httpStatusOf(axonCode: string): number {
  return statuses.get(axonCode) ?? 500;
}
