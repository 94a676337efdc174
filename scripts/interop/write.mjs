// Writes one table of features and labels in the formats of Polars and of apache-arrow: node write.mjs FOLDER INTO, where npm installed into FOLDER.
// The classes are categories, which both write as a dictionary; Polars writes ids as views. internal/e2e's tests say what is in it.
import { writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
const [folder, into] = process.argv.slice(2);
const require = createRequire(path.resolve(folder, "index.js"));
const arrow = require("apache-arrow");
const pl = require("nodejs-polars");

const rows = Array.from({ length: 9 }, (_, i) => ({
  id: i % 2 ? `a clip with a long name, é ${i}` : `clip ${i}`, label: ["bowling", "singing", "ü"][i % 3],
  v: [i, i / 2, -i, i / 8], f0: i / 4, f1: i * i,
}));
const column = (name) => rows.map((r) => r[name]);

const frame = pl.DataFrame([
  pl.Series("id", column("id"), pl.Utf8), pl.Series("label", column("label"), pl.Categorical),
  pl.Series("v", column("v"), pl.List(pl.Float32)), pl.Series("f0", column("f0"), pl.Float64), pl.Series("f1", column("f1"), pl.Int64),
]);
for (const compression of ["uncompressed", "lz4", "zstd"]) frame.writeIPC(path.join(into, `polars-${compression}.feather`), { compression });
writeFileSync(path.join(into, "polars.arrows"), frame.writeIPCStream());
frame.writeParquet(path.join(into, "polars.parquet"), { compression: "zstd" });
frame.select("id", "label", "f0", "f1").writeCSV(path.join(into, "polars.csv"));

const build = (type, values) => {
  const b = arrow.makeBuilder({ type, nullValues: [null] });
  for (const v of values) b.append(v);
  return b.finish().toVector();
};
const table = new arrow.Table({
  id: build(new arrow.LargeUtf8(), column("id")),
  label: build(new arrow.Dictionary(new arrow.Utf8(), new arrow.Int32()), column("label")),
  v: build(new arrow.FixedSizeList(4, new arrow.Field("item", new arrow.Float32(), false)), column("v")),
  f0: build(new arrow.Float64(), column("f0")),
  f1: build(new arrow.Int64(), column("f1").map(BigInt)),
});
writeFileSync(path.join(into, "arrowjs.arrow"), arrow.tableToIPC(table, "file"));
writeFileSync(path.join(into, "arrowjs.arrows"), arrow.tableToIPC(table, "stream"));
