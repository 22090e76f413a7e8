// What the page does, and the events that tell of it: plain OpenTelemetry, marked as docs/vocabulary.md says.
import { start } from './telemetry.js';

const asked = new URLSearchParams(location.search);
const { tracer, logger, flush } = start({
  endpoint: asked.get('gateway') ?? 'http://127.0.0.1:4318',
  token: asked.get('token'),
});

// A session is a tab's: its id is a UUIDv7, which is what PostHog takes for one.
const session = (sessionStorage.session ??= uuid7());
const who = { 'analytics.session.id': session };

logger.emit({ eventName: 'analytics.page_viewed', attributes: { ...who, 'analytics.path': location.pathname } });

for (const button of document.querySelectorAll('button[data-show]')) {
  button.addEventListener('click', () => {
    logger.emit({ eventName: 'analytics.show_opened', attributes: { ...who, 'analytics.show': button.dataset.show } });
    document.querySelector('#chosen').textContent = button.dataset.show;
    document.querySelector('#order').disabled = false;
  });
}

document.querySelector('form').addEventListener('submit', async (event) => {
  event.preventDefault();
  const mail = document.querySelector('#mail').value;
  const span = tracer.startSpan('order', {
    attributes: {
      ...who,
      'analytics.event': 'order_submitted',
      'analytics.show': document.querySelector('#chosen').textContent,
      'analytics.note': `tickets for ${mail}`, // a mistake, which the filters are there for
    },
  });
  await new Promise((done) => setTimeout(done, 20));
  span.addEvent('analytics.confirmation_shown');
  span.end();
  await flush();
  document.querySelector('#said').textContent = 'Ordered. See you there!';
});

function uuid7() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  let time = Date.now();
  for (let at = 5; at >= 0; at -= 1, time = Math.floor(time / 256)) bytes[at] = time % 256;
  bytes[6] = (bytes[6] & 0x0f) | 0x70;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/(.{8})(.{4})(.{4})(.{4})(.{12})/, '$1-$2-$3-$4-$5');
}
