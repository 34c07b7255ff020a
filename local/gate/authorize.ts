import { decide, type PolicyDocument, type PolicyStatement } from './policy.ts';
import { AwsError, type Caller, type Grant } from './service.ts';

export interface Authorizer {
  /** Throws AccessDenied, naming action and resource, for the first grant that the caller's role does not give. */
  readonly authorize: (caller: Caller, grants: readonly Grant[]) => void;
  /** What each function's role gave so far: `<role ARN> <action>`, in the words of the policy. */
  readonly used: () => ReadonlySet<string>;
}

/** Holds functions to their own role. The operator may do everything, and so may whoever has a link that they signed. */
export function createAuthorizer(policiesOf: (roleArn: string) => readonly PolicyDocument[]): Authorizer {
  const used = new Set<string>();

  function authorize(caller: Caller, grants: readonly Grant[]): void {
    if (caller.kind === 'anonymous' && grants.length > 0) throw unsigned();
    if (caller.kind !== 'function') return;
    const policies = policiesOf(caller.roleArn);
    for (const { action, resource } of grants) {
      const decision = decide(policies, { action, resource });
      if (decision.kind !== 'allowed') throw denied(caller, { action, resource }, decision.kind === 'denied');
      for (const statement of decision.by) note(caller.roleArn, statement, action);
    }
  }

  function note(roleArn: string, { Action = [] }: PolicyStatement, action: string): void {
    const wanted = action.toLowerCase();
    for (const given of [Action].flat()) {
      if (given.toLowerCase() === wanted || given.includes('*')) used.add(`${roleArn} ${given}`);
    }
  }

  return { authorize, used: () => used };
}

function unsigned(): AwsError {
  return new AwsError(
    'MissingAuthenticationTokenException',
    'The request is not signed: sign it, with any key here',
    403,
  );
}

/** AWS's own sentence, so that a search for it finds AWS's advice. */
function denied(
  caller: Extract<Caller, { kind: 'function' }>,
  { action, resource }: Grant,
  explicit: boolean,
): AwsError {
  const role = caller.roleArn.replace(':iam:', ':sts:').replace(':role/', ':assumed-role/');
  const why = explicit ? 'with an explicit deny in' : 'because no';
  return new AwsError(
    // The services of the older protocols leave the suffix out.
    /^(s3|sns|sts|iam|cloudformation):/.test(action) ? 'AccessDenied' : 'AccessDeniedException',
    `User: ${role}/${caller.functionName} is not authorized to perform: ${action} on resource: ${resource} ` +
      `${why} identity-based policy${explicit ? '' : ` allows the ${action} action`}`,
    403,
  );
}
