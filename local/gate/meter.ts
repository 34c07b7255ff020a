import type { Caller } from './service.ts';

/** One AWS call as it went over the wire. */
export interface CallRecord {
  readonly service: string;
  readonly action: string;
  readonly caller: Caller;
  readonly status: number;
  readonly requestBytes: number;
  readonly durationMs: number;
}

export interface CallTotals {
  readonly calls: number;
  readonly failed: number;
  readonly requestBytes: number;
}

/** Counts every call by service, action and caller: the cost meter and the benchmarks read it. */
export interface Meter {
  readonly record: (call: CallRecord) => void;
  /** Keyed `<function name or 'operator'> <service>:<action>`. */
  readonly totals: () => ReadonlyMap<string, CallTotals>;
  readonly reset: () => void;
}

export function createMeter(): Meter {
  const totals = new Map<string, CallTotals>();
  return {
    record: call => {
      const key = `${callerName(call.caller)} ${call.service}:${call.action}`;
      const before = totals.get(key);
      totals.set(key, {
        calls: (before?.calls ?? 0) + 1,
        failed: (before?.failed ?? 0) + (call.status >= 400 ? 1 : 0),
        requestBytes: (before?.requestBytes ?? 0) + call.requestBytes,
      });
    },
    totals: () => totals,
    reset: () => totals.clear(),
  };
}

function callerName(caller: Caller): string {
  return caller.kind === 'function' ? caller.functionName : caller.kind;
}
