// Writes the matrix of methods and clients in docs/compat.md from the tables below it: `node scripts/compat-matrix.mjs`.
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** A column and the words of a proof that fill it. */
const CLIENTS = [
  ['unit (grpc-js)', /^grpc-js:|; through the log:/],
  ['JS app', /grpc-js application/],
  ['grpc-go', /grpc-go/],
  ['Java connector', /Java connector ([\d., and]+\d)/],
  ['AF 4', /Axon Framework (4[\d.]*\d)/],
  ['AF 5', /Axon Framework (5[\d.]*\d)/],
  ['axonclient', /Python axonclient/],
  ['eventsourcing', /Python (?:axonclient and )?eventsourcing/],
];
const BLOCK = /<!-- matrix -->\n[\s\S]*?<!-- \/matrix -->/;

/** The page with its matrix as its tables say. */
export function withMatrix(page) {
  const lines = [
    `| Method | Served | ${CLIENTS.map(([name]) => name).join(' | ')} |`,
    `|---|---|${CLIENTS.map(() => '---|').join('')}`,
  ];
  let service = '';
  for (const line of page.replace(BLOCK, '').split('\n')) {
    service = line.startsWith('## ') ? line.slice(3).trim() : service;
    const [, method, served, proof] = line.split('|').map((cell) => cell.trim());
    if (!service.includes('.') || proof === undefined || !/^[A-Z]\w+$/.test(method) || method === 'Method') continue;
    const cells = CLIENTS.map(([, words]) => {
      const found = words.exec(proof);
      return found === null ? '' : (found[1]?.replace(/ and /g, ', ') ?? 'yes');
    });
    lines.push(`| ${service}/${method} | ${served} | ${cells.join(' | ')} |`);
  }
  return page.replace(BLOCK, `<!-- matrix -->\n${lines.join('\n')}\n<!-- /matrix -->`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const file = path.join(path.dirname(fileURLToPath(import.meta.url)), '..', 'docs', 'compat.md');
  writeFileSync(file, withMatrix(readFileSync(file, 'utf8')));
}
