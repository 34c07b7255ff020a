import { Logger } from '@aws-lambda-powertools/logger';

/** One structured log line a call. Service name and level come from POWERTOOLS_SERVICE_NAME and POWERTOOLS_LOG_LEVEL. */
export const logger = new Logger();
