import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** Small durable facts of the local cloud: checkpoints, versions, sequence numbers. Survives `kill -9`. */
export interface State {
  readonly get: (area: string, key: string) => string | undefined;
  readonly set: (area: string, key: string, value: string) => void;
  readonly close: () => void;
}

/** Opens (or makes) `state.sqlite` in `dir`. Write-ahead log: a committed `set` is there after any crash of the process. */
export function openState(dir: string): State {
  const database = new DatabaseSync(join(dir, 'state.sqlite'));
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL');
  database.exec('CREATE TABLE IF NOT EXISTS facts (area TEXT, key TEXT, value TEXT, PRIMARY KEY (area, key))');
  const read = database.prepare('SELECT value FROM facts WHERE area = ? AND key = ?');
  const write = database.prepare('INSERT INTO facts VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value');
  return {
    get: (area, key) => read.get(area, key)?.value as string | undefined,
    set: (area, key, value) => void write.run(area, key, value),
    close: () => database.close(),
  };
}
