import type { Service } from './gate/service.ts';

/** What every part of the local cloud is given. */
export interface CloudContext {
  readonly region: string;
  readonly accountId: string;
  /** Where this part may keep files. The cloud holds a lock on it. */
  readonly stateDir: string;
  readonly now: () => number;
  readonly log: (line: string) => void;
}

/** A resource of the template, its intrinsic functions resolved. */
export interface ResourceSpec<Properties = Record<string, unknown>> {
  readonly logicalId: string;
  readonly type: string;
  readonly properties: Properties;
}

/** What `Ref` and `Fn::GetAtt` of a created resource answer. */
export interface CreatedResource {
  readonly ref: string;
  readonly attributes?: Readonly<Record<string, string>>;
}

/** Creates or updates one resource; called again at every start, so it must be idempotent and keep data. */
export type Provider = (resource: ResourceSpec) => CreatedResource | Promise<CreatedResource>;

/** Narrows a provider's properties to their CloudFormation shape; the template checks vouch for that shape. */
export function provider<Properties>(
  create: (resource: ResourceSpec<Properties>) => CreatedResource | Promise<CreatedResource>,
): Provider {
  return create as unknown as Provider;
}

/** One emulated service or runtime: what it answers on the AWS endpoint and which template resources it deploys. */
export interface CloudPart {
  readonly services?: readonly Service[];
  /** By CloudFormation type, `AWS::S3::Bucket`. */
  readonly providers: Readonly<Record<string, Provider>>;
  /** Called once every resource exists: pollers and deliveries begin here. */
  readonly start?: () => void | Promise<void>;
  /** Flushes, then frees everything; after it nothing of this part runs. */
  readonly stop?: () => Promise<void>;
}
