// Rain: streaks of light with a dark edge, far ones short and thin, near ones long and heavy.

fn streaks(q: vec2<f32>, pitch: f32, period: f32, falls: f32, length: f32, heaviness: f32, share: f32, purpose: u32) -> vec2<f32> {
    let column = i32(floor(q.x / pitch));
    let fallen = q.y - falls * period * fx.drawing / fx.drawings + chance(vec2<i32>(column, 0), purpose) * period;
    let row = floor(fallen / period);
    // The loop ends where it began: drops of all periods are alike.
    let cell = vec2<i32>(column, i32(purpose));
    var inks = vec2<f32>(0.0);
    for (var drop = 0; drop < 2; drop++) {
        let which = u32(drop) * 10u;
        if chance(cell, which + 1u) > share {
            continue;
        }
        let long = length * (0.45 + 0.9 * chance(cell, which + 2u));
        let start = (chance(cell, which + 3u) * 0.5 + 0.5 * f32(drop)) * period * 0.98;
        var along = fallen - row * period - start;
        along = select(along, along + period, along < 0.0);
        let t = along / long;
        if t > 1.0 {
            continue;
        }
        // Thin where it comes from, thick where it falls to.
        let width = heaviness * (0.5 + 0.8 * chance(cell, which + 4u)) * smoothstep(0.0, 0.75, t) * (1.0 - smoothstep(0.93, 1.0, t));
        let room = pitch * 0.5 - heaviness * 2.0;
        let middle = (f32(column) + 0.5) * pitch + (chance(cell, which + 5u) - 0.5) * 2.0 * max(room, 0.0);
        let light = covered(width - abs(q.x - middle));
        let dark = covered(width * 0.8 - abs(q.x - middle - width * 1.4)) * 0.55;
        inks = ink_over(inks, vec2<f32>(0.0, dark));
        inks = ink_over(inks, vec2<f32>(light, 0.0));
    }
    return inks;
}

fn draw(p: vec2<f32>) -> vec2<f32> {
    let q = turned(p, fx.angle) / fx.scale;
    let wide = 1.0 / fx.density;
    var inks = streaks(q, 11.0 * wide, 190.0, 2.0, 52.0, 0.6, 0.6, 31u) * 0.6;
    inks = ink_over(inks, streaks(q, 27.0 * wide, 330.0, 2.0, 120.0, 1.2, 0.55, 32u) * 0.85);
    inks = ink_over(inks, streaks(q, 74.0 * wide, 620.0, 1.0, 270.0, 2.5, 0.5, 33u));
    return inks;
}
