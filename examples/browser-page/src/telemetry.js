// OpenTelemetry for a page: spans and log-based events, over OTLP/HTTP in JSON, to the gateway.
import { trace } from '@opentelemetry/api';
import { logs } from '@opentelemetry/api-logs';
import { OTLPLogExporter } from '@opentelemetry/exporter-logs-otlp-http';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchLogRecordProcessor, LoggerProvider } from '@opentelemetry/sdk-logs';
import { BatchSpanProcessor, WebTracerProvider } from '@opentelemetry/sdk-trace-web';

export function start({ endpoint, token }) {
  const headers = token ? { Authorization: `Bearer ${token}` } : {};
  const resource = resourceFromAttributes({ 'service.name': 'ticket-page', 'service.version': '1.0.0' });
  const spans = new BatchSpanProcessor(new OTLPTraceExporter({ url: `${endpoint}/v1/traces`, headers }));
  const records = new BatchLogRecordProcessor({
    exporter: new OTLPLogExporter({ url: `${endpoint}/v1/logs`, headers }),
    scheduledDelayMillis: 500,
  });
  const tracers = new WebTracerProvider({ resource, spanProcessors: [spans] });
  const loggers = new LoggerProvider({ resource, processors: [records] });
  tracers.register();
  logs.setGlobalLoggerProvider(loggers);

  // A page may never come back from being hidden: what there is goes now.
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'hidden') flush();
  });
  const flush = () => Promise.all([tracers.forceFlush(), loggers.forceFlush()]);
  return { tracer: trace.getTracer('ticket-page'), logger: logs.getLogger('ticket-page'), flush };
}
