// Six letters around a point that turn with the 3-D view: which way the patient lies in it.
const SVG = "http://www.w3.org/2000/svg";
const AXES = [["R", 1, 0, 0], ["L", -1, 0, 0], ["A", 0, 1, 0], ["P", 0, -1, 0], ["S", 0, 0, 1], ["I", 0, 0, -1]];
const radians = (degrees) => (degrees * Math.PI) / 180;

// Where a direction of the patient (right, anterior, superior) points on the screen: to the right, up, toward the viewer.
// The view is NiiVue's: at azimuth 180 and elevation 0 one looks from the front.
function onScreen([x, y, z], azimuth, elevation) {
  const [a, e] = [radians(azimuth), radians(elevation)];
  const back = x * Math.sin(a) + y * Math.cos(a);
  return [x * Math.cos(a) - y * Math.sin(a), back * Math.sin(e) + z * Math.cos(e), z * Math.sin(e) - back * Math.cos(e)];
}

export function compass(svg) {
  const parts = AXES.map(([letter]) => {
    const [line, text] = ["line", "text"].map((name) => svg.appendChild(document.createElementNS(SVG, name)));
    text.textContent = letter;
    return [line, text];
  });
  return (azimuth, elevation) => AXES.forEach(([, ...direction], i) => {
    const [right, up, near] = onScreen(direction, azimuth, elevation);
    const [line, text] = parts[i];
    line.setAttribute("x2", 26 * right);
    line.setAttribute("y2", -26 * up);
    text.setAttribute("x", 38 * right);
    text.setAttribute("y", -38 * up);
    for (const part of parts[i]) part.setAttribute("opacity", 0.65 + 0.35 * near);
  });
}
