// Prints an Arrow stream or file as JSON, read by apache-arrow: node read.mjs FOLDER FILE, where npm installed into FOLDER.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
const { tableFromIPC } = createRequire(path.resolve(process.argv[2], "index.js"))("apache-arrow");

const table = tableFromIPC(readFileSync(process.argv[3]));
const plain = (v) => {
  if (v === null || v === undefined) return null;
  if (typeof v === "bigint") return Number(v);
  if (typeof v === "object") return [...v].map(plain);
  return v;
};
const columns = table.schema.fields.map((f, i) => ({
  name: f.name, type: String(f.type), extension: f.metadata.get("ARROW:extension:metadata") ?? "", values: [...table.getChildAt(i)].map(plain),
}));
console.log(JSON.stringify({ metadata: Object.fromEntries(table.schema.metadata), columns }));
