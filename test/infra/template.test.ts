import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { RegoEngine, TemplateFile } from '@aws/cloudformation-validate';
import { describe, expect, inject, it, vi } from 'vitest';
import { packageApp } from '../../local/package.ts';

const templateFile = 'cloudformation-template-update-stack.json';
const templatePath = join(inject('packageDir'), templateFile);

interface Template {
  readonly Resources: Readonly<Record<string, Resource>>;
}

interface Resource {
  readonly Type: string;
  readonly Properties: Readonly<Record<string, unknown>>;
  readonly UpdateReplacePolicy?: string;
}

const { Resources: resources }: Template = JSON.parse(readFileSync(templatePath, 'utf8'));

function ofType(type: string): [string, Resource][] {
  return Object.entries(resources).filter(([, resource]) => resource.Type === type);
}

describe('the packaged template', () => {
  it.each(['local', 'dev', 'prod'])("passes AWS's own validator for %s", async stage => {
    vi.stubEnv('TABLESIDE_WRITE_KEYS', 'wk_test=test');
    vi.stubEnv('TABLESIDE_ORIGIN', 'https://example.com');
    const packageDir = await packageApp({ projectDir: join(import.meta.dirname, '../..'), stage, log: () => {} });
    const engine = new RegoEngine();
    try {
      const { diagnostics } = engine.validateStandard(new TemplateFile(join(packageDir, templateFile)));
      const errors = diagnostics.filter(({ severity }) => severity === 'ERROR' || severity === 'FATAL');
      expect(errors.map(({ ruleId, message }) => `${ruleId}: ${message}`)).toEqual([]);
    } finally {
      engine.free();
      vi.unstubAllEnvs();
    }
  });

  it('gives each table its partition keys, the view an empty list', () => {
    const keys = ofType('AWS::Glue::Table').map(([, { Properties }]) => {
      const { Name, PartitionKeys } = Properties.TableInput as { Name: string; PartitionKeys?: { Name: string }[] };
      return [Name, PartitionKeys?.map(key => key.Name)];
    });
    expect(Object.fromEntries(keys)).toEqual({ events: ['day'], failed_events: ['day'], events_unique: [] });
  });

  it('has no route that ends with a slash, which API Gateway refuses', () => {
    const keys = ofType('AWS::ApiGatewayV2::Route').map(([, { Properties }]) => String(Properties.RouteKey));
    expect(keys).toContain('POST /v1/batch');
    expect(keys.filter(key => key.endsWith('/'))).toEqual([]);
  });

  it('gives each function a role of its own', () => {
    const roles = ofType('AWS::Lambda::Function').map(([, { Properties }]) => JSON.stringify(Properties.Role));
    expect(roles.length).toBeGreaterThan(1);
    expect(new Set(roles).size).toBe(roles.length);
  });

  it.each([
    ...ofType('AWS::Kinesis::Stream'),
    ...ofType('AWS::KinesisFirehose::DeliveryStream'),
    ...ofType('AWS::S3::Bucket').filter(([, { Properties }]) => JSON.stringify(Properties).includes('-lake-')),
  ])('keeps %s when it is replaced', (_, resource) => {
    expect(resource.UpdateReplacePolicy).toBe('Retain');
  });

  it('names everything tableside-<stage>-…', () => {
    const nameProperties = ['FunctionName', 'BucketName', 'DeliveryStreamName', 'QueueName', 'TopicName'];
    const named = Object.values(resources).filter(({ Type }) => Type !== 'AWS::Lambda::Permission');
    const names = named.flatMap(({ Properties }) => nameProperties.map(key => Properties[key]));
    const given = names.filter(name => name !== undefined).map(name => JSON.stringify(name));
    expect(given.length).toBeGreaterThan(4);
    for (const name of given) expect(name).toMatch(/tableside-local-/);
  });
});
