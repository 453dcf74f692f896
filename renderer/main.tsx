// Entry of the window: style, connection, keys, first render.
import '@xterm/xterm/css/xterm.css';
import 'uplot/dist/uPlot.min.css';
import './theme.css';
import { render } from 'preact';
import { connect } from './api.ts';
import { App } from './app.tsx';
import { bindFocus } from './focus.ts';
import { bindKeys, runCommand } from './keys.ts';
import { bindPreferences } from './preferences.ts';
import { bindStore } from './store.ts';
import { bindTour } from './tour.ts';

const root = document.getElementById('app');
if (root === null) throw new Error('index.html has no #app');
const connection = connect();
bindStore(connection);
connection.onCommand(runCommand);
bindKeys();
bindFocus();
bindTour();
bindPreferences();
render(<App />, root);
