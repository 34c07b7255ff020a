import { globSync, readdirSync, readFileSync } from 'node:fs';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { expect, test } from 'vitest';
import { handler as configureTracker } from '../../../src/handlers/clickstream/configure-tracker.ts';
import { handler as notFound } from '../../../src/handlers/platform/not-found.ts';
import { createDeviceReader } from '../../../src/lib/clickstream/device.ts';
import { takeIn } from '../../../src/lib/clickstream/intake.ts';
import { decodeBody } from '../../../src/lib/http/body.ts';
import { context } from './event.ts';

const sample = (name: string): APIGatewayProxyEventV2 => JSON.parse(readFileSync(`events/${name}.json`, 'utf8'));

test('every function has a sample event, and every sample event a function', () => {
  const functions = globSync('src/handlers/*/*.ts').map(path => path.replace(/^.*\/(.*)\.ts$/, '$1'));
  expect(readdirSync('events').sort()).toEqual(functions.map(name => `${name}.json`).sort());
});

test('collect-events takes its sample: two events stored, one kept as failed', () => {
  const { body = '', headers, isBase64Encoded, rawPath } = sample('collect-events');
  const request = { path: rawPath, headers, body: decodeBody(body, isBase64Encoded, 10_000) };
  const settings = { sources: new Map([['wk_local', 'local']]), deviceOf: createDeviceReader() };
  const intake = takeIn(request, { requestId: 'request', receivedAtMs: Date.parse('2026-11-20T10:00:05Z') }, settings);
  expect(intake).toMatchObject({ received: 3, rejected: [{ index: 2 }] });
});

test('not-found answers its sample', async () => {
  expect(await notFound(sample('not-found'), context)).toMatchObject({ statusCode: 404 });
});

test('configure-tracker answers its sample: Segment’s browser library is to send here', async () => {
  const { body = '{}' } = await configureTracker(sample('configure-tracker'), context);
  expect(JSON.parse(body).integrations['Segment.io']).toEqual({
    apiKey: 'wk_local',
    apiHost: '127.0.0.1:3000/v1',
    protocol: 'http',
  });
});

test('configure-tracker knows no feature flags', async () => {
  const { body = '{}' } = await configureTracker({ ...sample('configure-tracker'), pathParameters: {} }, context);
  expect(JSON.parse(body)).toMatchObject({ flags: {}, errorsWhileComputingFlags: false });
});
