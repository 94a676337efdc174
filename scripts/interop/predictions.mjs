// Writes a table as an Arrow stream with apache-arrow: node predictions.mjs FOLDER FILE, where npm installed into FOLDER. The table comes as JSON on
// standard input, from pyarrow.py: fields as [name, type], metadata, and columns in the order of the fields.
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
const [folder, file] = process.argv.slice(2);
const arrow = createRequire(path.resolve(folder, "index.js"))("apache-arrow");

const simple = { utf8: new arrow.Utf8(), int32: new arrow.Int32(), uint64: new arrow.Uint64(), float32: new arrow.Float32() };
const typed = (t) => (t.of ? new arrow.FixedSizeList(t.size, new arrow.Field("item", typed(t.of), true)) : simple[t]);

const { fields, metadata, columns } = JSON.parse(readFileSync(0, "utf8"));
const schema = new arrow.Schema(fields.map(([name, type]) => new arrow.Field(name, typed(type), true)), new Map(Object.entries(metadata)));
const data = Object.fromEntries(schema.fields.map((field, i) => {
  const b = arrow.makeBuilder({ type: field.type, nullValues: [null] });
  for (const v of columns[i]) b.append(field.type instanceof arrow.Uint64 ? BigInt(v) : v);
  return [field.name, b.finish().toVector()];
}));
writeFileSync(file, arrow.tableToIPC(new arrow.Table(schema, data), "stream"));
