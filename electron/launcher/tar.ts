// Files as one tar archive in memory (POSIX ustar). Pure. Entry point: `tarOf`.

const BLOCK = 512;
const NAME_BYTES_MAX = 100;

export interface TarEntry {
  readonly name: string;
  readonly body: Buffer;
}

/** Names are ASCII of at most 100 bytes; `at` (epoch ms) is the time of every file. */
export function tarOf(entries: readonly TarEntry[], at: number): Buffer {
  const parts = entries.flatMap(({ name, body }) => {
    const padding = Buffer.alloc((BLOCK - (body.length % BLOCK)) % BLOCK);
    return [headerOf(name, body.length, at), body, padding];
  });
  return Buffer.concat([...parts, Buffer.alloc(2 * BLOCK)]);
}

function headerOf(name: string, size: number, at: number): Buffer {
  if (Buffer.byteLength(name) > NAME_BYTES_MAX) throw new Error(`the name ${name} is too long for an archive`);
  const header = Buffer.alloc(BLOCK);
  const octal = (value: number, digits: number): string => `${value.toString(8).padStart(digits, '0')}\0`;
  header.write(name, 0);
  header.write(octal(0o644, 7), 100);
  header.write(octal(0, 7), 108);
  header.write(octal(0, 7), 116);
  header.write(octal(size, 11), 124);
  header.write(octal(Math.floor(at / 1000), 11), 136);
  header.write('        0', 148);
  header.write('ustar\x0000', 257);
  // The checksum is the sum of the header's bytes with its own field blank.
  header.write(
    `${octal(
      header.reduce((sum, byte) => sum + byte, 0),
      6,
    )} `,
    148,
  );
  return header;
}
