// Builds the bundles of one app as `bench build` does, and the map Frappe finds them by.
// usage: node build.mjs ASSETS_DIR APP name=/path/to/package name=/path/to/package ...
//   every public/**/*.bundle.{js,ts,css,scss} of APP becomes ASSETS_DIR/APP/dist/…, stylesheets also mirrored for languages
//   that run from right to left; assets.json lists those of all apps
import esbuild from "esbuild";
import vuePlugin from "esbuild-plugin-vue3";
import rtlcss from "rtlcss";
import * as sass from "sass";
import fs from "node:fs";
import path from "node:path";

const [assetsDir, app, ...packages] = process.argv.slice(2);
const appDirs = Object.fromEntries(packages.map((p) => p.split("=")));
const nodeModules = path.join(path.dirname(new URL(import.meta.url).pathname), "node_modules");
const publicDir = path.join(appDirs[app], "public");
const searchDirs = [nodeModules, ...Object.values(appDirs).map((dir) => path.dirname(dir))];

function filesBelow(dir) {
	if (!fs.existsSync(dir)) return [];
	return fs.readdirSync(dir, { withFileTypes: true }).flatMap((entry) => {
		const file = path.join(dir, entry.name);
		return entry.isDirectory() ? filesBelow(file) : [file];
	});
}

// a stylesheet named as in `@import "frappe/public/css/x"` or `"~package/y"`
function findStyle(name) {
	const partial = path.join(path.dirname(name), `_${path.basename(name)}.scss`);
	for (const dir of searchDirs) {
		for (const candidate of [name, `${name}.scss`, `${name}.css`, partial]) {
			const file = path.join(dir, candidate);
			if (fs.existsSync(file) && fs.statSync(file).isFile()) return file;
		}
	}
}

// .html files become templates: frappe.templates["name"] = "…"
const templates = {
	name: "templates",
	setup(build) {
		build.onLoad({ filter: /\.html$/ }, ({ path: file }) => {
			const html = fs.readFileSync(file, "utf8").replace(/<!--.*?-->/gs, "").replace(/\s+/g, " ");
			const name = JSON.stringify(path.basename(file, ".html"));
			return { contents: `frappe.templates[${name}] = ${JSON.stringify(html)};`, loader: "js" };
		});
	},
};

// url(…) in stylesheets must be addresses the web server knows
const addresses = {
	name: "addresses",
	setup(build) {
		build.onResolve({ filter: /^\/?(assets|files)\// }, ({ path: url }) => ({ path: url, external: true }));
		build.onResolve({ filter: /^frappe\/.*\.css$/ }, ({ path: url }) => {
			const file = findStyle(url.replace(/^.*public\/node_modules\//, ""));
			return file && { path: file };
		});
		build.onResolve({ filter: /\.(svg|png|jpe?g|gif|woff2?|ttf|eot)([?#].*)?$/ }, (found) => {
			if (found.kind !== "url-token") return;
			const file = path.resolve(found.resolveDir, found.path);
			for (const [name, dir] of Object.entries(appDirs)) {
				const below = path.relative(path.join(dir, "public"), file);
				if (!below.startsWith("..")) return { path: `/assets/${name}/${below}`, external: true };
			}
			const below = path.relative(nodeModules, file);
			return { path: below.startsWith("..") ? found.path : `/assets/frappe/node_modules/${below}`, external: true };
		});
	},
};

const compiled = {};
const scss = (mirror) => ({
	name: "scss",
	setup(build) {
		const importer = (url) => {
			if (!/^~|\.css$|^frappe\//.test(url)) return null;
			const file = findStyle(url.replace(/^~/, ""));
			if (!file) return null;
			return file.endsWith(".css") ? { contents: fs.readFileSync(file, "utf8") } : { file };
		};
		const compile = (file) => {
			const options = { file, importer, includePaths: searchDirs, quietDeps: true, logger: sass.Logger.silent };
			return sass.renderSync(options).css.toString();
		};
		build.onLoad({ filter: /\.(scss|css)$/ }, ({ path: file }) => {
			const css = (compiled[file] ??= file.endsWith(".scss") ? compile(file) : fs.readFileSync(file, "utf8"));
			// before the bundler drops the comments that direct the mirroring
			return { loader: "css", resolveDir: path.dirname(file), contents: mirror ? rtlcss.process(css) : css };
		});
	},
});

const bundles = filesBelow(publicDir).filter((f) => /\.bundle\.(js|ts|css|scss)$/.test(f));
const isStyle = (file) => /css$/.test(file);
const map = {};
fs.rmSync(path.join(assetsDir, app, "dist"), { recursive: true, force: true });

for (const kind of ["js", "css", "css-rtl"]) {
	const styles = kind !== "js";
	const entries = bundles.filter((file) => isStyle(file) === styles);
	if (!entries.length) continue;
	const result = await esbuild.build({
		entryPoints: entries.map((file) => ({
			in: file,
			out: `${app}/dist/${kind}/${path.basename(file).replace(/\.(js|ts|css|scss)$/, "")}`,
		})),
		outdir: assetsDir,
		entryNames: "[dir]/[name].[hash]",
		bundle: true,
		minify: true,
		keepNames: true,
		sourcemap: true,
		target: ["es2020"],
		metafile: true,
		logLevel: "error",
		nodePaths: [nodeModules],
		define: {
			"process.env.NODE_ENV": '"production"',
			__VUE_OPTIONS_API__: "true",
			__VUE_PROD_DEVTOOLS__: "false",
			__VUE_PROD_HYDRATION_MISMATCH_DETAILS__: "false",
		},
		alias: {
			"quill-image-resize": "frappe-quill-image-resize",
			moment: path.join(nodeModules, "moment/min/moment-with-locales.js"),
			vue: path.join(nodeModules, "vue/dist/vue.esm-bundler.js"),
		},
		loader: { ".svg": "dataurl", ".png": "dataurl" },
		plugins: [templates, addresses, scss(kind === "css-rtl"), (vuePlugin.default || vuePlugin)()],
	});
	for (const [output, meta] of Object.entries(result.metafile.outputs)) {
		if (!meta.entryPoint || output.endsWith(".map")) continue;
		if (!styles && meta.cssBundle) {
			// the <style> of .vue files: the page loads the script only
			const css = JSON.stringify(fs.readFileSync(meta.cssBundle, "utf8"));
			const code = `{const s=document.createElement("style");s.textContent=${css};document.head.append(s)}`;
			fs.appendFileSync(output, `\n${code}\n`);
		}
		const name = path.basename(output).replace(/\.[A-Z0-9]{8}(\.(js|css))$/, "$1");
		map[kind === "css-rtl" ? `rtl_${name}` : name] = "/assets/" + path.relative(assetsDir, path.resolve(output));
	}
}

// beside dist/, /assets/APP/… is the app's public folder
const appAssets = path.join(assetsDir, app);
fs.mkdirSync(appAssets, { recursive: true });
for (const entry of fs.readdirSync(appAssets)) {
	if (fs.lstatSync(path.join(appAssets, entry)).isSymbolicLink()) fs.rmSync(path.join(appAssets, entry));
}
for (const entry of fs.existsSync(publicDir) ? fs.readdirSync(publicDir) : []) {
	if (entry !== "dist") fs.symlinkSync(path.join(publicDir, entry), path.join(appAssets, entry));
}
if (app === "frappe") fs.symlinkSync(nodeModules, path.join(appAssets, "node_modules"));
fs.writeFileSync(path.join(appAssets, "bundles.json"), JSON.stringify(map, null, 1));

const all = {};
for (const name of Object.keys(appDirs)) {
	const file = path.join(assetsDir, name, "bundles.json");
	if (fs.existsSync(file)) Object.assign(all, JSON.parse(fs.readFileSync(file, "utf8")));
}
const assetsJson = path.join(assetsDir, "assets.json");
fs.writeFileSync(`${assetsJson}.part`, JSON.stringify(all, null, 1));
fs.renameSync(`${assetsJson}.part`, assetsJson);
console.log(`${app}: ${Object.keys(map).length} bundles`);
