import { readStage } from './config.ts';

type Counts = Readonly<Record<string, number>>;
type Properties = Readonly<Record<string, string>>;

/**
 * Counts, written as one log line in CloudWatch's embedded metric format
 * (https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html).
 * Not Powertools: its metrics take 10 µs a request, a quarter of what collecting ten events takes, and 4 ms of every
 * cold start; this takes 1 µs. `properties` are searchable in the log but multiply no metrics.
 * `atMs` is the time they count for: what the books compare must lie in the same minute as the rows it is compared with.
 */
export function createCounter(
  stage: string = readStage(),
  write: (line: string) => unknown = line => process.stdout.write(line),
): (counts: Counts, properties?: Properties, atMs?: number) => void {
  const directives = new Map<string, string>();

  return (counts, properties, atMs = Date.now()) => {
    const names = Object.keys(counts);
    const key = names.join();
    const directive = directives.get(key) ?? directiveOf(names);
    directives.set(key, directive);
    const fields = JSON.stringify({ service: 'tableside', stage, ...properties, ...counts }).slice(1);
    // Straight to stdout: the console of Lambda puts a time stamp before the line, and CloudWatch then sees no metric.
    write(`{"_aws":{"Timestamp":${atMs},"CloudWatchMetrics":[${directive}]},${fields}\n`);
  };
}

function directiveOf(names: readonly string[]): string {
  const metrics = names.map(name => ({ Name: name, Unit: 'Count' }));
  return JSON.stringify({ Namespace: 'Tableside', Dimensions: [['service', 'stage']], Metrics: metrics });
}
