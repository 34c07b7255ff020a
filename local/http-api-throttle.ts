type Throttling = { readonly ThrottlingBurstLimit?: number; readonly ThrottlingRateLimit?: number };

/** AWS::ApiGatewayV2::Stage, as far as it makes a difference here. */
export interface StageProperties {
  readonly StageName: string;
  readonly DefaultRouteSettings?: Throttling;
  readonly RouteSettings?: Readonly<Record<string, Throttling>>;
}

/** Whether a route takes one more request now: a token bucket each, as large as the burst, filled at the rate. */
export function createThrottle(stage: Partial<StageProperties>, now: () => number): (routeKey: string) => boolean {
  const buckets = new Map<string, { tokens: number; filledAt: number }>();
  return routeKey => {
    const settings = { ...stage.DefaultRouteSettings, ...stage.RouteSettings?.[routeKey] };
    const { ThrottlingBurstLimit: burst, ThrottlingRateLimit: ratePerSecond } = settings;
    if (burst === undefined || ratePerSecond === undefined) return true;
    const filledAt = now();
    const last = buckets.get(routeKey) ?? { tokens: burst, filledAt };
    const tokens = Math.min(burst, last.tokens + ((filledAt - last.filledAt) / 1000) * ratePerSecond);
    buckets.set(routeKey, { tokens: tokens >= 1 ? tokens - 1 : tokens, filledAt });
    return tokens >= 1;
  };
}
