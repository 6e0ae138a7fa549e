// node draw.mjs DATA PICTURE: draws the dashboard in DATA (JSON, see dashboards_test.go) and writes PICTURE (PNG).
// CHROMIUM_PATH is the browser.
import { readFile, rm, writeFile, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { chromium } from 'playwright-core';

const [data, picture] = process.argv.slice(2);
const dir = await mkdtemp(path.join(tmpdir(), 'taskflow-dashboards-'));
try {
  await build({
    entryPoints: [path.join(import.meta.dirname, 'panels.jsx')],
    outfile: path.join(dir, 'panels.js'),
    bundle: true,
    format: 'iife',
    jsx: 'automatic',
    define: { 'process.env.NODE_ENV': '"production"', global: 'window' },
    loader: { '.svg': 'dataurl', '.woff2': 'dataurl', '.woff': 'dataurl', '.ttf': 'dataurl' },
    logLevel: 'error',
  });
  const board = (await readFile(data, 'utf8')).replaceAll('<', '\\u003c');
  const page = path.join(dir, 'index.html');
  await writeFile(
    page,
    `<!doctype html><meta charset="utf-8"><link rel="stylesheet" href="panels.css"><body style="margin:0"><div id="root"></div>` +
      `<script>window.board = ${board}</script><script src="panels.js"></script>`,
  );
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM_PATH, args: ['--no-sandbox'] });
  try {
    const tab = await browser.newPage({ viewport: { width: 1480, height: 900 } });
    const wrong = [];
    tab.on('pageerror', (error) => wrong.push(error.message));
    await tab.goto(pathToFileURL(page).href);
    await tab.waitForSelector('canvas');
    if (wrong.length > 0) throw new Error(wrong.join('\n'));
    await tab.screenshot({ path: picture, fullPage: true });
  } finally {
    await browser.close();
  }
} finally {
  await rm(dir, { recursive: true });
}
