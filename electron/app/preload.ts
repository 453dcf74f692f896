// The only code that runs in the window with Electron's powers: MusterBridge (contract/desktop.ts).
import { contextBridge, ipcRenderer } from 'electron';
import type { BridgeAnswer, MusterBridge } from '../contract/desktop.ts';

const bridge: MusterBridge = {
  call: (method, args) => ipcRenderer.invoke('muster:call', method, args) as Promise<BridgeAnswer>,
  openFolder: (cluster, node) => ipcRenderer.invoke('muster:open-folder', cluster, node) as Promise<BridgeAnswer>,
  openLog: (cluster, node) => ipcRenderer.invoke('muster:open-log', cluster, node) as Promise<BridgeAnswer>,
  on: (listener) => {
    ipcRenderer.on('muster:event', (_event, name: string, payload: unknown) => listener(name, payload));
    ipcRenderer.send('muster:listening');
  },
};

contextBridge.exposeInMainWorld('muster', bridge);
