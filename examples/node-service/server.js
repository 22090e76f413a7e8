// A ticket shop. Three ways to say that something happened that a product person wants to know of.
const { createServer } = require('node:http');

const { SpanStatusCode, trace } = require('@opentelemetry/api');
const { SeverityNumber, logs } = require('@opentelemetry/api-logs');

const { stop } = require('./telemetry.js');

const tracer = trace.getTracer('ticket-shop');
const logger = logs.getLogger('ticket-shop');
const PRICES = { concert: 49, theatre: 35 };

// 1. A log-based event: it is one by its name, and leaves at once.
function search(query, user) {
  const found = Object.keys(PRICES).filter((name) => name.includes(query.get('q') ?? ''));
  logger.emit({
    eventName: 'analytics.search_performed',
    severityNumber: SeverityNumber.INFO,
    attributes: { 'analytics.user.id': user, 'analytics.results': found.length, 'analytics.query': query.get('q') ?? '' },
  });
  return { found };
}

// 2. A span: `analytics.event` makes an event of the work itself, with how long it took.
function order(query, user) {
  return tracer.startActiveSpan('place order', (span) => {
    const show = query.get('show') ?? '';
    span.setAttributes({
      'analytics.event': 'ticket_ordered',
      'analytics.user.id': user,
      'analytics.property.show': show,
      'analytics.property.price': PRICES[show] ?? 0,
      'analytics.property.note': query.get('note') ?? '',
      'order.mail': query.get('mail') ?? '', // operational, and personal: it goes nowhere
    });
    try {
      if (!(show in PRICES)) throw new Error(`no show for ${query.get('mail')}`);
      // 3. A span event: a step on the way, at its own time.
      span.addEvent('analytics.payment_chosen', { 'analytics.method': query.get('pay') ?? 'card' });
      return { ordered: show };
    } catch (error) {
      span.recordException(error);
      span.setStatus({ code: SpanStatusCode.ERROR, message: error.message });
      return { refused: show };
    } finally {
      span.end();
    }
  });
}

const PATHS = { '/search': search, '/order': order };

const server = createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url, 'http://shop');
  const answer = PATHS[pathname]?.(searchParams, request.headers['x-user'] ?? 'guest-1');
  response.writeHead(answer ? 200 : 404, { 'content-type': 'application/json' });
  response.end(JSON.stringify(answer ?? {}));
});

server.listen(Number(process.env.PORT ?? 3000), '127.0.0.1', () => {
  console.log(`ticket shop on http://127.0.0.1:${server.address().port}`);
});

for (const signal of ['SIGTERM', 'SIGINT']) {
  process.on(signal, () => server.close(() => stop().then(() => process.exit(0))));
}
