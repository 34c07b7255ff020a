// Settings that a deploy must be given. What is missing is said by name, in place of osls' own words.
const { readdirSync } = require('node:fs');

exports.writeKeys = () => fromEnvironment('TABLESIDE_WRITE_KEYS', 'wk_a1b2=website,wk_c3d4=app');
exports.origin = () => fromEnvironment('TABLESIDE_ORIGIN', 'https://www.example.com');

/** Asked for only where the stage has no file. */
exports.stageFile = ({ options }) => {
  const stages = readdirSync(__dirname).filter(name => name.endsWith('.yml'));
  throw sentence(
    `There is no infra/stages/${options.stage ?? 'dev'}.yml. There are ${stages.join(', ')}: copy one of them.`,
  );
};

function fromEnvironment(name, example) {
  const value = process.env[name];
  if (!value) throw sentence(`Set ${name} in the environment, such as ${name}=${example}, and run this again.`);
  return value;
}

/** osls prints an error's stack where it has one. */
function sentence(message) {
  return Object.assign(new Error(message), { stack: message });
}
