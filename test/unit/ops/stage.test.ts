import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { explainAwsError } from '../../../ops/aws-errors.ts';
import { findHttpApiUrl } from '../../../ops/stack.ts';
import { type AwsClientOptions, createStage } from '../../../ops/stage.ts';

const values = { stage: 'local', port: 3000, 'aws-port': 4566 };

test('the local stage is on the laptop, with credentials that need no profile', async () => {
  const stage = createStage({ ...values, port: 3001, 'aws-port': 4567 });
  expect(stage).toMatchObject({ isLocal: true, workgroup: 'tableside_local', database: 'tableside_local' });
  expect(stage.aws).toMatchObject({ endpoint: 'http://127.0.0.1:4567', region: 'us-east-1' });
  expect(await stage.apiUrl()).toBe('http://127.0.0.1:3001');
});

test('a deployed stage is found with the operator’s own credentials and region', () => {
  const stage = createStage({ ...values, stage: 'dev', region: 'eu-west-1' });
  expect(stage).toMatchObject({ isLocal: false, workgroup: 'tableside_dev' });
  expect(stage.aws).toMatchObject({ region: 'eu-west-1' });
  expect(stage.aws).not.toHaveProperty('endpoint');
  expect(stage.aws).not.toHaveProperty('credentials');
});

/** CloudFormation, which knows one stack with the output HttpApiUrl and one without. */
const server = createServer(async (request, response) => {
  const name = new URLSearchParams(await text(request)).get('StackName');
  const output = '<member><OutputKey>HttpApiUrl</OutputKey><OutputValue>https://x.example/</OutputValue></member>';
  if (name === 'tableside-none') {
    const message = `Stack with id ${name} does not exist`;
    response
      .writeHead(400)
      .end(`<ErrorResponse><Error><Code>ValidationError</Code><Message>${message}</Message></Error></ErrorResponse>`);
    return;
  }
  const stack = `<StackName>${name}</StackName><Outputs>${name === 'tableside-dev' ? output : ''}</Outputs>`;
  const result = `<DescribeStacksResult><Stacks><member>${stack}</member></Stacks></DescribeStacksResult>`;
  response.end(`<DescribeStacksResponse>${result}</DescribeStacksResponse>`);
});
let aws: AwsClientOptions;
beforeAll(async () => {
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  aws = createStage({ ...values, 'aws-port': port }).aws;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

test('its API is the stack’s output HttpApiUrl', async () => {
  expect(await findHttpApiUrl('tableside-dev', aws)).toBe('https://x.example');
});

test('a stack without that output, and no stack at all, are told apart', async () => {
  await expect(findHttpApiUrl('tableside-half', aws)).rejects.toThrow(
    'The stack tableside-half has no output HttpApiUrl.',
  );
  const error: unknown = await findHttpApiUrl('tableside-none', aws).catch(error => error);
  expect(explainAwsError(error, { stage: 'none' }).message).toBe(
    'Stack with id tableside-none does not exist. Check --stage and --region, or deploy it: npx sls deploy --stage none',
  );
});

test.each([
  [new Error('Region is missing'), 'Say which region the stage is in: --region, or AWS_REGION.'],
  [
    Object.assign(new Error('Could not load credentials'), { name: 'CredentialsProviderError' }),
    'There are no AWS credentials for the stage dev: set AWS_PROFILE, or sign in with `aws sso login`.',
  ],
  [
    Object.assign(new Error('The security token is expired'), { name: 'ExpiredTokenException' }),
    'The AWS credentials have expired: sign in again.',
  ],
  [new Error('User x is not authorized to perform y'), 'User x is not authorized to perform y.'],
  [Object.assign(new Error(''), { code: 'ENOTFOUND' }), 'ENOTFOUND.'],
])('%s becomes a sentence', (error, sentence) => {
  expect(explainAwsError(error, { stage: 'dev' }).message).toBe(sentence);
});
