/** Where a tracker reaches this API, by its own address of it. */
interface ApiAddress {
  readonly host: string;
  readonly protocol: string;
}

/**
 * What Segment's browser library asks its `cdnURL` for before it sends anything: the one destination is here. `protocol`
 * matters on a laptop only, where there is no TLS.
 */
export function segmentSettings(writeKey: string, { host, protocol }: ApiAddress) {
  return {
    integrations: { 'Segment.io': { apiKey: writeKey, apiHost: `${host}/v1`, protocol } },
    plan: { track: { __default: { enabled: true } } },
    metrics: { sampleRate: 0 },
  };
}

/** What PostHog's libraries hear when they ask for feature flags: there are none. */
export const noFeatureFlags = {
  flags: {},
  featureFlags: {},
  featureFlagPayloads: {},
  errorsWhileComputingFlags: false,
};
