// The live viewer of the report: three planes and a 3-D render of the embedded CT and mask.
// Everything NiiVue does for us is in this folder: here, and the shader of its planes in contours.js. To swap the viewer, write another file that reads the same two
// volumes and fulfils the same contract with the page:
//   #ct-data, #mask-data   gzipped NIfTI in base64        #viewer-settings   JSON: windows, colors, start, volumes' names
//   [data-go-mm]           elements that move the crosshair to "x,y,z" (RAS mm)
//   #planes[data-crosshair-mm]   where the crosshair is       html[data-viewer]   "ready" or "failed"
import { Niivue, NVImage, SLICE_TYPE, SHOW_RENDER, MULTIPLANAR_TYPE } from "@niivue/niivue";
import { compass } from "./compass.js";
import { sliceShader } from "./contours.js";

const CONTOUR_PX = 1.8;
const CROSSHAIR_PX = 1.5;
const GAP_PX = 6; // between planes
const NARROW_PX = 640; // below, the planes stand in two rows
const byId = (id) => document.getElementById(id);
const settings = JSON.parse(byId("viewer-settings").textContent);

async function gunzip(id) {
  const text = atob(byId(id).textContent.trim());
  const bytes = Uint8Array.from(text, (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).arrayBuffer();
}

async function volume(buffer, name, colormap, opacity, low, high) {
  return NVImage.new(buffer, name, colormap, opacity, null, low, high);
}

function labelMap(alphas, [liver, tumor] = [settings.liver_rgb, settings.tumor_rgb]) {
  return { R: [0, liver[0], tumor[0]], G: [0, liver[1], tumor[1]], B: [0, liver[2], tumor[2]],
    A: alphas, I: [0, 1, 2], labels: ["", "liver", "tumor"] };
}

const common = {
  dragAndDropEnabled: false, isResizeCanvas: true, logLevel: "error", loadingText: "",
  crosshairColor: [0.93, 0.95, 0.97, 0.7], crosshairWidth: 1, crosshairWidthUnit: "mm", fontColor: [0.93, 0.95, 0.97, 1], fontMinPx: 13, fontSizeScaling: 0.25,
  isRadiologicalConvention: true, isColorbar: false, isRuler: false, show3Dcrosshair: true,
  isOrientationTextVisible: true, showAllOrientationMarkers: true,
};

async function start() {
  const probe = document.createElement("canvas").getContext("webgl2");
  if (!probe) throw new Error("this browser offers no WebGL 2");
  probe.getExtension("WEBGL_lose_context")?.loseContext();
  const [ct, mask] = await Promise.all([gunzip("ct-data"), gunzip("mask-data")]);

  const planes = new Niivue({ ...common, backColor: [0, 0, 0, 1], crosshairGap: 14, sagittalNoseLeft: true,
    multiplanarShowRender: SHOW_RENDER.NEVER, sliceType: SLICE_TYPE.MULTIPLANAR });
  await planes.attachToCanvas(byId("planes"));
  planes.setCustomSliceShader(sliceShader(settings.liver_rgb, settings.tumor_rgb));
  const [low, high] = settings.windows[0].hu;
  planes.addVolume(await volume(ct, "ct.nii", "gray", 1, low, high));
  const overlay = await volume(mask.slice(0), "mask.nii", "gray", 1, 0, 2);
  overlay.setColormapLabel(labelMap([0, 255, 255]));
  planes.addVolume(overlay);
  planes.setInterpolation(false);

  const render = new Niivue({ ...common, backColor: [0.055, 0.067, 0.082, 1], sliceType: SLICE_TYPE.RENDER });
  render.onAzimuthElevationChange = compass(byId("compass"));
  await render.attachToCanvas(byId("render"));
  // Two layers, since an overlay shines through what lies before it: the liver as a whole, the tumors in it.
  const whole = await volume(mask.slice(0), "liver.nii", "gray", 1, 0, 2);
  whole.setColormapLabel(labelMap([0, 255, 255], [settings.liver_rgb, settings.liver_rgb]));
  render.addVolume(whole);
  const tumor = await volume(mask, "tumor.nii", "gray", 1, 0, 2);
  tumor.setColormapLabel(labelMap([0, 0, 255]));
  render.addVolume(tumor);
  await render.setVolumeRenderIllumination(0.55);
  render.setRenderAzimuthElevation(settings.azimuth, settings.elevation);
  return { planes, render };
}

function connect({ planes, render }) {
  const readout = byId("readout");
  const words = ["", "liver", "tumor"];
  planes.onLocationChange = ({ mm, values }) => {
    const [x, y, z] = mm;
    render.scene.crosshairPos = render.mm2frac([x, y, z]);
    render.drawScene();
    byId("planes").dataset.crosshairMm = [x, y, z].map((one) => one.toFixed(2)).join(",");
    readout.textContent = [
      `${Math.abs(x).toFixed(0)} ${x < 0 ? "L" : "R"}`, `${Math.abs(y).toFixed(0)} ${y < 0 ? "P" : "A"}`,
      `${Math.abs(z).toFixed(0)} ${z < 0 ? "I" : "S"} mm`, `${Math.round(values[0].value)} HU`,
      words[Math.round(values[1].value)],
    ].filter(Boolean).join("   ");
  };
  const go = (mm) => {
    planes.scene.crosshairPos = planes.mm2frac(mm);
    planes.drawScene();
    planes.createOnLocationChange();
  };

  for (const row of document.querySelectorAll("[data-go-mm]")) {
    const jump = () => {
      document.querySelectorAll("[data-go-mm].here").forEach((other) => other.classList.remove("here"));
      row.classList.add("here");
      go(row.dataset.goMm.split(",").map(Number));
    };
    row.addEventListener("click", jump);
    row.addEventListener("keydown", (event) => {
      if (event.key === "Enter" || event.key === " ") { event.preventDefault(); jump(); }
    });
  }
  const presets = byId("presets");
  settings.windows.forEach(({ name, hu }, i) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = name;
    button.title = `${hu[0]} to ${hu[1]} HU`;
    button.setAttribute("aria-pressed", String(i === 0));
    button.addEventListener("click", () => {
      presets.querySelectorAll("button").forEach((other) => other.setAttribute("aria-pressed", String(other === button)));
      [planes.volumes[0].cal_min, planes.volumes[0].cal_max] = hu;
      planes.updateGLVolume();
    });
    presets.append(button);
  });
  const opacity = byId("opacity");
  const outline = byId("outline");
  const draw = () => {
    planes.overlayAlphaShader = Number(opacity.value) / 100;
    planes.overlayOutlineWidth = outline.checked ? CONTOUR_PX * window.devicePixelRatio : 0;
    planes.drawScene();
  };
  opacity.addEventListener("input", draw);
  outline.addEventListener("change", draw);
  const arrange = () => {
    const narrow = byId("planes").clientWidth < NARROW_PX;
    planes.opts.multiplanarLayout = narrow ? MULTIPLANAR_TYPE.GRID : MULTIPLANAR_TYPE.ROW;
    draw();
    const [axial] = planes.screenSlices;
    planes.opts.crosshairWidth = CROSSHAIR_PX * Math.abs(axial.fovMM[0]) / axial.leftTopWidthHeight[2]; // in mm
  };
  window.addEventListener("resize", arrange);
  planes.resizeListener(); // until now the canvas was hidden and had no size, from which no gap can be taken
  planes.opts.multiplanarPadPixels = GAP_PX;
  arrange();
  go(settings.start_mm);
}

start().then((views) => {
  document.documentElement.dataset.viewer = "ready";
  connect(views);
  byId("viewer").dataset.ready = "yes";
}).catch((error) => {
  document.documentElement.dataset.viewer = "failed";
  byId("viewer-missing").textContent = `The live viewer cannot start (${error.message}); the pictures below show the key slices.`;
});
