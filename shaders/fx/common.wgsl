// What all effects share. It stands before each of them.
//
// An effect is a pure function of a place and of the number of a drawing: `fn draw(p)` gives how
// much of its two inks lies on a point, together 1 at most. Places are in units: a thousandth of
// the page's long side. The drawings of a loop follow each other like those of an animator, several
// a second and each drawn anew, not a picture that slides.

// Mirrored by `EffectData` in src/compositor/fx/painter.rs.
struct Effect {
    // Width and height of the shape.
    size: vec2<f32>,
    // Where the face is, from the shape's upper left corner.
    face: vec2<f32>,
    // The point on which pixel 0,0 of the drawing lies.
    corner: vec2<f32>,
    // Side of a pixel.
    pixel: f32,
    // Number of the drawing, and how many there are.
    drawing: f32,
    drawings: f32,
    // Tells effects of one kind apart.
    seed: f32,
    // What the artist asks for; 1 is usual. The angle is in radians, clockwise.
    density: f32,
    angle: f32,
    strength: f32,
    scale: f32,
    spare: vec2<f32>,
}

@group(0) @binding(0) var<uniform> fx: Effect;

const TAU: f32 = 6.2831853;

@vertex
fn vs_main(@builtin(vertex_index) corner: u32) -> @builtin(position) vec4<f32> {
    return vec4<f32>(f32(corner & 1u) * 4.0 - 1.0, f32(corner >> 1u) * 4.0 - 1.0, 0.0, 1.0);
}

@fragment
fn fs_main(@builtin(position) position: vec4<f32>) -> @location(0) vec2<f32> {
    return clamp(draw(fx.corner + position.xy * fx.pixel), vec2<f32>(0.0), vec2<f32>(1.0));
}

// Chance: PCG, as in Jarzynski and Olano, Hash Functions for GPU Rendering, 2020. The same on
// every device, as it counts in whole numbers.
fn shuffled(value: u32) -> u32 {
    let state = value * 747796405u + 2891336453u;
    let word = ((state >> ((state >> 28u) + 4u)) ^ state) * 277803737u;
    return (word >> 22u) ^ word;
}

// A number from 0 to 1 for a cell of a grid and a purpose.
fn chance(cell: vec2<i32>, purpose: u32) -> f32 {
    let mixed = shuffled(u32(cell.x) + shuffled(u32(cell.y) + shuffled(purpose + u32(fx.seed) * 97u)));
    return f32(mixed >> 8u) / 16777216.0;
}

// The same, anew for each drawing.
fn redrawn(cell: vec2<i32>, purpose: u32) -> f32 {
    return chance(cell, purpose + 1000u * (u32(fx.drawing) + 1u));
}

fn turned(p: vec2<f32>, angle: f32) -> vec2<f32> {
    let c = cos(angle);
    let s = sin(angle);
    return vec2<f32>(c * p.x + s * p.y, c * p.y - s * p.x);
}

// How much of a pixel lies inside a shape whose edge is `inside` units away.
fn covered(inside: f32) -> f32 {
    return clamp(inside / fx.pixel + 0.5, 0.0, 1.0);
}

// `over` on `under`, as parts of two inks.
fn ink_over(under: vec2<f32>, over: vec2<f32>) -> vec2<f32> {
    return over + under * (1.0 - over.x - over.y);
}

// Smooth noise from 0 to 1 along a line.
fn waver(at: f32, purpose: u32) -> f32 {
    let cell = i32(floor(at));
    let t = at - floor(at);
    let a = chance(vec2<i32>(cell, 7), purpose);
    let b = chance(vec2<i32>(cell + 1, 7), purpose);
    return mix(a, b, t * t * (3.0 - 2.0 * t));
}
