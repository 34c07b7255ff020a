import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';

/** Who signed a request. A function is known by the access key the local cloud gave it; any other key is the operator. */
export type Caller =
  | { readonly kind: 'operator'; readonly accessKeyId: string }
  | {
      readonly kind: 'function';
      readonly accessKeyId: string;
      readonly functionName: string;
      readonly roleArn: string;
    }
  | { readonly kind: 'anonymous' };

/** One request to the AWS endpoint, identified by the gate and with its body unread. */
export interface AwsRequest {
  readonly id: string;
  readonly caller: Caller;
  readonly method: string;
  /** Path and query exactly as sent (percent-encoded): signatures cover these bytes. */
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Readable;
}

export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string | number>>;
  readonly body?: string | Buffer | Readable;
}

/** What a call needs to be allowed: one IAM action on one resource ARN (`*` where the action has no resource type). */
export interface Grant {
  readonly action: string;
  readonly resource: string;
}

/** A request its service has understood but not yet carried out: the gate authorizes, injects faults, then performs. */
export interface Call {
  /** API action, as in `PutRecords`. */
  readonly action: string;
  readonly grants: readonly Grant[];
  /** The decoded input where the protocol has one (JSON services): fault injection and the meter look at it. */
  readonly input?: unknown;
  readonly perform: () => Promise<Reply>;
  /** Performs with another input (JSON services): fault injection carries out a part of a batch. */
  readonly performWith?: (input: Record<string, unknown>) => Promise<Reply>;
  /** The access key that signed in the call's own words, where no header names it (an S3 POST form). */
  readonly signedBy?: string | undefined;
}

export interface Service {
  /** SigV4 scope name: `s3`, `kinesis`, `firehose`, `athena`, `glue`, `sts`, `cloudformation` … */
  readonly name: string;
  /** Reads what it must to know the action and its grants. Throws an AwsError for a request that is none of its own. */
  readonly receive: (request: AwsRequest) => Call | Promise<Call>;
  /** An error in this service's wire protocol. */
  readonly fail: (error: AwsError, request: AwsRequest) => Reply;
}

/** An error that an AWS service would answer: `code` is the name SDKs match on. */
export class AwsError extends Error {
  readonly code: string;
  readonly status: number;

  constructor(code: string, message: string, status = 400) {
    super(message);
    this.name = 'AwsError';
    this.code = code;
    this.status = status;
  }
}
