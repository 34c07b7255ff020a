import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/**
 * Holds `dir` for this process alone. The lock is the operating system's (SQLite's file lock), so it goes with the process
 * however that ends, and no stale file can keep the next start out.
 * @returns the release; undefined where another process holds the folder
 */
export function lockFolder(dir: string): (() => void) | undefined {
  const database = new DatabaseSync(join(dir, 'lock.sqlite'));
  try {
    database.exec('PRAGMA busy_timeout = 0; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
  } catch {
    database.close();
    return undefined;
  }
  return () => database.close();
}
