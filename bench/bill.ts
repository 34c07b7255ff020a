import prices from './prices.json' with { type: 'json' };
import type { Usage } from './usage.ts';

const bytesPerKb = 1024;
const bytesPerGb = 1024 ** 3;
const million = 1e6;
const hoursPerMonth = 730;

/** A size as it is billed: in whole units. */
export function roundUp(bytes: number, unitKb: number): number {
  const unit = unitKb * bytesPerKb;
  return Math.ceil(bytes / unit) * unit;
}

/** What Kinesis on demand bills for records of these sizes: each rounded up by itself. */
export function kinesisBilledBytes(recordBytes: readonly number[]): number {
  return sumOf(recordBytes, bytes => roundUp(bytes, prices.kinesisOnDemand.recordUnitKb));
}

/** What Firehose bills for records of these sizes, whether put or read from a stream. */
export function firehoseBilledBytes(recordBytes: readonly number[]): number {
  return sumOf(recordBytes, bytes => roundUp(bytes, prices.firehose.recordUnitKb));
}

/** PUT payload units that a provisioned stream bills for records of these sizes. */
export function putPayloadUnits(recordBytes: readonly number[]): number {
  const unit = prices.kinesisProvisioned.payloadUnitKb;
  return sumOf(recordBytes, bytes => roundUp(bytes, unit) / (unit * bytesPerKb));
}

function sumOf(values: readonly number[], measure: (value: number) => number): number {
  return values.reduce((sum, value) => sum + measure(value), 0);
}

/**
 * What cannot be counted on a laptop. Neither figure depends on how many events a request holds, so they weigh on every
 * variant alike; docs/costs.md says how the total moves with them.
 */
export const assumed = {
  /** An invocation's billed time: a PutRecords call within the region and less than a millisecond of our own. */
  billedMsPerInvocation: 15,
  /** START, END and REPORT, which Lambda writes for each invocation in its text format, with trace id. */
  platformLogBytesPerInvocation: 460,
  /** X-Ray's default rule: one request a second and 5 % of the others. The share alone, as of a busy site. */
  tracedShare: 0.05,
} as const;

/** What the bill depends on of infra/stages/prod.yml and infra/clickstream/functions.yml; a test compares. */
export const deployed = {
  collectMemoryMb: 1024,
  streamRetentionHours: 72,
  deliveryBufferSeconds: 300,
} as const;

/** One line of the bill. */
export interface Charge {
  readonly what: string;
  readonly dollars: number;
}

/** Dollars for a million events, where `usage` is what some of them used. The stream is on demand, as in production. */
export function billOfMillion(usage: Usage): Charge[] {
  const { httpApi, lambda, kinesisOnDemand, firehose, cloudWatch, xRay } = prices;
  const scale = million / usage.events;
  const extraMonths = (deployed.streamRetentionHours - 24) / hoursPerMonth;
  const seconds = (usage.invocations * assumed.billedMsPerInvocation) / 1000;
  const kinesisGb = kinesisBilledBytes(usage.recordBytes) / bytesPerGb;
  const firehoseGb = firehoseBilledBytes(usage.recordBytes) / bytesPerGb;
  const logBytes = usage.metricsBytes + usage.invocations * assumed.platformLogBytesPerInvocation;
  const charge = (what: string, dollars: number): Charge => ({ what, dollars: dollars * scale });
  return [
    charge('HTTP API: requests', (usage.httpUnits / million) * httpApi.perMillionRequests),
    charge('Lambda: requests', (usage.invocations / million) * lambda.perMillionRequests),
    charge('Lambda: time', seconds * (deployed.collectMemoryMb / 1024) * lambda.perGbSecondArm64),
    charge('Kinesis: in', kinesisGb * kinesisOnDemand.perGbIn),
    charge('Kinesis: out, to Firehose', kinesisGb * kinesisOnDemand.perGbOut),
    charge('Kinesis: kept beyond a day', kinesisGb * extraMonths * kinesisOnDemand.perGbMonthBeyond24Hours),
    charge('Firehose: in', firehoseGb * firehose.perGbIn),
    charge('Firehose: conversion to Parquet', firehoseGb * firehose.perGbConverted),
    charge('CloudWatch: logs with metrics in them', (logBytes / bytesPerGb) * cloudWatch.perGbLogs),
    charge('X-Ray: traces', ((usage.invocations * assumed.tracedShare) / million) * xRay.perMillionTraces),
  ];
}

export const totalOf = (charges: readonly Charge[]): number => charges.reduce((sum, { dollars }) => sum + dollars, 0);

/** Dollars a month for being there, with a little traffic all day long. `metrics` is how many custom metrics that makes. */
export function standingBillOfMonth(streamMode: 'ON_DEMAND' | 'PROVISIONED', metrics: number): Charge[] {
  const { kinesisOnDemand, kinesisProvisioned, cloudWatch, s3 } = prices;
  const files = (hoursPerMonth * 3600) / deployed.deliveryBufferSeconds;
  const stream =
    streamMode === 'ON_DEMAND'
      ? { what: 'Kinesis: the stream, on demand', dollars: hoursPerMonth * kinesisOnDemand.perStreamHour }
      : { what: 'Kinesis: one provisioned shard', dollars: hoursPerMonth * kinesisProvisioned.perShardHour };
  return [
    stream,
    { what: `CloudWatch: ${metrics} metrics`, dollars: metrics * cloudWatch.perMetricMonth },
    { what: 'S3: writing a file every buffer', dollars: (files / 1000) * s3.perThousandPuts },
  ];
}
