// Points `sls invoke local --stage local` at the running local cloud, and says so where there is none.
// The function then runs with the same resources as under `npm start`: what it puts on the stream arrives in the lake.
const net = require('node:net');

const endpoint = process.env.AWS_ENDPOINT_URL ?? 'http://127.0.0.1:4566';
const connectTimeoutMs = 1000;

/** An osls plugin: called with `new`, read for its hooks. */
module.exports = function localStage(serverless) {
  const { commands, options } = serverless.processedInput;
  const isLocal = options.stage === 'local';
  const command = commands.join(' ');
  if (isLocal && command === 'invoke local') {
    Object.assign(process.env, {
      AWS_ENDPOINT_URL: endpoint,
      AWS_ACCESS_KEY_ID: 'local',
      AWS_SECRET_ACCESS_KEY: 'local',
      AWS_REGION: 'us-east-1',
    });
  }

  async function checkStage() {
    if (command === 'invoke local' && isLocal && !(await answers(new URL(endpoint)))) {
      throw new serverless.classes.Error(
        `Nothing answers on ${endpoint}: start Tableside with \`npm start\` in another terminal, then run this again.`,
      );
    }
    if (/^(deploy|remove|info|logs)/.test(command) && isLocal) {
      throw new serverless.classes.Error(
        `The stage "local" lives on this machine and is never deployed: \`npm start\` runs it. Choose another with --stage.`,
      );
    }
  }

  this.hooks = { initialize: checkStage };
};

function answers({ hostname, port }) {
  return new Promise(resolve => {
    const socket = net.connect({ host: hostname, port: Number(port || 80), timeout: connectTimeoutMs });
    const end = isUp => {
      socket.destroy();
      resolve(isUp);
    };
    socket.once('connect', () => end(true));
    socket.once('timeout', () => end(false));
    socket.once('error', () => end(false));
  });
}
