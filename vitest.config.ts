// local: what needs no cluster. api: what needs an API server alone. cluster: what needs a whole node, and what takes long. chart: the
// real helm on a node of its own.
import { defineConfig } from 'vitest/config';
import { insideNode } from './test/support/cluster.ts';

const API_TESTS = 'test/**/*.api.test.ts';
const NODE_TESTS = 'test/**/*.node.test.ts';
/** Those that install for the whole cluster: test/chart/test.sh gives them one of their own. */
const CHART_TESTS = 'test/chart/*.node.test.ts';
const LONG_TESTS = 'test/**/*.long.test.ts';

export default defineConfig({
  test: {
    testTimeout: 30_000,
    hookTimeout: 60_000,
    projects: [
      {
        extends: true,
        // Most of them wait more than they work.
        test: { name: 'local', maxWorkers: 3, include: ['test/**/*.test.ts'], exclude: [API_TESTS, LONG_TESTS, NODE_TESTS] },
      },
      {
        extends: true,
        // Each file starts API servers of its own: two at a time are what two cores bear.
        test: { name: 'api', maxWorkers: 2, include: [API_TESTS], testTimeout: 60_000 },
      },
      {
        extends: true,
        test: {
          name: 'cluster',
          include: [LONG_TESTS, ...(insideNode ? [NODE_TESTS] : [])],
          exclude: [CHART_TESTS],
          fileParallelism: false,
          testTimeout: 180_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'chart',
          include: insideNode ? [CHART_TESTS] : [],
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 180_000,
        },
      },
    ],
  },
});
