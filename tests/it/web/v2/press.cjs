// Presses buttons in a real browser that has a password. Reads what to do as JSON; prints what came of it.
const asked = JSON.parse(require('fs').readFileSync(0, 'utf8'));
const { chromium } = require(asked.driver);

(async () => {
  const context = await chromium.launchPersistentContext(asked.profile, {
    executablePath: asked.browser,
    headless: true,
    javaScriptEnabled: false,
    viewport: { width: 320, height: 700 },
    httpCredentials: { username: 'ann', password: asked.password },
    args: [
      '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync', '--disable-dev-shm-usage',
      // Names that are not this machine's, to which a browser says less about where a request is from.
      '--host-resolver-rules=MAP *.test 127.0.0.1',
    ],
  });
  const troubles = [];
  const page = await context.newPage();
  page.on('console', (message) => troubles.push(message.text()));
  page.on('pageerror', (error) => troubles.push(String(error)));
  page.on('request', (request) => {
    const { hostname } = new URL(request.url());
    if (hostname !== '127.0.0.1' && !hostname.endsWith('.test')) troubles.push(request.url());
  });
  const answers = [];
  for (const { url, button } of asked.steps) {
    await page.goto(url);
    const [response] = await Promise.all([
      page.waitForResponse((response) => response.request().method() === 'POST'),
      page.click(button),
    ]);
    await page.waitForLoadState();
    const width = await page.evaluate('document.documentElement.scrollWidth');
    answers.push({ status: response.status(), text: await page.textContent('body'), width });
  }
  await context.close();
  console.log(JSON.stringify({ answers, troubles }));
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
