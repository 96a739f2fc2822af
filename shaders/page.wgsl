// Lays one layer of a page into the program: art, the drawn picture, the camera picture, people, or
// an effect.
//
// Every tile is a rectangle of program pixels. Art and shapes have the program's size already, so
// that they are read pixel for pixel; only pictures are filtered. Colours are premultiplied.

// Mirrored by `LayerData` in src/compositor/passes.rs.
struct Layer {
    // Where pixel 0,0 of the program lies in the picture, and the way from pixel to pixel.
    uv_origin: vec2<f32>,
    uv_step: vec2<f32>,
    // The program's width and height in pixels.
    program: vec2<f32>,
    // The program pixel on which pixel 0,0 of the layer's texture lies.
    corner: vec2<i32>,
    // Colours of outline and shadow, or of an effect; straight alpha.
    first: vec4<f32>,
    second: vec4<f32>,
    // People: how far the shadow falls, in the picture.
    shadow: vec2<f32>,
    // People: the outline's width, the shadow's softness, and the longest distance that is
    // measured, in program pixels. Tone: how sharp its dots are, its strength, and 1 when the
    // picture is taken in steps.
    outline: f32,
    blur: f32,
    reach: f32,
    // People: how much the picture cuts off their heads.
    cut: f32,
    // 1 where a shot is waited for.
    waits: f32,
    // How the layer is mixed with what is below it, as `Blend::ALL` in src/panels/blend.rs counts.
    mode: u32,
    // 1 where the picture is enlarged and follows the edges of its frame.
    sharp: f32,
    // The part of the picture that is the frame itself.
    plain: f32,
    // How many close-ups lie over the picture, where a point of it lies in theirs (an origin and a
    // scale), and where in theirs each of them is (its edges).
    close_ups: u32,
    // Of a picture that is printed in dots: how many pixels the screen takes until it repeats itself.
    screen: f32,
    close_maps: array<vec4<f32>, 4>,
    close_areas: array<vec4<f32>, 4>,
    // And its ink, with how much of it is printed, a byte each; how much of a tone's darkness the
    // dots bear; and how sharp their edges are.
    dots: u32,
    cover: f32,
    dot_edge: f32,
    // How crisp the picture's edges become.
    crisp: f32,
}

// Group 0: what changes with the picture. `matte` has the people in its alpha, `around` how near
// they are.
@group(0) @binding(0) var picture: texture_2d<f32>;
@group(0) @binding(1) var matte: texture_2d<f32>;
@group(0) @binding(2) var smooth_sampler: sampler;
@group(0) @binding(3) var around: texture_2d<f32>;
// What sharpens a drawing: its gains, the frame in its size, and the frame.
@group(0) @binding(4) var gains: texture_2d<f32>;
@group(0) @binding(5) var shrunk: texture_2d<f32>;
@group(0) @binding(6) var frame: texture_2d<f32>;
// Faces, drawn larger; alpha is how much of them is seen.
@group(0) @binding(7) var close: texture_2d<f32>;
// How dark and how bright a drawing is around each pixel: see src/compositor/relief.rs.
@group(0) @binding(8) var relief: texture_2d<f32>;

// Group 1: what belongs to the layer. `ink` is the art, or in its red channel the panel's shape; of
// people its green channel is the shape of the panel they stand in.
@group(1) @binding(0) var<uniform> layer: Layer;
@group(1) @binding(1) var ink: texture_2d<f32>;

// Group 2: the program as it is below a layer that is mixed with it.
@group(2) @binding(0) var below: texture_2d<f32>;

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

const LUMA = vec3<f32>(0.30078, 0.58594, 0.11328);

// The drawing, with what its frame has at this place beyond its shrunk copy: see
// src/compositor/guide.rs, where MOST_GAIN and NOISE are told, and src/compositor/sharpen.rs.
fn sharpened(uv: vec2<f32>) -> vec3<f32> {
    const MOST_GAIN = 3.0;
    const NOISE = 2.5 / 255.0;
    let colour = textureSampleLevel(picture, smooth_sampler, uv, 0.0).rgb;
    if layer.sharp < 0.5 {
        return colour;
    }
    let more = textureSampleLevel(frame, smooth_sampler, uv, 0.0).rgb
        - textureSampleLevel(shrunk, smooth_sampler, uv, 0.0).rgb;
    let bright = dot(more, LUMA);
    let gain = textureSampleLevel(gains, smooth_sampler, uv, 0.0);
    let edge = clamp(bright - clamp(bright, -NOISE, NOISE), -gain.a, gain.a) * MOST_GAIN;
    let mixed = clamp(colour + more * layer.plain, vec3<f32>(0.0), vec3<f32>(1.0));
    return clamp(mixed + gain.rgb * edge, vec3<f32>(0.0), vec3<f32>(1.0));
}

// A colour of the drawing with crisp edges: see src/compositor/crisp.rs, where the numbers are told.
fn crisp(uv: vec2<f32>, colour: vec3<f32>) -> vec3<f32> {
    const PUSH = 1.2;
    if layer.crisp == 0.0 {
        return colour;
    }
    let near = textureSampleLevel(relief, smooth_sampler, uv, 0.0);
    let bright = dot(colour, LUMA);
    let share = clamp(((near.g - near.r) * 255.0 - 26.0) / 38.0, 0.0, 1.0) * layer.crisp;
    let goal = clamp(bright + (bright - (near.r + near.g) / 2.0) * PUSH, near.r, near.g);
    return clamp(colour + (goal - bright) * share, vec3<f32>(0.0), vec3<f32>(1.0));
}

// A colour of the picture with close-ups laid over it, as far as they may be seen: see
// src/compositor/closeup.rs.
fn closer(uv: vec2<f32>, colour: vec3<f32>, seen: f32) -> vec3<f32> {
    var mixed = colour;
    for (var number = 0u; number < layer.close_ups; number++) {
        let map = layer.close_maps[number];
        let area = layer.close_areas[number];
        let at = map.xy + uv * map.zw;
        if all(at >= area.xy) && all(at <= area.zw) {
            let face = textureSampleLevel(close, smooth_sampler, at, 0.0);
            mixed = mix(mixed, face.rgb, face.a * seen);
        }
    }
    return mixed;
}

// A colour of the picture as it is printed: see src/compositor/halftone.rs, where the numbers are told.
fn printed(position: vec4<f32>, uv: vec2<f32>, colour: vec3<f32>) -> vec3<f32> {
    const MOST_COVER = 0.875;
    let ink = unpack4x8unorm(layer.dots);
    if ink.a == 0.0 {
        return colour;
    }
    let bright = dot(colour, LUMA);
    let dark = clamp((bright * 255.0 - 26.0) / 25.0, 0.0, 1.0);
    let light = clamp((bright * 255.0 - 163.0) / 31.0, 0.0, 1.0);
    let near = textureSampleLevel(relief, smooth_sampler, uv, 0.0);
    let edge = clamp(((near.a - near.b) * 255.0 - 24.0) / 36.0, 0.0, 1.0);
    let amount = ink.a * dark * (1.0 - light) * (1.0 - edge);
    let cover = min((1.0 - bright) * layer.cover, MOST_COVER);
    let wave = cos((floor(position.xy) % layer.screen + 0.25) * 6.2831853 / layer.screen);
    let height = wave.x * wave.y;
    let t = abs(height);
    let root = sqrt(t);
    let share = min(0.1307 * root + 1.9082 * t - 1.5045 * t * root + 0.4657 * t * t, 1.0);
    let threshold = 0.5 - 0.5 * share * sign(height);
    let on = clamp((cover - threshold) * layer.dot_edge + 0.5, 0.0, 1.0);
    let push = amount * ((1.0 - on) / (1.0 - cover) - 1.0);
    return clamp(colour + (colour - ink.rgb) * push, vec3<f32>(0.0), vec3<f32>(1.0));
}

// The picture; darker and paler where a shot is waited for, like `waiting` in
// src/compositor/pixel.rs.
fn picture_at(position: vec4<f32>) -> vec3<f32> {
    let uv = uv_at(position);
    let colour = printed(position, uv, closer(uv, crisp(uv, sharpened(uv)), 1.0));
    let luma = dot(colour, LUMA);
    let paler = (colour + luma) / 4.0 + 18.0 / 255.0;
    return mix(colour, paler, layer.waits);
}

// A layer's own colours, whatever is below.

fn art(position: vec4<f32>) -> vec4<f32> {
    return ink_at(position);
}

// A picture along the edge of the panel's shape.
fn edge(position: vec4<f32>) -> vec4<f32> {
    let covered = ink_at(position).r;
    return vec4<f32>(picture_at(position) * covered, covered);
}

fn distance_at(uv: vec2<f32>) -> f32 {
    return (1.0 - textureSampleLevel(around, smooth_sampler, uv, 0.0).r) * layer.reach;
}

fn inked(colour: vec4<f32>, alpha: f32) -> vec4<f32> {
    let covered = colour.a * clamp(alpha, 0.0, 1.0);
    return vec4<f32>(colour.rgb * covered, covered);
}

// The people alone, with outline and shadow. The matte's soft edge is tightened, so that no
// background shines through around them; beyond the picture is nobody. Where the picture cuts off
// their heads they stay in their panel.
fn person(position: vec4<f32>) -> vec4<f32> {
    let uv = uv_at(position);
    let inside = all(uv >= vec2<f32>(0.0)) && all(uv <= vec2<f32>(1.0));
    let shapes = ink_at(position).rg;
    let shape = select(0.0, mix(shapes.r, min(shapes.r, shapes.g), layer.cut), inside);
    let alpha = textureSampleLevel(matte, smooth_sampler, uv, 0.0).a;
    let people = smoothstep(0.25, 0.85, alpha);
    // Along people's edges the picture has their own colours, a close-up has not: SURE in
    // src/compositor/closeup.rs.
    const SURE = 217.0;
    const RISE = 7.0 / 256.0;
    let sure = clamp((alpha * 255.0 - SURE) * RISE, 0.0, 1.0);
    let colour = printed(position, uv, closer(uv, crisp(uv, sharpened(uv)), sure));
    var above = vec4<f32>(colour * people, people);
    if layer.reach > 0.0 {
        let shadow = 1.0 - smoothstep(0.0, layer.blur, distance_at(uv - layer.shadow));
        var beneath = inked(layer.second, shadow);
        if layer.outline > 0.0 {
            let line = inked(layer.first, layer.outline - distance_at(uv) + 0.5);
            beneath = line + beneath * (1.0 - line.a);
        }
        above += beneath * (1.0 - above.a);
    }
    return above * shape;
}

// An effect: `picture` is the drawing, its red channel the first ink and its green the second.
fn effect(position: vec4<f32>) -> vec4<f32> {
    let inks = textureSampleLevel(picture, smooth_sampler, uv_at(position), 0.0).rg;
    let above = inked(layer.first, inks.r) + inked(layer.second, min(inks.g, 1.0 - inks.r));
    return above * ink_at(position).r;
}

// How much ink a picture of a luminance gets, like `Tone::darkness` in src/compositor/fx/look.rs.
fn darkness(luminance: f32) -> f32 {
    if layer.reach > 0.5 {
        let dark = (1.0 - luminance) * layer.blur;
        let steps = clamp((dark - vec3<f32>(0.42, 0.60, 0.78)) / 0.02 + 0.5, vec3<f32>(0.0), vec3<f32>(1.0));
        return dot(steps, vec3<f32>(0.20, 0.20, 0.28));
    }
    return clamp((1.0 - luminance) * 0.95 * layer.blur - 0.17, 0.0, 0.86);
}

// Tone: `picture` is the pattern; it is inked where the program below is darker than it says.
fn tone(position: vec4<f32>) -> vec4<f32> {
    let under = textureLoad(below, vec2<i32>(position.xy), 0);
    // What is transparent counts as paper.
    let luminance = dot(under.rgb, LUMA) + 1.0 - under.a;
    let pattern = textureSampleLevel(picture, smooth_sampler, uv_at(position), 0.0).r;
    let ink = (pattern + darkness(luminance) - 1.0) * layer.outline + 0.5;
    return inked(layer.first, ink * step(0.004, darkness(luminance))) * ink_at(position).r;
}

// Ways of mixing: Compositing and Blending Level 1 of the W3C, like src/panels/blend.rs.

fn hard_light(under: f32, over: f32) -> f32 {
    let twice = 2.0 * over;
    return select(under + (twice - 1.0) * (1.0 - under), under * twice, over <= 0.5);
}

fn soft_light(under: f32, over: f32) -> f32 {
    let bright = select(sqrt(under), ((16.0 * under - 12.0) * under + 4.0) * under, under <= 0.25);
    let lit = under + (2.0 * over - 1.0) * (bright - under);
    return select(lit, under - (1.0 - 2.0 * over) * under * (1.0 - under), over <= 0.5);
}

fn dodge(under: f32, over: f32) -> f32 {
    let lit = min(1.0, under / max(1.0 - over, 1e-5));
    return select(lit, 0.0, under <= 0.0);
}

fn channel(under: f32, over: f32) -> f32 {
    switch layer.mode {
        case 1u: { return under * over; }
        case 2u: { return under + over - under * over; }
        case 3u: { return hard_light(over, under); }
        case 4u: { return min(under, over); }
        case 5u: { return max(under, over); }
        case 6u: { return abs(under - over); }
        case 7u: { return hard_light(under, over); }
        case 8u: { return soft_light(under, over); }
        case 9u: { return dodge(under, over); }
        default: { return over; }
    }
}

fn mixed(position: vec4<f32>, above: vec4<f32>) -> vec4<f32> {
    let under = textureLoad(below, vec2<i32>(position.xy), 0);
    let straight_under = min(under.rgb / max(under.a, 1e-5), vec3<f32>(1.0));
    let straight_over = min(above.rgb / max(above.a, 1e-5), vec3<f32>(1.0));
    let both = vec3<f32>(
        channel(straight_under.r, straight_over.r),
        channel(straight_under.g, straight_over.g),
        channel(straight_under.b, straight_over.b),
    );
    let colour = above.rgb * (1.0 - under.a) + both * above.a * under.a + under.rgb * (1.0 - above.a);
    return vec4<f32>(colour, above.a + under.a * (1.0 - above.a));
}

@fragment
fn fs_art(@builtin(position) position: vec4<f32>) -> @location(0) vec4<f32> {
    return art(position);
}

@fragment
fn fs_art_mixed(@builtin(position) position: vec4<f32>) -> @location(0) vec4<f32> {
    return mixed(position, art(position));
}

// A picture where the panel's shape covers the pixel altogether.
@fragment
fn fs_picture(@builtin(position) position: vec4<f32>) -> @location(0) vec4<f32> {
    return vec4<f32>(picture_at(position), 1.0);
}

@fragment
fn fs_picture_edge(@builtin(position) position: vec4<f32>) -> @location(0) vec4<f32> {
    return edge(position);
}

@fragment
fn fs_picture_edge_mixed(@builtin(position) position: vec4<f32>) -> @location(0) vec4<f32> {
    return mixed(position, edge(position));
}

@fragment
fn fs_person(@builtin(position) position: vec4<f32>) -> @location(0) vec4<f32> {
    return person(position);
}

@fragment
fn fs_person_mixed(@builtin(position) position: vec4<f32>) -> @location(0) vec4<f32> {
    return mixed(position, person(position));
}

@fragment
fn fs_effect(@builtin(position) position: vec4<f32>) -> @location(0) vec4<f32> {
    return effect(position);
}

@fragment
fn fs_effect_mixed(@builtin(position) position: vec4<f32>) -> @location(0) vec4<f32> {
    return mixed(position, effect(position));
}

@fragment
fn fs_tone_mixed(@builtin(position) position: vec4<f32>) -> @location(0) vec4<f32> {
    return mixed(position, tone(position));
}
