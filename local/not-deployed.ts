import type { CloudContext, Provider } from './part.ts';

/**
 * Types that are accepted and do nothing on a laptop, each with the reason. The start-up prints those it met.
 * Every other type that no part of the local cloud provides is an error.
 */
const reasons: Readonly<Record<string, string>> = {
  'AWS::Logs::LogGroup': 'logs go to the terminal and to .local/data/logs',
  'AWS::Logs::LogStream': 'logs go to the terminal and to .local/data/logs',
};

/** Providers for what is not deployed. `onSkipped` hears the reason, once a type. */
export function createNotDeployed(
  context: CloudContext,
  onSkipped: (type: string, reason: string) => void,
): Readonly<Record<string, Provider>> {
  const met = new Set<string>();
  const providers = Object.entries(reasons).map(([type, reason]): [string, Provider] => [
    type,
    ({ logicalId, properties }) => {
      if (!met.has(type)) onSkipped(type, reason);
      met.add(type);
      const name = String(properties.LogGroupName ?? properties.LogStreamName ?? logicalId);
      return {
        ref: name,
        attributes: { Arn: `arn:aws:logs:${context.region}:${context.accountId}:log-group:${name}` },
      };
    },
  ]);
  return Object.fromEntries(providers);
}
