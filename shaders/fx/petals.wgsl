// Petals that drift and turn: a notched leaf with an outline and a shaded half; near ones are large.

// A petal around 0,0, as long as 2 along x: how far inside, in its own measure.
fn petal(at: vec2<f32>) -> f32 {
    let t = clamp((at.x + 1.0) * 0.5, 0.0, 1.0);
    // Narrow at the stem, broad and round near the tip.
    let width = 0.98 * pow(t, 0.62) * sqrt(max(1.0 - pow(t, 3.2), 0.0));
    let across = (width - abs(at.y)) * 0.8;
    let along = 0.98 - abs(at.x);
    // The notch of a cherry petal.
    let notch = (abs(at.y) * 1.05 - (at.x - 0.68)) * 0.68;
    return min(min(across, along), notch);
}

// One layer of them: a leaning grid of cells with a petal in some, which moves on by `moves` cells
// in a loop. What a cell holds repeats along that way, and only along it, so that the loop closes.
fn layer(p: vec2<f32>, free: f32, side: f32, size: f32, moves: vec2<i32>, share: f32, purpose: u32) -> vec2<f32> {
    let lean = 0.37;
    let time = fx.drawing / fx.drawings;
    let way = vec2<f32>(f32(moves.x), f32(moves.y) - lean * f32(moves.x));
    let q = p - way * side * time;
    let column = floor(q.x / side);
    let shifted = vec2<f32>(q.x, q.y + side * lean * column);
    let place = floor(shifted / side);
    let turns = floor(place.y / f32(moves.y));
    let cell = vec2<i32>(place) - vec2<i32>(i32(turns)) * moves;
    let which = vec2<i32>(cell.x, cell.y * 31 + i32(purpose));
    if chance(which, 1u) > share {
        return vec2<f32>(0.0);
    }
    let whole_size = size * (0.7 + 0.5 * chance(which, 2u));
    let room = max(side * 0.5 - size * 1.38, 0.0);
    let sway = vec2<f32>(sin(TAU * (time + chance(which, 3u))), 0.35 * cos(TAU * (time * 2.0 + chance(which, 4u))));
    let jitter = (vec2<f32>(chance(which, 5u), chance(which, 6u)) - 0.5) * 1.5;
    let middle = (place + 0.5) * side + clamp(jitter + 0.32 * sway, vec2<f32>(-1.0), vec2<f32>(1.0)) * room;
    // Before the face it is small.
    let off = shifted - middle;
    let from_face = p - off - turned(fx.face, fx.angle) / fx.scale - free;
    let large = whole_size * mix(1.0, smoothstep(0.7, 1.5, length(from_face) / (0.24 * min(fx.size.x, fx.size.y))), smoothstep(8.0, 22.0, size));
    if large < 1.0 {
        return vec2<f32>(0.0);
    }
    let whole = select(-1.0, 1.0, chance(which, 7u) > 0.5);
    var at = turned(off, TAU * (chance(which, 8u) + whole * time)) / large;
    // Seen from the side it is narrow; never quite a line.
    let flip = cos(TAU * (time + chance(which, 9u)));
    let narrow = 0.34 + 0.66 * abs(flip);
    at.y = at.y / narrow;
    // Bent a little.
    at.y += (at.x * at.x - 0.4) * 0.28 * (chance(which, 10u) - 0.5);
    let inside = petal(at) * large * mix(0.75, 1.0, narrow);
    let body = covered(inside);
    // An outline that is heavier on the shaded side, a vein, half of the petal in shade.
    let shade_side = select(-1.0, 1.0, flip > 0.0);
    let pen = large * 0.055 * (0.9 + 0.6 * clamp(at.y * shade_side * 3.0, -0.5, 1.0));
    let line = covered(inside) - covered(inside - pen);
    let vein_width = large * 0.030 * (1.0 - clamp(at.x + 0.4, 0.0, 1.0));
    let vein = covered(vein_width - abs(at.y) * large * narrow) * step(-0.95, at.x);
    let shade = 0.42 * smoothstep(0.02, 0.08, at.y * shade_side) + 0.35 * (1.0 - smoothstep(-0.95, -0.35, at.x));
    let second = clamp(max(max(line, vein * 0.7), shade), 0.0, 1.0);
    return vec2<f32>(body * (1.0 - second), body * second);
}

fn draw(p: vec2<f32>) -> vec2<f32> {
    let q = turned(p, fx.angle) / fx.scale;
    let wide = inverseSqrt(max(fx.density, 0.05));
    var inks = layer(q, 0.0, 92.0 * wide, 11.0, vec2<i32>(1, 3), 0.45, 41u) * 0.85;
    inks = ink_over(inks, layer(q + 40.0, 40.0, 150.0 * wide, 22.0, vec2<i32>(1, 3), 0.42, 42u));
    inks = ink_over(inks, layer(q + 90.0, 90.0, 300.0 * wide, 48.0, vec2<i32>(1, 2), 0.34, 43u));
    return inks;
}
