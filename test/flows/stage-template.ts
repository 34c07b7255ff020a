import { cpSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Statement {
  Sid?: string;
  Effect: string;
  Action: string | string[];
  Resource: unknown;
}

export interface PackagedTemplate {
  Resources: Record<string, { Type: string; Properties: Record<string, unknown> }>;
}

const templateFile = 'cloudformation-template-update-stack.json';

export function readTemplate(packageDir: string): PackagedTemplate {
  return JSON.parse(readFileSync(join(packageDir, templateFile), 'utf8'));
}

/** A copy of a package whose template was changed; the caller removes the folder. */
export function changedPackage(packageDir: string, change: (template: PackagedTemplate) => void): string {
  const copy = mkdtempSync(join(tmpdir(), 'tableside-package-'));
  cpSync(packageDir, copy, { recursive: true });
  const template = readTemplate(copy);
  change(template);
  writeFileSync(join(copy, templateFile), JSON.stringify(template));
  return copy;
}

/** The statements of a role's own policies, as objects that a change may alter. */
export function statementsOf(template: PackagedTemplate, roleId: string): Statement[] {
  const role = template.Resources[roleId];
  if (!role) throw new Error(`The template has no role ${roleId}`);
  const policies = role.Properties.Policies as { PolicyDocument: { Statement: Statement[] } }[];
  return policies.flatMap(({ PolicyDocument }) => PolicyDocument.Statement);
}
