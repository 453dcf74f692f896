// Higher priority first, then first in first out (client-behaviour CM-24, QR-20). A binary heap with arrival numbers.

interface Slot<T> {
  readonly item: T;
  readonly priority: number;
  readonly arrival: number;
}

function before<T>(a: Slot<T>, b: Slot<T>): boolean {
  return a.priority !== b.priority ? a.priority > b.priority : a.arrival < b.arrival;
}

export class PriorityQueue<T> {
  #slots: Slot<T>[] = [];
  #arrivals = 0;

  get size(): number {
    return this.#slots.length;
  }

  push(item: T, priority: number): void {
    this.#arrivals += 1;
    this.#slots.push({ item, priority, arrival: this.#arrivals });
    this.#rise(this.#slots.length - 1);
  }

  pop(): T | undefined {
    const top = this.#slots[0];
    const last = this.#slots.pop();
    if (top === undefined || last === undefined) return undefined;
    if (this.#slots.length > 0) {
      this.#slots[0] = last;
      this.#sink(0);
    }
    return top.item;
  }

  /** Takes out everything that matches, in queue order. */
  removeWhere(matches: (item: T) => boolean): T[] {
    const removed: Slot<T>[] = [];
    const kept: Slot<T>[] = [];
    for (const slot of this.#slots) (matches(slot.item) ? removed : kept).push(slot);
    if (removed.length === 0) return [];
    this.#slots = kept.sort((a, b) => (before(a, b) ? -1 : 1)); // a sorted array is a heap
    return removed.sort((a, b) => (before(a, b) ? -1 : 1)).map((slot) => slot.item);
  }

  #rise(start: number): void {
    let index = start;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!before(this.#slots[index]!, this.#slots[parent]!)) return;
      this.#swap(index, parent);
      index = parent;
    }
  }

  #sink(start: number): void {
    let index = start;
    for (;;) {
      let first = index;
      for (const child of [2 * index + 1, 2 * index + 2]) {
        const slot = this.#slots[child];
        if (slot !== undefined && before(slot, this.#slots[first]!)) first = child;
      }
      if (first === index) return;
      this.#swap(index, first);
      index = first;
    }
  }

  #swap(a: number, b: number): void {
    const slot = this.#slots[a]!;
    this.#slots[a] = this.#slots[b]!;
    this.#slots[b] = slot;
  }
}
