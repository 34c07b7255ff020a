import { createAuthorizer } from '../../local/gate/authorize.ts';
import { createFaults } from '../../local/gate/faults.ts';
import { type Gate, type GateOptions, openGate } from '../../local/gate/listen.ts';
import { createMeter } from '../../local/gate/meter.ts';
import type { Service } from '../../local/gate/service.ts';

/** Serves parts of the local cloud through the real gate on a free port, so that a test of one part can use the real SDK. */
export function serve(services: readonly Service[], options: Partial<GateOptions> = {}): Promise<Gate> {
  return openGate({
    port: 0,
    services,
    callerOf: () => undefined,
    authorizer: createAuthorizer(() => []),
    faults: createFaults(Math.random),
    meter: createMeter(),
    log: () => {},
    ...options,
  });
}
