// Lays one layer of a page into the program: art, the drawn picture, the camera picture, or people.
//
// Every tile is a rectangle of program pixels. Art and shapes have the program's size already, so
// that they are read pixel for pixel; only pictures are filtered.

// Mirrored by `LayerData` in src/compositor/passes.rs.
struct Layer {
    // Where pixel 0,0 of the program lies in the picture, and the way from pixel to pixel.
    uv_origin: vec2<f32>,
    uv_step: vec2<f32>,
    // The program's width and height in pixels.
    program: vec2<f32>,
    // The program pixel on which pixel 0,0 of the layer's texture lies.
    corner: vec2<i32>,
}

// Group 0: what changes with the picture.
@group(0) @binding(0) var picture: texture_2d<f32>;
@group(0) @binding(1) var matte: texture_2d<f32>;
@group(0) @binding(2) var smooth_sampler: sampler;

// Group 1: what belongs to the layer. `ink` is the art, or in its red channel the panel's shape.
@group(1) @binding(0) var<uniform> layer: Layer;
@group(1) @binding(1) var ink: texture_2d<f32>;

@vertex
fn vs_main(@builtin(vertex_index) corner: u32, @location(0) tile: vec4<u32>) -> @builtin(position) vec4<f32> {
    // `tile` is left, top, width, height.
    let at = vec2<f32>(tile.xy) + vec2<f32>(tile.zw) * vec2<f32>(f32(corner & 1u), f32(corner >> 1u));
    let ndc = at / layer.program * 2.0 - 1.0;
    return vec4<f32>(ndc.x, -ndc.y, 0.0, 1.0);
}

fn uv_at(position: vec4<f32>) -> vec2<f32> {
    return layer.uv_origin + layer.uv_step * position.xy;
}

fn ink_at(position: vec4<f32>) -> vec4<f32> {
    return textureLoad(ink, vec2<i32>(position.xy) - layer.corner, 0);
}

@fragment
fn fs_art(@builtin(position) position: vec4<f32>) -> @location(0) vec4<f32> {
    return ink_at(position);
}

// A picture where the panel's shape covers the pixel altogether.
@fragment
fn fs_picture(@builtin(position) position: vec4<f32>) -> @location(0) vec4<f32> {
    return vec4<f32>(textureSampleLevel(picture, smooth_sampler, uv_at(position), 0.0).rgb, 1.0);
}

// A picture along the edge of the panel's shape.
@fragment
fn fs_picture_edge(@builtin(position) position: vec4<f32>) -> @location(0) vec4<f32> {
    let covered = ink_at(position).r;
    let colour = textureSampleLevel(picture, smooth_sampler, uv_at(position), 0.0).rgb;
    return vec4<f32>(colour * covered, covered);
}

// The people alone. The matte's soft edge is tightened, so that no background shines through
// around them; beyond the picture is nobody.
@fragment
fn fs_person(@builtin(position) position: vec4<f32>) -> @location(0) vec4<f32> {
    let uv = uv_at(position);
    let inside = all(uv >= vec2<f32>(0.0)) && all(uv <= vec2<f32>(1.0));
    let people = smoothstep(0.25, 0.85, textureSampleLevel(matte, smooth_sampler, uv, 0.0).a);
    let covered = select(0.0, ink_at(position).r * people, inside);
    let colour = textureSampleLevel(picture, smooth_sampler, uv, 0.0).rgb;
    return vec4<f32>(colour * covered, covered);
}
