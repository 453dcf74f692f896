// Huffman decoding of HPACK strings (RFC 7541 §5.2, appendix B). The code is canonical: lengths alone define it.

/** Bits of the code of each byte value 0..255, then of EOS. */
const CODE_LENGTHS: readonly number[] = [
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28,
  28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
  13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6, 15, 5, 6, 5, 6,
  5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28, 20, 22, 20, 20, 22, 22, 22, 23,
  22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24, 22, 21, 20, 22, 22,
  23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23, 26, 26,
  20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27,
  27, 20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27,
  27, 27, 27, 26, 30,
];
const EOS = 256;

// Decoding goes four bits at a time: state = inner node of the code tree; no code is shorter than five bits, so at most one
// byte comes out per step. Entry = next state, and in `emitted` the byte, or -1.
const nextState: Int16Array[] = [];
const emitted: Int16Array[] = [];
/** Padding is legal in states reached by fewer than eight 1 bits from the root (RFC 7541 §5.2). */
const mayEnd: boolean[] = [];
const INVALID = -1;

build();

/** Left child at 2 * node, right child at 2 * node + 1: >= 0 inner node, < 0 leaf of symbol -1 - value. */
function buildTree(): number[] {
  const symbols = CODE_LENGTHS.map((length, symbol) => ({ length, symbol })).sort(
    (a, b) => a.length - b.length || a.symbol - b.symbol,
  );
  const children: number[] = [0, 0];
  let code = 0;
  let previousLength = 0;
  for (const { length, symbol } of symbols) {
    code *= 2 ** (length - previousLength);
    previousLength = length;
    let node = 0;
    for (let bit = length - 1; bit > 0; bit -= 1) {
      const slot = 2 * node + (Math.floor(code / 2 ** bit) % 2);
      if (children[slot] === 0) {
        children[slot] = children.length / 2;
        children.push(0, 0);
      }
      node = children[slot] as number;
    }
    children[2 * node + (code % 2)] = -1 - symbol;
    code += 1;
  }
  return children;
}

function build(): void {
  const children = buildTree();
  const states = children.length / 2;
  for (let state = 0; state < states; state += 1) {
    const next = new Int16Array(16);
    const out = new Int16Array(16).fill(-1);
    for (let nibble = 0; nibble < 16; nibble += 1) {
      let node = state;
      for (let bit = 3; bit >= 0 && node !== INVALID; bit -= 1) {
        const child = children[2 * node + ((nibble >> bit) & 1)] as number;
        if (child >= 0) node = child;
        else {
          const symbol = -1 - child;
          if (symbol === EOS) node = INVALID;
          else {
            out[nibble] = symbol;
            node = 0;
          }
        }
      }
      next[nibble] = node;
    }
    nextState.push(next);
    emitted.push(out);
    mayEnd.push(false);
  }
  let node = 0;
  for (let ones = 0; ones < 8 && node >= 0; ones += 1) {
    mayEnd[node] = true;
    node = children[2 * node + 1] as number;
  }
}

let scratch = Buffer.allocUnsafe(4096);

/** Text (one char per byte) of `bytes[start..end)`; null when the coding is illegal. */
export function decodeHuffman(bytes: Uint8Array, start: number, end: number): string | null {
  // The shortest code has five bits.
  const most = Math.ceil(((end - start) * 8) / 5);
  if (most > scratch.length) scratch = Buffer.allocUnsafe(most);
  let length = 0;
  let state = 0;
  for (let i = start; i < end; i += 1) {
    const byte = bytes[i] as number;
    for (let shift = 4; shift >= 0; shift -= 4) {
      const nibble = (byte >> shift) & 0xf;
      const symbol = (emitted[state] as Int16Array)[nibble] as number;
      state = (nextState[state] as Int16Array)[nibble] as number;
      if (state === INVALID) return null;
      if (symbol >= 0) {
        scratch[length] = symbol;
        length += 1;
      }
    }
  }
  return mayEnd[state] === true ? scratch.toString('latin1', 0, length) : null;
}
