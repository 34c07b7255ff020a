import { startS3 } from './s3-fixture.ts';

// An S3 in a process of its own, for tests that kill it or ask how much memory it took. Its folder is its argument.
const { endpoint } = await startS3(process.argv[2]);
process.on('message', () => process.send?.({ maxResidentBytes: process.resourceUsage().maxRSS * 1024 }));
process.send?.({ endpoint });
