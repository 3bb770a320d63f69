// Bundles src/viewer.js with NiiVue into one script and puts the licences of everything in it at its head.
// usage: node build.mjs OUTPUT.js
import { build } from "esbuild";
import { readFileSync, readdirSync, writeFileSync, existsSync } from "node:fs";
import { join, dirname } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const output = process.argv[2];
if (!output) throw new Error("usage: node build.mjs OUTPUT.js");

// NiiVue reads many formats and can load some from the network; the report shows two NIfTI volumes from memory.
// What the report never uses is left out of the bundle.
const empty = { name: "leave-out", setup(b) {
  b.onResolve({ filter: /^(zarrita|numcodecs)(\/|$)/ }, (args) => ({ path: args.path, namespace: "left-out" }));
  b.onLoad({ filter: /.*/, namespace: "left-out" }, () => ({
    contents: "module.exports = {};", loader: "js" }));
} };

const result = await build({
  absWorkingDir: here,
  entryPoints: ["src/viewer.js"],
  bundle: true,
  minify: true,
  format: "iife",
  target: "es2022",
  charset: "ascii",
  legalComments: "none",
  metafile: true,
  write: false,
  plugins: [empty],
  logLevel: "warning",
  logOverride: { "import-is-undefined": "silent", "direct-eval": "silent" },
});

const packages = new Set();
for (const file of Object.keys(result.metafile.inputs)) {
  const found = /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(file);
  if (found) packages.add(found[1]);
}
const notices = [...packages].sort().map((name) => {
  const folder = join(here, "node_modules", name);
  const facts = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const own = readdirSync(folder).find((file) => /^licen[cs]e/i.test(file));
  const kept = join(here, "licenses", name.replace("/", "-") + ".txt");
  if (!own && !existsSync(kept)) throw new Error(`${name} has no licence text: add ${kept}`);
  const text = readFileSync(own ? join(folder, own) : kept, "utf8").trim();
  return `${name} ${facts.version} (${facts.license})\n\n${text}`;
});
const banner = `/*!\n${notices.join("\n\n----\n\n").replaceAll("*/", "* /")}\n*/\n`;
// "</script" and "<!--" inside a string would end or distort the script element the bundle is put into.
const code = result.outputFiles[0].text.replaceAll("</script", "<\\/script").replaceAll("<!--", "<\\!--");
writeFileSync(output, banner.replaceAll("<", "(").replaceAll(">", ")") + code);
console.log(`${output}: ${Math.round((banner.length + code.length) / 1024)} KiB, ${[...packages].sort().join(", ")}`);
