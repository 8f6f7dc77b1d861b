// local: what needs no cluster (and the API-server tests once the cluster's binary is built). cluster: everything that needs one.
import { defineConfig } from 'vitest/config';
import { insideNode, kubeBinary } from './test/support/cluster.ts';

const API_TESTS = 'test/**/*.api.test.ts';
const NODE_TESTS = 'test/**/*.node.test.ts';
const withApi = process.env.SOCKETPOD_SKIP_API === undefined && kubeBinary() !== undefined;
if (!withApi && !insideNode) {
  console.log(
    'not run here: tests on a real API server and node, as the cluster binary is not built; npm run test:cluster builds it and runs them',
  );
}

export default defineConfig({
  test: {
    testTimeout: 30_000,
    hookTimeout: 60_000,
    projects: [
      {
        extends: true,
        test: { name: 'local', include: ['test/**/*.test.ts'], exclude: withApi ? [NODE_TESTS] : [API_TESTS, NODE_TESTS] },
      },
      {
        extends: true,
        test: {
          name: 'cluster',
          include: insideNode ? [API_TESTS, NODE_TESTS] : [API_TESTS],
          fileParallelism: false,
          testTimeout: 180_000,
        },
      },
    ],
  },
});
