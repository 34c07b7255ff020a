import { once } from 'node:events';
import net, { type AddressInfo, type Socket } from 'node:net';

/** `lossy`: requests arrive, and the connection breaks in place of their answers. */
export type LineState = 'open' | 'cut' | 'lossy';

/** A TCP line to a server, for tests of what clients do when it breaks. */
export interface Line {
  readonly url: string;
  readonly set: (state: LineState) => void;
  /** What clients met, in order: `cut` connections, `lost` answers, and the status of each answer that came through. */
  readonly fates: readonly string[];
  readonly close: () => Promise<void>;
}

export async function openLine(target: string): Promise<Line> {
  const { port, hostname } = new URL(target);
  const fates: string[] = [];
  const sockets = new Set<Socket>();
  let state: LineState = 'open';

  function keep(socket: Socket): void {
    sockets.add(socket);
    socket.on('error', () => socket.destroy()).on('close', () => sockets.delete(socket));
  }

  const server = net.createServer(client => {
    keep(client);
    if (state === 'cut') {
      fates.push('cut');
      client.resetAndDestroy();
      return;
    }
    const upstream = net.connect(Number(port), hostname);
    keep(upstream);
    client.pipe(upstream);
    client.on('close', () => upstream.destroy());
    upstream.on('close', () => client.destroy());
    upstream.on('data', (chunk: Buffer) => {
      if (state === 'open') {
        const status = /^HTTP\/1\.1 (\d+)/.exec(chunk.toString('latin1', 0, 12))?.[1];
        if (status !== undefined) fates.push(status);
        client.write(chunk);
      } else {
        fates.push('lost');
        client.resetAndDestroy();
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    fates,
    set: next => {
      state = next;
      if (next === 'cut') for (const socket of sockets) socket.resetAndDestroy();
    },
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
