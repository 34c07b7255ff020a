// Imported before any TypeScript, so that an old Node answers with a sentence and not with a syntax error.
// 22.18 is the first Node that runs TypeScript without a flag.
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 18)) {
  process.stderr.write(
    `Tableside needs Node 22.18 or newer, and this is ${process.versions.node}. On Linux (x64 and arm64) \`npm ci\` brings ` +
      'Node 24 along: run it again without --omit=optional. Elsewhere install Node 24 from https://nodejs.org.\n',
  );
  process.exit(1);
}
