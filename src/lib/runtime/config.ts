type Environment = Readonly<Record<string, string | undefined>>;

interface CollectConfig {
  readonly streamName: string;
  readonly failedStreamName: string;
  /** Source names by write key. */
  readonly sources: ReadonlyMap<string, string>;
}

/** Configuration of collect-events. Throws at start, naming the variable, where one is missing or cannot be read. */
export function readCollectConfig(environment: Environment = process.env): CollectConfig {
  return {
    streamName: required(environment, 'STREAM_NAME'),
    failedStreamName: required(environment, 'FAILED_STREAM_NAME'),
    sources: parseWriteKeys(required(environment, 'WRITE_KEYS')),
  };
}

/** The stage, as metrics name it. */
export function readStage(environment: Environment = process.env): string {
  return required(environment, 'STAGE');
}

function required(environment: Environment, name: string): string {
  const value = environment[name];
  if (value === undefined || value === '') throw new Error(`The environment variable ${name} is not set.`);
  return value;
}

/** `wk_web=website,wk_app=app`: pairs of write key and source name. */
function parseWriteKeys(text: string): ReadonlyMap<string, string> {
  const pairs = text.split(',').map(pair => {
    const [key, source, ...rest] = pair.split('=').map(part => part.trim());
    if (!key || !source || rest.length > 0) {
      throw new Error(`WRITE_KEYS must be pairs like "key=source,key=source", but one reads "${pair}".`);
    }
    return [key, source] as const;
  });
  return new Map(pairs);
}
