// Dots that grow where the picture is dark. A point of the pattern is inked where the picture is
// darker than what it says: the higher, the sooner.

fn draw(p: vec2<f32>) -> vec2<f32> {
    let pitch = 7.5 * fx.scale / fx.density;
    let q = turned(p - fx.size * 0.5, fx.angle) / pitch * TAU;
    // Round dots that meet in the middle tones and leave round holes: the classical spot function.
    return vec2<f32>(0.5 + 0.25 * (cos(q.x) + cos(q.y)), 0.0);
}
