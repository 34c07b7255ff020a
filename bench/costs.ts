import { assumed, billOfMillion, type Charge, deployed, standingBillOfMonth, totalOf } from './bill.ts';
import prices from './prices.json' with { type: 'json' };
import { markdownTable } from './report.ts';
import { countVisits, type Usage } from './usage.ts';

const batchSizes = [1, 10, 50] as const;
const countedEvents = 5_000;
const usual = 1; // of batchSizes: ten events a request

/** Our own three and the six of the one route that a site with one tracker uses. */
const metricsOfOneTracker = 9;

const monthlyEvents = [100_000, 1e6, 10e6, 100e6, 1e9];

/** docs/costs.md, from counted calls and bench/prices.json. A test compares them; `npx vitest run --project unit costs -u` writes it. */
export async function costsMarkdown(): Promise<string> {
  const usages: Usage[] = [];
  for (const size of batchSizes) usages.push(await countVisits(size, countedEvents / size));
  const bills = usages.map(billOfMillion);
  const bill = bills[usual] ?? [];
  const eventBytes = (usages[usual]?.payloadBytes ?? 0) / countedEvents;
  const production = standingBillOfMonth('ON_DEMAND', metricsOfOneTracker);
  const development = standingBillOfMonth('PROVISIONED', metricsOfOneTracker);
  return `# What the clickstream costs

Written by \`bench/costs.ts\` from counted calls and [\`bench/prices.json\`](../bench/prices.json): change those, not this page.
Region ${prices.region}, prices as of ${prices.asOf}. ${prices.note}

## A million events

The real handler takes in simulated guests' visits (\`bench/guests.ts\`), and what it asks of AWS is counted where it leaves
the function: requests, invocations, the size of each record, the metrics it logs. Then each is rounded as AWS bills it.

${billsTable(bills)}
Ten events a request cost ${dollars(totalOf(bill))} a million; sent one by one, ${(totalOf(bills[0] ?? []) / totalOf(bill)).toFixed(1)} times that. What is paid by the request (API, invocation, logs,
traces) falls with the batch; what is paid by the byte falls as well, because a whole batch is one record: Firehose bills every
record as a multiple of ${prices.firehose.recordUnitKb} KB, so an event alone pays for several. **The largest single thing to turn is the tracker's batch size.**

Not counted but assumed, for every column alike: ${assumed.billedMsPerInvocation} ms an invocation at ${deployed.collectMemoryMb} MB, ${assumed.platformLogBytesPerInvocation} bytes of Lambda's own log
lines, ${assumed.tracedShare * 100} % of requests traced. Twice the time adds ${dollars(dollarsOf(bill, 'Lambda: time'))} at ten events a request.

Beyond these: the lake grows by the bytes that row 7 of \`npm run bench\` compares, at ${dollars(prices.s3.perGbMonth, 3)} a GB and month; a query costs
${dollars(prices.athena.perTbScanned)} a TB it scans, and at least ${prices.athena.minimumMbPerQuery} MB of it; rejected events take a second, small delivery stream. Data transfer
into AWS is free. The stream's encryption uses AWS's own key, whose few calls a month are cents at most.

## A month without guests, or with few

| | production | development |
|---|---|---|
${standingLines(production, development)}

These are there as long as the stack is, but for the metrics and files, which stop with the traffic. Production's stream is on
demand (\`infra/stages/prod.yml\`): it needs no one to watch its capacity. Development's one shard takes 1 MB or 1,000 records a
second for less; packed, and at the ${Math.round(eventBytes)} bytes that an event takes here, that is some ${hundreds(1e6 / eventBytes)} events a second, so a
restaurant may well run production on it too (parameter \`StreamMode\`).

Detailed route metrics (\`infra/platform/http-api.yml\`) are billed as custom metrics, six a route that is used: a site with one
tracker uses one route, but each further one adds ${dollars(6 * prices.cloudWatch.perMetricMonth)} a month.

## Which dominates when

Production, ten events a request:

${loadTable(bill, production)}
Below some ${millions(totalOf(production) / totalOf(bill))} events a month the standing stream costs more than everything the guests do; beyond that, what is
paid by the request leads, and after it Firehose and Kinesis by the byte.
`;
}

function billsTable(bills: readonly (readonly Charge[])[]): string {
  const header = ['dollars a million events', ...batchSizes.map(size => `${size} a request`)];
  const lines = (bills[0] ?? []).map(({ what }, line) => [what, ...bills.map(bill => dollars(bill[line]?.dollars, 3))]);
  return markdownTable(header, [...lines, ['**all**', ...bills.map(bill => `**${dollars(totalOf(bill), 3)}**`)]]);
}

function standingLines(production: readonly Charge[], development: readonly Charge[]): string {
  const lines = production.map((charge, line) => {
    const other = development[line];
    const what = charge.what === other?.what ? charge.what : `${charge.what} · ${other?.what}`;
    return `| ${what} | ${dollars(charge.dollars)} | ${dollars(other?.dollars)} |`;
  });
  return [...lines, `| **all** | **${dollars(totalOf(production))}** | **${dollars(totalOf(development))}** |`].join(
    '\n',
  );
}

function loadTable(bill: readonly Charge[], standing: readonly Charge[]): string {
  const lines = monthlyEvents.map(events => {
    const scaled = bill.map(charge => ({ ...charge, dollars: (charge.dollars * events) / 1e6 }));
    const all = [...scaled, ...standing];
    const largest = all.reduce((most, charge) => (charge.dollars > most.dollars ? charge : most));
    const perMillion = (totalOf(all) / events) * 1e6;
    const share = Math.round((largest.dollars / totalOf(all)) * 100);
    return [millions(events / 1e6), dollars(totalOf(all)), dollars(perMillion), `${largest.what} (${share} %)`];
  });
  return markdownTable(['events a month', 'dollars a month', 'a million', 'largest'], lines);
}

const dollarsOf = (bill: readonly Charge[], what: string) => bill.find(charge => charge.what === what)?.dollars;

function dollars(value: number | undefined, digits = 2): string {
  if (value === undefined) throw new RangeError('The bill has no such line.');
  return `$${value.toFixed(digits)}`;
}

const millions = (value: number) => `${Number(value.toPrecision(2)).toLocaleString('en-US')} million`;
const hundreds = (value: number) => (Math.round(value / 100) * 100).toLocaleString('en-US');
