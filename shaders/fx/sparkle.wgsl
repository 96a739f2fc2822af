// Four-pointed stars that open and close, with points of light around them.

// A star around 0,0 with arms as long as `arms`: how far inside, about.
fn star(at: vec2<f32>, arms: vec2<f32>) -> f32 {
    let a = abs(at) / arms;
    let inside = 1.0 - pow(sqrt(a.x) + sqrt(a.y), 2.0);
    let slope = (sqrt(a.x) + sqrt(a.y)) * (inverseSqrt(max(a.x, 0.003)) / arms.x + inverseSqrt(max(a.y, 0.003)) / arms.y) * 0.5;
    return inside / max(slope, 1e-3);
}

fn stars(p: vec2<f32>, side: f32, size: f32, share: f32, purpose: u32) -> vec2<f32> {
    let column = floor(p.x / side);
    let q = vec2<f32>(p.x, p.y + side * fract(column * 0.41));
    let place = floor(q / side);
    let which = vec2<i32>(i32(place.x), i32(place.y) * 17 + i32(purpose));
    if chance(which, 1u) > share {
        return vec2<f32>(0.0);
    }
    // It opens at its own time of the loop, quickly, and closes slowly.
    let time = fract(fx.drawing / fx.drawings + chance(which, 2u));
    let life = smoothstep(0.0, 0.22, time) * (1.0 - smoothstep(0.38, 0.9, time));
    if life < 0.03 {
        return vec2<f32>(0.0);
    }
    let large = size * (0.45 + 0.75 * chance(which, 3u)) * (0.35 + 0.65 * life);
    let room = max(side * 0.5 - large * 1.12, 0.0);
    let middle = (place + 0.5) * side + (vec2<f32>(chance(which, 4u), chance(which, 5u)) - 0.5) * 2.0 * room;
    let at = q - middle;
    let arms = large * vec2<f32>(0.66, 1.0);
    let inside = star(at, arms);
    // A glow of the second ink between the arms, in which the drawn outline stands.
    let body = covered(inside);
    let rim = covered(inside + large * 0.045 + 0.8);
    let glow = 0.5 * life * pow(clamp(1.0 - length(at) / (large * 0.62), 0.0, 1.0), 1.6);
    return ink_over(vec2<f32>(0.0, max(glow, rim * 0.95)), vec2<f32>(body, 0.0));
}

// Small round lights.
fn dots(p: vec2<f32>, side: f32, size: f32, share: f32, purpose: u32) -> vec2<f32> {
    let place = floor(p / side);
    let which = vec2<i32>(i32(place.x), i32(place.y) * 13 + i32(purpose));
    if chance(which, 1u) > share {
        return vec2<f32>(0.0);
    }
    let time = fract(fx.drawing / fx.drawings + chance(which, 2u));
    let life = sin(3.14159 * time);
    let large = size * (0.3 + 0.7 * chance(which, 3u)) * life;
    let middle = (place + 0.2 + 0.6 * vec2<f32>(chance(which, 4u), chance(which, 5u))) * side;
    let inside = large - length(p - middle);
    let body = covered(inside);
    return vec2<f32>(body, covered(inside + 1.1) * 0.8 * (1.0 - body));
}

fn draw(p: vec2<f32>) -> vec2<f32> {
    // The face stays free.
    let near = length((p - fx.face) / vec2<f32>(0.20, 0.20) / min(fx.size.x, fx.size.y) / vec2<f32>(1.0, 1.25));
    let free = smoothstep(0.85, 1.05, near);
    let q = p / fx.scale;
    let wide = inverseSqrt(max(fx.density, 0.05));
    var inks = dots(q, 58.0 * wide, 4.2, 0.4, 51u);
    inks = ink_over(inks, stars(q, 120.0 * wide, 34.0, 0.5, 52u));
    inks = ink_over(inks, stars(q + 77.0, 250.0 * wide, 84.0, 0.5, 53u));
    return inks * free;
}
