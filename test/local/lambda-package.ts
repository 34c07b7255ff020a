import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { strToU8, zipSync } from 'fflate';
import { createLambda, type Lambda, type LambdaOptions } from '../../local/lambda.ts';
import type { CloudContext, CreatedResource } from '../../local/part.ts';

export interface TestLambda {
  readonly context: CloudContext;
  readonly lambda: Lambda;
  /** What the functions logged. */
  readonly lines: string[];
  /** Zips a handler module as Serverless does, and deploys it. Answers the function's ARN. */
  readonly deploy: (name: string, source: string, properties?: Record<string, unknown>) => Promise<string>;
  readonly stop: () => Promise<void>;
}

/** A local Lambda with a package folder of its own. */
export async function startLambda(options: Partial<LambdaOptions> = {}): Promise<TestLambda> {
  const packageDir = await mkdtemp(join(tmpdir(), 'tableside-lambda-'));
  const lines: string[] = [];
  const context: CloudContext = {
    region: 'us-east-1',
    accountId: '000000000000',
    stateDir: packageDir,
    now: Date.now,
    log: line => lines.push(line),
  };
  const lambda = createLambda(context, { packageDir, endpoint: () => 'http://127.0.0.1:4566', ...options });

  async function deploy(name: string, source: string, properties: Record<string, unknown> = {}): Promise<string> {
    await writeFile(join(packageDir, `${name}.zip`), zipSync({ 'src/handlers/main.cjs': strToU8(source) }));
    const created = await create('AWS::Lambda::Function', {
      FunctionName: name,
      Runtime: 'nodejs24.x',
      Handler: 'src/handlers/main.handler',
      Role: `arn:aws:iam::000000000000:role/${name}`,
      Timeout: 10,
      MemorySize: 128,
      Code: { S3Bucket: 'deployments', S3Key: `serverless/app/local/1700000000000/${name}.zip` },
      ...properties,
    });
    return String(created.attributes?.Arn);
  }

  async function create(type: string, properties: Record<string, unknown>): Promise<CreatedResource> {
    const provider = lambda.providers[type];
    if (!provider) throw new Error(`No provider for ${type}`);
    return provider({ logicalId: 'Resource', type, properties });
  }

  async function stop(): Promise<void> {
    await lambda.stop?.();
    await rm(packageDir, { recursive: true });
  }

  return { context, lambda, lines, deploy, stop };
}
