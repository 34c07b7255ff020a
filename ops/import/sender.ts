import { Analytics } from '@segment/analytics-node';
import { maxBatchBytes as apiMaxBatchBytes } from '../../src/lib/clickstream/limits.ts';
import { reasonOf } from '../errors.ts';
import type { ImportEvent, Refusal } from './events.ts';

/** Under the API's limit, because what the SDK adds is only estimated. */
export const maxBatchBytes = apiMaxBatchBytes * 0.9;
export const maxBatchEvents = 100;

/** What became of a batch. Events in neither number were on their way when the import was interrupted. */
export interface Delivery {
  readonly acceptedCount: number;
  readonly refusals: readonly Refusal[];
  /** Why it would be pointless to send more, such as a write key that is not known. */
  readonly stop?: string;
}

/** Sends one batch, of at most maxBatchEvents and maxBatchBytes, and answers once its fate is known. */
export type Sender = (batch: readonly ImportEvent[]) => Promise<Delivery>;

export interface SenderOptions {
  readonly apiUrl: string;
  readonly writeKey: string;
  /** How long a batch may take, with all the SDK's retries. */
  readonly timeoutSeconds: number;
  readonly signal: AbortSignal;
  /** Told of each attempt that failed; the SDK tries most of them again. */
  readonly onProblem?: (problem: string) => void;
}

type SdkFetch = (url: string, request: RequestInit & { body: string }) => Promise<Response>;

/** The verdict on each event of a batch, by message id: undefined means accepted. */
type Verdicts = Map<string, string | undefined>;

/** What has been heard of the batch that is on its way. */
interface Hearing {
  readonly verdicts: Verdicts;
  /** Why the last attempt failed, with the status where there was an answer. */
  problem?: { readonly status?: number; readonly text: string };
}

/**
 * A sender over the real Segment SDK. The SDK buffers without limit and takes any status below 400 for a success, so
 * its batches are cut here, one is flushed before the next, and its fetch is listened to: an event counts as accepted
 * only where our API answered 200 with `success` and did not list it in `rejected`.
 */
export function createSender({ apiUrl, writeKey, timeoutSeconds, signal, onProblem }: SenderOptions): Sender {
  let heard: Hearing = { verdicts: new Map() };
  const interrupted = new Promise<void>(resolve => {
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
  const listeningFetch = createListeningFetch(signal, {
    hearAnswer: (requestBody, answer) => addVerdicts(heard.verdicts, requestBody, answer),
    hearProblem: (text, status) => {
      heard.problem = status === undefined ? { text } : { text, status };
      onProblem?.(text);
    },
  });
  const analytics = new Analytics({ writeKey, host: apiUrl, flushAt: maxBatchEvents, httpClient: listeningFetch });
  // What the SDK refuses by itself is not sent at all, and heard of only here.
  analytics.on('error', ({ reason }) => {
    heard.problem ??= { text: reasonOf(reason) };
  });

  return async batch => {
    heard = { verdicts: new Map() };
    for (const event of batch) enqueue(analytics, event);
    await Promise.race([analytics.flush({ timeout: timeoutSeconds * 1000 }), interrupted]);
    return signal.aborted ? { acceptedCount: 0, refusals: [] } : deliveryOf(batch, heard, timeoutSeconds);
  };
}

interface Listener {
  /** A 200 that says success. */
  readonly hearAnswer: (requestBody: string, answer: Answer) => void;
  /** Anything else. */
  readonly hearProblem: (text: string, status?: number) => void;
}

/** The SDK's fetch, overheard: the SDK itself shows neither the answer's body nor a redirect. */
function createListeningFetch(signal: AbortSignal, { hearAnswer, hearProblem }: Listener): SdkFetch {
  return async (url, request) => {
    const signals = request.signal ? [signal, request.signal] : [signal];
    try {
      const response = await fetch(url, { ...request, redirect: 'manual', signal: AbortSignal.any(signals) });
      const answer = parseAnswer(await response.text());
      if (response.status !== 200)
        hearProblem(`the API answered ${response.status}${detailOf(answer)}`, response.status);
      else if (answer.success !== true)
        hearProblem('the answer was no {"success":true}: is that a Tableside API?', 200);
      else hearAnswer(request.body, answer);
      return response;
    } catch (error) {
      hearProblem(`no answer (${reasonOf(error)})`);
      throw error;
    }
  };
}

function deliveryOf(batch: readonly ImportEvent[], { verdicts, problem }: Hearing, timeoutSeconds: number): Delivery {
  const unanswered = problem?.text ?? `no answer within ${timeoutSeconds} s`;
  const refusals = batch.flatMap(({ row, line, messageId }) => {
    const reason = verdicts.has(messageId) ? verdicts.get(messageId) : unanswered;
    return reason === undefined ? [] : [{ row, line, reason }];
  });
  // 413 is about these events; any other failure would meet the next batch too.
  const isStop = verdicts.size === 0 && problem?.status !== 413;
  return { acceptedCount: batch.length - refusals.length, refusals, ...(isStop && { stop: unanswered }) };
}

function enqueue(analytics: Analytics, event: ImportEvent): void {
  const { messageId, timestamp, anonymousId, userId, name, properties } = event;
  // One of the two is there: the mapper refuses rows without. The SDK's types want to know which.
  const identity = userId === undefined ? { anonymousId: anonymousId ?? '' } : { userId, anonymousId };
  const common = { messageId, timestamp, ...identity };
  if (event.type === 'identify') analytics.identify({ ...common, traits: properties });
  else if (event.type === 'track') analytics.track({ ...common, event: name ?? '', properties });
  else analytics[event.type]({ ...common, ...(name !== undefined && { name }), properties });
}

interface Answer {
  readonly success?: unknown;
  readonly rejected?: unknown;
  /** Of a problem+json answer. */
  readonly detail?: unknown;
  readonly title?: unknown;
}

function parseAnswer(text: string): Answer {
  try {
    const answer: unknown = JSON.parse(text);
    return typeof answer === 'object' && answer !== null ? answer : {};
  } catch {
    return {};
  }
}

function detailOf({ detail, title }: Answer): string {
  const sentence = detail ?? title;
  return typeof sentence === 'string' ? `: ${sentence}` : '';
}

function addVerdicts(verdicts: Verdicts, requestBody: string, { rejected }: Answer): void {
  const { batch } = JSON.parse(requestBody) as { batch: { messageId: string }[] };
  for (const { messageId } of batch) verdicts.set(messageId, undefined);
  for (const { index, reason } of (Array.isArray(rejected) ? rejected : []) as { index: number; reason: unknown }[]) {
    const messageId = batch[index]?.messageId;
    if (messageId !== undefined) verdicts.set(messageId, String(reason));
  }
}
