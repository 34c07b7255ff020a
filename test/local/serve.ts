import { openGate } from '../../local/gate/listen.ts';
import { createMeter } from '../../local/gate/meter.ts';
import type { Caller, Service } from '../../local/gate/service.ts';

export interface ServeOptions {
  readonly callerOf?: (accessKeyId: string) => Caller | undefined;
}

/** Parts of the local cloud behind a gate of their own, on a free port, for the real SDK. */
export function serve(services: readonly Service[], options: ServeOptions = {}) {
  return openGate({
    port: 0,
    services,
    callerOf: options.callerOf ?? (() => undefined),
    meter: createMeter(),
    log: line => process.stderr.write(`${line}\n`),
  });
}
