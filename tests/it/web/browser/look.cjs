// Looks at pages in a real browser without JavaScript and says what is wrong with them.
// Takes a JSON object on standard input: browser, profile, driver, urls, shots [{url, width, height, scheme, file, whole}].
// Prints a JSON object: looked (how often a page was looked at), troubles (texts).
const fs = require('fs');
const asked = JSON.parse(fs.readFileSync(0, 'utf8'));
const { chromium } = require(asked.driver);

const WIDTHS = [320, 390, 1280];
const SCHEMES = ['light', 'dark'];
const SWITCHES = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync', '--disable-dev-shm-usage'];

// Runs in the page: what does not fit, and what cannot be read.
function inspect() {
  const troubles = [];
  const root = document.documentElement;
  if (root.scrollWidth > root.clientWidth) {
    const wide = [...document.querySelectorAll('body *')]
      .filter((e) => !e.closest('.scroll') && !e.closest('.skip') && e.getBoundingClientRect().right > root.clientWidth + 1)
      .slice(0, 3).map((e) => `${e.tagName}.${e.className}`);
    troubles.push(`scrolls sideways: ${root.scrollWidth} > ${root.clientWidth} by ${wide}`);
  }
  if (!root.lang) troubles.push('has no language');
  if (!document.title) troubles.push('has no title');
  if (document.querySelectorAll('h1').length !== 1) troubles.push('has not one h1');
  const ids = [...document.querySelectorAll('[id]')].map((e) => e.id);
  if (new Set(ids).size !== ids.length) troubles.push('has an id twice');
  const color = (text) => (text.match(/[\d.]+/g) || []).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((c) => c / 255)
    .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, place) => sum + c * [0.2126, 0.7152, 0.0722][place], 0);
  const behind = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const c = color(getComputedStyle(e).backgroundColor);
      if (c.length === 3 || c[3] === 1) return c;
      if (c.length === 4 && c[3] > 0) troubles.push(`has a translucent ground at ${e.tagName}.${e.className}`);
    }
    return [255, 255, 255];
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let texts = 0;
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement;
    if (!node.data.trim() || element.closest('svg, meter, style') || !element.getClientRects().length) continue;
    texts += 1;
    const [a, b] = [light(color(getComputedStyle(element).color)), light(behind(element))];
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (contrast < 4.5) {
      troubles.push(`cannot be read: contrast ${contrast.toFixed(2)} of "${node.data.trim().slice(0, 40)}" in ${element.tagName}.${element.className}`);
    }
  }
  if (texts < 5) troubles.push(`shows hardly anything: ${texts} texts`);
  return troubles;
}

// The first thing that the keyboard reaches must show it.
function focus() {
  const style = getComputedStyle(document.activeElement);
  if (document.activeElement === document.body) return ['cannot be reached by the keyboard'];
  return style.outlineStyle === 'none' || style.outlineWidth === '0px' ? ['does not show the focus'] : [];
}

async function main() {
  const troubles = [];
  let looked = 0;
  let now = '';
  const context = await chromium.launchPersistentContext(asked.profile, {
    executablePath: asked.browser, headless: true, args: SWITCHES, javaScriptEnabled: false,
  });
  context.setDefaultTimeout(120000);
  const page = context.pages()[0] || await context.newPage();
  const say = (text) => troubles.push(`${now} ${text}`);
  page.on('console', (message) => { if (['error', 'warning'].includes(message.type())) say(`console: ${message.text()}`); });
  page.on('pageerror', (error) => say(`error: ${error}`));
  page.on('request', (request) => { if (!request.url().startsWith('http://127.0.0.1:')) say(`asks for ${request.url()}`); });
  page.on('response', (response) => { if (response.status() >= 400) say(`${response.status()} of ${response.url()}`); });
  const open = async (url, width, height, scheme) => {
    now = `${url} at ${width} px, ${scheme}:`;
    await page.setViewportSize({ width, height });
    await page.emulateMedia({ colorScheme: scheme });
    if (page.url() !== url) await page.goto(url);
  };
  // The page asks for itself every so often; what was being looked at is then gone.
  const evaluate = async (look) => {
    try {
      return await page.evaluate(look);
    } catch (error) {
      await page.waitForLoadState();
      return page.evaluate(look);
    }
  };
  for (const url of asked.urls) {
    for (const scheme of SCHEMES) {
      for (const width of WIDTHS) {
        await open(url, width, 900, scheme);
        (await evaluate(inspect)).forEach(say);
        looked += 1;
      }
    }
    await page.goto(url);
    await page.keyboard.press('Tab');
    (await evaluate(focus)).forEach(say);
  }
  for (const shot of asked.shots) {
    await open(shot.url, shot.width, shot.height, shot.scheme);
    await page.screenshot({ path: shot.file, fullPage: shot.whole });
  }
  await context.close();
  console.log(JSON.stringify({ looked, troubles }));
}

main().catch((error) => { console.error(error); process.exit(1); });
