// Prints an Arrow stream or file as JSON, read by apache-arrow or by Polars: node read.mjs READER FOLDER FILE, where npm installed into FOLDER.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
const [reader, folder, file] = process.argv.slice(2);
const require = createRequire(path.resolve(folder, "index.js"));
const bytes = readFileSync(file);
const plain = (v) => {
  if (v === null || v === undefined) return null;
  if (typeof v === "bigint") return Number(v);
  if (typeof v === "object") return [...v].map(plain);
  return v;
};

const readers = {
  "apache-arrow": () => {
    const table = require("apache-arrow").tableFromIPC(bytes);
    const columns = table.schema.fields.map((f, i) => ({
      name: f.name, extension: f.metadata.get("ARROW:extension:metadata") ?? "", values: [...table.getChildAt(i)].map(plain),
    }));
    return { metadata: Object.fromEntries(table.schema.metadata), columns };
  },
  polars: () => {
    const pl = require("nodejs-polars");
    const frame = bytes.subarray(0, 6).toString() === "ARROW1" ? pl.readIPC(bytes) : pl.readIPCStream(bytes);
    const columns = frame.columns.map((name) => ({ name, extension: "", values: [...frame.getColumn(name)].map(plain) }));
    return { metadata: {}, columns };
  },
};
console.log(JSON.stringify(readers[reader]()));
