// Writes the tables of pkg/table's tests with writers that are not ours: DuckDB (Parquet), Polars (Parquet, Arrow IPC) and Apache Arrow's
// JavaScript library (Arrow IPC). Usage, in a folder where npm has installed @duckdb/node-api 1.5.6-r.1, nodejs-polars 0.26.1
// and apache-arrow 21.2.0:
//
//   node tables.mjs FOLDER
//
import fs from "node:fs";
import path from "node:path";
import pl from "nodejs-polars";
import { DuckDBInstance } from "@duckdb/node-api";
import * as arrow from "apache-arrow";

const out = process.argv[2];
const n = 150;
const rows = [];
for (let i = 0; i < n; i++) {
  rows.push({
    id: `clip-${i}`,
    class: ["bowling", "singing", "lawn mowing"][i % 3],
    start: i % 7 == 3 ? null : i / 4,
    frames: 2 ** 53 + 2 * i, // more digits than float32 has
    v: i % 11 == 5 ? null : [i, i / 2, -i, i / 8],
  });
}

// Parquet by DuckDB: lists, and a fixed-size array; compressions.
const db = await (await DuckDBInstance.create(":memory:")).connect();
const literal = (r) => `('${r.id}','${r.class}',${r.start ?? "null"}::double,${r.frames}::bigint,${r.v ? `[${r.v.join(",")}]::float[]` : "null"},${r.v ? `[${r.v.join(",")}]::double[4]` : "null"})`;
await db.run(`create table t as select * from (values ${rows.map(literal).join(",")}) t(id, class, start, frames, v, fixed)`);
for (const codec of ["snappy", "zstd", "gzip", "uncompressed", "brotli"]) {
  await db.run(`copy t to '${path.join(out, `duckdb-${codec}.parquet`)}' (format parquet, compression ${codec}, row_group_size 128)`);
}
await db.run(`copy t to '${path.join(out, "duckdb-v2.parquet")}' (format parquet, parquet_version v2, row_group_size 128)`);

// Parquet and Arrow IPC by Polars.
const frame = pl.DataFrame({
  id: pl.Series("id", rows.map((r) => r.id), pl.Utf8),
  class: pl.Series("class", rows.map((r) => r.class), pl.Utf8),
  start: pl.Series("start", rows.map((r) => r.start), pl.Float64),
  frames: pl.Series("frames", rows.map((r) => r.frames), pl.Int64),
  v: pl.Series("v", rows.map((r) => r.v), pl.List(pl.Float32)),
});
frame.writeParquet(path.join(out, "polars.parquet"), { compression: "zstd" });
for (const compression of ["uncompressed", "lz4", "zstd"]) {
  frame.writeIPC(path.join(out, `polars-${compression}.feather`), { compression });
}

// Arrow IPC by Apache Arrow's JavaScript library: the class as a dictionary, vectors as lists and fixed-size lists.
const f32 = new arrow.Field("item", new arrow.Float32(), false);
const build = (type, values) => {
  const b = arrow.makeBuilder({ type, nullValues: [null] });
  for (const v of values) b.append(v);
  return b.finish().toVector();
};
const table = new arrow.Table({
  id: build(new arrow.Utf8(), rows.map((r) => r.id)),
  class: build(new arrow.Dictionary(new arrow.Utf8(), new arrow.Int32()), rows.map((r) => r.class)),
  start: build(new arrow.Float64(), rows.map((r) => r.start)),
  frames: build(new arrow.Int64(), rows.map((r) => BigInt(r.frames))),
  v: build(new arrow.List(f32), rows.map((r) => r.v)),
  fixed: build(new arrow.FixedSizeList(4, f32), rows.map((r) => r.v)),
});
fs.writeFileSync(path.join(out, "arrowjs.arrow"), arrow.tableToIPC(table, "file"));
fs.writeFileSync(path.join(out, "arrowjs.arrows"), arrow.tableToIPC(table, "stream"));
const plain = table.select(["id", "start", "frames", "v", "fixed"]);
fs.writeFileSync(path.join(out, "arrowjs-plain.arrows"), arrow.tableToIPC(plain, "stream"));
