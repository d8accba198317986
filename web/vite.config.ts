import { defineConfig } from "vite";

// Plain names without digests: the exporter lists and versions the files, and a rebuilt page gives small differences.
export default defineConfig({
  base: "./",
  build: {
    outDir: "../export/edgeau_export/web/page",
    emptyOutDir: true,
    target: "es2022",
    modulePreload: false,
    rollupOptions: {
      input: { page: "index.html", sw: "src/service-worker.ts" },
      output: { entryFileNames: "[name].js", chunkFileNames: "[name].js", assetFileNames: "[name][extname]" },
    },
  },
  // LiteRT.js loads its runtime by importScripts, which module workers do not have.
  worker: { format: "iife", rollupOptions: { output: { entryFileNames: "worker.js" } } },
});
