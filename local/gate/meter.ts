import type { Caller } from './service.ts';

/** One AWS call as it went over the wire. */
export interface CallRecord {
  readonly service: string;
  readonly action: string;
  readonly caller: Caller;
  readonly status: number;
  readonly requestBytes: number;
  readonly durationMs: number;
  /** What went wrong, where something did. */
  readonly error?: string | undefined;
  /** The decoded input, for JSON services: a bill counts its records and their sizes. */
  readonly input?: unknown;
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
  /** Hears of every call from now on. @returns what ends it */
  readonly listen: (listener: (call: CallRecord) => void) => () => void;
}

export function createMeter(): Meter {
  const totals = new Map<string, CallTotals>();
  const listeners = new Set<(call: CallRecord) => void>();
  return {
    record: call => {
      for (const listener of listeners) listener(call);
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
    listen: listener => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

function callerName(caller: Caller): string {
  return caller.kind === 'function' ? caller.functionName : caller.kind;
}
