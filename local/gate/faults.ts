import { setTimeout as delay } from 'node:timers/promises';
import { AwsError, type Call, type Caller, type Reply } from './service.ts';

type Json = Record<string, unknown>;

/** What a fault looks at to decide whether it strikes. */
export interface FaultTarget {
  readonly service: string;
  readonly action: string;
  readonly caller: Caller;
}

export type Effect =
  /** An answer with this error, in the service's own protocol; the call is not carried out. */
  | { readonly kind: 'error'; readonly code: string; readonly status: number }
  /** PutRecords and PutRecordBatch: this share of the records is refused, the others are carried out. */
  | { readonly kind: 'refuse-records'; readonly share: number; readonly code: string }
  /** The connection breaks, before the call or after it was carried out. */
  | { readonly kind: 'reset'; readonly carriedOut: boolean }
  /** The answer comes late. */
  | { readonly kind: 'slow'; readonly delayMs: number }
  /** No answer at all; the connection stays open. */
  | { readonly kind: 'hang' };

export interface Fault {
  /** What happens, or what chooses it for each call. */
  readonly effect: Effect | ((target: FaultTarget) => Effect);
  /** SigV4 name, `kinesis`; absent: any. */
  readonly service?: string;
  /** `PutRecords`; absent: any. */
  readonly action?: string;
  /** Only calls of functions: what the operator asks to look at the damage goes through. */
  readonly callers?: 'functions' | 'everyone';
  /** From 0 to 1; absent: every call. */
  readonly probability?: number;
  /** Picks the records to refuse in place of chance. */
  readonly choose?: () => boolean;
  /** How many calls it strikes before it is over; absent: until it is lifted. */
  readonly times?: number;
}

/** The connection is to be broken instead of answered. */
export const brokenConnection = Symbol('broken connection');

export interface Faults {
  /** Begins a fault. @returns what lifts it */
  readonly inject: (fault: Fault) => () => void;
  readonly clear: () => void;
  /** Carries a call out, or what the faults make of it. */
  readonly perform: (target: FaultTarget, call: Call) => Promise<Reply | typeof brokenConnection>;
}

/** Faults for tests and for `--chaos`. `random` from 0 to 1 decides probabilities: seed it for a run that can be repeated. */
export function createFaults(random: () => number): Faults {
  const active = new Map<Fault, number>();

  function strikes({ service, action, callers = 'functions', probability = 1 }: Fault, target: FaultTarget): boolean {
    if (service !== undefined && service !== target.service) return false;
    if (action !== undefined && action !== target.action) return false;
    if (callers === 'functions' && target.caller.kind !== 'function') return false;
    return probability >= 1 || random() < probability;
  }

  function next(target: FaultTarget): Fault | undefined {
    for (const [fault, left] of active) {
      if (!strikes(fault, target)) continue;
      if (left <= 1) active.delete(fault);
      else active.set(fault, left - 1);
      return fault;
    }
    return undefined;
  }

  async function perform(target: FaultTarget, call: Call): Promise<Reply | typeof brokenConnection> {
    const fault = active.size > 0 ? next(target) : undefined;
    const effect = typeof fault?.effect === 'function' ? fault.effect(target) : fault?.effect;
    switch (effect?.kind) {
      case undefined:
        return call.perform();
      case 'error':
        throw new AwsError(effect.code, 'A fault that was injected here', effect.status);
      case 'refuse-records':
        return refuseSome(call, fault?.choose ?? (() => random() < effect.share), effect.code);
      case 'reset':
        if (effect.carriedOut) await call.perform();
        return brokenConnection;
      case 'slow':
        await delay(effect.delayMs);
        return call.perform();
      case 'hang':
        return new Promise(() => {});
    }
  }

  return {
    inject: fault => {
      active.set(fault, fault.times ?? Number.POSITIVE_INFINITY);
      return () => void active.delete(fault);
    },
    clear: () => active.clear(),
    perform,
  };
}

/** How a batch call names its answers: one a record, in order. */
const batchAnswers: Readonly<Record<string, { readonly list: string; readonly failed: string }>> = {
  PutRecords: { list: 'Records', failed: 'FailedRecordCount' },
  PutRecordBatch: { list: 'RequestResponses', failed: 'FailedPutCount' },
};

/** Carries out a batch call for some of its records and refuses the others, as a throttled stream does. */
async function refuseSome(call: Call, isRefused: () => boolean, code: string): Promise<Reply> {
  const names = batchAnswers[call.action];
  const input = call.input as Json | undefined;
  if (!names || !input || !call.performWith) return call.perform();
  const records = input.Records as unknown[];
  const refused = records.map(isRefused);
  const kept = records.filter((_, index) => !refused[index]);
  const reply = kept.length > 0 ? await call.performWith({ ...input, Records: kept }) : undefined;
  if (reply && reply.status >= 400) return reply;
  const output = reply ? (JSON.parse(String(reply.body)) as Json) : {};
  const answers = [...((output[names.list] as unknown[] | undefined) ?? [])];
  const refusal = { ErrorCode: code, ErrorMessage: 'A fault that was injected here' };
  const merged = refused.map(isOut => (isOut ? refusal : answers.shift()));
  const failedBefore = Number(output[names.failed] ?? 0);
  const failed = failedBefore + refused.filter(Boolean).length;
  const body = JSON.stringify({ ...output, [names.list]: merged, [names.failed]: failed });
  return { status: 200, headers: { 'content-type': 'application/x-amz-json-1.1' }, body };
}
