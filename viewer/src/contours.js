// The fragment shader of the three planes: the CT, a tint of liver and tumor, and their contours.
// A contour is where the label, interpolated between voxel centers, passes one half, as in the page's pictures: it has one
// width on the screen whatever the size of a voxel, and follows the plane shown and no other. NiiVue names the uniforms and
// finds them by one declaration a line.
const literal = (rgb) => `vec3(${rgb.map((value) => (value / 255).toFixed(4)).join(", ")})`;

export const sliceShader = (liver, tumor) => `#version 300 es
precision highp int;
precision highp float;
uniform highp sampler3D volume;
uniform highp sampler3D overlay;
uniform float opacity;
uniform float overlays;
uniform float overlayAlphaShader;   // of the tint
uniform float overlayOutlineWidth;  // of the contours, in pixels of the screen; 0 for none
uniform int axCorSag;
in vec3 texPos;
out vec4 color;
const vec3 LIVER = ${literal(liver)}, TUMOR = ${literal(tumor)};

vec2 inside(ivec3 at) {  // whether a voxel is liver (with tumor), and whether it is tumor
  if (any(lessThan(at, ivec3(0))) || any(greaterThanEqual(at, textureSize(overlay, 0)))) return vec2(0.0);
  vec4 label = texelFetch(overlay, at, 0);
  return step(0.5, label.a) * vec2(1.0, step(distance(label.rgb, TUMOR), distance(label.rgb, LIVER)));
}

vec2 interpolated() {
  vec3 voxel = texPos * vec3(textureSize(overlay, 0));
  ivec3 across = axCorSag == 2 ? ivec3(0, 1, 0) : ivec3(1, 0, 0);
  ivec3 up = axCorSag == 0 ? ivec3(0, 1, 0) : ivec3(0, 0, 1);
  ivec3 nearest = ivec3(floor(voxel)), corner = ivec3(floor(voxel - 0.5));
  ivec3 at = nearest + (corner - nearest) * (across + up);
  vec3 part = fract(voxel - 0.5);
  float x = dot(part, vec3(across)), y = dot(part, vec3(up));
  return mix(mix(inside(at), inside(at + across), x), mix(inside(at + up), inside(at + across + up), x), y);
}

void paint(float value, vec3 ink) {
  float pixels = abs(value - 0.5) / max(length(vec2(dFdx(value), dFdy(value))), 1e-5);
  float half_width = 0.5 * overlayOutlineWidth;
  color.rgb = mix(color.rgb, vec3(0.0), 0.45 * (1.0 - smoothstep(half_width, half_width + 1.5, pixels)));
  color.rgb = mix(color.rgb, ink, 1.0 - smoothstep(half_width - 0.5, half_width + 0.5, pixels));
}

void main() {
  color = vec4(texture(volume, texPos).rgb, opacity);
  if (overlays < 0.5) return;
  vec4 label = texture(overlay, texPos);
  color.rgb = mix(color.rgb, label.rgb, label.a * overlayAlphaShader);
  vec2 value = interpolated();
  if (overlayOutlineWidth > 0.0) {
    paint(value.x, LIVER);
    paint(value.y, TUMOR);
  }
}`;
