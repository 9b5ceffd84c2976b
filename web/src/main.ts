import { App } from './app.ts';
import { Frame } from './ui/frame.ts';

const root = document.getElementById('app') as HTMLElement;
const app = new App();
new Frame(app, root).begin();
void app.begin();

if (import.meta.env.PROD && 'serviceWorker' in navigator) {
  // Only the offline start needs it, so a browser that refuses loses nothing else.
  navigator.serviceWorker.register('/sw.js').catch(() => undefined);
}
