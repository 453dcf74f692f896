// The icon of the app, drawn here: one list of shapes becomes an SVG, PNGs of every size, an .ico for Windows and an .icns for macOS.
// Entry points: `iconSvg`, `iconPng`, `writeIcons`.
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { crc32, deflateSync } from 'node:zlib';

/** What Linux desktops look for below hicolor/<size>x<size>. */
export const PNG_SIZES = [16, 24, 32, 48, 64, 128, 256, 512];
const ICO_SIZES = [16, 24, 32, 48, 64, 128, 256];
/** Type of an .icns entry → its pixels; ic11 to ic14 are the doubled ones. */
const ICNS_TYPES = { ic11: 32, ic12: 64, ic07: 128, ic13: 256, ic08: 256, ic14: 512, ic09: 512, ic10: 1024 };

/** The unit of all shapes: they lie on a square of this side. */
const SIDE = 512;
const [LEADER, LEFT, RIGHT] = [
  { x: 256, y: 168 },
  { x: 140, y: 358 },
  { x: 372, y: 358 },
];
/** Painted in this order: three nodes that know each other, the upper one crowned. The colours are the page's own (renderer/theme.css). */
const SHAPES = [
  { kind: 'tile', inset: 32, radius: 104, top: '#3a78e6', bottom: '#17398a' },
  { kind: 'line', from: LEADER, to: LEFT, width: 22, colour: '#a5c3ff' },
  { kind: 'line', from: LEADER, to: RIGHT, width: 22, colour: '#a5c3ff' },
  { kind: 'line', from: LEFT, to: RIGHT, width: 22, colour: '#a5c3ff' },
  { kind: 'disc', at: LEFT, radius: 56, colour: '#ffffff' },
  { kind: 'disc', at: RIGHT, radius: 56, colour: '#ffffff' },
  { kind: 'disc', at: LEADER, radius: 70, colour: '#ecb94f' },
];

const svgOf = {
  tile: ({ inset, radius, top, bottom }) =>
    `<linearGradient id="tile" x2="0" y2="1"><stop stop-color="${top}"/><stop offset="1" stop-color="${bottom}"/></linearGradient>` +
    `<rect x="${inset}" y="${inset}" width="${SIDE - 2 * inset}" height="${SIDE - 2 * inset}" rx="${radius}" fill="url(#tile)"/>`,
  line: ({ from, to, width, colour }) =>
    `<path d="M${from.x} ${from.y}L${to.x} ${to.y}" stroke="${colour}" stroke-width="${width}"/>`,
  disc: ({ at, radius, colour }) => `<circle cx="${at.x}" cy="${at.y}" r="${radius}" fill="${colour}"/>`,
};

export function iconSvg() {
  const body = SHAPES.map((shape) => svgOf[shape.kind](shape)).join('\n');
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${SIDE} ${SIDE}">\n${body}\n</svg>\n`;
}

/** How far a point is outside a shape (negative: inside). */
const distanceTo = {
  tile: ({ inset, radius }, x, y) => {
    const reach = SIDE / 2 - inset - radius;
    const [dx, dy] = [Math.abs(x - SIDE / 2) - reach, Math.abs(y - SIDE / 2) - reach];
    return Math.hypot(Math.max(dx, 0), Math.max(dy, 0)) + Math.min(Math.max(dx, dy), 0) - radius;
  },
  line: ({ from, to, width }, x, y) => {
    const [dx, dy] = [to.x - from.x, to.y - from.y];
    const along = ((x - from.x) * dx + (y - from.y) * dy) / (dx * dx + dy * dy);
    const near = Math.min(1, Math.max(0, along));
    return Math.hypot(x - from.x - near * dx, y - from.y - near * dy) - width / 2;
  },
  disc: ({ at, radius }, x, y) => Math.hypot(x - at.x, y - at.y) - radius,
};

const channels = (colour) => [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16));

/** The colour of a shape at a height: only the tile runs from one into another. */
function painter({ kind, colour, inset, top, bottom }) {
  if (kind !== 'tile') {
    const flat = channels(colour);
    return () => flat;
  }
  const [above, below] = [channels(top), channels(bottom)];
  return (y) => above.map((value, channel) => value + ((below[channel] - value) * (y - inset)) / (SIDE - 2 * inset));
}

/** RGBA, not premultiplied. The tile is below everything, so what is drawn on it takes its alpha. */
function pixelsOf(size) {
  const pixels = new Uint8ClampedArray(size * size * 4);
  const scale = SIDE / size;
  for (const shape of SHAPES) {
    const [distance, paint] = [distanceTo[shape.kind], painter(shape)];
    for (let row = 0; row < size; row += 1) {
      const y = (row + 0.5) * scale;
      const colour = paint(y);
      for (let column = 0; column < size; column += 1) {
        const cover = Math.min(1, Math.max(0, 0.5 - distance(shape, (column + 0.5) * scale, y) / scale));
        if (cover === 0) continue;
        const at = (row * size + column) * 4;
        const whole = shape.kind === 'tile';
        for (let channel = 0; channel < 3; channel += 1)
          pixels[at + channel] = whole ? colour[channel] : pixels[at + channel] * (1 - cover) + colour[channel] * cover;
        if (whole) pixels[at + 3] = cover * 255;
      }
    }
  }
  return pixels;
}

function chunk(type, body) {
  const whole = Buffer.alloc(body.length + 12);
  whole.writeUInt32BE(body.length, 0);
  whole.write(type, 4, 'latin1');
  body.copy(whole, 8);
  whole.writeUInt32BE(crc32(whole.subarray(4, body.length + 8)), body.length + 8);
  return whole;
}

export function iconPng(size) {
  const pixels = pixelsOf(size);
  const stride = size * 4;
  const rows = Buffer.alloc(size * (stride + 1));
  for (let row = 0; row < size; row += 1)
    rows.set(pixels.subarray(row * stride, (row + 1) * stride), row * (stride + 1) + 1);
  const header = Buffer.alloc(13);
  header.writeUInt32BE(size, 0);
  header.writeUInt32BE(size, 4);
  // 8 bits for each of red, green, blue, alpha.
  header.set([8, 6], 8);
  const signature = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');
  return Buffer.concat([
    signature,
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(rows)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/** A directory of whole PNGs, as Windows has read it since Vista. */
function icoOf(pngs) {
  const directory = Buffer.alloc(6 + 16 * ICO_SIZES.length);
  directory.writeUInt16LE(1, 2);
  directory.writeUInt16LE(ICO_SIZES.length, 4);
  let offset = directory.length;
  for (const [position, size] of ICO_SIZES.entries()) {
    const at = 6 + 16 * position;
    // 256 is written as 0.
    directory.set([size % 256, size % 256], at);
    directory.writeUInt16LE(1, at + 4);
    directory.writeUInt16LE(32, at + 6);
    directory.writeUInt32LE(pngs[size].length, at + 8);
    directory.writeUInt32LE(offset, at + 12);
    offset += pngs[size].length;
  }
  return Buffer.concat([directory, ...ICO_SIZES.map((size) => pngs[size])]);
}

function icnsOf(pngs) {
  const entry = (type, body) => {
    const head = Buffer.alloc(8, type, 'latin1');
    head.writeUInt32BE(body.length + 8, 4);
    return Buffer.concat([head, body]);
  };
  return entry('icns', Buffer.concat(Object.entries(ICNS_TYPES).map(([type, size]) => entry(type, pngs[size]))));
}

/** Writes icon.svg, icon.ico, icon.icns and png/<size>x<size>.png. */
export function writeIcons(folder) {
  const sizes = new Set([...PNG_SIZES, ...ICO_SIZES, ...Object.values(ICNS_TYPES)]);
  const pngs = Object.fromEntries([...sizes].map((size) => [size, iconPng(size)]));
  mkdirSync(path.join(folder, 'png'), { recursive: true });
  for (const size of PNG_SIZES) writeFileSync(path.join(folder, 'png', `${size}x${size}.png`), pngs[size]);
  writeFileSync(path.join(folder, 'icon.svg'), iconSvg());
  writeFileSync(path.join(folder, 'icon.ico'), icoOf(pngs));
  writeFileSync(path.join(folder, 'icon.icns'), icnsOf(pngs));
}
