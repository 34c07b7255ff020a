import { describe, expect, test } from 'vitest';
import { readCollectConfig, readStage } from '../../../src/lib/runtime/config.ts';

const environment = { STREAM_NAME: 's', FAILED_STREAM_NAME: 'f', WRITE_KEYS: 'wk_web=website, wk_app=app' };

test('the configuration is read', () => {
  const sources = new Map([
    ['wk_web', 'website'],
    ['wk_app', 'app'],
  ]);
  expect(readCollectConfig(environment)).toEqual({ streamName: 's', failedStreamName: 'f', sources });
});

describe('what is missing is named', () => {
  test.each(Object.keys(environment))('%s', name => {
    expect(() => readCollectConfig({ ...environment, [name]: undefined })).toThrow(
      `The environment variable ${name} is not set.`,
    );
    expect(() => readCollectConfig({ ...environment, [name]: '' })).toThrow(name);
  });

  test('STAGE', () => {
    expect(() => readStage({})).toThrow('STAGE');
  });

  test.each(['wk_web', 'wk_web=', '=website', 'a=b=c', 'a=b,'])('write keys %j', keys => {
    expect(() => readCollectConfig({ ...environment, WRITE_KEYS: keys })).toThrow('WRITE_KEYS');
  });
});
