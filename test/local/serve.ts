import { openGate } from '../../local/gate/listen.ts';
import { createMeter } from '../../local/gate/meter.ts';
import type { Caller, Service } from '../../local/gate/service.ts';

/** Serves parts of the local cloud through the real gate on a free port, so that a test of one part can use the real SDK. */
export async function serve(
  services: readonly Service[],
  options: { callerOf?: (accessKeyId: string) => Caller | undefined; log?: (line: string) => void } = {},
): Promise<{ endpoint: string; stop: () => Promise<void> }> {
  const { callerOf = () => undefined, log = () => {} } = options;
  return openGate({ port: 0, services, callerOf, log, meter: createMeter() });
}
