// The icon files that installers take (scripts/icon.mjs), read back the way their readers do.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { inflateSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { iconPng, PNG_SIZES, writeIcons } from '../scripts/icon.mjs';

const SIGNATURE = '89504e470d0a1a0a';

const isPng = (bytes: Buffer): boolean => bytes.subarray(0, 8).toString('hex') === SIGNATURE;
const widthOf = (png: Buffer): number => png.readUInt32BE(16);

/** Red, green, blue, alpha of one pixel; the rows have no filter and follow header chunk and signature. */
function pixel(png: Buffer, x: number, y: number): readonly number[] {
  const at = png.indexOf('IDAT');
  const rows = inflateSync(png.subarray(at + 4, at + 4 + png.readUInt32BE(at - 4)));
  const start = y * (widthOf(png) * 4 + 1) + 1 + x * 4;
  return [...rows.subarray(start, start + 4)];
}

describe('the icon', () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'muster-icon-'));
  beforeAll(() => writeIcons(folder));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('is a crowned node above two others on a tile with clear corners, in every size', () => {
    for (const size of PNG_SIZES) {
      const png = iconPng(size);
      expect(widthOf(png)).toBe(size);
      const at = (x: number, y: number): readonly number[] =>
        pixel(png, Math.floor((x * size) / 512), Math.floor((y * size) / 512));
      expect(at(0, 0)).toEqual([0, 0, 0, 0]);
      expect(at(256, 168)).toEqual([0xec, 0xb9, 0x4f, 255]);
      for (const x of [140, 372]) expect(at(x, 358)).toEqual([255, 255, 255, 255]);
    }
  });

  it('as .ico names seven PNGs by size and place', () => {
    const ico = readFileSync(path.join(folder, 'icon.ico'));
    expect([ico.readUInt16LE(0), ico.readUInt16LE(2), ico.readUInt16LE(4)]).toEqual([0, 1, 7]);
    for (let entry = 0; entry < 7; entry += 1) {
      const at = 6 + 16 * entry;
      const png = ico.subarray(ico.readUInt32LE(at + 12)).subarray(0, ico.readUInt32LE(at + 8));
      expect(isPng(png)).toBe(true);
      expect(widthOf(png) % 256).toBe(ico[at]);
      expect(png.subarray(-8, -4).toString()).toBe('IEND');
    }
  });

  it('as .icns has the entries of macOS with their pixels, up to 1024', () => {
    const icns = readFileSync(path.join(folder, 'icon.icns'));
    expect([icns.subarray(0, 4).toString(), icns.readUInt32BE(4)]).toEqual(['icns', icns.length]);
    const found: Record<string, number> = {};
    for (let at = 8; at < icns.length; at += icns.readUInt32BE(at + 4)) {
      const png = icns.subarray(at + 8, at + icns.readUInt32BE(at + 4));
      expect(isPng(png)).toBe(true);
      found[icns.subarray(at, at + 4).toString()] = widthOf(png);
    }
    expect(found).toEqual({ ic11: 32, ic12: 64, ic07: 128, ic13: 256, ic08: 256, ic14: 512, ic09: 512, ic10: 1024 });
  });
});
