// docs/compat.md says which calls are served and who proves it: here the page itself is checked against the protos, the tests and
// the rules that tests name.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { withMatrix } from '../../../scripts/compat-matrix.mjs';

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '..', '..', '..');
const page = readFileSync(path.join(root, 'docs', 'compat.md'), 'utf8');

/** The rules of client-behaviour.md. */
const RULES: Readonly<Record<string, readonly number[]>> = {
  HD: upTo(10),
  ER: upTo(5),
  CF: upTo(13),
  CT: upTo(11),
  HB: upTo(6),
  TP: upTo(5),
  CM: [...upTo(18), ...range(20, 24)],
  QR: [...upTo(4), ...range(10, 21), ...range(30, 35)],
  SQ: upTo(16),
  ES: [...upTo(12), ...range(20, 23), ...range(30, 42), ...range(50, 62)],
  QE: upTo(10),
  SC: upTo(8),
  EP: [...upTo(3), ...range(10, 14), ...range(20, 23)],
  TR: upTo(8),
  PS: upTo(11),
  AD: upTo(11),
  DC: [...upTo(3), ...range(10, 17), ...range(20, 26), 30, 31, ...range(40, 46)],
};

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}
function upTo(last: number): number[] {
  return range(1, last);
}

function textsUnder(folder: string, ending: RegExp): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && ending.test(entry.name) && !entry.parentPath.includes('node_modules'))
    .map((entry) => readFileSync(path.join(entry.parentPath, entry.name), 'utf8'));
}

/** `service/Method` of every proto. */
function methodsOfProtos(): string[] {
  const folder = path.join(root, 'engine', 'proto');
  const found: string[] = [];
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.proto'))) {
    const text = readFileSync(path.join(folder, file), 'utf8');
    const name = /^package\s+io\.axoniq\.axonserver\.grpc\.?([\w.]*);/m.exec(text)?.[1] ?? '';
    let service = '';
    for (const line of text.split('\n')) {
      service = /^\s*service\s+(\w+)/.exec(line)?.[1] ?? service;
      const method = /^\s*rpc\s+(\w+)/.exec(line)?.[1];
      if (method !== undefined) found.push(`${name === '' ? '' : `${name}.`}${service}/${method}`);
    }
  }
  return found;
}

interface Row {
  readonly method: string;
  readonly served: string;
  readonly proof: string;
  readonly notes: string;
}

function rowsOfPage(): Row[] {
  const rows: Row[] = [];
  let service = '';
  for (const line of page.split('\n')) {
    service = line.startsWith('## ') ? line.slice(3).trim() : service;
    const [, method, served, proof, notes] = line.split('|').map((cell) => cell.trim());
    if (method === undefined || !/^[A-Z]\w+$/.test(method) || !service.includes('.') || method === 'Method') continue;
    rows.push({ method: `${service}/${method}`, served: served ?? '', proof: proof ?? '', notes: notes ?? '' });
  }
  return rows;
}

/** Text of a test named on the page, of everything in its folder that helps it, or of a whole folder. */
function textOf(named: string): string {
  const full = path.join(root, named);
  const folder = statSync(full).isDirectory() ? full : path.dirname(full);
  return textsUnder(folder, /\.(ts|java|py|go|mjs)$/).join('\n');
}

describe('docs/compat.md', () => {
  it('has one row for every method of the protos and none besides', () => {
    expect(
      rowsOfPage()
        .map(({ method }) => method)
        .sort(),
    ).toEqual(methodsOfProtos().sort());
  });

  it('names tests that exist and speak of the method, or says why it is not served', () => {
    const wrong = rowsOfPage().flatMap(({ method, served, proof, notes }) => {
      if (served !== 'yes') return served === 'UNIMPLEMENTED' && notes !== '' ? [] : [`${method}: no reason`];
      const named = [...proof.matchAll(/`(test\/[^`]+)`/g)].map((match) => match[1]!);
      const missing = named.filter((file) => !existsSync(path.join(root, file)));
      if (missing.length > 0) return [`${method}: ${missing.join(', ')} is missing`];
      const call = method.slice(method.indexOf('/') + 1).toLowerCase();
      const speaks = named.some((file) => textOf(file).toLowerCase().includes(call));
      return speaks ? [] : [`${method}: no named test speaks of it`];
    });
    expect(wrong).toEqual([]);
  });

  it('shows in its matrix what the tables say (node scripts/compat-matrix.mjs writes it)', () => {
    expect(page === withMatrix(page)).toBe(true);
    expect(page.split('\n').filter((line) => /^\| [\w.]+\/[A-Z]\w+ \|/.test(line))).toHaveLength(
      methodsOfProtos().length,
    );
  });

  it('lists every one of the rules of client-behaviour.md that no test names', () => {
    const tests = textsUnder(path.join(root, 'test'), /\.ts$/).filter(
      (text) => !text.includes('every one of the rules of'),
    );
    const named = new Set(tests.flatMap((text) => text.match(/\b[A-Z]{2}-\d+/g) ?? []));
    // `EP-10 to EP-22` names what lies between.
    for (const text of tests) {
      for (const [, family, from, to] of text.matchAll(/\b([A-Z]{2})-(\d+) to \1-(\d+)/g))
        for (const number of range(Number(from), Number(to))) named.add(`${family}-${number}`);
    }
    const unnamed = Object.entries(RULES)
      .flatMap(([family, numbers]) => numbers.map((number) => `${family}-${number}`))
      .filter((rule) => !named.has(rule));
    const listed = [...page.matchAll(/^\| ([A-Z]{2}-\d+) \| \S/gm)].map((match) => match[1]);
    expect(listed.sort()).toEqual(unnamed.sort());
  });
});
