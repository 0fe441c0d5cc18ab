// No-op jobs a second with graphile-worker, 10 at a time, jobs fetched and completed in batches.
// node bench.mjs postgres://…/an-empty-database [jobs]
import { Logger, run, runMigrations } from "graphile-worker";
import pg from "pg";

const [connectionString, count = "20000"] = process.argv.slice(2);
const jobs = Number(count);
const pool = new pg.Pool({ connectionString, max: 20 });
pool.on("error", (error) => console.error(error));
pool.on("connect", (client) => client.on("error", (error) => console.error(error)));
let done = 0;
let finish;
const finished = new Promise((resolve) => (finish = resolve));
const options = {
  preset: {
    worker: {
      connectionString,
      concurrentJobs: 10,
      localQueue: { size: 500 },
      completeJobBatchDelay: 0,
      failJobBatchDelay: 0,
    },
  },
  taskList: {
    nothing: async () => {
      if (++done === jobs) finish();
    },
  },
};

const logger = new Logger(() => () => {});
await runMigrations({ pgPool: pool, logger });
await pool.query(
  `select graphile_worker.add_job('nothing', json_build_object('n', n, 'text', 'of usual length')) from generate_series(1, $1::int) n`,
  [jobs],
);
const cpu = process.cpuUsage();
const began = performance.now();
const runner = await run({ ...options, pgPool: pool, logger });
await finished;
// Stopping writes the last batch of completions.
await runner.stop();
const seconds = (performance.now() - began) / 1000;
const used = process.cpuUsage(cpu);
const { rows } = await pool.query("select count(*)::int as left from graphile_worker.jobs");
console.log(
  `graphile-worker: ${Math.round(jobs / seconds)} jobs/s, ${((used.user + used.system) / jobs).toFixed(1)} us of CPU each, ${rows[0].left} left`,
);
await pool.end();
