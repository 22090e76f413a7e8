// Sets OpenTelemetry up before the service is loaded: `node --require ./telemetry.js server.js`.
// Nothing here knows of PostHog. Where telemetry goes is OTEL_EXPORTER_OTLP_ENDPOINT's business, as everywhere.
const { OTLPLogExporter } = require('@opentelemetry/exporter-logs-otlp-proto');
const { OTLPTraceExporter } = require('@opentelemetry/exporter-trace-otlp-proto');
const { HttpInstrumentation } = require('@opentelemetry/instrumentation-http');
const { BatchLogRecordProcessor } = require('@opentelemetry/sdk-logs');
const { NodeSDK } = require('@opentelemetry/sdk-node');

const sdk = new NodeSDK({
  serviceName: process.env.OTEL_SERVICE_NAME ?? 'ticket-shop',
  traceExporter: new OTLPTraceExporter(),
  logRecordProcessors: [new BatchLogRecordProcessor({ exporter: new OTLPLogExporter(), scheduledDelayMillis: 200 })],
  instrumentations: [new HttpInstrumentation()],
});
sdk.start();

// What has been measured is sent before the process goes.
exports.stop = () => sdk.shutdown();
