import { explainAwsError } from './aws-errors.ts';
import { type CommandError, UsageError } from './errors.ts';

/** What every AWS client of a command is made with. */
export interface AwsClientOptions {
  readonly region?: string;
  readonly endpoint?: string;
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly maxAttempts: number;
  readonly requestHandler: { readonly connectionTimeout: number; readonly requestTimeout: number };
}

/** Where a stage is and what its resources are called. */
export interface Stage {
  readonly name: string;
  readonly isLocal: boolean;
  readonly stackName: string;
  /** Athena's workgroup. */
  readonly workgroup: string;
  /** Glue's database. */
  readonly database: string;
  /** The Kinesis stream of events. */
  readonly streamName: string;
  readonly aws: AwsClientOptions;
  /** Address of the HTTP API, without a slash at its end. Throws CommandError where the stage is not deployed. */
  readonly apiUrl: () => Promise<string>;
  /** A failed AWS call as a CommandError that says what to do about it. */
  readonly explain: (error: unknown) => CommandError;
}

export interface StageValues {
  readonly stage: string;
  readonly region?: string | undefined;
  readonly port: number;
  readonly 'aws-port': number;
}

const clientLimits = {
  maxAttempts: 3,
  requestHandler: { connectionTimeout: 3_000, requestTimeout: 30_000 },
} as const;

/** Throws UsageError for a name that cannot be a stage's. */
export function createStage(values: StageValues): Stage {
  const { stage: name, region, port, 'aws-port': awsPort } = values;
  // The name becomes part of every resource's; CloudFormation allows letters, digits and hyphens in a stack's.
  if (!/^[a-zA-Z][a-zA-Z0-9-]*$/.test(name)) {
    throw new UsageError(`"${name}" cannot be the name of a stage: letters, digits and hyphens, as in dev.`);
  }
  const isLocal = name === 'local';
  const stackName = `tableside-${name}`;
  if (isLocal && region !== undefined) throw new UsageError('--region is for a deployed stage; local is us-east-1.');
  const aws = isLocal ? localClientOptions(awsPort) : deployedClientOptions(region);
  const explain = (error: unknown) => explainAwsError(error, isLocal ? { awsPort } : { stage: name });

  async function apiUrl(): Promise<string> {
    if (isLocal) return `http://127.0.0.1:${port}`;
    // Loaded here because most commands never ask: the client takes longer to start than they do.
    const { findHttpApiUrl } = await import('./stack.ts');
    return findHttpApiUrl(stackName, aws).catch(error => {
      throw explain(error);
    });
  }

  return {
    name,
    isLocal,
    stackName,
    workgroup: `tableside_${name}`,
    database: `tableside_${name}`,
    streamName: `tableside-${name}-clickstream`,
    aws,
    apiUrl,
    explain,
  };
}

function localClientOptions(awsPort: number): AwsClientOptions {
  return {
    ...clientLimits,
    region: 'us-east-1',
    endpoint: `http://127.0.0.1:${awsPort}`,
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  };
}

/** Credentials are looked for where every AWS tool looks; the region is found as serverless.yml finds it. */
function deployedClientOptions(region: string | undefined): AwsClientOptions {
  const chosen = region ?? process.env.AWS_REGION ?? process.env.AWS_DEFAULT_REGION ?? 'us-east-1';
  return { ...clientLimits, region: chosen };
}
