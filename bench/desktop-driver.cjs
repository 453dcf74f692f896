// Loaded into the desktop app's own process by bench/bare-desktop.ts (`electron -r`), and asked by it over Node's IPC. The driver of the window
// tests would keep the page "visible" and watch all that it does; this one does nothing until it is asked.
const { app, contentTracing } = require('electron');

let shownAt = null;
const opened = new Promise((resolve) => {
  app.once('browser-window-created', (_event, window) => {
    window.once('show', () => {
      shownAt = Date.now();
    });
    resolve(window);
  });
});

const pidOf = (type) => app.getAppMetrics().find((one) => one.type === type)?.pid ?? null;

const commands = {
  page: async (expression) => (await opened).webContents.executeJavaScript(expression),
  shownAt: () => shownAt,
  show: async () => (await opened).show(),
  hide: async () => (await opened).hide(),
  click: async (x, y) => {
    const { webContents } = await opened;
    for (const type of ['mouseDown', 'mouseUp'])
      webContents.sendInputEvent({ type, x, y, button: 'left', clickCount: 1 });
  },
  protocol: async (method) => {
    const { webContents } = await opened;
    if (!webContents.debugger.isAttached()) webContents.debugger.attach();
    return webContents.debugger.sendCommand(method);
  },
  pids: () => ({ page: pidOf('Tab'), gpu: pidOf('GPU'), app: process.pid }),
  trace: () =>
    contentTracing.startRecording({ included_categories: ['devtools.timeline'], excluded_categories: ['*'] }),
  traced: (file) => contentTracing.stopRecording(file),
  quit: () => app.quit(),
};

process.on('message', async ({ id, command, args }) => {
  try {
    process.send({ id, value: (await commands[command](...args)) ?? null });
  } catch (error) {
    process.send({ id, error: String(error) });
  }
});
