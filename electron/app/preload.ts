// The only code that runs in the window with Electron's powers: one call, one subscription. The rest is LauncherApi (contract/api.ts).
import { contextBridge, ipcRenderer } from 'electron';

contextBridge.exposeInMainWorld('muster', {
  call: (method: string, args: readonly unknown[]): Promise<unknown> => ipcRenderer.invoke('muster:call', method, args),
  on: (listener: (event: string, payload: unknown) => void): void => {
    ipcRenderer.on('muster:event', (_event, name: string, payload: unknown) => listener(name, payload));
    ipcRenderer.send('muster:listening');
  },
});
