// Pure: numbers of log entries in sentences. Entry point: `formatCount`.

/** `18,402`. */
export function formatCount(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+(?!\d))/g, ',');
}
