// Where the members of a group stand in the ring. Pure.

export interface Place {
  readonly x: number;
  readonly y: number;
}

export const RING_SIZE = 200;
const CENTRE = RING_SIZE / 2;

/** From so many members on they stand closer, and are smaller: a crown above the first and votes below the last stay in the picture. */
const MANY = 6;
export const discSize = (n: number): number => (n < MANY ? 21 : 18);

/** Places on a circle, the first at the top, clockwise. */
export function places(n: number): readonly Place[] {
  const radius = n === 1 ? 0 : n < MANY ? 66 : 67;
  return Array.from({ length: n }, (_, i) => {
    const angle = (i / n) * 2 * Math.PI - Math.PI / 2;
    // Three nodes leave the bottom empty: the triangle is moved down to sit in the middle.
    const shift = n === 3 ? 14 : n === 5 ? 6 : n < MANY ? 0 : 4;
    return { x: CENTRE + radius * Math.cos(angle), y: CENTRE + shift + radius * Math.sin(angle) };
  });
}

/** `part` 0 is at `a`, 1 at `b`. */
export const between = (a: Place, b: Place, part: number): Place => ({
  x: a.x + (b.x - a.x) * part,
  y: a.y + (b.y - a.y) * part,
});
