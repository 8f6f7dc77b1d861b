// local: what needs no cluster (and the API-server tests once the cluster's binary is built). cluster: everything that needs one, and
// what takes long. chart: the real helm.
import { defineConfig } from 'vitest/config';
import { insideNode, kubeBinary } from './test/support/cluster.ts';

const API_TESTS = 'test/**/*.api.test.ts';
const NODE_TESTS = 'test/**/*.node.test.ts';
/** Those that install for the whole cluster: test/chart/test.sh gives them one of their own. */
const CHART_TESTS = 'test/chart/*.node.test.ts';
const LONG_TESTS = 'test/**/*.long.test.ts';
const withApi = process.env.SOCKETPOD_SKIP_API === undefined && kubeBinary() !== undefined;
if (!withApi && !insideNode) {
  console.log(
    'not run here: the long tests, and those on a real API server and node, as the cluster binary is not built; npm run test:cluster builds it and runs them',
  );
}

export default defineConfig({
  test: {
    testTimeout: 30_000,
    hookTimeout: 60_000,
    projects: [
      {
        extends: true,
        // Most of them wait more than they work.
        test: {
          name: 'local',
          maxWorkers: 3,
          include: ['test/**/*.test.ts'],
          exclude: [LONG_TESTS, NODE_TESTS, ...(withApi ? [] : [API_TESTS])],
        },
      },
      {
        extends: true,
        test: {
          name: 'cluster',
          include: [LONG_TESTS, API_TESTS, ...(insideNode ? [NODE_TESTS] : [])],
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
