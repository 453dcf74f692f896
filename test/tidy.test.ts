// The architecture as a test: who may import whom (style.md §5), and rules that no compiler checks.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const FILE_LINES_MAX = 400;

/** Committed files and files about to be: what git knows plus what it does not ignore. */
function files(): string[] {
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
  });
  return listed.split('\n').filter((file) => file !== '' && existsSync(path.join(root, file)));
}

const allFiles = files();
const read = (file: string): string => readFileSync(path.join(root, file), 'utf8');
const isSource = (file: string): boolean => /\.(ts|tsx|mjs)$/.test(file) && !file.endsWith('.d.ts');
const sources = allFiles.filter(isSource);
const product = sources.filter((file) => /^(engine|electron|renderer)\//.test(file));

interface Import {
  readonly from: string;
  /** Repository path for relative imports, otherwise the specifier as written. */
  readonly target: string;
  readonly relative: boolean;
  readonly typeOnly: boolean;
}

const IMPORT = /^\s*(?:import|export)\s+(type\s+)?(?:[^'";]*?\sfrom\s+)?'([^']+)'/gm;
const DYNAMIC_IMPORT = /\bimport\(\s*'([^']+)'\s*\)/g;

function importsOf(file: string): Import[] {
  const text = read(file);
  const found: Import[] = [];
  const add = (specifier: string, typeOnly: boolean): void => {
    const relative = specifier.startsWith('.');
    const target = relative ? path.posix.join(path.posix.dirname(file), specifier) : specifier;
    found.push({ from: file, target, relative, typeOnly });
  };
  for (const match of text.matchAll(IMPORT)) add(match[2] ?? '', match[1] !== undefined);
  for (const match of text.matchAll(DYNAMIC_IMPORT)) add(match[1] ?? '', false);
  return found;
}

/** `types` allows `import type` only. */
type Grant = 'all' | 'types';
interface Layer {
  readonly folder: string;
  readonly grants: Readonly<Record<string, Grant>>;
  /** Packages and node: modules the layer may use; null = any. */
  readonly packages: readonly RegExp[] | null;
}

const NODE = /^node:/;
const UTIL = { 'engine/util/': 'all' } as const;

/** style.md §5, one row per folder; more exact paths win over folders. `peer/bus.ts` and `control/protocol.ts` are contracts. */
const LAYERS: readonly Layer[] = [
  { folder: 'engine/raft/', grants: {}, packages: [] },
  { folder: 'engine/config/', grants: {}, packages: [] },
  { folder: 'engine/util/', grants: {}, packages: [NODE] },
  { folder: 'engine/proto/', grants: {}, packages: [/^protobufjs/] },
  { folder: 'engine/storage/', grants: { ...UTIL, 'engine/raft/types.ts': 'types' }, packages: [NODE] },
  {
    folder: 'engine/context/',
    grants: {
      ...UTIL,
      'engine/raft/': 'all',
      'engine/storage/': 'all',
      'engine/proto/': 'all',
      'engine/config/': 'types',
      'engine/peer/bus.ts': 'all',
      'engine/control/protocol.ts': 'types',
    },
    packages: [NODE],
  },
  { folder: 'engine/query/', grants: { ...UTIL, 'engine/context/api.ts': 'types' }, packages: [] },
  {
    folder: 'engine/streams/',
    grants: {
      ...UTIL,
      'engine/raft/types.ts': 'all',
      'engine/context/': 'all',
      'engine/query/': 'all',
      'engine/peer/bus.ts': 'all',
    },
    packages: [],
  },
  {
    folder: 'engine/messaging/',
    grants: { ...UTIL, 'engine/peer/bus.ts': 'all', 'engine/context/api.ts': 'types' },
    packages: [],
  },
  {
    folder: 'engine/rpc/',
    grants: {
      ...UTIL,
      'engine/raft/types.ts': 'types',
      'engine/storage/api.ts': 'types',
      'engine/context/': 'all',
      'engine/messaging/': 'all',
      'engine/query/': 'all',
      'engine/streams/api.ts': 'types',
      'engine/proto/': 'all',
      'engine/peer/bus.ts': 'all',
    },
    packages: [NODE, /^protobufjs/],
  },
  {
    folder: 'engine/http/',
    grants: {
      ...UTIL,
      'engine/raft/types.ts': 'types',
      'engine/storage/api.ts': 'types',
      'engine/context/': 'all',
      'engine/messaging/': 'all',
      'engine/query/': 'all',
      'engine/rpc/errors.ts': 'all',
      'engine/config/': 'types',
      'engine/config/cluster-template.ts': 'all',
      'engine/control/protocol.ts': 'types',
      'engine/peer/bus.ts': 'types',
    },
    packages: [NODE, /^ws$/],
  },
  {
    folder: 'engine/peer/',
    grants: { ...UTIL, 'engine/raft/types.ts': 'types', 'engine/control/protocol.ts': 'types', 'engine/proto/': 'all' },
    packages: [NODE, /^protobufjs/],
  },
  {
    folder: 'engine/control/',
    grants: {
      ...UTIL,
      'engine/raft/types.ts': 'types',
      'engine/context/': 'types',
      'engine/messaging/': 'types',
      'engine/peer/': 'types',
    },
    packages: [NODE],
  },
  { folder: 'engine/', grants: { 'engine/': 'all' }, packages: [NODE] },
  { folder: 'electron/contract/', grants: {}, packages: [] },
  {
    folder: 'electron/launcher/',
    grants: { 'electron/contract/': 'all', 'engine/control/protocol.ts': 'all', 'engine/config/': 'all' },
    packages: [NODE, /^(chokidar|execa|get-port|ws)$/],
  },
  {
    folder: 'electron/app/',
    grants: { 'electron/contract/': 'all', 'electron/launcher/': 'all' },
    packages: [NODE, /^electron$/],
  },
  {
    folder: 'electron/cli/',
    grants: { 'electron/contract/': 'all', 'electron/launcher/': 'all' },
    packages: [NODE, /^(commander|ws)$/],
  },
  {
    folder: 'renderer/',
    grants: { 'electron/contract/': 'all' },
    packages: [/^preact($|\/)/, /^@preact\/signals$/, /^@xterm\//, /^uplot($|\/)/],
  },
];

function layerOf(file: string): Layer {
  const layer = LAYERS.find((candidate) => file.startsWith(candidate.folder));
  if (layer === undefined) throw new Error(`${file} belongs to no layer of the import table`);
  return layer;
}

function grantFor(layer: Layer, target: string): Grant | null {
  if (target.startsWith(layer.folder)) return 'all';
  const granted = Object.keys(layer.grants).filter((prefix) => target.startsWith(prefix));
  const closest = granted.sort((a, b) => b.length - a.length)[0];
  return closest === undefined ? null : (layer.grants[closest] ?? null);
}

function forbiddenImports(): string[] {
  const found: string[] = [];
  for (const file of product) {
    const layer = layerOf(file);
    for (const { target, relative, typeOnly } of importsOf(file)) {
      if (relative) {
        const grant = grantFor(layer, target);
        if (grant === null || (grant === 'types' && !typeOnly))
          found.push(`${file} imports ${grant === 'types' ? 'more than types of ' : ''}${target}`);
      } else if (layer.packages !== null && !layer.packages.some((allowed) => allowed.test(target))) {
        found.push(`${file} imports ${target}`);
      }
    }
  }
  return found;
}

/** Code without comments and without the contents of strings: what a word search may look at. */
function codeOf(file: string): string {
  return read(file)
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`|"(?:[^"\\\n]|\\.)*"/g, "''")
    .replace(/(^|[^:])\/\/.*$/gm, '$1');
}

function offenders(candidates: readonly string[], pattern: RegExp, text: (file: string) => string): string[] {
  return candidates.flatMap((file) => {
    const match = pattern.exec(text(file));
    return match === null ? [] : [`${file}: ${match[0].trim()}`];
  });
}

/** Started by scripts/build.mjs, by npm or by a test runner rather than imported. */
const ENTRY = /^(engine\/main\.ts|electron\/cli\/main\.ts|electron\/app\/(main|preload)\.ts|renderer\/main\.tsx)$/;
const self = 'test/tidy.test.ts';

describe('tidy', () => {
  it('keeps to the import table of the layers', () => {
    expect(forbiddenImports()).toEqual([]);
  });

  it('writes relative imports with their file ending, to files that exist', () => {
    const wrong = sources
      .flatMap(importsOf)
      .filter(({ relative, target, typeOnly, from }) => {
        if (!relative || target.includes('/gen/') || from === self) return false;
        return !existsSync(path.join(root, target)) && !typeOnly;
      })
      .map(({ from, target }) => `${from} imports ${target}`);
    expect(wrong).toEqual([]);
  });

  it('has no clock and no chance in engine/raft', () => {
    const raft = product.filter((file) => file.startsWith('engine/raft/'));
    expect(offenders(raft, /\b(Date\b|Math\.random|performance\b|setTimeout|setInterval)/, codeOf)).toEqual([]);
  });

  it('measures waits with a clock that does not jump', () => {
    const jumping = /Date\.now\(\) [<>]|= Date\.now\(\) \+/;
    expect(product.filter((file) => jumping.test(read(file)))).toEqual([]);
  });

  it(`has no source file longer than ${FILE_LINES_MAX} lines`, () => {
    const long = allFiles
      .filter((file) => isSource(file) || file.endsWith('.java') || file.endsWith('.py'))
      .map((file) => ({ file, lines: read(file).split('\n').length - 1 }))
      .filter(({ lines }) => lines > FILE_LINES_MAX)
      .map(({ file, lines }) => `${file}: ${lines} lines`);
    expect(long).toEqual([]);
  });

  it('has no default exports but in configuration files', () => {
    const candidates = sources.filter((file) => /\.tsx?$/.test(file) && !/config\.ts$/.test(file));
    expect(offenders(candidates, /^export default\b/m, codeOf)).toEqual([]);
  });

  it('has no any', () => {
    const candidates = sources.filter((file) => /\.tsx?$/.test(file));
    expect(offenders(candidates, /[:<,|&(]\s*any\b(?!\s*[:(])|\bas any\b|\bany\[\]/, codeOf)).toEqual([]);
  });

  it('has no unfinished marks', () => {
    const marks = new RegExp(`\\b(${['TO' + 'DO', 'FIX' + 'ME', 'X' + 'XX'].join('|')})\\b`);
    expect(offenders(sources, marks, read)).toEqual([]);
  });

  it('names no registry host and no path of one machine', () => {
    const candidates = allFiles.filter((file) => !/\.(png|ico|icns|jar|woff2)$/.test(file));
    const hosts = [
      'registry' + '\\.npmjs',
      'repo1?' + '\\.maven',
      'pypi' + '\\.org',
      'files\\.python' + 'hosted',
      'deb' + '\\.debian',
    ];
    const machinePaths = ['(?<![\\w.])/work' + '/(main|shared)', '/root' + '/', 'C:\\\\Users' + '\\\\'];
    expect(offenders(candidates, new RegExp([...hosts, ...machinePaths].join('|')), read)).toEqual([]);
  });

  it('has no dead source file: an entry point reaches each one', () => {
    const reached = new Set<string>();
    const visit = (file: string): void => {
      if (reached.has(file) || !existsSync(path.join(root, file)) || !isSource(file)) return;
      reached.add(file);
      for (const { target, relative } of importsOf(file)) if (relative) visit(target);
    };
    for (const file of product.filter((candidate) => ENTRY.test(candidate))) visit(file);
    expect(product.filter((file) => !reached.has(file))).toEqual([]);
  });
});
