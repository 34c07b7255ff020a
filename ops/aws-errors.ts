import { CommandError, codeOf, reasonOf } from './errors.ts';

export type Place = { readonly awsPort: number } | { readonly stage: string };

/** The sentence for a port of the local stage on which nothing listens. */
export function nothingAnswers(port: number, option: '--port' | '--aws-port'): CommandError {
  return new CommandError(
    `Nothing answers on 127.0.0.1:${port}. Start Tableside with \`npm start\` in another terminal, or pass ${option}.`,
  );
}

/** A failed AWS call as a sentence that says what to do about it; what needs none keeps AWS's own words. */
export function explainAwsError(error: unknown, place: Place): CommandError {
  if (error instanceof CommandError) return error;
  if ('awsPort' in place && codeOf(error) === 'ECONNREFUSED') return nothingAnswers(place.awsPort, '--aws-port');
  return new CommandError(sentenceOf(error, 'stage' in place ? place.stage : 'local'), { cause: error });
}

function sentenceOf(error: unknown, stage: string): string {
  const reason = reasonOf(error);
  const name = error instanceof Error ? error.name : '';
  if (/region is missing/i.test(reason)) return 'Say which region the stage is in: --region, or AWS_REGION.';
  if (name === 'CredentialsProviderError') {
    return `There are no AWS credentials for the stage ${stage}: set AWS_PROFILE, or sign in with \`aws sso login\`.`;
  }
  if (/^Stack with id \S+ does not exist/.test(reason)) {
    return `${reason}. Check --stage and --region, or deploy it: npx sls deploy --stage ${stage}`;
  }
  if (name.startsWith('ExpiredToken')) return 'The AWS credentials have expired: sign in again.';
  return /[.!?]$/.test(reason) ? reason : `${reason}.`;
}
